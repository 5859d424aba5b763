//! What an action does to the customers of a tier, in four ways.

use serde::Serialize;

use super::linear::Line;
use super::nuisance::Arms;
use super::robust::Robust;
use super::student::Spread;
use super::trial::Trial;
use crate::clv::dense::dot;

/// The 97.5 % quantile of the standard normal.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// With fewer customers in an arm nothing is estimated.
pub const FEWEST: usize = 10;

/// A way to estimate an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Mean of the treated less mean of the others (Neyman 1923; Welch's standard error).
    Difference,
    /// Regressions on the covariates in each arm, held against each other at everybody's covariates (Lin, "Agnostic notes
    /// on regression adjustments to experimental data", Annals of Applied Statistics 7, 2013; HC2).
    Regression,
    /// Inverse-probability weights (Hájek's normalised ones; Lunceford and Davidian, Statistics in Medicine 23, 2004).
    Weighted,
    /// Both together (Robins, Rotnitzky and Zhao, Journal of the American Statistical Association 89, 1994), with
    /// cross-fitting: unbiased where either the probabilities or the regressions are right.
    DoublyRobust,
}

impl Estimator {
    /// All of them.
    pub const ALL: [Estimator; 4] =
        [Estimator::Difference, Estimator::Regression, Estimator::Weighted, Estimator::DoublyRobust];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Estimator::Difference => "difference in means",
            Estimator::Regression => "regression-adjusted",
            Estimator::Weighted => "inverse probability",
            Estimator::DoublyRobust => "doubly robust",
        }
    }
}

/// An estimate of the effect on the mean outcome of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// How.
    pub by: Estimator,
    /// What treatment adds.
    pub effect: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of Student's t under the interval (Welch 1938, Satterthwaite 1946).
    pub degrees: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lacking {
    /// An arm has fewer than ten customers.
    Customers,
    /// Everybody in an arm has the same outcome: how it varies is not known.
    Variance,
}

/// How far an estimate rests on few customers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overlap {
    /// Effective number of treated customers under their weights, (Σ weight)²/Σ weight² (Kish 1965).
    pub effective_treated: f64,
    /// That of the others.
    pub effective_untreated: f64,
    /// The largest share of one customer in the weights of its arm.
    pub largest_weight: f64,
    /// Customers whose estimated probability was beyond the bounds of 1 % and 99 %, and was set to them.
    pub clipped: u64,
}

/// An effect as a share of what happens untreated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lift {
    /// Mean of the treated over mean of the others, less 1.
    pub lift: f64,
    /// The lift less what the mean of a ratio lies above the ratio of the means, to first order (Tin, "Comparison of some ratio
    /// estimators", Journal of the American Statistical Association 60, 1965), but within the interval: what to value a choice by
    /// that was made without this lift.
    pub unbiased: f64,
    /// Standard error of ln(1 + lift).
    pub log_error: f64,
    /// Degrees of freedom of Student's t under the interval.
    pub degrees: f64,
    /// Lower end of the 95 % interval, made on logarithms.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// What an action does to a tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// The action.
    pub action: String,
    /// The tier.
    pub tier: String,
    /// Customers treated and not treated.
    pub treated: u64,
    /// Customers not treated.
    pub untreated: u64,
    /// Their mean outcomes.
    pub mean_treated: f64,
    /// Mean outcome of the others.
    pub mean_untreated: f64,
    /// Mean outcome without treatment of all of them: that of the others, or where some were likelier to be treated its doubly
    /// robust estimate. Lifts that can be detected are shares of it.
    pub base: f64,
    /// By every estimator, in the order of [`Estimator::ALL`]; without the difference in means where it is `confounded`, and
    /// empty where something is lacking.
    pub estimates: Vec<Estimate>,
    /// Whether some of the tier were likelier to be treated than others: the means of the arms differ without any effect.
    pub confounded: bool,
    /// Why there is no estimate.
    pub lacking: Option<Lacking>,
    /// How far the weights rest on few customers.
    pub overlap: Option<Overlap>,
    /// The doubly robust effect as a lift; none where the means are not both above 0.
    pub lift: Option<Lift>,
    /// Whether there were customers enough for regressions on the covariates.
    pub with_covariates: bool,
}

impl Effect {
    /// The estimate of one way.
    pub fn by(&self, estimator: Estimator) -> Option<&Estimate> {
        self.estimates.iter().find(|estimate| estimate.by == estimator)
    }
}

