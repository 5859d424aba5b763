//! What a validation says, as data.

use serde::Serialize;

use super::tracking::Week;
use crate::calendar::{Unit, Window};
use crate::clv::model::FitReport;

/// By what predictions are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// Mean absolute error of a customer's holdout transactions.
    Mae,
    /// Root of the mean squared error of them.
    Rmse,
    /// Correlation of predicted and actual transactions.
    Correlation,
    /// Predicted total of transactions as a share of the actual one, less 1.
    Bias,
    /// Mean distance between mean predicted and mean actual transactions of the predicted tenths.
    DecileError,
    /// Gini coefficient of actual transactions in the predicted order, as a share of that in their own order.
    GiniTransactions,
    /// Mean absolute error of a customer's holdout spend.
    SpendMae,
    /// Predicted total of spend as a share of the actual one, less 1.
    SpendBias,
    /// Gini coefficient of actual spend in the predicted order, as a share of that in its own order.
    GiniSpend,
    /// The share of actual spend that the tenth of customers (rounded down) with the highest predicted spend makes.
    TopTenthSpend,
}

/// What is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    Lower,
    Higher,
    NearerZero,
}

impl Criterion {
    /// All, in the order in which they are shown.
    pub const ALL: [Criterion; 10] = [
        Criterion::Mae,
        Criterion::Rmse,
        Criterion::Correlation,
        Criterion::Bias,
        Criterion::DecileError,
        Criterion::GiniTransactions,
        Criterion::SpendMae,
        Criterion::SpendBias,
        Criterion::GiniSpend,
        Criterion::TopTenthSpend,
    ];

    /// Its name in files.
    pub fn key(self) -> &'static str {
        match self {
            Criterion::Mae => "mae",
            Criterion::Rmse => "rmse",
            Criterion::Correlation => "correlation",
            Criterion::Bias => "bias",
            Criterion::DecileError => "decile_error",
            Criterion::GiniTransactions => "gini_transactions",
            Criterion::SpendMae => "spend_mae",
            Criterion::SpendBias => "spend_bias",
            Criterion::GiniSpend => "gini_spend",
            Criterion::TopTenthSpend => "top_tenth_spend",
        }
    }

    /// Its name for readers.
    pub fn words(self) -> &'static str {
        match self {
            Criterion::Mae => "mean absolute error of transactions",
            Criterion::Rmse => "root mean squared error of transactions",
            Criterion::Correlation => "correlation of transactions",
            Criterion::Bias => "bias of total transactions",
            Criterion::DecileError => "decile calibration error of transactions",
            Criterion::GiniTransactions => "normalised Gini of transactions",
            Criterion::SpendMae => "mean absolute error of spend",
            Criterion::SpendBias => "bias of total spend",
            Criterion::GiniSpend => "normalised Gini of spend",
            Criterion::TopTenthSpend => "share of spend of the top predicted tenth",
        }
    }

    /// Whether it is a share, to be read in percent.
    pub fn is_share(self) -> bool {
        matches!(self, Criterion::Bias | Criterion::SpendBias | Criterion::TopTenthSpend)
    }

    pub(super) fn better(self) -> Better {
        match self {
            Criterion::Mae | Criterion::Rmse | Criterion::DecileError | Criterion::SpendMae => Better::Lower,
            Criterion::Bias | Criterion::SpendBias => Better::NearerZero,
            _ => Better::Higher,
        }
    }
}

/// A figure of the holdout with what the bootstrap over customers says of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// Of the customers at hand.
    pub value: f64,
    /// Standard deviation over the bootstrap; none where it does not exist.
    pub standard_error: Option<f64>,
    /// 2.5 % quantile over the bootstrap.
    pub lower: Option<f64>,
    /// 97.5 % quantile.
    pub upper: Option<f64>,
}

/// One criterion of one method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metric {
    /// Which.
    pub criterion: Criterion,
    /// What it comes to; none where the method says nothing of it, or it does not exist (a constant has no
    /// correlation).
    pub figure: Option<Figure>,
}

/// One method less another by one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Which.
    pub criterion: Criterion,
    /// Index into [`Validation::methods`] of the method.
    pub method: usize,
    /// Index of the other.
    pub other: usize,
    /// The method's value less the other's; of biases, of their distances from 0.
    pub figure: Figure,
}

/// Whether a method is a model or what one would do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    /// A fitted purchase model.
    Model,
    /// A prediction without a model.
    Baseline,
    /// An order of customers that predicts no amount.
    Ranking,
}

/// A tenth of the customers by predicted transactions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decile {
    /// 1 for the highest predictions.
    pub decile: u8,
    /// Customers in it; tied customers at an edge count on both sides by their share of the room there.
    pub customers: f64,
    /// Their mean predicted transactions.
    pub predicted: Figure,
    /// Their mean actual transactions.
    pub actual: Figure,
}

