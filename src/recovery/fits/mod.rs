//! Data sets to try every fit on: from one customer to twenty thousand, from ordinary parameters to what no model
//! was made for.
//!
//! A data set is its number: model, kind and size follow from it, and its random numbers are keyed by (seed, number).
//! What a fit makes of one is a [`FitReport`](crate::clv::FitReport), and any other parameters can be judged by the same
//! likelihood ([`World::log_likelihood`]).

mod contracts;
mod opportunities;
mod outcome;
mod purchases;
mod spend;
#[cfg(test)]
mod tests;

pub use outcome::label;

use crate::error::Result;
use crate::random::{Purpose, Stream, hash_integer};

/// A model that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Model {
    /// BG/NBD.
    BgNbd,
    /// MBG/NBD.
    MbgNbd,
    /// Pareto/NBD.
    ParetoNbd,
    /// NBD.
    Nbd,
    /// Gamma-Gamma.
    GammaGamma,
    /// BG/BB.
    BgBb,
    /// Beta-binomial.
    BetaBinomial,
    /// sBG.
    Sbg,
    /// BdW.
    Bdw,
}

impl Model {
    /// All, with how many of a thousand data sets each gets.
    pub const ALL: [(Model, u32); 9] = [
        (Model::BgNbd, 180),
        (Model::MbgNbd, 180),
        (Model::ParetoNbd, 200),
        (Model::Nbd, 130),
        (Model::GammaGamma, 110),
        (Model::BgBb, 100),
        (Model::BetaBinomial, 50),
        (Model::Sbg, 25),
        (Model::Bdw, 25),
    ];

    /// Its name in the literature.
    pub fn title(self) -> &'static str {
        match self {
            Model::BgNbd => "BG/NBD",
            Model::MbgNbd => "MBG/NBD",
            Model::ParetoNbd => "Pareto/NBD",
            Model::Nbd => "NBD",
            Model::GammaGamma => "Gamma-Gamma",
            Model::BgBb => "BG/BB",
            Model::BetaBinomial => "beta-binomial",
            Model::Sbg => "sBG",
            Model::Bdw => "BdW",
        }
    }

    /// The kinds of data sets it is tried on.
    fn kinds(self) -> Vec<&'static str> {
        match self {
            Model::BgNbd | Model::MbgNbd | Model::ParetoNbd | Model::Nbd => purchases::kinds(),
            Model::GammaGamma => spend::kinds(),
            Model::BgBb | Model::BetaBinomial => opportunities::kinds(),
            Model::Sbg | Model::Bdw => contracts::kinds(),
        }
    }
}

/// What a model is fitted to, an entry per customer. Times in days.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Repeat purchases, the time of the last one, and how long each customer was observed.
    Purchases {
        /// x.
        frequency: Vec<u32>,
        /// t_x.
        recency: Vec<f64>,
        /// T.
        t: Vec<f64>,
    },
    /// Repeat purchases and their mean value.
    Spend {
        /// x.
        frequency: Vec<u32>,
        /// Mean value.
        mean: Vec<f64>,
    },
    /// Opportunities with a transaction, the last of them, and how many there were.
    Opportunities {
        /// x.
        x: Vec<u32>,
        /// t_x.
        t_x: Vec<u32>,
        /// n.
        n: Vec<u32>,
    },
    /// Survivors by cohort: at the beginning, after the first renewal, and so on.
    Contracts(Vec<Vec<i64>>),
}

/// A data set.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// Its number, from 0.
    pub number: u32,
    /// The model that is fitted to it.
    pub model: Model,
    /// What is odd about it, in words.
    pub kind: &'static str,
    /// Customers (of each cohort for contracts).
    pub customers: usize,
    /// The parameters it comes from, where it comes from the model; times in weeks.
    pub truth: Option<Vec<f64>>,
    /// The data.
    pub data: Data,
}

/// Sizes in turn; the last stands for [`LARGE`] where the kind is one of the ordinary ones.
const SIZES: [usize; 9] = [200, 1, 20, 1000, 3, 200, 20, 1000, 200];

/// Customers of the few large data sets.
const LARGE: usize = 20_000;

/// Model, kind and size of data set `number` of `of` (at most a million).
fn plan(number: u32, of: u32) -> (Model, &'static str, usize) {
    let total: u32 = Model::ALL.iter().map(|(_, weight)| weight).sum();
    let end = |weights: u32| u64::from(of) * u64::from(weights) / u64::from(total);
    let (mut model, mut first, mut weights) = (Model::BgNbd, 0, 0);
    for (next, weight) in Model::ALL {
        if end(weights + weight) > u64::from(number) {
            (model, first) = (next, end(weights));
            break;
        }
        weights += weight;
    }
    let j = (u64::from(number) - first) as usize;
    let kinds = model.kinds();
    let round = j / kinds.len();
    // Neighbours differ in size, and so do a kind's data sets from round to round.
    let size = (j + round) % SIZES.len();
    let at = j % kinds.len();
    // Each model's first kinds are the ordinary ones.
    let large = size == SIZES.len() - 1 && at < 2;
    (model, kinds[at], if large { LARGE } else { SIZES[size] })
}

/// Data set `number` of `of`.
pub fn world(seed: u64, number: u32, of: u32) -> World {
    let (model, kind, customers) = plan(number, of);
    let mut stream = Stream::new(seed, hash_integer(u64::from(number)), 0, Purpose::Synth);
    let (truth, data) = match model {
        Model::BgNbd | Model::MbgNbd | Model::ParetoNbd | Model::Nbd => {
            purchases::make(model, kind, customers, &mut stream)
        }
        Model::GammaGamma => spend::make(kind, customers, &mut stream),
        Model::BgBb | Model::BetaBinomial => opportunities::make(model, kind, customers, &mut stream),
        Model::Sbg | Model::Bdw => contracts::make(model, kind, customers, &mut stream),
    };
    World { number, model, kind, customers, truth, data }
}

impl World {
    /// The model's fit with all defaults; times in weeks.
    ///
    /// # Errors
    /// None that a data set of this module should meet: each is a fault of the fit.
    pub fn fit(&self) -> Result<crate::clv::FitReport> {
        outcome::fit(self)
    }

    /// The log-likelihood of the data at any parameters (times in weeks), customer by customer: what fits are judged
    /// by, whoever made them. None for parameters that are not positive and finite; it may be no number where the
    /// likelihood has none.
    ///
    /// # Errors
    /// As [`World::fit`].
    pub fn log_likelihood(&self, natural: &[f64]) -> Result<Option<f64>> {
        outcome::log_likelihood(self, natural)
    }
}
