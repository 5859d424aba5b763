//! Whether intervals hold what happens as often as they say: worlds with known parameters, whose calibration is fitted and
//! whose holdout is then looked at.
//!
//! Each world draws parameters around plausible ones, and its customers buy one order after the other in continuous
//! time. The models are fitted to the calibration, their parameters drawn, the holdout predicted with intervals, and for all
//! customers together, each tier, each tenth and each customer it is asked whether orders and spend lie between `lower`
//! and `upper`.

mod groups;
mod tally;
#[cfg(test)]
mod tests;
mod world;

pub use tally::{Cell, Customers, Tally};

use groups::{Groups, TENTHS};
use world::History;

use crate::calendar::{Discount, Period, Span, Unit};
use crate::clv::predict::{
    Customers as Predicted, Groups as Division, Interval, IntervalColumns, PredictOptions, Predictor, Sums,
    Total,
};
use crate::clv::{
    BgNbdModel, Fit, GammaGamma, GammaGammaModel, LogLikelihood, MbgNbdModel, ModelName, NbdModel,
    Parametric, ParetoNbdModel, Patterns, PosteriorOptions, Prior, PurchaseModel, Trust, ValueOptions,
    Verdict,
};
use crate::customers::Statistics;
use crate::error::Result;
use crate::random::{Purpose, Stream, hash_integer};

/// Weeks that are predicted.
const HOLDOUT: f64 = 39.0;

/// What the customers of a world do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Truth {
    /// As the fitted model says.
    WellSpecified,
    /// Purchase rates and amounts are lognormal, and in the holdout the season is better by a tenth to a third.
    Misspecified,
}

/// How worlds are made and judged.
#[derive(Debug, Clone, Copy)]
pub struct CoverageOptions {
    /// The seed of every random number.
    pub seed: u64,
    /// Draws of the parameters.
    pub draws: u32,
    /// What is believed of them before the data.
    pub prior: Prior,
    /// The probability that intervals claim.
    pub level: f64,
    /// Fewest and most customers of a world.
    pub customers: (u32, u32),
    /// The tier, from 0 on, of a customer with these scores for recency, frequency and spend (1 to 5 each).
    pub tier_of: fn(u8, u8, u8) -> u8,
    /// How many tiers there are.
    pub tiers: usize,
}

/// A group of customers whose total is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// All customers.
    All,
    /// A tier, from 0 on.
    Tier(usize),
    /// A tenth by expected value, from 0 (the most) on.
    Tenth(usize),
}

/// What is predicted of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Orders.
    Orders,
    /// Spend.
    Spend,
}

/// A total that came true, with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Whose.
    pub group: Group,
    /// Of what.
    pub quantity: Quantity,
    /// Customers in the group.
    pub customers: u64,
    /// What happened.
    pub actual: f64,
    /// The interval of what will happen, with the expectation.
    pub interval: Interval,
}

/// What a world says.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The model that was fitted.
    pub model: ModelName,
    /// What the customers did.
    pub truth: Truth,
    /// Customers.
    pub customers: u64,
    /// The parameters of purchases and of spend that they came from; times in weeks.
    pub parameters: Vec<f64>,
    /// The verdicts on the purchase and the spend model.
    pub verdicts: [Verdict; 2],
    /// How far the draws of each can be trusted; none where a fit was not usable.
    pub trust: Option<[Trust; 2]>,
    /// Totals; empty where a fit was not usable.
    pub totals: Vec<Held>,
    /// Customers whose orders, and whose spend, lay within their own interval.
    pub covered: [u64; 2],
}

/// The models that worlds take in turn. Pareto/NBD costs ten times as much in continuous time, where no two customers
/// share a history, so that it comes less often.
const MODELS: [ModelName; 7] = [
    ModelName::BgNbd,
    ModelName::MbgNbd,
    ModelName::ParetoNbd,
    ModelName::BgNbd,
    ModelName::MbgNbd,
    ModelName::BgNbd,
    ModelName::MbgNbd,
];

/// World `number`: its model is one of BG/NBD, MBG/NBD and Pareto/NBD in turn.
///
/// # Errors
/// None that a world should meet: each is a fault of the fit or of the prediction.
pub fn cover(number: u32, truth: Truth, options: &CoverageOptions) -> Result<Outcome> {
    let model = MODELS[number as usize % MODELS.len()];
    let address = hash_integer(u64::from(number) << 1 | u64::from(truth == Truth::Misspecified));
    let history =
        world::history(model, truth, options, &mut Stream::new(options.seed, address, 0, Purpose::Synth));
    let patterns = Patterns::from_times(&history.frequency, &history.recency, &history.t)?;
    // Another world, other draws: each has a seed of its own.
    let world = World { number, model, truth, seed: address ^ options.seed, history: &history, options };
    let unit = Unit::Week;
    match model {
        ModelName::BgNbd => {
            world.judge(&BgNbdModel.fit(&patterns, unit, &())?, &BgNbdModel.likelihood(&patterns, unit))
        }
        ModelName::MbgNbd => {
            world.judge(&MbgNbdModel.fit(&patterns, unit, &())?, &MbgNbdModel.likelihood(&patterns, unit))
        }
        ModelName::ParetoNbd => world
            .judge(&ParetoNbdModel.fit(&patterns, unit, &())?, &ParetoNbdModel.likelihood(&patterns, unit)),
        ModelName::Nbd => {
            world.judge(&NbdModel.fit(&patterns, unit, &())?, &NbdModel.likelihood(&patterns, unit))
        }
    }
}