/// Every action's effect in every tier. `by_lot` says whether the arms are those of a lottery in each tier; where they are not, or
/// where probabilities differ within a tier, there is no difference in means.
pub fn effects(trial: &Trial, by_lot: bool) -> Vec<Effect> {
    let by_tier = trial.by_tier();
    let pairs =
        (1..trial.arms.len()).flat_map(|action| (0..trial.tiers.len()).map(move |tier| (action, tier)));
    pairs.map(|(action, tier)| effect(trial, &by_tier[tier], tier, action as u8, by_lot)).collect()
}

fn effect(trial: &Trial, who: &[usize], tier: usize, action: u8, by_lot: bool) -> Effect {
    let who = trial.compared(who, action);
    let confounded = !by_lot || trial.varies(&who);
    let arms = Arms::new(trial, who, |arm| arm == action);
    let (treated, untreated) = (arms.in_arm(true), arms.in_arm(false));
    let mean = |values: &[f64]| {
        if values.is_empty() { f64::NAN } else { values.iter().sum::<f64>() / values.len() as f64 }
    };
    let mut out = Effect {
        action: trial.arms[usize::from(action)].clone(),
        tier: trial.tiers[tier].clone(),
        treated: treated as u64,
        untreated: untreated as u64,
        mean_treated: mean(&arms.arm(true).1),
        mean_untreated: mean(&arms.arm(false).1),
        base: mean(&arms.arm(false).1),
        confounded,
        lacking: None,
        overlap: None,
        estimates: Vec::new(),
        lift: None,
        with_covariates: arms.with_covariates,
    };
    let constant = |treated: bool| {
        let (_, y) = arms.arm(treated);
        y.iter().all(|value| *value == y[0])
    };
    out.lacking = if treated.min(untreated) < FEWEST {
        Some(Lacking::Customers)
    } else if constant(true) || constant(false) {
        Some(Lacking::Variance)
    } else {
        None
    };
    if out.lacking.is_some() {
        // An unadjusted mean of a confounded arm is the mean of nobody in particular.
        out.base = if confounded { f64::NAN } else { out.base };
        return out;
    }
    let robust = Both::new(&arms);
    if confounded {
        out.base = robust.other.mean;
    } else {
        out.estimates.push(difference(&arms));
    }
    out.estimates.extend([regression(&arms), weighted(&arms), robust.estimate(&arms)]);
    out.lift = robust.lift(&arms);
    out.overlap = Some(overlap(&arms));
    out
}

fn estimate(by: Estimator, effect: f64, spread: &Spread) -> Estimate {
    Estimate {
        by,
        effect,
        standard_error: spread.variance.sqrt(),
        degrees: spread.degrees,
        lower: effect - spread.half(),
        upper: effect + spread.half(),
    }
}

/// Of the weights of the doubly robust estimate.
fn overlap(arms: &Arms) -> Overlap {
    let (e, clipped) = arms.probability();
    let of_arm = |treated: bool| {
        let weights = (0..arms.len())
            .filter(|&k| arms.treated[k] == treated)
            .map(|k| if treated { 1.0 / e[k] } else { 1.0 / (1.0 - e[k]) });
        let (sum, squares, largest) = weights.fold((0.0, 0.0, 0.0f64), |(sum, squares, largest), weight| {
            (sum + weight, squares + weight * weight, largest.max(weight))
        });
        (sum * sum / squares, largest / sum)
    };
    let ((effective_treated, largest), (effective_untreated, other)) = (of_arm(true), of_arm(false));
    Overlap { effective_treated, effective_untreated, largest_weight: largest.max(other), clipped }
}

fn difference(arms: &Arms) -> Estimate {
    let moments = |treated: bool| {
        let (_, y) = arms.arm(treated);
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        (mean, (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0) / n, n - 1.0))
    };
    let ((mean, own), (other, of_other)) = (moments(true), moments(false));
    estimate(Estimator::Difference, mean - other, &Spread::of(&[own, of_other]))
}

fn regression(arms: &Arms) -> Estimate {
    let n = arms.len() as f64;
    let columns = arms.rows[0].len();
    let mean: Vec<f64> = (0..columns).map(|c| arms.rows.iter().map(|row| row[c]).sum::<f64>() / n).collect();
    let of_arm = |treated: bool| {
        let (rows, outcome) = arms.arm(treated);
        let line = Line::fit(&rows, &outcome);
        let variance = line.variance(&mean, &rows, &outcome);
        (line, (variance, (outcome.len() - columns) as f64))
    };
    let ((line, variance), (other, of_other)) = (of_arm(true), of_arm(false));
    // Customers are a sample too: where the effect moves with the covariates, their mean has an error.
    let slope: Vec<f64> = line.coefficients.iter().zip(&other.coefficients).map(|(a, b)| a - b).collect();
    let effect = dot(&slope, &mean);
    let of_mean = arms.rows.iter().map(|row| (dot(&slope, row) - effect).powi(2)).sum::<f64>();
    let of_mean = (of_mean / (n * (n - 1.0)), n - 1.0);
    estimate(Estimator::Regression, effect, &Spread::of(&[variance, of_other, of_mean]))
}

