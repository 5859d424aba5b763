//! What a policy would have been worth on the customers of a trial, without trying it.

use serde::Serialize;

use super::effect::FEWEST;
use super::linear::Line;
use super::nuisance::Arms;
use super::robust::Robust;
use super::student::Spread;
use super::trial::Trial;
use crate::error::{Error, Result};

/// Which arm each tier gets: an index into the trial's arms, 0 for the control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// By tier.
    pub arm: Vec<u8>,
}

/// A mean outcome of a customer under a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PolicyEstimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// A policy's value, estimated in three ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyValue {
    /// The policy.
    pub policy: Policy,
    /// Customers who got in the trial what the policy gives.
    pub followed: u64,
    /// Inverse-probability scores (Horvitz and Thompson 1952).
    pub ips: PolicyEstimate,
    /// The same, normalised by the weights (Hájek; Swaminathan and Joachims, "The self-normalized estimator for
    /// counterfactual learning", NeurIPS 2015).
    pub self_normalised: PolicyEstimate,
    /// Doubly robust (Dudík, Langford and Li, "Doubly robust policy evaluation and learning", ICML 2011), cross-fitted.
    pub doubly_robust: PolicyEstimate,
    /// The doubly robust value less that of the control for everybody.
    pub above_control: PolicyEstimate,
}

/// The value of a policy on all customers of the trial, with as many of each tier as there are.
///
/// Intervals hold tiers' sizes fixed (variances within tiers alone), and where probabilities are estimated take out of the
/// weights' spread what estimating them takes out of it.
///
/// # Errors
/// A tier in which too few customers got what the policy gives, or nothing.
pub fn value_of(trial: &Trial, policy: &Policy) -> Result<PolicyValue> {
    let mut tiers = Vec::new();
    for ((tier, who), &arm) in trial.by_tier().iter().enumerate().zip(&policy.arm) {
        // All customers of the tier, whatever they got: got this arm, or another.
        for arm in [arm, 0] {
            let got = who.iter().filter(|&&i| trial.arm[i] == arm).count();
            if !who.is_empty() && got < FEWEST {
                return Err(too_few(trial, policy, tier, arm, got));
            }
        }
        if !who.is_empty() {
            tiers.push(InTier::new(trial, who, arm));
        }
    }
    let n: f64 = tiers.iter().map(|tier| tier.got.len() as f64).sum();
    let total: f64 = tiers.iter().flat_map(|tier| &tier.weight).sum();
    let sum = |of: &dyn Fn(&InTier) -> f64| tiers.iter().map(of).sum::<f64>();
    let weighted = sum(&|tier| tier.weighted(0.0).iter().sum());
    let normalised = weighted / total;
    let robust = sum(&|tier| tier.own.score.iter().sum()) / n;
    let above = sum(&|tier| tier.more().map(|more| more.0).sum()) / n;
    let of = |value: f64, influence: &dyn Fn(&InTier) -> Vec<f64>| {
        let parts: Vec<(f64, f64)> = tiers.iter().flat_map(|tier| tier.spread(&influence(tier), n)).collect();
        PolicyEstimate::new(value, &Spread::of(&parts))
    };
    Ok(PolicyValue {
        policy: policy.clone(),
        followed: tiers.iter().map(InTier::followed).sum(),
        ips: of(weighted / n, &|tier| tier.without_scores(tier.weighted(0.0))),
        self_normalised: of(normalised, &|tier| {
            let scale = n / total;
            tier.without_scores(tier.weighted(normalised).iter().map(|value| scale * value).collect())
        }),
        doubly_robust: of(robust, &|tier| tier.own.influence.clone()),
        above_control: of(above, &|tier| tier.more().map(|more| more.1).collect()),
    })
}

fn too_few(trial: &Trial, policy: &Policy, tier: usize, arm: u8, got: usize) -> Error {
    let (arm, tier) = (&trial.arms[usize::from(arm)], &trial.tiers[tier]);
    let problem =
        format!("of tier \"{tier}\" {got} customers of the trial got \"{arm}\", and {FEWEST} are needed");
    Error::value("the policy", &policy.name, problem, "value policies that the trial has tried")
}

