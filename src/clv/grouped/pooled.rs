//! Each group's estimate given the population, and the population given the groups', in turn until both rest.

use super::population::{Population, Quadratic};
use crate::clv::dense::Matrix;
use crate::clv::minimise::{Evaluation, Minimum, minimise};
use crate::clv::model::LogLikelihood;
use crate::error::Result;
use crate::parallel;
use crate::progress::Progress;

/// A group's parameters stay within this of the whole's on the scale-free scale; none that can be told apart goes so far.
const RANGE: f64 = 25.0;

/// Rounds of estimates and population; 5 to 20 are the rule.
const MOST_ROUNDS: u32 = 100;

/// From here on only half of each step is taken, in case the rounds swing to and fro.
const CAREFUL_FROM: u32 = 30;

/// The mean and each variance (against itself and [`SMALL_VARIANCE`]) are at rest when a round moves them by less.
const AT_REST: f64 = 1e-7;
const SMALL_VARIANCE: f64 = 1e-3;

/// The mean moves by at most this in a round.
const LARGEST_STEP: f64 = 1.0;

/// The first guess of each variance: groups that differ by a third.
const FIRST_VARIANCE: f64 = 0.1;

/// What the pooling needs of a group.
pub(super) struct Data<'a> {
    /// Its likelihood; none without customers.
    pub objective: Option<Box<dyn LogLikelihood + 'a>>,
    /// Its own maximum, if it has a usable one.
    pub own: Option<Vec<f64>>,
}

/// A group's estimate given the population.
pub(super) struct Mode {
    pub point: Vec<f64>,
    pub quadratic: Quadratic,
    /// The log-likelihood there, without the population's part.
    pub log_likelihood: f64,
    /// The gradient of the penalised mean loss over the parameters that may move.
    pub gradient_norm: f64,
    /// Whether some parameter is at the end of its range.
    pub at_range: bool,
    /// What another start reached, relative to this one, as a difference of penalised log-likelihoods.
    pub other_start: Option<f64>,
}

pub(super) struct Pooling {
    pub population: Population,
    /// Populations between which the data do not decide.
    pub alternatives: Vec<Population>,
    pub modes: Vec<Mode>,
    pub rounds: u32,
    pub settled: bool,
}

/// Estimates the population and all groups.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub(super) fn pool(groups: &[Data<'_>], whole: &[f64], progress: &dyn Progress) -> Result<Pooling> {
    let n = whole.len();
    // The spread between groups needs two that say something.
    let telling = groups.iter().filter(|g| g.objective.is_some()).count();
    let first = if telling < 2 { 0.0 } else { FIRST_VARIANCE };
    let mut population =
        Population { mean: whole.to_vec(), variance: vec![first; n], mean_covariance: Matrix::zeros(n) };
    let mut modes = estimates(groups, &population, whole, None, progress)?;
    let (mut rounds, mut settled) = (0, false);
    while !settled && rounds < MOST_ROUNDS {
        rounds += 1;
        let quadratics: Vec<Quadratic> = modes.iter().map(|mode| mode.quadratic.clone()).collect();
        let mut next = if telling < 2 {
            Population::common(&quadratics, whole)
        } else {
            Population::fit(&quadratics, whole, &population, || progress.check())?
        };
        let share = if rounds >= CAREFUL_FROM { 0.5 } else { 1.0 };
        let mut moved = 0.0f64;
        for j in 0..n {
            let step = (next.mean[j] - population.mean[j]).clamp(-LARGEST_STEP, LARGEST_STEP);
            let (before, after) = (population.variance[j], next.variance[j]);
            moved = moved.max(step.abs()).max((after - before).abs() / (before + SMALL_VARIANCE));
            next.mean[j] = population.mean[j] + share * step;
            // A variance of 0 is a statement, not a number on the way.
            if after > 0.0 {
                next.variance[j] = before + share * (after - before);
            }
        }
        population = next;
        settled = moved <= AT_REST;
        let points: Vec<&[f64]> = modes.iter().map(|mode| mode.point.as_slice()).collect();
        let points = if settled { None } else { Some(points.as_slice()) };
        // The last estimates start anew, from the mean and from each group's own maximum.
        modes = estimates(groups, &population, whole, points, progress)?;
    }
    let quadratics: Vec<Quadratic> = modes.iter().map(|mode| mode.quadratic.clone()).collect();
    let alternatives = if telling < 2 { Vec::new() } else { population.alternatives(&quadratics, whole) };
    Ok(Pooling { population, alternatives, modes, rounds, settled })
}