fn weighted(arms: &Arms) -> Estimate {
    let n = arms.len() as f64;
    let (e, _) = arms.probability();
    let mean = |treated: bool| {
        let weight = |k: usize| if treated { 1.0 / e[k] } else { 1.0 / (1.0 - e[k]) };
        let of_arm = || (0..arms.len()).filter(|&k| arms.treated[k] == treated);
        let total: f64 = of_arm().map(weight).sum();
        of_arm().map(|k| weight(k) * arms.outcome[k]).sum::<f64>() / total
    };
    let (own, other) = (mean(true), mean(false));
    let mut influence: Vec<f64> = (0..arms.len())
        .map(|k| match arms.treated[k] {
            true => (arms.outcome[k] - own) / e[k],
            false => -(arms.outcome[k] - other) / (1.0 - e[k]),
        })
        .collect();
    if !arms.are_known() {
        // Estimated probabilities take away what the covariates explain: the part along the scores of their fit.
        let score = |k: usize| -> Vec<f64> {
            let residual = f64::from(u8::from(arms.treated[k])) - e[k];
            arms.rows[k].iter().map(|x| residual * x).collect()
        };
        let scores: Vec<Vec<f64>> = (0..arms.len()).map(score).collect();
        let along = Line::fit(&scores, &influence);
        for (value, score) in influence.iter_mut().zip(&scores) {
            *value -= along.at(score);
        }
    }
    let fitted = if arms.are_known() { 1 } else { arms.rows[0].len() };
    let parts = [true, false].map(|treated| {
        let of_arm = arms.in_arm(treated) as f64;
        let squares = (0..arms.len()).filter(|&k| arms.treated[k] == treated).map(|k| influence[k].powi(2));
        // Around its own mean an arm's spread is too small by (n − 1)/n.
        (squares.sum::<f64>() / (n * n) * of_arm / (of_arm - 1.0), of_arm - fitted as f64)
    });
    estimate(Estimator::Weighted, own - other, &Spread::of(&parts))
}

/// Doubly robust means of both arms.
struct Both {
    own: Robust,
    other: Robust,
}

impl Both {
    fn new(arms: &Arms) -> Both {
        let (e, _) = arms.probability();
        Both { own: Robust::new(arms, true, &e), other: Robust::new(arms, false, &e) }
    }

    /// Of `by_own` times the one mean less `by_other` times the other.
    fn spread(&self, arms: &Arms, by_own: f64, by_other: f64) -> Spread {
        let n = arms.len() as f64;
        let columns = arms.rows[0].len();
        let parts = [true, false].map(|treated| {
            let squares = (0..arms.len())
                .filter(|&k| arms.treated[k] == treated)
                .map(|k| (by_own * self.own.influence[k] - by_other * self.other.influence[k]).powi(2))
                .sum::<f64>();
            (squares / (n * (n - 1.0)), arms.in_arm(treated) as f64 - columns as f64)
        });
        Spread::of(&parts)
    }

    fn estimate(&self, arms: &Arms) -> Estimate {
        let effect = self.own.mean - self.other.mean;
        estimate(Estimator::DoublyRobust, effect, &self.spread(arms, 1.0, 1.0))
    }

    /// By the delta method on the logarithm of the ratio.
    fn lift(&self, arms: &Arms) -> Option<Lift> {
        let (own, other) = (self.own.mean, self.other.mean);
        if !(own > 0.0 && other > 0.0) {
            return None;
        }
        let spread = self.spread(arms, 1.0 / own, 1.0 / other);
        let log = (own / other).ln();
        let (lower, upper) = ((log - spread.half()).exp_m1(), (log + spread.half()).exp_m1());
        // A mean moves by influence/n with each customer: the other's relative variance, less both's relative covariance.
        let n = arms.len() as f64;
        let more: f64 = self
            .own
            .influence
            .iter()
            .zip(&self.other.influence)
            .map(|(o, c)| c / other * (c / other - o / own))
            .sum();
        let bias = more / (n * (n - 1.0));
        Some(Lift {
            lift: log.exp_m1(),
            unbiased: (log.exp() / (1.0 + bias) - 1.0).clamp(lower, upper),
            log_error: spread.variance.sqrt(),
            degrees: spread.degrees,
            lower,
            upper,
        })
    }
}
