//! Contracts that are renewed: how many customers of a cohort are left after t renewals, and what one is still worth.
//!
//! Losses are seen, so the data are survivors per cohort and period ([`Cohorts`]). [`Sbg`], the shifted beta-geometric:
//! at each renewal a customer leaves with a probability θ ~ beta(gamma, delta) of its own (Fader and Hardie, "How to
//! Project Customer Retention", Journal of Interactive Marketing 21, 2007, where they are α and β). [`Bdw`], the
//! beta-discrete-Weibull: that probability may also rise or fall with a customer's age (Fader, Hardie, Liu, Davin and
//! Steenburgh, "'How to Project Customer Retention' Revisited: The Role of Duration Dependence", Journal of
//! Interactive Marketing 43, 2018).
//!
//! Renewals are numbered from 1; S(t) is the share left after renewal t, S(0) = 1; the retention rate is
//! r(t) = S(t)/S(t − 1).

mod any;
mod bdw;
mod cohorts;
mod forecast;
mod goodness;
mod likelihood;
mod sbg;
#[cfg(test)]
mod tests;

pub use any::Contract;
pub use bdw::{Bdw, BdwModel};
pub use cohorts::{Cohort, Cohorts, MOST_PERIODS};
pub use forecast::{CohortForecast, ForecastOptions, Spread, Step, forecast};
pub use goodness::{GoodnessOfFit, goodness_of_fit};
pub use sbg::{Sbg, SbgModel};

use serde::Serialize;

use super::likelihood_ratio::LikelihoodRatio;
use super::model::{Fit, Parametric};
use crate::random::Stream;

/// A fitted model of contracts, from which projections follow. Time is counted in renewals.
pub trait ContractModel: Parametric {
    /// ln S(t): the share of a cohort left after renewal `t`.
    fn ln_survival(&self, t: u64) -> f64;

    /// ln r(t) for `t` ≥ 1; 0 for `t` = 0.
    fn ln_retention(&self, t: u64) -> f64;

    /// S(t): the share of a cohort left after renewal `t`.
    fn survival(&self, t: u64) -> f64 {
        self.ln_survival(t).exp()
    }

    /// r(t) = S(t)/S(t − 1): the share of those up for renewal `t` ≥ 1 who renew; 1 for `t` = 0.
    fn retention(&self, t: u64) -> f64 {
        self.ln_retention(t).exp()
    }

    /// S(0), S(1), …, S(horizon).
    fn survival_curve(&self, horizon: u32) -> Vec<f64> {
        (0..=u64::from(horizon)).map(|t| self.survival(t)).collect()
    }

    /// r(1), r(2), …, r(horizon).
    fn retention_curve(&self, horizon: u32) -> Vec<f64> {
        (1..=u64::from(horizon)).map(|t| self.retention(t)).collect()
    }

    /// The renewal by which half of a cohort have left: the first t with S(t) ≤ ½, rounding (1e-12) aside. None beyond
    /// 2^53.
    fn median_lifetime(&self) -> Option<u64> {
        const FARTHEST: u64 = 1 << 53;
        let half = 1e-12 - std::f64::consts::LN_2;
        let mut high = 1;
        while self.ln_survival(high) > half {
            if high >= FARTHEST {
                return None;
            }
            high *= 2;
        }
        let mut low = high / 2;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.ln_survival(middle) > half { low = middle } else { high = middle }
        }
        Some(high)
    }

    /// DEL: discounted expected lifetime of a new customer, Σ S(t)/(1 + discount)^t over t ≥ 0. Times the margin of a
    /// period it is the value of a customer who pays at the beginning and at each renewal, the first payment included
    /// and not discounted. `discount` is at least 0, per period.
    fn del(&self, discount: f64) -> Discounted;

    /// DERL: discounted expected residual lifetime of a customer who has renewed `renewed` times and stands before the
    /// next renewal, whose payment counts in full if it is made:
    /// Σ S(t)/S(renewed)/(1 + discount)^(t − renewed − 1) over t > renewed (Fader and Hardie, "Customer-Base
    /// Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity", Marketing Science 29, 2010,
    /// equation 8, with n = renewed + 1).
    fn derl(&self, renewed: u32, discount: f64) -> Discounted;

    /// Draws the renewal (> `renewed`) at which a customer leaves who has renewed `renewed` times; 0 draws a new one.
    /// Exact.
    fn draw_lifetime(&self, stream: &mut Stream, renewed: u32) -> u64;
}

/// A discounted lifetime, in periods.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Discounted {
    /// The value. Infinite where the sum is.
    pub value: f64,
    /// The value is too small by no more than this: 0 for closed forms, which are exact but for rounding; infinite
    /// where nothing bounds what was left out.
    pub tail_bound: f64,
}

/// Whether losses depend on a customer's age: sBG is BdW with c = 1. None when either fit is not usable, or when they are
/// not fits to the same customers, or when BdW fits worse, so that it missed its maximum.
pub fn duration_dependence(sbg: &Fit<Sbg>, bdw: &Fit<Bdw>) -> Option<LikelihoodRatio> {
    let same = (sbg.report.customers, sbg.report.patterns) == (bdw.report.customers, bdw.report.patterns);
    if !same || sbg.params.is_none() || bdw.params.is_none() {
        return None;
    }
    LikelihoodRatio::new(sbg.report.log_likelihood?, bdw.report.log_likelihood?, 1)
}

/// The first renewal whose survival falls below a uniform number, from a continuous time of leaving.
fn first_whole_after(time: f64) -> u64 {
    // Saturates for customers who practically never leave.
    (time.max(0.0) as u64).saturating_add(1)
}
