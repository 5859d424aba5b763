//! Whether cohorts fit the one model they are pooled in: intervals know nothing of a model that is wrong.

use serde::Serialize;

use super::Contract;
use super::cohorts::Cohorts;
use crate::special::chi_square_tail;

/// A renewal of a cohort counts where the model expects at least so many to renew and so many to leave: below that a
/// squared deviation is not chi-square distributed.
const FEWEST: f64 = 5.0;

/// Pearson's test of the losses of every cohort at every renewal against those that the model expects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GoodnessOfFit {
    /// Σ (lost − expected)²/variance over the renewals that count.
    pub statistic: f64,
    /// Their number less the parameters.
    pub degrees_of_freedom: u32,
    /// The probability of a statistic at least as large when the model holds (χ²).
    pub p_value: f64,
}

/// The test of a model fitted to these cohorts, with `parameters` parameters; none where no more renewals count than it
/// has parameters.
pub fn goodness_of_fit(cohorts: &Cohorts, model: &Contract, parameters: u32) -> Option<GoodnessOfFit> {
    let (mut statistic, mut renewals) = (0.0, 0u32);
    for cohort in cohorts.cohorts() {
        for (t, pair) in (1..).zip(cohort.survivors().windows(2)) {
            let (up, lost) = (pair[0] as f64, (pair[0] - pair[1]) as f64);
            let retention = model.retention(t);
            let (kept, leaving) = (up * retention, up * (1.0 - retention));
            if kept >= FEWEST && leaving >= FEWEST {
                statistic += (lost - leaving).powi(2) / (leaving * retention);
                renewals += 1;
            }
        }
    }
    let degrees_of_freedom = renewals.checked_sub(parameters).filter(|&df| df > 0)?;
    let p_value = chi_square_tail(statistic, f64::from(degrees_of_freedom));
    Some(GoodnessOfFit { statistic, degrees_of_freedom, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clv::contractual::{Sbg, SbgModel};

    /// The two segments of Fader and Hardie (2007): together they are no sBG, apart they are.
    #[test]
    fn cohorts_that_differ_are_found_out() {
        let regular = [1000, 631, 468, 382, 326, 289, 262, 241];
        let high_end = [1000, 869, 743, 653, 593, 551, 517, 491];
        let both: Vec<i64> = regular.into_iter().chain(high_end).collect();
        let names: Vec<&str> = ["regular"; 8].into_iter().chain(["high end"; 8]).collect();
        let periods: Vec<i64> = (0..8).chain(0..8).collect();
        let test = |cohorts: &Cohorts| {
            let Sbg { gamma, delta } = SbgModel.fit(cohorts, &()).unwrap().params.unwrap();
            goodness_of_fit(cohorts, &Contract::Sbg(Sbg { gamma, delta }), 2).unwrap()
        };
        let pooled = test(&Cohorts::from_rows(&names, &periods, &both).unwrap());
        assert!(pooled.degrees_of_freedom == 12 && pooled.p_value < 1e-6, "{pooled:?}");
        let alone = test(&Cohorts::from_rows(&names[..8], &periods[..8], &regular).unwrap());
        assert!(alone.degrees_of_freedom == 5 && alone.p_value > 0.05, "{alone:?}");
        let few = Cohorts::from_rows(&["a"; 3], &[0, 1, 2], &[9, 5, 4]).unwrap();
        assert_eq!(goodness_of_fit(&few, &Contract::Sbg(Sbg { gamma: 1.0, delta: 1.0 }), 2), None);
    }
}