/// All groups' estimates, from `points` or else from the mean and from their own maxima.
fn estimates(
    groups: &[Data<'_>],
    population: &Population,
    whole: &[f64],
    points: Option<&[&[f64]]>,
    progress: &dyn Progress,
) -> Result<Vec<Mode>> {
    parallel::try_map(groups.len(), |g| {
        let group = &groups[g];
        let Some(objective) = &group.objective else { return Ok(Mode::of_nobody(population)) };
        let from = |start: &[f64]| penalised(objective.as_ref(), population, whole, start, progress);
        let customers = objective.customers();
        if let Some(points) = points {
            return Ok(Mode::new(from(points[g])?, None, objective.as_ref(), population));
        }
        let mut best = from(&population.mean)?;
        let mut other = None;
        if let Some(own) = &group.own {
            let mut end = from(own)?;
            if end.at.value < best.at.value {
                std::mem::swap(&mut end, &mut best);
            }
            other = Some((end.at.value - best.at.value) * customers);
        }
        Ok(Mode::new(best, other, objective.as_ref(), population))
    })
}

/// The minimum of the group's mean loss with the population as its prior.
fn penalised(
    objective: &dyn LogLikelihood,
    population: &Population,
    whole: &[f64],
    start: &[f64],
    progress: &dyn Progress,
) -> Result<Minimum> {
    let Population { mean, variance, .. } = population;
    let bounds: Vec<(f64, f64)> = (0..mean.len())
        // Without variance the parameter is the mean.
        .map(|j| if variance[j] > 0.0 { (whole[j] - RANGE, whole[j] + RANGE) } else { (mean[j], mean[j]) })
        .collect();
    let loss = |theta: &[f64]| {
        progress.check()?;
        let Evaluation { mut value, mut gradient, mut hessian } = objective.mean_loss(theta);
        for j in (0..mean.len()).filter(|&j| variance[j] > 0.0) {
            let precision = 1.0 / (variance[j] * objective.customers());
            let away = theta[j] - mean[j];
            value += 0.5 * precision * away * away;
            gradient[j] += precision * away;
            hessian[(j, j)] += precision;
        }
        Ok(Evaluation { value, gradient, hessian })
    };
    minimise(loss, start, &bounds)
}

impl Mode {
    fn new(
        minimum: Minimum,
        other_start: Option<f64>,
        objective: &dyn LogLikelihood,
        population: &Population,
    ) -> Mode {
        let at = objective.mean_loss(&minimum.point);
        let n = objective.customers();
        let mut information = at.hessian;
        for i in 0..minimum.point.len() {
            for j in 0..minimum.point.len() {
                information[(i, j)] *= n;
            }
        }
        let quadratic = Quadratic {
            at: minimum.point.clone(),
            slope: at.gradient.iter().map(|g| -g * n).collect(),
            // Away from its own maximum a likelihood may bend upwards; the population then speaks alone.
            information: information.map_eigenvalues(|v| v.max(0.0)),
        };
        let at_range = (0..minimum.point.len()).any(|j| minimum.held[j] && population.variance[j] > 0.0);
        Mode {
            quadratic,
            log_likelihood: -at.value * n,
            gradient_norm: minimum.gradient_norm,
            at_range,
            other_start,
            point: minimum.point,
        }
    }

    fn of_nobody(population: &Population) -> Mode {
        let n = population.mean.len();
        Mode {
            point: population.mean.clone(),
            quadratic: Quadratic {
                at: population.mean.clone(),
                slope: vec![0.0; n],
                information: Matrix::zeros(n),
            },
            log_likelihood: 0.0,
            gradient_norm: 0.0,
            at_range: false,
            other_start: None,
        }
    }
}