struct World<'a> {
    number: u32,
    model: ModelName,
    truth: Truth,
    seed: u64,
    history: &'a History,
    options: &'a CoverageOptions,
}

impl World<'_> {
    fn judge<P: Parametric + PurchaseModel + 'static>(
        &self,
        purchases: &Fit<P>,
        likelihood: &impl LogLikelihood,
    ) -> Result<Outcome> {
        let history = self.history;
        let spend = GammaGammaModel.fit(&history.frequency, &history.mean_spend, &())?;
        let of_spend = GammaGammaModel.likelihood(&history.frequency, &history.mean_spend)?;
        let mut out = Outcome {
            model: self.model,
            truth: self.truth,
            customers: history.t.len() as u64,
            parameters: history.parameters.clone(),
            verdicts: [purchases.report.verdict.clone(), spend.report.verdict.clone()],
            trust: None,
            totals: Vec::new(),
            covered: [0, 0],
        };
        let (Some(model), Some(amounts)) = (&purchases.params, &spend.params) else { return Ok(out) };
        let options = self.options;
        let asked = PosteriorOptions { prior: options.prior, draws: options.draws, seed: self.seed };
        let drawn = purchases.posterior(likelihood, &asked, &())?;
        let (Some(drawn), Some(of_spend)) = (drawn, spend.posterior(&of_spend, &asked, &())?) else {
            return Ok(out);
        };
        out.trust = Some([drawn.report.trust, of_spend.report.trust]);
        let groups = Groups::new(history, &self.values(model, amounts), options);
        let hash: Vec<u64> = (0..history.t.len() as u64).map(hash_integer).collect();
        let statistics = Statistics {
            frequency: history.frequency.clone(),
            recency_days: history.recency.clone(),
            t_days: history.t.clone(),
            monetary_value: history.mean_spend.clone(),
        };
        // Each pair of tier and tenth is a group; a tier's sums are those of its pairs.
        let codes: Vec<u32> =
            groups.tier.iter().zip(&groups.tenth).map(|(tier, tenth)| tier * TENTHS as u32 + tenth).collect();
        let division = Division { codes: &codes, count: options.tiers * TENTHS };
        let customers = Predicted { statistics: &statistics, hash: &hash, groups: Some(division) };
        let models: Vec<Box<dyn PurchaseModel>> =
            drawn.draws.into_iter().map(|draw| Box::new(draw) as Box<dyn PurchaseModel>).collect();
        let predict = PredictOptions {
            value: ValueOptions {
                horizon: Span::new(HOLDOUT, Period::Week)?,
                discount: Discount::new(0.0, Period::Year)?,
                margin: 1.0,
            },
            level: options.level,
            seed: self.seed.wrapping_add(u64::from(self.number)),
        };
        let predictor = Predictor::new(&models, Some(&of_spend.draws), predict)?;
        let found = predictor.predict(&customers, &())?;
        let actual = [&history.later_orders, &history.later_spend];
        let columns = [Some(&found.orders), found.clv.as_ref()];
        for ((covered, columns), actual) in out.covered.iter_mut().zip(columns).zip(actual) {
            *covered = columns.map_or(0, |columns| within(columns, actual));
        }
        let sum_of = |of: &dyn Fn(usize) -> bool| -> Sums {
            let mut sums = predictor.no_sums();
            (0..found.groups.len()).filter(|&i| of(i)).for_each(|i| sums.add(&found.groups[i]));
            sums
        };
        let all = std::iter::once((Group::All, found.sums.clone()));
        let tiers = (0..options.tiers).map(|k| (Group::Tier(k), sum_of(&|i| i / TENTHS == k)));
        let tenths = (0..TENTHS).map(|k| (Group::Tenth(k), sum_of(&|i| i % TENTHS == k)));
        out.totals = all
            .chain(tiers)
            .chain(tenths)
            .flat_map(|(group, sums)| held(group, &sums.total(options.level), &groups, actual))
            .collect();
        Ok(out)
    }

    /// What each customer is expected to spend in the holdout, at the estimates.
    fn values<P: PurchaseModel>(&self, model: &P, amounts: &GammaGamma) -> Vec<f64> {
        let (history, week) = (self.history, Unit::Week.days());
        let of = |i: usize| {
            let (x, t_x, t) = (history.frequency[i], history.recency[i] / week, history.t[i] / week);
            let orders = model.conditional_expected(x, t_x, t, HOLDOUT);
            orders * amounts.expected_spend(x, history.mean_spend[i])
        };
        (0..history.t.len()).map(of).collect()
    }
}

fn within(columns: &IntervalColumns, actual: &[f64]) -> u64 {
    let inside = |&i: &usize| columns.lower[i] <= actual[i] && actual[i] <= columns.upper[i];
    (0..actual.len()).filter(inside).count() as u64
}

fn held(group: Group, total: &Total, groups: &Groups, [orders, spend]: [&Vec<f64>; 2]) -> Vec<Held> {
    let sum = |of: &[f64]| (0..of.len()).filter(|&i| groups.has(group, i)).map(|i| of[i]).sum::<f64>();
    let one =
        |quantity, actual, interval| Held { group, quantity, customers: total.customers, actual, interval };
    let mut out = vec![one(Quantity::Orders, sum(orders), total.orders)];
    out.extend(total.clv.map(|interval| one(Quantity::Spend, sum(spend), interval)));
    out
}
