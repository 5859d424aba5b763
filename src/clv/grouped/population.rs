//! The distribution of the groups' parameters: θ_g ~ N(μ, Σ) with Σ diagonal, by restricted maximum likelihood.
//!
//! Each group's log-likelihood is taken as quadratic around the group's current estimate (penalised quasi-likelihood:
//! Breslow and Clayton, "Approximate Inference in Generalized Linear Mixed Models", JASA 88, 1993), θ_g and μ are
//! integrated out exactly, and the variances are those that make the data most probable. A group whose data say
//! nothing along a direction has no information there and takes part with the rest.
//!
//! Σ is diagonal: its variances can each go to 0 without dragging the others, a few dozen groups determine them, and
//! on the scale-free scale a mean rate and a shape have no reason to go together. What the estimates share by chance
//! is in the information matrices, which are kept whole.

use crate::clv::dense::{Matrix, dot};
use crate::clv::minimise::{Evaluation, minimise};
use crate::error::Result;

/// A variance below this is none: groups would differ by a thousandth.
const LEAST_VARIANCE: f64 = 1e-6;

/// Groups that differ by factors of e^5 have nothing in common.
const LARGEST_VARIANCE: f64 = 25.0;

/// Where the search for a variance starts at least, so that one that was nearly none can come back.
const START_VARIANCE: f64 = 1e-3;

/// The logarithm of a variance is not taken to be less certain than this.
const LARGEST_LOG_DEVIATION: f64 = 1.0;

/// A variance estimated as 0 is not taken to be larger than this: groups that differ by a half.
const LARGEST_UNSEEN_VARIANCE: f64 = 0.2;

/// The mean is known beforehand to lie within a few times this of the whole's estimate: next to nothing, but enough
/// that it stays where it is along a direction of which no group says anything.
const WEAK: f64 = 0.01;

/// A log-likelihood around a point: slope·δ − ½·δ·information·δ. The information must not be indefinite.
#[derive(Debug, Clone)]
pub(super) struct Quadratic {
    pub at: Vec<f64>,
    pub slope: Vec<f64>,
    pub information: Matrix,
}

/// The distribution of the groups' parameters.
#[derive(Debug, Clone)]
pub(super) struct Population {
    pub mean: Vec<f64>,
    /// 0 where groups do not differ.
    pub variance: Vec<f64>,
    /// The covariance of the mean's error, given the variances.
    pub mean_covariance: Matrix,
}

/// What a group contributes under given variances. With Σ the variances and I the information:
pub(super) struct Parts {
    /// (I + Σ⁻¹)⁻¹, the covariance of the group's parameters given the mean.
    pub posterior: Matrix,
    /// (1 + ΣI)⁻¹, the weight of the mean in the group's parameters (1 is the identity here).
    pub of_mean: Matrix,
    /// (Σ + I⁻¹)⁻¹ = I(1 + ΣI)⁻¹, the group's information about the mean.
    about_mean: Matrix,
    /// ln |1 + ΣI|.
    log_determinant: f64,
}

impl Quadratic {
    /// Everything in forms that neither divide by a variance nor invert the information.
    pub(super) fn parts(&self, variance: &[f64]) -> Parts {
        let n = variance.len();
        let root: Vec<f64> = variance.iter().map(|v| v.sqrt()).collect();
        let mut inner = Matrix::identity(n);
        for i in 0..n {
            for j in 0..n {
                inner[(i, j)] += root[i] * self.information[(i, j)] * root[j];
            }
        }
        let log_determinant = inner.eigen().0.iter().map(|v| v.ln()).sum();
        let mut posterior = inner.map_eigenvalues(|v| 1.0 / v);
        for i in 0..n {
            for j in 0..n {
                posterior[(i, j)] *= root[i] * root[j];
            }
        }
        let mut of_mean = Matrix::identity(n);
        let mut about_mean = self.information.clone();
        let squared = posterior.congruent(&self.information);
        for i in 0..n {
            for j in 0..n {
                of_mean[(i, j)] -= dot(posterior.row(i), self.information.row(j));
                about_mean[(i, j)] -= squared[(i, j)];
            }
        }
        Parts { posterior, of_mean, about_mean, log_determinant }
    }

    /// The group's parameters under a population: their mean and covariance, with the error of the population's mean.
    pub(super) fn under(&self, population: &Population) -> (Vec<f64>, Matrix) {
        let parts = self.parts(&population.variance);
        let n = self.at.len();
        let mut turned = Matrix::zeros(n);
        for i in 0..n {
            for j in 0..n {
                turned[(i, j)] = parts.of_mean[(j, i)];
            }
        }
        let mut covariance = population.mean_covariance.congruent(&turned);
        for i in 0..n {
            for j in 0..n {
                covariance[(i, j)] += parts.posterior[(i, j)];
            }
        }
        let away: Vec<f64> = population.mean.iter().zip(&self.at).map(|(m, a)| m - a).collect();
        let by_slope = parts.posterior.times(&self.slope);
        let by_mean = parts.of_mean.times(&away);
        let mean = (0..n).map(|i| self.at[i] + by_slope[i] + by_mean[i]).collect();
        (mean, covariance)
    }

