//! Responses: from money per customer to a changed purchase rate or spend, with the uncertainty of what is believed.

use serde::{Deserialize, Serialize};

use crate::random::{NOBODY, Purpose, Stream, hash_text};

/// Where a causal number comes from. It is shown wherever a result rests on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A randomised experiment.
    Experiment,
    /// Asked of people who should know.
    Elicited,
    /// Assumed.
    Assumption,
}

impl Source {
    /// The source as written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            Source::Experiment => "experiment",
            Source::Elicited => "elicited",
            Source::Assumption => "assumption",
        }
    }
}

/// What a response changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// The customer's purchase rate is multiplied by 1 + lift.
    PurchaseRate,
    /// What each of its orders is worth is multiplied by 1 + lift.
    Spend,
}

impl Lever {
    /// The lever as written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            Lever::PurchaseRate => "purchase_rate",
            Lever::Spend => "spend",
        }
    }
}

/// The shape of a response over money per customer, b ≥ 0. All begin at 0 and have diminishing returns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "shape")]
pub enum Curve {
    /// effect × (1 − e^(−b/scale)): `effect` is the ceiling.
    Saturating {
        /// Money per customer at which 63 % of the ceiling is reached.
        scale: f64,
    },
    /// effect × ln(1 + b/scale): `effect` is gained at b = 1.72 scale and again with every factor e.
    Log {
        /// Money per customer below which the curve is nearly straight.
        scale: f64,
    },
    /// effect × (b/scale)^exponent: `effect` is the lift at b = scale.
    Power {
        /// Money per customer at which the lift is `effect`.
        scale: f64,
        /// Between 0 and 1 (1 included: no diminishing).
        exponent: f64,
    },
}

impl Curve {
    /// The share of `effect` that `money` per customer buys.
    pub fn at(self, money: f64) -> f64 {
        if money <= 0.0 {
            return 0.0;
        }
        match self {
            Curve::Saturating { scale } => -(-money / scale).exp_m1(),
            Curve::Log { scale } => (money / scale).ln_1p(),
            Curve::Power { scale, exponent } => (money / scale).powf(exponent),
        }
    }

    /// The shape as written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            Curve::Saturating { .. } => "saturating",
            Curve::Log { .. } => "log",
            Curve::Power { .. } => "power",
        }
    }
}

/// What one action does to one lever in one tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Response {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// What changes.
    pub on: Lever,
    /// How it depends on money.
    pub curve: Curve,
    /// The median of the effect.
    pub effect: f64,
    /// 2.5 % quantile of the effect.
    pub lower: f64,
    /// 97.5 % quantile of the effect.
    pub upper: f64,
    /// Where the numbers come from.
    pub source: Source,
    /// The source in words.
    pub note: String,
}

/// The 97.5 % quantile of the standard normal.
const Z: f64 = 1.959_963_984_540_054;

/// The effect of a response in one replication.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseDraw {
    effect: f64,
    curve: Curve,
}

impl Response {
    /// The effect at its stated value.
    pub fn fixed(&self) -> ResponseDraw {
        ResponseDraw { effect: self.effect, curve: self.curve }
    }

    /// The effect drawn for a replication: a two-piece normal whose median is `effect` and whose 2.5 % and 97.5 %
    /// quantiles are `lower` and `upper`. Keyed by action, tier and lever, so that the same belief has the same
    /// luck in every strategy and adding a response changes no other.
    pub fn draw(&self, seed: u64, replication: u32) -> ResponseDraw {
        let key = format!("{}\u{1f}{}\u{1f}{}", self.action, self.tier, self.on.name());
        let address = hash_text(key.as_bytes()).max(NOBODY + 1);
        let z = Stream::new(seed, address, replication, Purpose::Responses).normal();
        let side = if z < 0.0 { self.effect - self.lower } else { self.upper - self.effect };
        ResponseDraw { effect: self.effect + side * z / Z, curve: self.curve }
    }
}

impl ResponseDraw {
    /// The factor by which `money` per customer multiplies the lever: 1 + lift, never below 0.
    pub fn factor(&self, money: f64) -> f64 {
        (1.0 + self.effect * self.curve.at(money)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(curve: Curve) -> Response {
        Response {
            action: "call".into(),
            tier: "high".into(),
            on: Lever::PurchaseRate,
            curve,
            effect: 0.1,
            lower: 0.04,
            upper: 0.25,
            source: Source::Assumption,
            note: String::new(),
        }
    }

    #[test]
    fn curves_begin_at_nothing_and_bend() {
        for curve in [
            Curve::Saturating { scale: 2.0 },
            Curve::Log { scale: 2.0 },
            Curve::Power { scale: 2.0, exponent: 0.5 },
        ] {
            let r = response(curve).fixed();
            assert_eq!(r.factor(0.0), 1.0);
            let first = r.factor(1.0) - r.factor(0.0);
            let second = r.factor(2.0) - r.factor(1.0);
            assert!(first > second && second > 0.0, "{curve:?}");
        }
        assert!(
            (response(Curve::Power { scale: 2.0, exponent: 0.5 }).fixed().factor(2.0) - 1.1).abs() < 1e-15
        );
        assert!((response(Curve::Log { scale: 1.0 }).fixed().factor(1f64.exp_m1()) - 1.1).abs() < 1e-15);
    }

    #[test]
    fn drawn_effects_have_the_stated_quantiles() {
        let r = response(Curve::Power { scale: 1.0, exponent: 1.0 });
        let mut effects: Vec<f64> = (0..40_000).map(|i| r.draw(3, i).factor(1.0) - 1.0).collect();
        effects.sort_by(f64::total_cmp);
        for (p, want) in [(0.025, 0.04), (0.5, 0.1), (0.975, 0.25)] {
            let got = effects[(p * effects.len() as f64) as usize];
            assert!((got - want).abs() < 0.004, "{p}: {got} {want}");
        }
    }

    #[test]
    fn a_harmful_response_never_makes_a_rate_negative() {
        let mut r = response(Curve::Power { scale: 1.0, exponent: 1.0 });
        r.effect = -3.0;
        assert_eq!(r.fixed().factor(5.0), 0.0);
    }
}
