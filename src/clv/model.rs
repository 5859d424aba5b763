//! What every lifetime model offers, and what every fit reports.
//!
//! An unfitted model and its fitted parameters are two types, so "not fitted" cannot happen. A fit never fails on
//! data that exist: it ends in a [`Verdict`].

use serde::Serialize;

use super::dense::Matrix;
use super::discounted;
use super::latent::Latent;
use super::minimise::Evaluation;
use super::uncertainty::Uncertainty;
use crate::calendar::Unit;
use crate::random::Stream;

/// A model's parameters, with the scale on which they are fitted and drawn.
///
/// On the scale-free scale (logarithms of rates and shapes, logits of probabilities) every real vector is a valid
/// set of parameters, and a change of the unit of time or money is a shift.
pub trait Parametric: Sized + Clone + Send + Sync {
    /// The model's name.
    const MODEL: &'static str;
    /// The names of the parameters in the literature.
    const NAMES: &'static [&'static str];

    /// The unit of time in which the parameters are expressed, if time is in the model.
    fn unit(&self) -> Option<Unit>;

    /// The parameters in the order of [`Parametric::NAMES`].
    fn natural(&self) -> Vec<f64>;

    /// The parameters on the scale-free scale.
    fn scale_free(&self) -> Vec<f64>;

    /// The parameters at a point of the scale-free scale, in the same unit as these.
    fn with_scale_free(&self, theta: &[f64]) -> Self;

    /// Derivatives of the natural parameters (rows) by the scale-free ones (columns).
    fn jacobian(&self) -> Matrix;

    /// What each scale-free parameter measures, by which weak priors go: here the first one a mean (of rates where time
    /// is in the model, of amounts otherwise) and the others logarithms of shapes, as most models have it.
    fn scales(&self) -> Vec<Scale> {
        let level = if self.unit().is_some() { Scale::Rate } else { Scale::Amount };
        let rest = Self::NAMES.len().saturating_sub(1);
        std::iter::once(level).chain(std::iter::repeat_n(Scale::Shape, rest)).collect()
    }
}

/// What a scale-free parameter measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The logarithm of a mean rate per unit of time.
    Rate,
    /// The logarithm of a mean amount of money.
    Amount,
    /// The logit of a mean probability.
    Probability,
    /// The logarithm of a shape: how alike customers are.
    Shape,
}

/// The likelihood of some data under a model, at any parameters: what a fit maximised, for whoever needs more of it
/// than its maximum. It borrows the data.
pub trait LogLikelihood: Sync {
    /// Customers whom the likelihood is over.
    fn customers(&self) -> f64;

    /// Minus the mean log-likelihood of a customer, with derivatives by the scale-free parameters.
    fn mean_loss(&self, theta: &[f64]) -> Evaluation;

    /// The log-likelihood of all customers at a point of the scale-free scale, with all its constants. May be no
    /// number where the model has none.
    fn log_likelihood(&self, theta: &[f64]) -> f64 {
        -self.mean_loss(theta).value * self.customers()
    }
}

/// A fitted model of purchases, from which expectations follow. Times are in the model's unit.
///
/// A customer who is alive at T is told by (x, T) alone: t_x matters for whether it is. A new customer has x, t_x and T
/// of 0.
pub trait PurchaseModel: Send + Sync {
    /// The unit of the arguments and of the parameters.
    fn time_unit(&self) -> Unit;

    /// The time over which expectations bend: that of the purchase rates' distribution (alpha).
    fn time_scale(&self) -> f64;

    /// The log-likelihood of one customer, with all its constants.
    fn log_likelihood(&self, x: u32, t_x: f64, t: f64) -> f64;

    /// ln P(alive at T | x, t_x, T).
    fn ln_p_alive(&self, x: u32, t_x: f64, t: f64) -> f64;

    /// P(alive at T | x, t_x, T).
    fn p_alive(&self, x: u32, t_x: f64, t: f64) -> f64 {
        self.ln_p_alive(x, t_x, t).exp()
    }

    /// What P(alive) needs of x and one time of a history (t_x or T) alone, where that is costly: many customers share it, so
    /// callers may keep it for [`PurchaseModel::p_alive_from`]. `None` where there is nothing worth keeping.
    fn part_of_p_alive(&self, _x: u32, _time: f64) -> Option<f64> {
        None
    }

    /// [`PurchaseModel::p_alive`] from [`PurchaseModel::part_of_p_alive`] at t_x and at T.
    fn p_alive_from(&self, x: u32, t_x: f64, t: f64, _parts: [f64; 2]) -> f64 {
        self.p_alive(x, t_x, t)
    }

    /// Expected purchases in (T, T + horizon] of a customer known to be alive at T.
    fn expected_if_alive(&self, x: u32, t: f64, horizon: f64) -> f64;

    /// Expected purchases in (T, T + horizon] given (x, t_x, T): exactly
    /// [`PurchaseModel::expected_if_alive`] × [`PurchaseModel::p_alive`].
    fn conditional_expected(&self, x: u32, t_x: f64, t: f64, horizon: f64) -> f64 {
        self.expected_if_alive(x, t, horizon) * self.p_alive(x, t_x, t)
    }

    /// E[X(t)]: expected repeat purchases of a new customer up to time t.
    fn expected(&self, t: f64) -> f64 {
        self.conditional_expected(0, 0.0, 0.0, t)
    }

    /// P(X(t) = x): the probability that a new customer makes `x` repeat purchases up to time t.
    fn pmf(&self, x: u32, t: f64) -> f64;