    /// The derivative of the group's marginal log-likelihood by the mean.
    fn pull(&self, parts: &Parts, mean: &[f64]) -> Vec<f64> {
        let away: Vec<f64> = mean.iter().zip(&self.at).map(|(m, a)| m - a).collect();
        (0..mean.len())
            .map(|j| {
                let own: f64 = (0..mean.len()).map(|i| parts.of_mean[(i, j)] * self.slope[i]).sum();
                own - dot(parts.about_mean.row(j), &away)
            })
            .collect()
    }
}

impl Population {
    /// The population that fits best. `whole` is the estimate from all customers, `start` where the search begins.
    ///
    /// # Errors
    /// Those of `check`.
    pub(super) fn fit(
        groups: &[Quadratic],
        whole: &[f64],
        start: &Population,
        check: impl Fn() -> Result<()>,
    ) -> Result<Population> {
        let logs: Vec<f64> = start.variance.iter().map(|v| v.max(START_VARIANCE).ln()).collect();
        let bounds = vec![(LEAST_VARIANCE.ln(), LARGEST_VARIANCE.ln()); logs.len()];
        let loss = |logs: &[f64]| {
            check()?;
            Ok(restricted_loss(groups, whole, &exp(logs)))
        };
        let found = minimise(loss, &logs, &bounds)?;
        let floor = LEAST_VARIANCE * (1.0 + 1e-9);
        let variance: Vec<f64> =
            exp(&found.point).into_iter().map(|v| if v <= floor { 0.0 } else { v }).collect();
        let (_, mean, mean_covariance) = solve(groups, whole, &variance);
        Ok(Population { mean, variance, mean_covariance })
    }

    /// Other populations that could as well be, all of one weight: what the data leave open about the variances.
    ///
    /// The deviations between groups have a flat prior (Gelman, "Prior distributions for variance parameters in
    /// hierarchical models", Bayesian Analysis 1, 2006). The logarithms of the variances are then taken as normal, with
    /// the curvature of the restricted likelihood, and replaced by the points of the spherical cubature rule
    /// (Arasaratnam and Haykin, "Cubature Kalman Filters", IEEE TAC 54, 2009). A variance of 0 is as large as it would
    /// be on average where the restricted likelihood falls in it as steeply as at 0.
    pub(super) fn alternatives(&self, groups: &[Quadratic], whole: &[f64]) -> Vec<Population> {
        let n = groups.len() as f64;
        let (free, none): (Vec<usize>, Vec<usize>) = (0..whole.len()).partition(|&j| self.variance[j] > 0.0);
        let mut centre = self.variance.clone();
        let least: Vec<f64> = centre.iter().map(|v| v.max(LEAST_VARIANCE)).collect();
        let at = restricted_loss(groups, whole, &least);
        for &j in &none {
            let fall = at.gradient[j] * n / LEAST_VARIANCE;
            centre[j] = (0.5 / fall.max(0.0)).min(LARGEST_UNSEEN_VARIANCE);
        }
        let (values, vectors) = at.hessian.restricted(&free).eigen();
        // Flat likelihoods are cut: the normal is not for them.
        let deviations: Vec<f64> =
            values.iter().map(|v| (1.0 / (v * n).max(0.0).sqrt()).min(LARGEST_LOG_DEVIATION)).collect();
        for (k, deviation) in deviations.iter().enumerate() {
            // A flat prior of the deviation moves the logarithm of the variance by half its own variance.
            let along: f64 = vectors.row(k).iter().sum::<f64>() * 0.5 * deviation * deviation;
            for (c, &j) in free.iter().enumerate() {
                centre[j] *= (along * vectors[(k, c)]).exp();
            }
        }
        let population = |variance: Vec<f64>| {
            let variance: Vec<f64> = variance.into_iter().map(|v| v.min(LARGEST_VARIANCE)).collect();
            let (_, mean, mean_covariance) = solve(groups, whole, &variance);
            Population { mean, variance, mean_covariance }
        };
        if free.is_empty() {
            return vec![population(centre)];
        }
        let mut out = Vec::new();
        for (k, deviation) in deviations.iter().enumerate() {
            let step = deviation * (free.len() as f64).sqrt();
            for sign in [-1.0, 1.0] {
                let mut variance = centre.clone();
                for (c, &j) in free.iter().enumerate() {
                    variance[j] *= (sign * step * vectors[(k, c)]).exp();
                }
                out.push(population(variance));
            }
        }
        out
    }

