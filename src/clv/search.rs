//! The search that all fits share: several starts, the best end, and what it amounts to.

use super::dense::Matrix;
use super::minimise::{Evaluation, Minimum, minimise};
use super::model::{Fit, FitReport, Parameter, Parametric, Verdict};
use super::uncertainty::{Uncertainty, is_determined};
use crate::error::Result;
use crate::progress::Progress;

/// One end of a scale-free parameter's range.
pub struct Edge {
    /// The bound.
    pub at: f64,
    /// A best value beyond this is at the edge for all practical purposes.
    pub near: f64,
    /// Its name.
    pub name: &'static str,
    /// What the data say when the likelihood is best there.
    pub explanation: &'static str,
    /// What the user may do.
    pub advice: &'static str,
    /// Whether predictions there have a meaning.
    pub usable: bool,
}

/// A scale-free parameter: how a message calls it, and its two ends.
pub struct Coordinate {
    pub name: &'static str,
    pub low: Edge,
    pub high: Edge,
}

/// The gradient of the mean log-likelihood below which an end counts as a maximum.
const GRADIENT_OF_AN_OPTIMUM: f64 = 1e-6;

/// With a parameter at an edge (shapes of a million) rounding leaves the others a larger one; no optimum is claimed there.
const GRADIENT_AT_AN_EDGE: f64 = 1e-4;

/// Two searches agree when their log-likelihoods differ by less than this share, or by [`SAME_OPTIMUM`].
const SAME_SHARE: f64 = 1e-9;
const SAME_OPTIMUM: f64 = 1e-4;

/// Ends within so many natural logarithms of the best, and so far from it in a scale-free parameter, are rivals: whoever
/// draws parameters must know of them. Far more than likelihoods differ where the volumes around two maxima do.
const RIVAL_WITHIN: f64 = 12.0;
const RIVAL_BEYOND: f64 = 1e-3;

/// The data of one search.
pub(super) struct Search<'a> {
    /// Customers whom the likelihood is over.
    pub customers: u64,
    /// Distinct histories among them.
    pub patterns: u64,
    /// Scale-free points to start from.
    pub starts: Vec<Vec<f64>>,
    /// What they were before a rehearsal moved them; empty without one.
    pub originals: Vec<Vec<f64>>,
    /// The parameters' ranges.
    pub coordinates: &'a [Coordinate],
}

/// Customers of the sample on which searches are rehearsed; tests rehearse wherever they can.
pub(super) const REHEARSAL: usize = if cfg!(test) { 500 } else { 50_000 };

/// Ends of rehearsals that are closer than this, on the scale-free scale, are the same.
const SAME_END: f64 = 1e-6;

/// Moves starts to where the search ends on a sample of the customers (`rough_loss`), so that few evaluations on all of
/// them are left. The second start stays where it is: that two searches over all customers agree is not left to the
/// sample.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub(super) fn rehearse(
    starts: Vec<Vec<f64>>,
    coordinates: &[Coordinate],
    rough_loss: impl Fn(&[f64]) -> Evaluation,
    progress: &dyn Progress,
) -> Result<Vec<Vec<f64>>> {
    let bounds = bounds(coordinates);
    let mut out: Vec<Vec<f64>> = Vec::new();
    for (i, start) in starts.into_iter().enumerate() {
        if i == 1 {
            out.push(start);
            continue;
        }
        let loss = |theta: &[f64]| {
            progress.check()?;
            Ok(rough_loss(theta))
        };
        let end = minimise(loss, &start, &bounds)?;
        let found = if end.settled && end.at.value.is_finite() { end.point } else { start };
        let close = |other: &&Vec<f64>| other.iter().zip(&found).all(|(a, b)| (a - b).abs() <= SAME_END);
        let same = out.iter().find(close).cloned();
        out.push(same.unwrap_or(found));
    }
    Ok(out)
}

fn bounds(coordinates: &[Coordinate]) -> Vec<(f64, f64)> {
    coordinates.iter().map(|c| (c.low.at, c.high.at)).collect()
}

