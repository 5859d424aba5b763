//! What the analyst has of a world: customer statistics in whole days, three tiers by what has been seen, and plans.

use std::path::Path;

use tiercast::calendar::Day;
use tiercast::customers::{Ids, OrderDays};
use tiercast::recovery::own_futures::Buyer;
use tiercast::simulate::Population;
use tiercast::strategy::{People, Plan, StrategyFile, StrategySet};
use tiercast::tier::Columns;

pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The tiers, best first.
pub const TIERS: [&str; 3] = ["high", "mid", "low"];

/// What the repeat purchases of the best tier have come to at least.
const HIGH: f64 = 100.0;

/// Customers as the analyst sees them.
#[derive(Default)]
pub struct Company {
    pub frequency: Vec<u32>,
    pub recency_days: Vec<u32>,
    pub t_days: Vec<u32>,
    /// Unrounded.
    pub recency: Vec<f64>,
    pub t: Vec<f64>,
    pub mean: Vec<f64>,
    pub tier: Vec<u8>,
    pub hash: Vec<u64>,
}

/// The tier of a customer: by its repeat purchases and what they came to.
pub fn tier(buyer: &Buyer) -> u8 {
    match buyer.frequency {
        0 => 2,
        x if f64::from(x) * buyer.mean < HIGH => 1,
        _ => 0,
    }
}

impl Company {
    pub fn new(buyers: &[Buyer]) -> Company {
        let mut out = Company::default();
        for buyer in buyers {
            out.frequency.push(buyer.frequency);
            out.recency.push(buyer.recency * 7.0);
            out.t.push(buyer.t * 7.0);
            out.recency_days.push((buyer.recency * 7.0).round() as u32);
            out.t_days.push((buyer.t * 7.0).round() as u32);
            out.mean.push(buyer.mean);
            out.tier.push(tier(buyer));
            out.hash.push(buyer.hash);
        }
        out
    }

    pub fn population(&self) -> Population<'_> {
        Population {
            frequency: &self.frequency,
            recency_days: &self.recency_days,
            t_days: &self.t_days,
            monetary_value: &self.mean,
            tier: &self.tier,
            tiers: TIERS.len(),
            spend_over: OrderDays::Repeat,
            hash: &self.hash,
            opted_out: None,
        }
    }

    /// Customers of each tier.
    pub fn heads(&self) -> [u64; 3] {
        [0, 1, 2].map(|k| self.tier.iter().filter(|&&tier| tier == k).count() as u64)
    }

    /// Who gets what under every strategy.
    pub fn plans(&self, set: &StrategySet) -> Fallible<Vec<Plan>> {
        let n = self.tier.len();
        let ids = Ids::Signed { values: (0..n as i64).collect(), bits: 64 };
        let columns = Columns::new(n, Day(0));
        let people = People {
            tier: &self.tier,
            tiers: TIERS.len(),
            clv: &self.mean,
            opted_out: None,
            hash: &self.hash,
            ids: &ids,
            columns: &columns,
            seed: 1,
            base: Path::new("."),
        };
        (0..set.strategies.len()).map(|s| Ok(Plan::new(set, s, &people)?.0)).collect()
    }
}

/// A strategy file after its checks.
pub fn checked(text: &str) -> Fallible<StrategySet> {
    let schemes = [("by_orders".to_string(), TIERS.map(String::from).to_vec())];
    Ok(StrategySet::new("study", StrategyFile::parse("study", text)?, &schemes)?)
}

/// A share as a percentage with its Monte Carlo error.
pub fn percent(hits: usize, of: usize) -> String {
    let n = of.max(1) as f64;
    let p = hits as f64 / n;
    format!("{:.1} ± {:.1} %", 100.0 * p, 100.0 * (p * (1.0 - p) / n).sqrt())
}

/// The mean of some numbers and its standard error.
pub fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}