/// One arm of a tier against all others of it.
fn arm_of(trial: &Trial, who: &[usize], arm: u8) -> Arms {
    let mut arms = Arms::new(trial, who.to_vec(), |own| own == arm);
    // Known probabilities are of treatment: those of the control are what is left.
    if arm == 0 {
        arms.turn_probabilities();
    }
    arms
}

/// A tier under a policy. Estimated probabilities under the weights are those of all customers: from other folds their reciprocals
/// are too large on average.
struct InTier {
    /// What each customer got.
    got: Vec<u8>,
    arm: u8,
    outcome: Vec<f64>,
    /// Inverse-probability weight, 0 for those who got something else.
    weight: Vec<f64>,
    /// What the fit of estimated probabilities is made of, by customer; none where they are known.
    scores: Option<Vec<Vec<f64>>>,
    own: Robust,
    control: Robust,
    columns: usize,
}

impl InTier {
    fn new(trial: &Trial, who: &[usize], arm: u8) -> InTier {
        let robust = |arms: &Arms| Robust::new(arms, true, &arms.probability().0);
        let (own, control) = (arm_of(trial, who, arm), arm_of(trial, who, 0));
        let (e, _) = own.probability();
        let weight = e.iter().zip(&own.treated).map(|(e, got)| if *got { 1.0 / e } else { 0.0 }).collect();
        let score = |k: usize| -> Vec<f64> {
            let residual = f64::from(u8::from(own.treated[k])) - e[k];
            own.rows[k].iter().map(|x| residual * x).collect()
        };
        InTier {
            got: who.iter().map(|&i| trial.arm[i]).collect(),
            arm,
            weight,
            scores: (!own.are_known()).then(|| (0..own.len()).map(score).collect()),
            own: robust(&own),
            control: robust(&control),
            columns: own.rows[0].len(),
            outcome: own.outcome,
        }
    }

    fn followed(&self) -> u64 {
        self.got.iter().filter(|got| **got == self.arm).count() as u64
    }

    /// Weight times what the outcome is above `mean`.
    fn weighted(&self, mean: f64) -> Vec<f64> {
        self.weight.iter().zip(&self.outcome).map(|(weight, y)| weight * (y - mean)).collect()
    }

    /// By customer, score and influence of the policy's arm above the control.
    fn more(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let of_customer = |k: usize| {
            let own = (self.own.score[k], self.own.influence[k]);
            let control = (self.control.score[k], self.control.influence[k]);
            (own.0 - control.0, own.1 - control.1)
        };
        (0..self.got.len()).map(move |k| if self.arm == 0 { (0.0, 0.0) } else { of_customer(k) })
    }

    /// Estimated probabilities take away what the covariates explain: the part along the scores of their fit.
    fn without_scores(&self, mut influence: Vec<f64>) -> Vec<f64> {
        if let Some(scores) = &self.scores {
            let along = Line::fit(scores, &influence);
            influence.iter_mut().zip(scores).for_each(|(value, score)| *value -= along.at(score));
        }
        influence
    }

    /// Its parts of the variance of a mean over `n` customers, by what customers got, with their degrees of freedom.
    fn spread(&self, influence: &[f64], n: f64) -> Vec<(f64, f64)> {
        let own = influence.len() as f64;
        let mean = influence.iter().sum::<f64>() / own;
        let mut arms = self.got.clone();
        arms.sort_unstable();
        arms.dedup();
        let part = |arm: u8| {
            let of_arm = influence.iter().zip(&self.got).filter(|(_, got)| **got == arm);
            let (count, squares) = of_arm
                .fold((0.0, 0.0), |(count, sum), (value, _)| (count + 1.0, sum + (value - mean).powi(2)));
            (squares / (n * n) * own / (own - 1.0), count - self.columns as f64)
        };
        arms.into_iter().map(part).collect()
    }
}

impl PolicyEstimate {
    fn new(value: f64, spread: &Spread) -> PolicyEstimate {
        let (lower, upper) = (value - spread.half(), value + spread.half());
        PolicyEstimate { value, standard_error: spread.variance.sqrt(), lower, upper }
    }
}