    /// Expected purchases in (T, T + horizon] of a customer known to be alive at T, each discounted by e^(−delta·time
    /// after T). The horizon may be infinite if `delta` is above 0.
    fn discounted_if_alive(&self, x: u32, t: f64, delta: f64, horizon: f64) -> f64 {
        let scale = self.time_scale() + t;
        discounted::by_quadrature(|horizon| self.expected_if_alive(x, t, horizon), scale, delta, horizon)
    }

    /// DERT: discounted expected residual transactions after T, at the continuous rate `delta` > 0 per unit of time.
    fn dert(&self, x: u32, t_x: f64, t: f64, delta: f64) -> f64 {
        self.dect(x, t_x, t, delta, f64::INFINITY)
    }

    /// DECT: the same over (T, T + horizon] only.
    fn dect(&self, x: u32, t_x: f64, t: f64, delta: f64, horizon: f64) -> f64 {
        self.discounted_if_alive(x, t, delta, horizon) * self.p_alive(x, t_x, t)
    }

    /// Draws what cannot be seen of a customer, given its history: whether it is alive at T, and its own rates. Exact.
    fn draw(&self, stream: &mut Stream, x: u32, t_x: f64, t: f64) -> Latent;

    /// Draws the rates of a customer who is known to be alive at T. Exact.
    fn draw_alive(&self, stream: &mut Stream, x: u32, t: f64) -> Latent;
}

/// The result of a fit.
#[derive(Debug, Clone)]
pub struct Fit<P> {
    /// What was found, and how far it can be trusted.
    pub report: FitReport,
    /// The parameters; none when the verdict is not usable.
    pub params: Option<P>,
    /// How well the data determine them; none when they are not usable.
    pub uncertainty: Option<Uncertainty<P>>,
}

/// Everything a fit has to say about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitReport {
    /// The model.
    pub model: &'static str,
    /// The unit of time of the parameters, if time is in the model.
    pub unit: Option<Unit>,
    /// The parameters, also where the verdict is not usable; empty when there was nothing to fit.
    pub parameters: Vec<Parameter>,
    /// The log-likelihood at the parameters, with all its constants; none when there was nothing to fit.
    pub log_likelihood: Option<f64>,
    /// Customers whom the fit used.
    pub customers: u64,
    /// Customers whom it could not use, by reason.
    pub set_aside: Vec<SetAside>,
    /// Distinct histories among them.
    pub patterns: u64,
    /// The largest entry of the gradient of the mean log-likelihood by the scale-free parameters, without those that
    /// lie at a bound.
    pub gradient_norm: f64,
    /// Eigenvalues, ascending, of the observed information on the scale-free scale (minus the Hessian of the
    /// log-likelihood), without parameters at a bound.
    pub hessian_eigenvalues: Vec<f64>,
    /// How often the likelihood of all customers was evaluated, with all starts.
    pub evaluations: u32,
    /// The log-likelihood that the search from each start reached. With more than 200,000 customers all starts but the
    /// second are first searched on a sample of them; those that meet there are one search from there on.
    pub starts: Vec<f64>,
    /// What it all amounts to.
    pub verdict: Verdict,
    /// What a reader of the result should know.
    pub warnings: Vec<String>,
}

/// One parameter of a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name in the literature.
    pub name: &'static str,
    /// Its maximum-likelihood estimate.
    pub estimate: f64,
    /// Its standard error (observed information, delta method); none where the data do not determine it.
    pub standard_error: Option<f64>,
}

/// Customers whom a fit could not use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetAside {
    /// Why.
    pub reason: &'static str,
    /// How many.
    pub customers: u64,
}

/// What a fit amounts to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// A maximum of the likelihood: gradient zero, information positive definite, another start agrees.
    VerifiedOptimum,
    /// The likelihood has no verified maximum inside; it is best at a named edge of what the model can say.
    Boundary {
        /// Its name.
        name: &'static str,
        /// What the data say.
        explanation: String,
        /// What the user may do.
        advice: &'static str,
        /// Whether predictions there have a meaning.
        usable: bool,
    },
    /// There is no result.
    Failed {
        /// Why.
        reason: String,
        /// What the user may do.
        advice: &'static str,
    },
}

impl Verdict {
    /// Whether predictions may be made from the parameters.
    pub fn is_usable(&self) -> bool {
        match self {
            Verdict::VerifiedOptimum => true,
            Verdict::Boundary { usable, .. } => *usable,
            Verdict::Failed { .. } => false,
        }
    }

    /// The verdict in one line.
    pub fn sentence(&self) -> String {
        match self {
            Verdict::VerifiedOptimum => "verified optimum".to_string(),
            Verdict::Boundary { name, explanation, advice, .. } => format!("{name}: {explanation}; {advice}"),
            Verdict::Failed { reason, advice } => format!("failed: {reason}; {advice}"),
        }
    }
}

impl FitReport {
    /// The report of a fit that found nothing to work on.
    pub(super) fn without_data(
        model: &'static str,
        unit: Option<Unit>,
        customers: u64,
        verdict: Verdict,
    ) -> FitReport {
        FitReport {
            model,
            unit,
            parameters: Vec::new(),
            log_likelihood: None,
            customers,
            set_aside: Vec::new(),
            patterns: 0,
            gradient_norm: 0.0,
            hessian_eigenvalues: Vec::new(),
            evaluations: 0,
            starts: Vec::new(),
            verdict,
            warnings: Vec::new(),
        }
    }
}
