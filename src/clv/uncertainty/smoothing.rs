//! Pareto-smoothed importance weights.
//!
//! Vehtari, Simpson, Gelman, Yao and Gabry, "Pareto Smoothed Importance Sampling", Journal of Machine Learning Research
//! 25 (2024): the largest weights are replaced by the expected order statistics of a generalised Pareto distribution
//! fitted to them, whose shape k̂ says how many moments the weights have and thereby how far they can be trusted.

/// Fewer weights in the tail do not determine its shape.
const FEWEST_IN_TAIL: usize = 5;

/// Smoothed weights and what they are worth.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// Normalised to a sum of 1, in the order of the proposals.
    pub normalised: Vec<f64>,
    /// The estimated shape k̂ of the tail; infinite where it cannot be estimated.
    pub k_hat: f64,
    /// 1/Σw²: as many independent draws would be worth as much.
    pub effective: f64,
}

/// Smooths weights given by their logarithms. What is not a number or minus infinity has no weight.
pub(super) fn smooth(ln_weights: &[f64]) -> Weights {
    let mut weights: Vec<f64> = ln_weights.to_vec();
    let largest = weights.iter().copied().filter(|w| w.is_finite()).fold(f64::NEG_INFINITY, f64::max);
    for w in &mut weights {
        *w = if w.is_finite() { (*w - largest).exp() } else { 0.0 };
    }
    let n = weights.len();
    let mut order: Vec<usize> = (0..n).collect();
    // Ties keep the order of the proposals.
    order.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
    let tail = tail_length(n);
    let mut k_hat = f64::INFINITY;
    if tail >= FEWEST_IN_TAIL && tail < n {
        let cutoff = weights[order[n - tail - 1]];
        let above: Vec<f64> = order[n - tail..].iter().map(|&i| weights[i] - cutoff).collect();
        if above[tail - 1] <= 1e-12 {
            // All weights are the same: the proposal is the target.
            k_hat = 0.0;
        } else {
            let (k, sigma) = fit_generalised_pareto(&above);
            k_hat = k;
            if k.is_finite() {
                for (j, &i) in order[n - tail..].iter().enumerate() {
                    let p = (j as f64 + 0.5) / tail as f64;
                    // The quantile σ·((1 − p)^−k − 1)/k, and no weight above the largest one seen.
                    let ln = -(-p).ln_1p();
                    let excess = if k.abs() < 1e-12 { sigma * ln } else { sigma * (k * ln).exp_m1() / k };
                    weights[i] = (cutoff + excess).min(1.0);
                }
            }
        }
    }
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        // No proposal has a likelihood: nothing is known, whatever the weights look like.
        return Weights { normalised: vec![1.0 / n as f64; n], k_hat: f64::INFINITY, effective: 0.0 };
    }
    weights.iter_mut().for_each(|w| *w /= sum);
    let effective = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
    Weights { normalised: weights, k_hat, effective }
}

/// How many of `n` weights are its tail.
pub(super) fn tail_length(n: usize) -> usize {
    (0.2 * n as f64).min(3.0 * (n as f64).sqrt()).ceil() as usize
}

/// Shape k and scale σ of a generalised Pareto distribution, from excesses in ascending order.
///
/// Zhang and Stephens, "A New and Efficient Estimation Method for the Generalized Pareto Distribution", Technometrics
/// 51 (2009), with the weak prior on k (a half, worth ten observations) of Vehtari et al., appendix G.
pub(super) fn fit_generalised_pareto(excesses: &[f64]) -> (f64, f64) {
    let n = excesses.len();
    let count = n as f64;
    let (quarter, largest) = (excesses[(count / 4.0 + 0.5) as usize - 1], excesses[n - 1]);
    if quarter <= 0.0 {
        // Most of the tail has no weight: a few proposals decide everything.
        return (f64::INFINITY, f64::NAN);
    }
    let points = 30 + count.sqrt() as usize;
    // −k/σ on a grid, and the profile log-likelihood there.
    let grid: Vec<f64> = (1..=points)
        .map(|i| 1.0 / largest + (1.0 - (points as f64 / (i as f64 - 0.5)).sqrt()) / (3.0 * quarter))
        .collect();
    let shape = |b: f64| excesses.iter().map(|y| (-b * y).ln_1p()).sum::<f64>() / count;
    let profile: Vec<f64> = grid
        .iter()
        .map(|&b| {
            let k = shape(b);
            count * ((-b / k).ln() - k - 1.0)
        })
        .collect();
    let top = profile.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (&b, l) in grid.iter().zip(&profile) {
        let w = (l - top).exp();
        if w > 0.0 {
            sum += w * b;
            weight += w;
        }
    }
    let b = sum / weight;
    let k = shape(b);
    let sigma = -k / b;
    ((count * k + 5.0) / (count + 10.0), sigma)
}
