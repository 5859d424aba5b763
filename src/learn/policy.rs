//! What a policy would have been worth on the customers of a trial, without trying it.

use serde::Serialize;

use super::effect::FEWEST;
use super::nuisance::Arms;
use super::student::t975;
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

/// The value of a policy on all customers of the trial.
///
/// # Errors
/// A tier in which fewer than [`FEWEST`] customers got what the policy gives, or nothing.
pub fn value_of(trial: &Trial, policy: &Policy) -> Result<PolicyValue> {
    let (mut ips, mut weights, mut robust, mut above) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut outcomes = Vec::new();
    let mut followed = 0;
    let (by_tier, mut tiers) = (trial.by_tier(), 0);
    for (tier, &arm) in policy.arm.iter().enumerate() {
        // All customers of the tier, whatever they got: got this arm, or another.
        let who = &by_tier[tier];
        for arm in [arm, 0] {
            let got = who.iter().filter(|&&i| trial.arm[i] == arm).count();
            if !who.is_empty() && got < FEWEST {
                return Err(too_few(trial, policy, tier, arm, got));
            }
        }
        if who.is_empty() {
            continue;
        }
        let of_arm = |arm: u8| Scores::new(&arm_of(trial, who, arm));
        let (own, control) = (of_arm(arm), of_arm(0));
        tiers += 1;
        for (k, &i) in who.iter().enumerate() {
            followed += u64::from(own.got[k]);
            weights.push(own.weight[k]);
            outcomes.push(trial.outcome[i]);
            ips.push(own.weight[k] * trial.outcome[i]);
            robust.push(own.score[k]);
            above.push(if arm == 0 { 0.0 } else { own.score[k] - control.score[k] });
        }
    }
    let n = ips.len() as f64;
    let total: f64 = weights.iter().sum();
    let normalised = ips.iter().sum::<f64>() / total;
    let influence: Vec<f64> =
        weights.iter().zip(&outcomes).map(|(weight, y)| weight * (y - normalised) * n / total).collect();
    let error = (influence.iter().map(|value| value * value).sum::<f64>() / (n * (n - 1.0))).sqrt();
    // What is known of the spread comes from those who followed it; in each tier their mean is taken off.
    let degrees = (followed.saturating_sub(tiers) as f64).max(1.0);
    Ok(PolicyValue {
        policy: policy.clone(),
        followed,
        ips: PolicyEstimate::of(&ips, degrees),
        self_normalised: PolicyEstimate::new(normalised, error, degrees),
        doubly_robust: PolicyEstimate::of(&robust, degrees),
        above_control: PolicyEstimate::of(&above, degrees),
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

/// By customer: whether it got the arm, its inverse-probability weight, and its doubly robust score. Estimated probabilities under
/// the weights are those of all customers: from other folds their reciprocals are too large on average.
struct Scores {
    got: Vec<bool>,
    weight: Vec<f64>,
    score: Vec<f64>,
}

impl Scores {
    fn new(arms: &Arms) -> Scores {
        let ((of_all, _), (of_others, _)) = (arms.probability(), arms.probability_of_others());
        let expected = arms.expected_of_others(true);
        let weights = |e: &[f64]| -> Vec<f64> {
            e.iter().zip(&arms.treated).map(|(e, got)| if *got { 1.0 / e } else { 0.0 }).collect()
        };
        let (weight, crossed) = (weights(&of_all), weights(&of_others));
        let score =
            (0..arms.len()).map(|k| expected[k] + crossed[k] * (arms.outcome[k] - expected[k])).collect();
        Scores { got: arms.treated.clone(), weight, score }
    }
}

impl PolicyEstimate {
    fn new(value: f64, standard_error: f64, degrees: f64) -> PolicyEstimate {
        let half = t975(degrees) * standard_error;
        let (lower, upper) = (value - half, value + half);
        PolicyEstimate { value, standard_error, lower, upper }
    }

    /// The mean of independent scores.
    fn of(scores: &[f64], degrees: f64) -> PolicyEstimate {
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        PolicyEstimate::new(mean, (squares / (n - 1.0) / n).sqrt(), degrees)
    }
}
