//! Whether fits by group find the truth: worlds of groups whose parameters come from a known population.

use super::tally::{Study, Tally};
use super::world::{self, Rates, Seen};
use crate::calendar::Unit;
use crate::clv::grouped::{Groups, fit_groups};
use crate::clv::model::Parametric;
use crate::clv::objective::FitsPatterns;
use crate::clv::{BgNbd, BgNbdModel, ParetoNbd, ParetoNbdModel};
use crate::error::Result;
use crate::progress::Progress;
use crate::random::{NOBODY, Purpose, Stream};

/// Where the worlds begin, apart from those of covariates.
const FIRST_OF_BG_NBD: u32 = 2 << 20;
const FIRST_OF_PARETO_NBD: u32 = 3 << 20;

/// How much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The seed.
    pub seed: u64,
    /// Worlds.
    pub worlds: u32,
    /// Groups of a world: at least and at most.
    pub groups: (u32, u32),
    /// Customers of a group: at least and at most, with even logarithms.
    pub customers: (u32, u32),
}

/// Fits BG/NBD by group to worlds of BG/NBD.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub fn bg_nbd_groups(size: Size, progress: &dyn Progress) -> Result<Study> {
    let mean = BgNbd { r: 0.6, alpha: 25.0, a: 0.8, b: 2.5, unit: Unit::Day };
    let deviations = [0.4, 0.25, 0.4, 0.3];
    study(BgNbdModel, &mean, deviations, size, FIRST_OF_BG_NBD, progress, |params, stream| Rates {
        purchases: stream.gamma(params.r) / params.alpha,
        leaves: stream.beta(params.a, params.b),
        life: f64::INFINITY,
    })
}

/// Fits Pareto/NBD by group to worlds of Pareto/NBD.
///
/// # Errors
/// [`crate::Error::Interrupted`] only.
pub fn pareto_nbd_groups(size: Size, progress: &dyn Progress) -> Result<Study> {
    let mean = ParetoNbd { r: 0.7, alpha: 25.0, s: 0.6, beta: 150.0, unit: Unit::Day };
    let deviations = [0.4, 0.25, 0.5, 0.25];
    study(ParetoNbdModel, &mean, deviations, size, FIRST_OF_PARETO_NBD, progress, |params, stream| {
        let purchases = stream.gamma(params.r) / params.alpha;
        let dropout = stream.gamma(params.s) / params.beta;
        Rates { purchases, leaves: 0.0, life: stream.exponential() / dropout }
    })
}

fn study<M: FitsPatterns>(
    model: M,
    mean: &M::Params,
    deviations: [f64; 4],
    size: Size,
    first: u32,
    progress: &dyn Progress,
    rates: impl Fn(&M::Params, &mut Stream) -> Rates + Sync + Send,
) -> Result<Study> {
    let mut tally = Tally::default();
    let mut customers = 0;
    for world in first..first + size.worlds {
        progress.check()?;
        let mut stream = Stream::new(size.seed, NOBODY, world, Purpose::Parameters);
        let mut between = |(low, high): (u32, u32)| {
            let logs = (f64::from(low).ln(), f64::from(high).ln());
            (logs.0 + (logs.1 - logs.0) * stream.uniform()).exp().round() as usize
        };
        let n = between(size.groups);
        let codes: Vec<u32> =
            (0..n as u32).flat_map(|g| std::iter::repeat_n(g, between(size.customers))).collect();
        let truths: Vec<Vec<f64>> = (0..n)
            .map(|_| mean.scale_free().iter().zip(deviations).map(|(m, d)| m + d * stream.normal()).collect())
            .collect();
        let params: Vec<M::Params> = truths.iter().map(|theta| mean.with_scale_free(theta)).collect();
        let seen = world::draw(size.seed, world, codes.len(), |i, stream| {
            let rates = rates(&params[codes[i] as usize], stream);
            Seen::draw(stream, &rates)
        });
        customers += seen.len() as u64;
        let patterns = world::patterns(&seen)?;
        let groups = Groups::new((0..n).map(|g| format!("group {g}")).collect(), codes)?;
        let whole = model.fit_patterns(&patterns, Unit::Day, progress)?;
        let report = fit_groups(&model, &patterns, &groups, Unit::Day, &whole, progress)?.report;
        for (spread, truth) in report.population.iter().zip(mean.scale_free()) {
            let name = format!("mean of {}", spread.name);
            tally.add(&name, (spread.mean - truth) / spread.standard_error);
        }
        for (group, truth) in report.groups.iter().zip(&truths) {
            if tally.verdict(&group.verdict) {
                for (found, truth) in group.scale_free.iter().zip(truth) {
                    tally.add(found.name, (found.pooled - truth) / found.standard_error);
                }
            }
        }
    }
    let title = format!("{} by group, pooled", M::Params::MODEL);
    Ok(tally.study(title, size.worlds.into(), customers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_study_finds_the_truth() {
        let size = Size { seed: 7, worlds: 2, groups: (16, 24), customers: (40, 400) };
        let study = bg_nbd_groups(size, &()).unwrap();
        assert_eq!(study.rows.len(), 8);
        assert_eq!(study.verdicts.len(), 1, "{study:?}");
        assert!(study.all.share() >= 0.99, "{study:?}");
        assert!(study.all.mean.abs() < 0.35, "{study:?}");
        assert!((0.75..1.25).contains(&study.all.deviation), "{study:?}");
    }
}
