//! What an action does to the customers of a tier, in four ways.

use serde::Serialize;

use super::linear::Line;
use super::nuisance::Arms;
use super::trial::Trial;
use crate::clv::dense::dot;

/// The 97.5 % quantile of the standard normal.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// With fewer customers in an arm nothing is estimated.
pub(super) const FEWEST: usize = 10;

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
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// An effect as a share of what happens untreated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lift {
    /// Mean of the treated over mean of the others, less 1.
    pub lift: f64,
    /// Standard error of ln(1 + lift).
    pub log_error: f64,
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
    /// By every estimator, in the order of [`Estimator::ALL`]; empty where an arm has fewer than ten customers.
    pub estimates: Vec<Estimate>,
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

/// Every action's effect in every tier.
pub fn effects(trial: &Trial) -> Vec<Effect> {
    let pairs =
        (1..trial.arms.len()).flat_map(|action| (0..trial.tiers.len()).map(move |tier| (action, tier)));
    pairs.map(|(action, tier)| effect(trial, tier as u8, action as u8)).collect()
}

fn effect(trial: &Trial, tier: u8, action: u8) -> Effect {
    let arms = Arms::new(trial, trial.of(tier, action), |arm| arm == action);
    let (treated, untreated) = (arms.in_arm(true), arms.in_arm(false));
    let mean = |values: &[f64]| {
        if values.is_empty() { f64::NAN } else { values.iter().sum::<f64>() / values.len() as f64 }
    };
    let mut out = Effect {
        action: trial.arms[usize::from(action)].clone(),
        tier: trial.tiers[usize::from(tier)].clone(),
        treated: treated as u64,
        untreated: untreated as u64,
        mean_treated: mean(&arms.arm(true).1),
        mean_untreated: mean(&arms.arm(false).1),
        estimates: Vec::new(),
        lift: None,
        with_covariates: arms.with_covariates,
    };
    if treated.min(untreated) < FEWEST {
        return out;
    }
    let robust = Robust::new(&arms);
    out.estimates = vec![difference(&arms), regression(&arms), weighted(&arms), robust.estimate()];
    out.lift = robust.lift();
    out
}

fn estimate(by: Estimator, effect: f64, variance: f64) -> Estimate {
    let standard_error = variance.sqrt();
    Estimate {
        by,
        effect,
        standard_error,
        lower: effect - Z * standard_error,
        upper: effect + Z * standard_error,
    }
}

fn difference(arms: &Arms) -> Estimate {
    let moments = |treated: bool| {
        let (_, y) = arms.arm(treated);
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        (mean, y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    };
    let ((mean, variance), (other, of_other)) = (moments(true), moments(false));
    estimate(Estimator::Difference, mean - other, variance + of_other)
}

fn regression(arms: &Arms) -> Estimate {
    let n = arms.len() as f64;
    let columns = arms.rows[0].len();
    let mean: Vec<f64> = (0..columns).map(|c| arms.rows.iter().map(|row| row[c]).sum::<f64>() / n).collect();
    let of_arm = |treated: bool| {
        let (rows, outcome) = arms.arm(treated);
        let line = Line::fit(&rows, &outcome);
        let variance = line.variance(&mean, &rows, &outcome);
        (line, variance)
    };
    let ((line, variance), (other, of_other)) = (of_arm(true), of_arm(false));
    // Customers are a sample too: where the effect moves with the covariates, their mean has an error.
    let slope: Vec<f64> = line.coefficients.iter().zip(&other.coefficients).map(|(a, b)| a - b).collect();
    let effect = dot(&slope, &mean);
    let of_mean = arms.rows.iter().map(|row| (dot(&slope, row) - effect).powi(2)).sum::<f64>() / (n * n);
    estimate(Estimator::Regression, effect, variance + of_other + of_mean)
}

fn weighted(arms: &Arms) -> Estimate {
    let n = arms.len() as f64;
    let e = arms.probability();
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
    let variance = influence.iter().map(|value| value * value).sum::<f64>() / (n * n);
    estimate(Estimator::Weighted, own - other, variance)
}

/// Doubly robust means of both arms with their influence functions.
struct Robust {
    means: [f64; 2],
    /// By customer, of the treated and of the untreated mean.
    influence: Vec<[f64; 2]>,
}

impl Robust {
    fn new(arms: &Arms) -> Robust {
        let e = arms.probability_of_others();
        let (treated, other) = (arms.expected_of_others(true), arms.expected_of_others(false));
        let n = arms.len() as f64;
        let of_customer = |k: usize| {
            let y = arms.outcome[k];
            match arms.treated[k] {
                true => [treated[k] + (y - treated[k]) / e[k], other[k]],
                false => [treated[k], other[k] + (y - other[k]) / (1.0 - e[k])],
            }
        };
        let mut influence: Vec<[f64; 2]> = (0..arms.len()).map(of_customer).collect();
        let means = [0, 1].map(|arm| influence.iter().map(|of| of[arm]).sum::<f64>() / n);
        influence.iter_mut().for_each(|of| *of = [of[0] - means[0], of[1] - means[1]]);
        Robust { means, influence }
    }

    fn variance(&self, of: impl Fn(&[f64; 2]) -> f64) -> f64 {
        let n = self.influence.len() as f64;
        self.influence.iter().map(|value| of(value).powi(2)).sum::<f64>() / (n * n)
    }

    fn estimate(&self) -> Estimate {
        let variance = self.variance(|[own, other]| own - other);
        estimate(Estimator::DoublyRobust, self.means[0] - self.means[1], variance)
    }

    /// By the delta method on the logarithm of the ratio.
    fn lift(&self) -> Option<Lift> {
        let [own, other] = self.means;
        if !(own > 0.0 && other > 0.0) {
            return None;
        }
        let log_error = self.variance(|[a, b]| a / own - b / other).sqrt();
        let log = (own / other).ln();
        let end = |z: f64| (log + z * log_error).exp_m1();
        Some(Lift { lift: log.exp_m1(), log_error, lower: end(-Z), upper: end(Z) })
    }
}
