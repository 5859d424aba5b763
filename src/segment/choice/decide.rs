//! What the table of scores says, in a sentence.

use super::{Candidate, Method, STABLE};
use crate::customers::spend::count;

/// The number to propose and why; none where nothing has the score that decides.
pub(super) fn decide(candidates: &[Candidate], method: Method) -> Option<(usize, String)> {
    if method == Method::Mixture {
        let scored = candidates.iter().filter_map(|c| Some((c, -c.bic?)));
        let (best, score) = highest(scored)?;
        let mut reason = format!("{} components have the lowest BIC, {:.1}", best.clusters, -score);
        if let Some(stability) = best.stability.filter(|&stability| stability < STABLE) {
            reason += &format!(
                "; resamples do not find them again (mean adjusted Rand index {stability:.2}): a density may need them \
                 without their being groups"
            );
        }
        return Some((best.clusters, reason + "."));
    }
    let measured = candidates.iter().any(|c| c.stability.is_some());
    let stable: Vec<&Candidate> =
        candidates.iter().filter(|c| c.stability.is_some_and(|s| s >= STABLE)).collect();
    let score = |c: &&Candidate| c.silhouette;
    if !measured {
        let (best, silhouette) = highest(candidates.iter().filter_map(|c| Some((c, score(&c)?))))?;
        let reason = format!(
            "{} clusters have the highest mean silhouette, {silhouette:.2}; whether resamples find them again was not \
             looked at.",
            best.clusters
        );
        return Some((best.clusters, reason));
    }
    if let Some((best, silhouette)) = highest(stable.iter().filter_map(|c| Some((*c, score(c)?)))) {
        let numbers: Vec<String> = stable.iter().map(|c| count(c.clusters as u64)).collect();
        let reason = format!(
            "{} clusters have the highest mean silhouette, {silhouette:.2}, of the numbers that resamples find again \
             (mean adjusted Rand index from {STABLE} on): {}.",
            best.clusters,
            numbers.join(", ")
        );
        return Some((best.clusters, reason));
    }
    let (best, silhouette) = highest(candidates.iter().filter_map(|c| Some((c, score(&c)?))))?;
    let reason = format!(
        "{} clusters have the highest mean silhouette, {silhouette:.2}, but resamples find no number of clusters again \
         (mean adjusted Rand index at most {:.2}): take them as a way to cut the customers up, not as groups that exist.",
        best.clusters,
        candidates.iter().filter_map(|c| c.stability).fold(f64::NEG_INFINITY, f64::max)
    );
    Some((best.clusters, reason))
}

/// The first of those with the highest score.
fn highest<'a>(scored: impl Iterator<Item = (&'a Candidate, f64)>) -> Option<(&'a Candidate, f64)> {
    scored.fold(None, |best, next| match best {
        Some((_, score)) if score >= next.1 => best,
        _ => Some(next),
    })
}