    /// The population without any variance: all groups are the whole.
    pub(super) fn common(groups: &[Quadratic], whole: &[f64]) -> Population {
        let variance = vec![0.0; whole.len()];
        let (_, mean, mean_covariance) = solve(groups, whole, &variance);
        Population { mean, variance, mean_covariance }
    }

    /// Parameters whose variance ran to the largest one allowed.
    pub(super) fn without_bound(&self) -> Vec<usize> {
        (0..self.variance.len()).filter(|&j| self.variance[j] >= LARGEST_VARIANCE * (1.0 - 1e-9)).collect()
    }
}

fn exp(logs: &[f64]) -> Vec<f64> {
    logs.iter().map(|l| l.exp()).collect()
}

/// The groups' parts, the mean under given variances and the covariance of its error.
fn solve(groups: &[Quadratic], whole: &[f64], variance: &[f64]) -> (Vec<Parts>, Vec<f64>, Matrix) {
    let n = variance.len();
    let parts: Vec<Parts> = groups.iter().map(|group| group.parts(variance)).collect();
    let mut precision = Matrix::zeros(n);
    for i in 0..n {
        precision[(i, i)] = WEAK;
        for j in 0..n {
            precision[(i, j)] += parts.iter().map(|p| p.about_mean[(i, j)]).sum::<f64>();
        }
    }
    let covariance = precision.map_eigenvalues(|v| 1.0 / v);
    let mut pull = vec![0.0; n];
    for (group, parts) in groups.iter().zip(&parts) {
        for (sum, p) in pull.iter_mut().zip(group.pull(parts, whole)) {
            *sum += p;
        }
    }
    let mean = whole.iter().zip(covariance.times(&pull)).map(|(w, step)| w + step).collect();
    (parts, mean, covariance)
}

/// Minus the restricted log-likelihood of a group, with derivatives by the logarithms of the variances.
///
/// In the notation of variance components (Searle, Casella and McCulloch 1992, chapter 6): with K the groups'
/// information about the mean, M their sum and u = K(y − μ), the derivative of the log-likelihood by variance j is
/// ½·Σ(u_j² − K_jj + (K·M⁻¹·K)_jj).
pub(super) fn restricted_loss(groups: &[Quadratic], whole: &[f64], variance: &[f64]) -> Evaluation {
    let n = variance.len();
    let (parts, mean, covariance) = solve(groups, whole, variance);
    let from_whole: f64 = mean.iter().zip(whole).map(|(m, w)| (m - w) * (m - w)).sum();
    let mut value: f64 =
        0.5 * covariance.eigen().0.iter().map(|v| v.ln()).sum::<f64>() - 0.5 * WEAK * from_whole;
    let mut by_variance = vec![0.0; n];
    let mut second = Matrix::zeros(n);
    // w_j = Σ K·e_j·u_j and Q_j = Σ K·e_j·(K·e_j)ᵀ.
    let mut w = vec![vec![0.0; n]; n];
    let mut q = vec![Matrix::zeros(n); n];
    for (group, parts) in groups.iter().zip(&parts) {
        let k = &parts.about_mean;
        let away: Vec<f64> = mean.iter().zip(&group.at).map(|(m, a)| m - a).collect();
        let u = group.pull(parts, &mean);
        value += -0.5 * parts.log_determinant
            + 0.5 * parts.posterior.quadratic(&group.slope)
            + dot(&group.slope, &parts.of_mean.times(&away))
            - 0.5 * k.quadratic(&away);
        let through_mean = covariance.congruent(k);
        for j in 0..n {
            by_variance[j] += 0.5 * (u[j] * u[j] - k[(j, j)] + through_mean[(j, j)]);
            for i in 0..n {
                w[j][i] += k[(i, j)] * u[j];
                second[(i, j)] += k[(i, j)] * (0.5 * k[(i, j)] - through_mean[(i, j)] - u[i] * u[j]);
                for l in 0..n {
                    q[j][(i, l)] += k[(i, j)] * k[(l, j)];
                }
            }
        }
    }
    let weighted: Vec<Vec<f64>> = w.iter().map(|w| covariance.times(w)).collect();
    let turned: Vec<Matrix> = q.iter().map(|q| q.congruent(&covariance)).collect();
    for i in 0..n {
        for j in 0..n {
            let trace: f64 = (0..n).map(|r| dot(turned[i].row(r), q[j].row(r))).sum();
            second[(i, j)] += dot(&w[i], &weighted[j]) + 0.5 * trace;
        }
    }
    let scale = -1.0 / groups.len() as f64;
    let mut hessian = Matrix::zeros(n);
    for i in 0..n {
        for j in 0..n {
            hessian[(i, j)] = scale * variance[i] * variance[j] * second[(i, j)];
        }
        hessian[(i, i)] += scale * variance[i] * by_variance[i];
    }
    let gradient = by_variance.iter().zip(variance).map(|(g, v)| scale * g * v).collect();
    Evaluation { value: scale * value, gradient, hessian }
}
