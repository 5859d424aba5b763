//! The shapes of responses: what share of an effect a dose buys.

use serde::Serialize;

/// The shape of a response over the dose b ≥ 0: the money that a contact costs per customer, or the depth of a price cut. All but
/// the constant are 0 at b = 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "shape")]
pub enum Curve {
    /// effect for everybody who is contacted, whatever it costs.
    Constant,
    /// effect × (1 − e^(−b/scale)): `effect` is the ceiling (the modified exponential).
    Saturating {
        /// The dose at which 63 % of the ceiling is reached.
        scale: f64,
    },
    /// effect × ln(1 + b/scale): `effect` is gained at b = 1.72 scale and again with every factor e.
    Log {
        /// The dose below which the curve is nearly straight.
        scale: f64,
    },
    /// effect × (b/scale)^exponent: `effect` is the lift at b = scale.
    Power {
        /// The dose at which the lift is `effect`.
        scale: f64,
        /// Above 0 and up to 1 (no diminishing).
        exponent: f64,
    },
    /// effect × b^exponent/(scale^exponent + b^exponent) (Hill 1910): S-shaped for an exponent above 1.
    Hill {
        /// The dose at which half of the ceiling is reached.
        scale: f64,
        /// Above 0.
        exponent: f64,
    },
    /// effect × b^exponent/(d + b^exponent) (Little, "Models and managers: the concept of a decision calculus", 1970, with
    /// its floor at no treatment).
    Adbudg {
        /// Above 0.
        d: f64,
        /// Above 0.
        exponent: f64,
    },
    /// (1/(1 + (1/base − 1)·e^(−effect·b)))/base − 1: the lift of a choice that is made with probability `base` without a
    /// cut, where its log-odds rise by `effect` per unit of the dose (the logit price response).
    Logit {
        /// Between 0 and 1.
        base: f64,
    },
    /// effect × the share at b: straight lines between the points, level after the last.
    Table {
        /// (dose, share of the effect), from (0, 0) on, ascending in the dose.
        points: Vec<(f64, f64)>,
    },
}

impl Curve {
    /// The lift that `dose` buys of who is contacted, where the effect is `effect`.
    pub fn lift(&self, effect: f64, dose: f64) -> f64 {
        if matches!(self, Curve::Constant) {
            return effect;
        }
        if dose <= 0.0 {
            return 0.0;
        }
        let share = match self {
            Curve::Constant => 1.0,
            Curve::Saturating { scale } => -(-dose / scale).exp_m1(),
            Curve::Log { scale } => (dose / scale).ln_1p(),
            Curve::Power { scale, exponent } => (dose / scale).powf(*exponent),
            // Divided through, so that no power overflows.
            Curve::Hill { scale, exponent } => 1.0 / (1.0 + (scale / dose).powf(*exponent)),
            Curve::Adbudg { d, exponent } => 1.0 / (1.0 + d * dose.powf(-exponent)),
            Curve::Logit { base } => {
                return (1.0 / (1.0 + (1.0 / base - 1.0) * (-effect * dose).exp())) / base - 1.0;
            }
            Curve::Table { points } => interpolate(points, dose),
        };
        effect * share
    }

    /// The shape as written in a strategy file.
    pub fn name(&self) -> &'static str {
        match self {
            Curve::Constant => "constant",
            Curve::Saturating { .. } => "saturating",
            Curve::Log { .. } => "log",
            Curve::Power { .. } => "power",
            Curve::Hill { .. } => "hill",
            Curve::Adbudg { .. } => "adbudg",
            Curve::Logit { .. } => "logit",
            Curve::Table { .. } => "table",
        }
    }
}

fn interpolate(points: &[(f64, f64)], at: f64) -> f64 {
    let after = points.partition_point(|point| point.0 <= at);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after)) {
        (Some(low), Some(high)) => low.1 + (high.1 - low.1) * (at - low.0) / (high.0 - low.0),
        (Some(last), None) => last.1,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_begin_at_nothing_and_reach_what_they_say() {
        let table = Curve::Table { points: vec![(0.0, 0.0), (1.0, 0.5), (3.0, 1.0)] };
        for (curve, dose, share) in [
            (Curve::Constant, 0.1, 1.0),
            (Curve::Saturating { scale: 2.0 }, 2.0, 1.0 - (-1f64).exp()),
            (Curve::Log { scale: 1.0 }, 1f64.exp_m1(), 1.0),
            (Curve::Power { scale: 2.0, exponent: 0.5 }, 0.5, 0.5),
            (Curve::Hill { scale: 2.0, exponent: 3.0 }, 2.0, 0.5),
            (Curve::Adbudg { d: 8.0, exponent: 3.0 }, 2.0, 0.5),
            (table.clone(), 2.0, 0.75),
            (table, 9.0, 1.0),
        ] {
            let at_nothing = if curve == Curve::Constant { 0.3 } else { 0.0 };
            assert_eq!(curve.lift(0.3, 0.0), at_nothing, "{curve:?}");
            assert!((curve.lift(0.3, dose) - 0.3 * share).abs() < 1e-15, "{curve:?}");
        }
    }

    /// S-shaped oracle: A 100, k 1, s 3: at b = 1.259921 the value is 66.6667 and the slope 52.9134, that of the line from
    /// the origin.
    #[test]
    fn hill_touches_its_tangent_from_the_origin() {
        let curve = Curve::Hill { scale: 1.0, exponent: 3.0 };
        let (at, step) = (2f64.cbrt(), 1e-5);
        let slope = (curve.lift(100.0, at + step) - curve.lift(100.0, at - step)) / (2.0 * step);
        assert!((curve.lift(100.0, at) - 66.6667).abs() < 1e-4);
        assert!((slope - 52.9134).abs() < 1e-4 && (curve.lift(100.0, at) / at - 52.9134).abs() < 1e-4);
    }

    #[test]
    fn logit_is_the_ratio_of_two_probabilities() {
        let curve = Curve::Logit { base: 0.2 };
        let log_odds = (0.2f64 / 0.8).ln() + 4.0 * 0.1;
        let want = (1.0 / (1.0 + (-log_odds).exp())) / 0.2 - 1.0;
        assert!((curve.lift(4.0, 0.1) - want).abs() < 1e-14);
        assert_eq!(curve.lift(0.0, 0.1), 0.0);
    }
}
