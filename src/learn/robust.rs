//! The doubly robust mean outcome under one arm, and how far it moves with each customer.

use super::linear::{gram, inverse};
use super::nuisance::Arms;
use crate::clv::dense::dot;

/// The mean outcome of some customers if all of them got one arm.
pub(super) struct Robust {
    pub(super) mean: f64,
    /// By customer, what makes the mean: what it is expected to do, and in the arm by how much it did more, over the probability.
    pub(super) score: Vec<f64>,
    /// By customer, how far it moves the mean, times the number of customers: with mean 0.
    pub(super) influence: Vec<f64>,
}

impl Robust {
    /// Of the treated or of the untreated arm, with everybody's probability of treatment.
    pub(super) fn new(arms: &Arms, treated: bool, e: &[f64]) -> Robust {
        let n = arms.len();
        let expected = arms.expected_of_others(treated);
        let share = |k: usize| if treated { e[k] } else { 1.0 - e[k] };
        let weight = |k: usize| if arms.treated[k] == treated { 1.0 / share(k) } else { 0.0 };
        let beyond = |k: usize| arms.outcome[k] - expected[k];
        let score: Vec<f64> = (0..n).map(|k| expected[k] + weight(k) * beyond(k)).collect();
        let mean = score.iter().sum::<f64>() / n as f64;
        let mut influence = score.clone();
        for (value, more) in influence.iter_mut().zip(of_regression(arms, treated, &weight, &beyond)) {
            *value += more;
        }
        if !arms.are_known() {
            let by_probability = of_probability(arms, treated, e, &share, &beyond);
            influence.iter_mut().zip(by_probability).for_each(|(value, more)| *value += more);
        }
        let centre = influence.iter().sum::<f64>() / n as f64;
        influence.iter_mut().for_each(|value| *value -= centre);
        Robust { mean, score, influence }
    }
}

/// What it adds that the regression is estimated too. The mean moves with a coefficient by Σ (1 − weight)·x, which is about 0 where the
/// probabilities are right, and is not where they are wrong (Stefanski and Boos, "The calculus of M-estimation", The American
/// Statistician 56, 2002).
fn of_regression(
    arms: &Arms,
    treated: bool,
    weight: &impl Fn(usize) -> f64,
    beyond: &impl Fn(usize) -> f64,
) -> Vec<f64> {
    let columns = arms.rows[0].len();
    let inside = |k: &usize| arms.treated[*k] == treated;
    let of_arm = (0..arms.len()).filter(inside).map(|k| (&arms.rows[k][..], 1.0));
    let moves = sum(arms, |k| 1.0 - weight(k));
    let direction = inverse(&gram(of_arm, columns)).times(&moves);
    let of_customer = |k: usize| if inside(&k) { dot(&direction, &arms.rows[k]) * beyond(k) } else { 0.0 };
    (0..arms.len()).map(of_customer).collect()
}

/// What it adds that the probabilities are estimated too: nothing where the regression is right.
fn of_probability(
    arms: &Arms,
    treated: bool,
    e: &[f64],
    share: &impl Fn(usize) -> f64,
    beyond: &impl Fn(usize) -> f64,
) -> Vec<f64> {
    let columns = arms.rows[0].len();
    let information = gram(arms.rows.iter().zip(e).map(|(row, e)| (&row[..], e * (1.0 - e))), columns);
    let sign = if treated { -1.0 } else { 1.0 };
    let moves = sum(arms, |k| match arms.treated[k] == treated {
        true => sign * beyond(k) * (1.0 - share(k)) / share(k),
        false => 0.0,
    });
    let direction = inverse(&information).times(&moves);
    let residual = |k: usize| f64::from(u8::from(arms.treated[k])) - e[k];
    (0..arms.len()).map(|k| dot(&direction, &arms.rows[k]) * residual(k)).collect()
}

/// Σ of·x.
fn sum(arms: &Arms, of: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut out = vec![0.0; arms.rows[0].len()];
    for (k, row) in arms.rows.iter().enumerate() {
        let of = of(k);
        out.iter_mut().zip(row).for_each(|(sum, x)| *sum += of * x);
    }
    out
}