/// Minimises `mean_loss`, minus the mean log-likelihood of a customer at a scale-free point, and judges the end.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub(super) fn fit<P: Parametric>(
    like: &P,
    search: Search<'_>,
    mean_loss: impl Fn(&[f64]) -> Evaluation,
    progress: &dyn Progress,
) -> Result<Fit<P>> {
    let bounds = bounds(search.coordinates);
    let n = search.customers as f64;
    progress.phase(P::MODEL, search.starts.len() as u64);
    let loss = |theta: &[f64]| {
        progress.check()?;
        Ok(mean_loss(theta))
    };
    let (mut ends, mut evaluations): (Vec<Minimum>, u32) = (Vec::new(), 0);
    // Which ends are those of a search of their own.
    let mut own = vec![true; search.starts.len()];
    for (i, start) in search.starts.iter().enumerate() {
        let end = match search.starts[..i].iter().position(|earlier| earlier == start) {
            // Rehearsals that met: the same start has the same end.
            Some(earlier) => {
                own[i] = false;
                ends[earlier].clone()
            }
            None => {
                let end = minimise(&loss, start, &bounds)?;
                evaluations += end.evaluations;
                end
            }
        };
        ends.push(end);
        progress.advance(1);
    }
    // That two searches agree must not follow from a rehearsal: if only one reached the best, another that the
    // rehearsal led there is made from where it began.
    if let Some(best) = lowest(&ends) {
        let agrees = |end: &Minimum| same(end.at.value * n, best.at.value * n);
        let found = ends.iter().zip(&own).filter(|(end, own)| **own && agrees(end)).count();
        let other = (0..ends.len()).find(|&i| !own[i] && agrees(&ends[i]) && i < search.originals.len());
        if let (1, Some(i)) = (found, other) {
            ends[i] = minimise(&loss, &search.originals[i], &bounds)?;
            evaluations += ends[i].evaluations;
            own[i] = true;
        }
    }
    let starts: Vec<f64> = ends.iter().map(|end| -end.at.value * n).collect();
    let best = lowest(&ends);
    let mut report = FitReport {
        patterns: search.patterns,
        evaluations,
        ..FitReport::without_data(P::MODEL, like.unit(), search.customers, no_number())
    };
    report.starts = starts;
    let Some(best) = best else {
        return Ok(Fit { report, params: None, uncertainty: None });
    };
    let params = like.with_scale_free(&best.point);
    let edges: Vec<Option<&Edge>> = (search.coordinates.iter().zip(&best.point).zip(&best.held))
        .map(|((coordinate, &theta), &held)| {
            let middle = 0.5 * (coordinate.low.near + coordinate.high.near);
            let edge = if theta < middle { &coordinate.low } else { &coordinate.high };
            let beyond = theta <= coordinate.low.near || theta >= coordinate.high.near;
            (held || beyond).then_some(edge)
        })
        .collect();
    let held: Vec<bool> = edges.iter().map(Option::is_some).collect();
    let information = scaled(&best.at.hessian, n);
    let free: Vec<usize> = (0..held.len()).filter(|&i| !held[i]).collect();
    let (eigenvalues, eigenvectors) = information.restricted(&free).eigen();
    let agree = (ends.iter().zip(&own))
        .filter(|(end, own)| **own && same(end.at.value * n, best.at.value * n))
        .count();
    // At an edge the likelihood may still creep outwards; what must be at rest are the other parameters.
    let gradient = free.iter().map(|&i| best.at.gradient[i].abs()).fold(0.0, f64::max);
    let at_rest = if free.len() == held.len() { GRADIENT_OF_AN_OPTIMUM } else { GRADIENT_AT_AN_EDGE };
    report.verdict = if gradient > at_rest {
        Verdict::Failed {
            reason: format!("the search ended with a gradient of {gradient:.1e}"),
            advice: "please report this with the data: it should not happen",
        }
    } else if let Some(edge) = edges.iter().flatten().next() {
        at_edges(edge, &edges)
    } else if eigenvalues.iter().any(|&value| !is_determined(value)) {
        ridge(&free, &eigenvalues, &eigenvectors, search.coordinates)
    } else if agree < 2 {
        Verdict::Boundary {
            name: "the starts disagree",
            explanation: "only one start reached the best log-likelihood".to_string(),
            advice: "compare the starts' log-likelihoods in the report before relying on it",
            usable: true,
        }
    } else {
        Verdict::VerifiedOptimum
    };
    let uncertainty = Uncertainty::new(params.clone(), &information, &held).beside(rivals(&ends, best, n));
    let errors = uncertainty.standard_errors();
    report.parameters = (P::NAMES.iter().zip(params.natural()).enumerate())
        .map(|(i, (&name, estimate))| Parameter {
            name,
            estimate,
            standard_error: errors.as_ref().map(|errors| errors[i]),
        })
        .collect();
    report.log_likelihood = Some(-best.at.value * n);
    report.gradient_norm = best.gradient_norm;
    report.hessian_eigenvalues = eigenvalues;
    let usable = report.verdict.is_usable();
    Ok(Fit { report, params: usable.then_some(params), uncertainty: usable.then_some(uncertainty) })
}

