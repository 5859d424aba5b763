//! What is to be generated, and the check that it can be.

use serde::Serialize;

use super::ids::Ids;
use crate::calendar::Day;
use crate::error::{Error, Result};

/// How often customers buy and when they leave; times in weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "name")]
pub enum Model {
    /// Leaving at an exponential time.
    #[serde(rename = "Pareto/NBD")]
    ParetoNbd {
        /// Shape of the purchase rates.
        r: f64,
        /// Rate of the purchase rates, weeks.
        alpha: f64,
        /// Shape of the dropout rates.
        s: f64,
        /// Rate of the dropout rates, weeks.
        beta: f64,
    },
    /// Leaving after a repeat purchase.
    #[serde(rename = "BG/NBD")]
    BgNbd {
        /// Shape of the purchase rates.
        r: f64,
        /// Rate of the purchase rates, weeks.
        alpha: f64,
        /// First parameter of the dropout probabilities.
        a: f64,
        /// Second parameter of the dropout probabilities.
        b: f64,
    },
}

impl Model {
    /// Names and values of the parameters.
    pub fn parameters(&self) -> [(&'static str, f64); 4] {
        match *self {
            Model::ParetoNbd { r, alpha, s, beta } => [("r", r), ("alpha", alpha), ("s", s), ("beta", beta)],
            Model::BgNbd { r, alpha, a, b } => [("r", r), ("alpha", alpha), ("a", a), ("b", b)],
        }
    }

    pub(super) fn rates(&self) -> (f64, f64) {
        match *self {
            Model::ParetoNbd { r, alpha, .. } | Model::BgNbd { r, alpha, .. } => (r, alpha),
        }
    }
}

/// What an order is worth (Gamma-Gamma).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spend {
    /// Shape of a customer's amounts.
    pub p: f64,
    /// Shape of the rates of amounts.
    pub q: f64,
    /// Rate of the rates of amounts, in money.
    pub gamma: f64,
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// By time, as a log is written.
    Time,
    /// By customer, and by time within a customer.
    Customer,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// How many customers.
    pub customers: u64,
    /// The seed of everything drawn.
    pub seed: u64,
    /// How they buy and leave.
    pub model: Model,
    /// What they spend.
    pub spend: Spend,
    /// First day of the window.
    pub start: Day,
    /// Last day of the window.
    pub end: Day,
    /// Last day on which a customer buys for the first time. When not stated, the last 20 weeks of the window, or
    /// its second half if that is shorter, see no newcomers, so that everybody is observed for a while.
    pub join_until: Option<Day>,
    /// Relative swing of the purchase rate over the year, from 0 to 1.
    pub seasonality: f64,
    /// Form of the ids.
    pub ids: Ids,
    /// Whether region and channel are written.
    pub attributes: bool,
    /// Order of the rows.
    pub order: Order,
}

/// Weeks at the end of the window in which nobody buys for the first time, when not stated.
const WEEKS_WITHOUT_NEWCOMERS: f64 = 20.0;

/// Mean orders of a customer above this are a slip: nobody buys so often.
const MOST_ORDERS: f64 = 100_000.0;

pub(super) const DAYS_PER_WEEK: f64 = 7.0;

/// A configuration that was checked.
#[derive(Debug, Clone)]
pub struct Plan {
    config: Config,
    /// Weeks from the start of the window to its end.
    pub(super) weeks: f64,
    /// Weeks from the start of the window in which first purchases fall.
    pub(super) join_weeks: f64,
}

impl Plan {
    /// Checks what is wanted.
    ///
    /// # Errors
    /// [`Error::Value`] naming what cannot be.
    pub fn new(config: Config) -> Result<Plan> {
        if config.customers == 0 {
            let remedy = "give --customers a number from 1 on";
            return Err(Error::value("the number of customers", 0, "there is nobody to generate", remedy));
        }
        if config.customers > u64::from(u32::MAX) {
            let remedy = format!("give at most {}", u32::MAX);
            return Err(Error::value("the number of customers", config.customers, "it is too many", remedy));
        }
        for (name, day) in [
            ("--start", Some(config.start)),
            ("--end", Some(config.end)),
            ("--join-until", config.join_until),
        ] {
            if let Some(day) = day.filter(|day| !day.is_possible()) {
                let remedy = format!("give a day from {} to {}", Day::EARLIEST, Day::LATEST);
                return Err(Error::value(name, day, "no purchase can have this date", remedy));
            }
        }
        if config.end < config.start {
            let problem = format!("it is before the start of the window, {}", config.start);
            return Err(Error::value("--end", config.end, problem, "give a later day"));
        }
        let weeks = f64::from(config.end.since(config.start) + 1) / DAYS_PER_WEEK;
        let join_weeks = match config.join_until {
            Some(day) if day < config.start || day > config.end => {
                let problem = format!("it is outside the window, {} to {}", config.start, config.end);
                return Err(Error::value("--join-until", day, problem, "give a day inside it"));
            }
            Some(day) => f64::from(day.since(config.start) + 1) / DAYS_PER_WEEK,
            None => weeks - WEEKS_WITHOUT_NEWCOMERS.min(0.5 * weeks),
        };
        check_parameters(&config)?;
        let (r, alpha) = config.model.rates();
        let orders = r / alpha * weeks;
        if orders > MOST_ORDERS {
            return Err(Error::value(
                "r/alpha",
                r / alpha,
                format!("a customer would buy {orders:.0} times in the window"),
                format!("give a mean rate a week below {}", MOST_ORDERS / weeks),
            ));
        }
        if !(0.0..=1.0).contains(&config.seasonality) {
            let problem = "it is not between 0 and 1";
            let remedy = "give the swing as a share of the mean rate, such as 0.3";
            return Err(Error::value("--seasonality", config.seasonality, problem, remedy));
        }
        Ok(Plan { config, weeks, join_weeks })
    }

    /// What was checked.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Last day on which a customer buys for the first time.
    pub fn join_until(&self) -> Day {
        let days = (self.join_weeks * DAYS_PER_WEEK).ceil() as i32;
        Day(self.config.start.0 + days - 1)
    }

    /// Weeks of the window.
    pub fn weeks(&self) -> f64 {
        self.weeks
    }
}

/// Every parameter a number that can be drawn from without overflow.
fn check_parameters(config: &Config) -> Result<()> {
    let Spend { p, q, gamma } = config.spend;
    // Smaller shapes of amounts give amounts that no number holds.
    let money = [("p", p, 1e-2, 1e6), ("q", q, 0.1, 1e6), ("gamma", gamma, 1e-9, 1e12)];
    let purchases = config.model.parameters().map(|(name, value)| (name, value, 1e-6, 1e9));
    for (name, value, low, high) in purchases.into_iter().chain(money) {
        if !(low..=high).contains(&value) {
            let problem = match value {
                v if v.is_nan() => "it is not a number".to_string(),
                v if v <= 0.0 => "it must be positive".to_string(),
                v if v < low => format!("it is below {low}"),
                _ => format!("it is above {high}"),
            };
            let remedy = format!("give a number from {low} to {high}");
            return Err(Error::value(format!("the parameter {name}"), value, problem, remedy));
        }
    }
    Ok(())
}
