//! What there is to say of how good tiers are.

use serde::Serialize;

use crate::calendar::{Day, Discount, Span};
use crate::clv::ModelName;
use crate::clv::predict::ends;
use crate::tier::Tiering;
use crate::tier::judge::{Cut, Held, Ranked, Sureness};

/// Who belongs to its tier with at least this probability is sure.
pub const SURE: f64 = 0.9;

/// Tiers that were judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessed {
    /// The date of the grading.
    pub date: Day,
    /// Customers.
    pub customers: u64,
    /// Rows without an order, which are left out.
    pub prospects: u64,
    /// The probability of intervals.
    pub level: f64,
    /// The seed of every random number.
    pub seed: u64,
    /// How own rates were drawn, where there is a model.
    pub draws: Option<Draws>,
    /// The column of what customers turned out to be worth, if there is one.
    pub value: Option<String>,
    /// Replications of the bootstrap.
    pub replications: u32,
    /// By scheme.
    pub schemes: Vec<AssessedScheme>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// How everybody's own rates and spend were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Draws {
    /// Draws.
    pub draws: u32,
    /// Draws of the parameters under them; 0 where these are held at their estimates.
    pub parameters: usize,
    /// The model of purchases.
    pub model: ModelName,
    /// Over what customers are valued.
    pub horizon: Span,
    /// What money later is worth.
    pub discount: Discount,
    /// The part of an order's value that remains.
    pub margin: f64,
    /// Whether worth is lifetime value; else it is expected transactions.
    pub has_money: bool,
}

/// One scheme's tiers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AssessedScheme {
    /// The tiers with their rules, thresholds, counts and shares.
    #[serde(flatten)]
    pub tiering: Tiering,
    /// Gini coefficient of spend so far between the tiers; none where nobody has spent anything.
    pub spend_gini: Option<f64>,
    /// That of customers ordered by spend so far.
    pub spend_gini_of_best: Option<f64>,
    /// Against customers' own rates.
    pub own_rates: Option<OwnRates>,
    /// Against what customers turned out to be worth.
    pub holdout: Option<Holdout>,
}

/// Whose mean probability is below this is a tier that no draw reaches.
const UNREACHED: f64 = 0.01;

impl Assessed {
    /// What the figures themselves ask to be said.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut out = Vec::new();
        for scheme in &self.schemes {
            let Some(own) = &scheme.own_rates else { continue };
            let key = &scheme.tiering.key;
            for (k, (tier, sure)) in scheme.tiering.tiers.iter().zip(&own.tiers).enumerate() {
                if tier.customers > 0 && sure.probability[k] < UNREACHED {
                    out.push(format!(
                        "{key}: hardly a draw puts anybody of \"{}\" there: by its own rates a customer is alive or not, and a rule for \
                         what lies between (p_alive from .2 to .6) cannot hold",
                        tier.name
                    ));
                }
            }
            if own.worthless > 0 {
                out.push(format!(
                    "{key}: in {} draws nobody is worth anything: they have no accuracy ratio",
                    own.worthless
                ));
            }
        }
        out
    }
}

/// A mean over draws with the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// How sure the customers of a tier are to belong there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sure {
    /// The mean of P(tier) over its customers, for every tier; NaN (null in JSON) for a tier of nobody.
    pub probability: Vec<f64>,
    /// Customers who belong to it with a probability of [`SURE`] or more.
    pub sure: u64,
}

/// A tiering against customers' own rates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnRates {
    /// The figures by own rates that the rules look at; where there are none every tier is certain.
    pub depends_on: Vec<String>,
    /// By tier.
    pub tiers: Vec<Sure>,
    /// What each tier is worth.
    pub worth: Vec<Interval>,
    /// The best tiers down to each but the last: means over the draws.
    pub cuts: Vec<Cut>,
    /// What is lost by each.
    pub regret: Vec<Interval>,
    /// The accuracy ratio over the draws in which somebody is worth anything; none where there are not two of them.
    pub accuracy: Option<Interval>,
    /// Draws in which nobody is.
    pub worthless: u32,
    /// By how much it is above that of the first scheme, draw by draw; none for the first.
    pub above_first: Option<Interval>,
}

/// A tiering against what customers turned out to be worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holdout {
    /// Everything but the curve.
    #[serde(flatten)]
    pub held: Held,
    /// What the best customers, as many as are in the best tiers down to each, hold of all worth.
    pub share_of_best: Vec<f64>,
}

impl Holdout {
    pub(super) fn new(held: &Held, ranked: &Ranked) -> Holdout {
        let total = ranked.total();
        let share = |cut: &Cut| if total > 0.0 { cut.best / total } else { 0.0 };
        Holdout { share_of_best: held.cuts.iter().map(share).collect(), held: held.clone() }
    }
}

impl OwnRates {
    pub(super) fn new(
        codes: &[u8],
        sureness: &Sureness,
        first: Option<&Sureness>,
        depends_on: Vec<String>,
        level: f64,
    ) -> OwnRates {
        let confusion = sureness.confusion(codes);
        let sure = sureness.sure(codes, SURE);
        let tier = |(row, sure): (Vec<f64>, u64)| {
            let customers: f64 = row.iter().sum();
            let mean = |expected: f64| if customers > 0.0 { expected / customers } else { f64::NAN };
            Sure { probability: row.into_iter().map(mean).collect(), sure }
        };
        let over = |values: Vec<f64>| Interval::of(&values, level);
        let cut = |at: usize| {
            let mean = |of: fn(&Cut) -> f64| {
                sureness.cuts.iter().map(|cuts| of(&cuts[at])).sum::<f64>() / f64::from(sureness.draws)
            };
            let customers = sureness.cuts[0][at].customers;
            let (held, best) = (mean(|cut| cut.held), mean(|cut| cut.best));
            Cut { customers, held, best, regret: mean(|cut| cut.regret) }
        };
        let accuracy: Vec<f64> = sureness.accuracy.iter().flatten().copied().collect();
        let worthless = sureness.draws - accuracy.len() as u32;
        let pairs = first.iter().flat_map(|first| sureness.accuracy.iter().zip(&first.accuracy));
        let above: Vec<f64> = pairs.filter_map(|(own, first)| Some((*own)? - (*first)?)).collect();
        OwnRates {
            depends_on,
            tiers: confusion.into_iter().zip(sure).map(tier).collect(),
            worth: (0..sureness.tiers)
                .map(|tier| over(sureness.worth.iter().map(|worth| worth[tier]).collect()))
                .collect(),
            cuts: (0..sureness.tiers.saturating_sub(1)).map(cut).collect(),
            regret: (0..sureness.tiers.saturating_sub(1))
                .map(|at| over(sureness.cuts.iter().map(|cuts| cuts[at].regret).collect()))
                .collect(),
            accuracy: (accuracy.len() > 1).then(|| over(accuracy)),
            worthless,
            above_first: (above.len() > 1).then(|| over(above)),
        }
    }
}

impl Interval {
    fn of(values: &[f64], level: f64) -> Interval {
        let (lower, upper) = ends(values, 0.5 * (1.0 - level), &mut Vec::new());
        Interval { value: values.iter().sum::<f64>() / values.len() as f64, lower, upper }
    }
}
