//! Whether the arms could come of a lottery: what was known before has to be alike in both.

use serde::Serialize;

use super::linear::{gram, inverse};
use super::trial::Trial;
use crate::special::chi_square_tail;

/// A lottery gives differences as large as these once in a thousand times.
pub const NOT_RANDOM: f64 = 0.001;

/// A covariate in both arms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The covariate.
    pub name: String,
    /// Its mean over the treated, over tiers as they are among all.
    pub treated: f64,
    /// Its mean over the others.
    pub untreated: f64,
    /// The difference over the standard deviation within arms; beyond 0.1 in either direction is often called large.
    pub standardised: f64,
}

/// How alike the arms of one action are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Balance {
    /// The action.
    pub action: String,
    /// Customers of the two arms, in the tiers that were looked at.
    pub customers: u64,
    /// Of them, treated.
    pub treated: u64,
    /// Expected of the probabilities, where they are known.
    pub expected_treated: Option<f64>,
    /// By covariate.
    pub differences: Vec<Difference>,
    /// Of the differences together: χ², its degrees of freedom, and how often a lottery gives as much.
    pub chi_square: f64,
    /// Degrees of freedom.
    pub degrees: usize,
    /// The probability of as much or more; 1 where there is nothing to look at.
    pub p_value: f64,
    /// Tiers of whom everybody or nobody was treated, without probabilities that say how many should have been: left out.
    pub skipped: Vec<String>,
}

impl Balance {
    /// Whether the differences are too large for a lottery.
    pub fn is_doubtful(&self) -> bool {
        self.p_value < NOT_RANDOM
    }
}

/// Every action's balance against the control group.
///
/// Within tiers, Σ (treated − probability)·x has mean 0 in a lottery, and a variance that follows from the probabilities; where they
/// are not known they are the shares of the treated in each tier (Hansen and Bowers, "Covariate balance in simple, stratified
/// and clustered comparative studies", Statistical Science 23, 2008). Known probabilities are tested too: how many were
/// treated is one more degree of freedom.
pub fn balance(trial: &Trial) -> Vec<Balance> {
    let by_tier = trial.by_tier();
    (1..trial.arms.len()).map(|action| of_action(trial, &by_tier, action as u8)).collect()
}

fn of_action(trial: &Trial, by_tier: &[Vec<usize>], action: u8) -> Balance {
    let known = trial.probability.is_some();
    let (mut who, mut e, mut spread, mut rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut skipped = Vec::new();
    for (tier, inside) in by_tier.iter().enumerate() {
        let inside = trial.compared(inside, action);
        let treated = inside.iter().filter(|&&i| trial.arm[i] == action).count();
        if inside.is_empty() {
            continue;
        }
        // Where probabilities are said such a tier may contradict them.
        if !known && (treated == 0 || treated == inside.len()) {
            skipped.push(trial.tiers[tier].clone());
            continue;
        }
        let share = treated as f64 / inside.len() as f64;
        let columns: Vec<Vec<f64>> = inside.iter().map(|&i| trial.row(i, true)).collect();
        // Around the tier's means: with shares for probabilities what is common to a tier says nothing.
        let n = inside.len() as f64;
        let mean = |c: usize| columns.iter().map(|row| row[c]).sum::<f64>() / n;
        let means: Vec<f64> = (0..columns[0].len()).map(mean).collect();
        for (&i, row) in inside.iter().zip(&columns) {
            who.push(i);
            let probability = trial.probability.as_ref().map_or(share, |p| p[i]);
            e.push(probability);
            // Shares are those of a draw without replacement: Σ (treated − share)·x varies by n/(n − 1) more.
            let more = if known { 1.0 } else { n / (n - 1.0) };
            spread.push(probability * (1.0 - probability) * more);
            let centred = row.iter().zip(&means).enumerate();
            rows.push(
                centred
                    .map(|(c, (x, mean))| if c == 0 && known { 1.0 } else { x - mean })
                    .collect::<Vec<f64>>(),
            );
        }
    }
    let columns = 1 + trial.covariates.len();
    let mut sum = vec![0.0; columns];
    for ((&i, e), row) in who.iter().zip(&e).zip(&rows) {
        let residual = f64::from(u8::from(trial.arm[i] == action)) - e;
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += residual * x);
    }
    let variance = gram(rows.iter().zip(&spread).map(|(row, spread)| (&row[..], *spread)), columns);
    let pseudo = inverse(&variance);
    let chi_square = pseudo.quadratic(&sum);
    let (values, _) = variance.eigen();
    let largest = values.iter().copied().fold(0.0, f64::max);
    let degrees = values.iter().filter(|value| **value > 1e-10 * largest && **value > 0.0).count();
    let p_value = if degrees == 0 { 1.0 } else { chi_square_tail(chi_square, degrees as f64) };
    let treated = who.iter().filter(|&&i| trial.arm[i] == action).count();
    Balance {
        action: trial.arms[usize::from(action)].clone(),
        customers: who.len() as u64,
        treated: treated as u64,
        expected_treated: known.then(|| e.iter().sum()),
        differences: trial
            .covariates
            .iter()
            .map(|covariate| difference(trial, action, &covariate.name, &covariate.values, &who, &e))
            .collect(),
        chi_square,
        degrees,
        p_value,
        skipped,
    }
}

/// With weights 1/e and 1/(1 − e), which make up for tiers and customers who were treated more often.
fn difference(trial: &Trial, action: u8, name: &str, values: &[f64], who: &[usize], e: &[f64]) -> Difference {
    let mut moments = [(0.0f64, 0.0f64, 0.0f64); 2];
    for (&i, e) in who.iter().zip(e) {
        let is_treated = trial.arm[i] == action;
        let weight = if is_treated { 1.0 / e } else { 1.0 / (1.0 - e) };
        let of_arm = &mut moments[usize::from(!is_treated)];
        of_arm.0 += weight;
        of_arm.1 += weight * values[i];
    }
    if moments.iter().any(|(weight, ..)| *weight == 0.0) {
        return Difference {
            name: name.to_string(),
            treated: f64::NAN,
            untreated: f64::NAN,
            standardised: 0.0,
        };
    }
    let means = moments.map(|(weight, sum, _)| sum / weight);
    for (&i, e) in who.iter().zip(e) {
        let is_treated = trial.arm[i] == action;
        let (at, weight) = if is_treated { (0, 1.0 / e) } else { (1, 1.0 / (1.0 - e)) };
        moments[at].2 += weight * (values[i] - means[at]).powi(2);
    }
    let variance = moments.iter().map(|(weight, _, squares)| squares / weight).sum::<f64>() / 2.0;
    let standardised = if variance > 0.0 { (means[0] - means[1]) / variance.sqrt() } else { 0.0 };
    Difference { name: name.to_string(), treated: means[0], untreated: means[1], standardised }
}
