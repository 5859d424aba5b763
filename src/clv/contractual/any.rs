//! A fitted model of contracts, whichever it is.

use super::{Bdw, ContractModel, Discounted, Sbg};

/// A fitted model of contracts, whichever it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Contract {
    /// sBG.
    Sbg(Sbg),
    /// BdW.
    Bdw(Bdw),
}

impl Contract {
    /// S(t): the share of a cohort left after renewal `t`.
    pub fn survival(&self, t: u64) -> f64 {
        match self {
            Contract::Sbg(model) => model.survival(t),
            Contract::Bdw(model) => model.survival(t),
        }
    }

    /// r(t) = S(t)/S(t − 1); 1 for `t` = 0.
    pub fn retention(&self, t: u64) -> f64 {
        match self {
            Contract::Sbg(model) => model.retention(t),
            Contract::Bdw(model) => model.retention(t),
        }
    }

    /// As [`ContractModel::derl`].
    pub fn derl(&self, renewed: u32, discount: f64) -> Discounted {
        match self {
            Contract::Sbg(model) => model.derl(renewed, discount),
            Contract::Bdw(model) => model.derl(renewed, discount),
        }
    }
}
