//! What a fit by group reports.

use serde::Serialize;

use crate::calendar::Unit;
use crate::clv::model::{FitReport, Parameter, Verdict};
use crate::clv::uncertainty::Uncertainty;

/// The result of a fit by group.
#[derive(Debug, Clone)]
pub struct GroupedFit<P> {
    /// What was found, and how far it can be trusted.
    pub report: GroupedReport,
    /// The pooled parameters of each group, in the order of its names; none where its verdict is not usable.
    pub groups: Vec<Option<Pooled<P>>>,
}

/// The pooled parameters of a group, for predictions.
#[derive(Debug, Clone)]
pub struct Pooled<P> {
    /// The parameters.
    pub params: P,
    /// Their uncertainty: (I + Σ⁻¹)⁻¹, the mean's own error, and what is open about the variances.
    pub uncertainty: Uncertainty<P>,
}

/// Everything a fit by group has to say about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupedReport {
    /// The model.
    pub model: &'static str,
    /// The unit of time of the parameters.
    pub unit: Unit,
    /// Customers of all groups.
    pub customers: u64,
    /// What the groups have in common and how much they differ, by scale-free parameter; empty when the whole has no
    /// usable fit.
    pub population: Vec<Spread>,
    /// The natural parameters at the groups' mean: what is known of a group of which nothing is known; empty when the
    /// whole has no usable fit. Their standard errors are those of the mean, not the spread of the groups.
    pub mean: Vec<Parameter>,
    /// The groups, in the order of their names' list.
    pub groups: Vec<GroupReport>,
    /// Rounds of the estimates of groups and population.
    pub rounds: u32,
    /// What it all amounts to; that of each group is with the group.
    pub verdict: Verdict,
    /// What a reader of the result should know.
    pub warnings: Vec<String>,
}

/// A scale-free parameter over the groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// What it is: a logarithm or a logit.
    pub name: &'static str,
    /// The groups' mean.
    pub mean: f64,
    /// The standard error of the mean, given the spread.
    pub standard_error: f64,
    /// The standard deviation between groups; 0 when they do not differ beyond chance.
    pub deviation: f64,
}

/// One group of a fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupReport {
    /// Its name.
    pub name: String,
    /// Its customers.
    pub customers: u64,
    /// The fit of its customers alone: its own estimates and log-likelihood, and their verdict.
    pub own: FitReport,
    /// The pooled estimates of the natural parameters; empty where there are none.
    pub parameters: Vec<Parameter>,
    /// The same on the scale on which groups are pooled.
    pub scale_free: Vec<Shrunk>,
    /// The group's log-likelihood at the pooled estimates, without the population's density: at most that of its own.
    pub log_likelihood: Option<f64>,
    /// What the pooled estimates amount to.
    pub verdict: Verdict,
}

/// A scale-free parameter of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shrunk {
    /// What it is.
    pub name: &'static str,
    /// The group's own estimate, if it has a usable one.
    pub own: Option<f64>,
    /// The pooled estimate.
    pub pooled: f64,
    /// Its standard error, with what is open about the groups' mean and variances.
    pub standard_error: f64,
    /// 1 − the weight of the group's own data: 0 when they decide alone, 1 when the mean does.
    pub shrinkage: f64,
}

impl GroupReport {
    /// A group of a whole that has no usable fit.
    pub(super) fn without_pooling(name: &str, own: &FitReport, verdict: &Verdict) -> GroupReport {
        GroupReport {
            name: name.to_string(),
            customers: own.customers,
            own: own.clone(),
            parameters: Vec::new(),
            scale_free: Vec::new(),
            log_likelihood: None,
            verdict: verdict.clone(),
        }
    }
}
