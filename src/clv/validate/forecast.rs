//! What a validation asks of a fitted model, whatever its type.

use super::intervals::Intervals;
use crate::calendar::Unit;
use crate::clv::model::{Fit, FitReport, Parametric, PurchaseModel};

/// A fitted purchase model as a forecaster of purchases. Times are in [`Forecast::unit`].
///
/// Every [`PurchaseModel`] is one; the trait exists because models of several types stand in one list.
pub trait Forecast: Send + Sync {
    /// The model's name.
    fn name(&self) -> &'static str;

    /// The unit of the arguments.
    fn unit(&self) -> Unit;

    /// Expected purchases in (T, T + horizon] given (x, t_x, T).
    fn conditional_expected(&self, x: u32, t_x: f64, t: f64, horizon: f64) -> f64;

    /// E[X(t)]: expected repeat purchases of a new customer up to time t.
    fn expected(&self, t: f64) -> f64;

    /// P(X(t) = x): the probability that a new customer makes `x` repeat purchases up to time t.
    fn pmf(&self, x: u32, t: f64) -> f64;
}

impl<P: Parametric + PurchaseModel> Forecast for P {
    fn name(&self) -> &'static str {
        P::MODEL
    }

    fn unit(&self) -> Unit {
        self.time_unit()
    }

    fn conditional_expected(&self, x: u32, t_x: f64, t: f64, horizon: f64) -> f64 {
        PurchaseModel::conditional_expected(self, x, t_x, t, horizon)
    }

    fn expected(&self, t: f64) -> f64 {
        PurchaseModel::expected(self, t)
    }

    fn pmf(&self, x: u32, t: f64) -> f64 {
        PurchaseModel::pmf(self, x, t)
    }
}

/// A fit that is to be judged; without a forecast it is listed with its verdict and left out.
pub struct Candidate {
    /// What the fit says of itself.
    pub report: FitReport,
    /// The model; none when the verdict is not usable.
    pub forecast: Option<Box<dyn Forecast>>,
    /// Its intervals, where there are any.
    pub intervals: Option<Intervals>,
    /// Why there are none although they were asked for, and what a reader of them should know.
    pub about_intervals: Vec<String>,
}

impl Candidate {
    /// A fit as a candidate, without intervals.
    pub fn of<P: Parametric + PurchaseModel + 'static>(fit: Fit<P>) -> Candidate {
        let forecast = fit.params.map(|params| Box::new(params) as Box<dyn Forecast>);
        Candidate { report: fit.report, forecast, intervals: None, about_intervals: Vec::new() }
    }
}