/// How often a model's intervals held what happened. The parameters they rest on are those of the calibration, with
/// their uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// How often they claim to.
    pub level: f64,
    /// Customers whose intervals were made: all, or a sample of them that every figure here is of.
    pub customers: u64,
    /// Of transactions.
    pub transactions: Covered,
    /// Of spend, where the models predict any.
    pub spend: Option<Covered>,
}

/// The same of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Covered {
    /// The share of customers who did what lay in their own interval. Transactions are whole numbers, so more than the
    /// level is right.
    pub customers: Option<Figure>,
    /// All of them together.
    pub total: TotalCovered,
    /// Tenths by expected transactions, the highest first.
    pub tenths: Vec<TotalCovered>,
}

/// A total with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TotalCovered {
    /// Customers whom it is over.
    pub customers: u64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// What happened.
    pub actual: f64,
    /// Whether it lay between the ends, or at one.
    pub covered: bool,
}

/// A way to predict, and how it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: MethodKind,
    /// What it predicts, in words.
    pub about: &'static str,
    /// Predicted transactions of all customers.
    pub transactions: Option<f64>,
    /// Predicted spend of all customers.
    pub spend: Option<f64>,
    /// One entry per criterion.
    pub metrics: Vec<Metric>,
    /// Tenths by predicted transactions.
    pub deciles: Vec<Decile>,
    /// Coverage of its intervals, where there are any.
    pub coverage: Option<Coverage>,
}

impl Method {
    /// What a criterion comes to.
    pub fn figure(&self, criterion: Criterion) -> Option<Figure> {
        self.metrics.iter().find(|metric| metric.criterion == criterion)?.figure
    }
}

/// Customers with one calibration frequency.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrequencyGroup {
    /// 0, 1, …, 6, or 7 for 7 and more.
    pub frequency: u32,
    /// Whether it stands for all that is more, too.
    pub and_more: bool,
    /// How many customers have it, with the error that resampling customers leaves.
    pub customers: Figure,
    /// Their mean holdout transactions; none where nobody has it.
    pub actual: Option<Figure>,
    /// Their mean predicted transactions by method; none where a method predicts none.
    pub predicted: Vec<Option<Figure>>,
    /// How many customers each method's distribution of purchase counts expects to have it, given each customer's T;
    /// none for methods without one.
    pub expected_customers: Vec<Option<f64>>,
}

/// A model that is not among the methods, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// The model.
    pub model: &'static str,
    /// Its verdict, in a sentence.
    pub verdict: String,
}

/// The model to use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preferred {
    /// Index into [`Validation::methods`].
    pub method: usize,
    /// Its name.
    pub model: String,
    /// Why, in a sentence.
    pub why: String,
}

/// How models and baselines predicted the holdout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validation {
    /// The windows.
    pub window: Window,
    /// The unit of the models.
    pub unit: Unit,
    /// Days of the holdout.
    pub holdout_days: u32,
    /// Customers of the calibration window.
    pub customers: u64,
    /// Their transactions (days with an order) in the holdout.
    pub transactions: u64,
    /// Their spend in the holdout.
    pub spend: f64,
    /// Replications of the bootstrap.
    pub replications: u32,
    /// Its seed.
    pub seed: u64,
    /// The fits of the purchase models, usable or not.
    pub fits: Vec<FitReport>,
    /// The fit of the spend model.
    pub spend_fit: FitReport,
    /// Models without a usable fit.
    pub left_out: Vec<LeftOut>,
    /// Models, then baselines.
    pub methods: Vec<Method>,
    /// Every pair of methods by every criterion that both have.
    pub differences: Vec<Difference>,
    /// Customers by calibration frequency.
    pub by_frequency: Vec<FrequencyGroup>,
    /// The models of [`Week::expected`], as indices into [`Validation::methods`].
    pub tracked: Vec<usize>,
    /// Weekly tracking; empty where orders by day were not counted.
    pub tracking: Vec<Week>,
    /// Which model to use; none where no fit is usable.
    pub preferred: Option<Preferred>,
    /// What it all says, in sentences.
    pub conclusions: Vec<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

impl Validation {
    /// The difference of two methods by a criterion, whichever way it is stored.
    pub fn difference(&self, criterion: Criterion, method: usize, other: usize) -> Option<Figure> {
        let same = |d: &&Difference| {
            d.criterion == criterion && [(d.method, d.other), (d.other, d.method)].contains(&(method, other))
        };
        let found = self.differences.iter().find(same)?;
        let Figure { value, standard_error, lower, upper } = found.figure;
        Some(if found.method == method {
            found.figure
        } else {
            Figure {
                value: 0.0 - value,
                standard_error,
                lower: upper.map(|end| 0.0 - end),
                upper: lower.map(|end| 0.0 - end),
            }
        })
    }
}