/// The first of the best, values that are not numbers last: total_cmp puts NaN above everything.
fn lowest(ends: &[Minimum]) -> Option<&Minimum> {
    ends.iter().filter(|end| end.at.value.is_finite()).min_by(|a, b| a.at.value.total_cmp(&b.at.value))
}

/// Where else searches came to rest, hardly less likely than at the best; each place once.
fn rivals(ends: &[Minimum], best: &Minimum, customers: f64) -> Vec<Vec<f64>> {
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).any(|(a, b)| (a - b).abs() > RIVAL_BEYOND);
    let mut out: Vec<Vec<f64>> = Vec::new();
    for end in ends.iter().filter(|end| end.settled && end.at.value.is_finite()) {
        let is_close = (end.at.value - best.at.value) * customers < RIVAL_WITHIN;
        if is_close && apart(&end.point, &best.point) && out.iter().all(|known| apart(known, &end.point)) {
            out.push(end.point.clone());
        }
    }
    out
}

/// Whether two log-likelihoods are the same maximum's.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_OPTIMUM + SAME_SHARE * b.abs()
}

fn no_number() -> Verdict {
    Verdict::Failed {
        reason: "the likelihood is not a number at any start".to_string(),
        advice: "check the customer table for extreme values",
    }
}

fn at_edges(first: &Edge, edges: &[Option<&Edge>]) -> Verdict {
    let mut explanation = first.explanation.to_string();
    for edge in edges.iter().flatten().skip(1) {
        explanation.push_str("; also ");
        explanation.push_str(edge.name);
    }
    Verdict::Boundary {
        name: first.name,
        explanation,
        advice: first.advice,
        usable: edges.iter().flatten().all(|edge| edge.usable),
    }
}

fn ridge(free: &[usize], values: &[f64], vectors: &Matrix, coordinates: &[Coordinate]) -> Verdict {
    // The parameters that take part in a direction without information.
    let names: Vec<&str> = (free.iter().enumerate())
        .filter(|(c, _)| (0..values.len()).any(|k| !is_determined(values[k]) && vectors[(k, *c)].abs() > 0.3))
        .map(|(_, &i)| coordinates[i].name)
        .collect();
    Verdict::Boundary {
        name: "a ridge",
        explanation: format!(
            "the likelihood hardly changes along {}: the data do not determine it",
            names.join(" and ")
        ),
        advice: "use expectations over the observed span only, or give more customers or a longer history",
        usable: true,
    }
}

fn scaled(matrix: &Matrix, factor: f64) -> Matrix {
    let mut out = matrix.clone();
    for i in 0..matrix.dim() {
        for j in 0..matrix.dim() {
            out[(i, j)] *= factor;
        }
    }
    out
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
