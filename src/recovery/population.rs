//! Customers from known parameters, purchase by purchase in continuous time.
//!
//! Nothing here is shared with the models' formulas or with the futures that predictions draw: a customer has its own
//! rates, and its purchases follow one after the other until it leaves.

use crate::clv::ModelName;
use crate::random::Stream;

/// How a customer leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Leaving {
    /// It does not.
    Never,
    /// With this probability after each purchase; the first one counts in MBG/NBD.
    AfterPurchase { p: f64, first_counts: bool },
    /// This long after its first purchase.
    At(f64),
}

/// A customer's own rates; times in the unit of the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Buyer {
    pub(super) rate: f64,
    pub(super) leaving: Leaving,
}

impl Buyer {
    /// A customer of the model with these parameters, in the order of the literature.
    pub(super) fn drawn(model: ModelName, natural: &[f64], stream: &mut Stream) -> Buyer {
        let rate = stream.gamma(natural[0]) / natural[1];
        let leaving = match model {
            ModelName::Nbd => Leaving::Never,
            ModelName::BgNbd | ModelName::MbgNbd => Leaving::AfterPurchase {
                p: stream.beta(natural[2], natural[3]),
                first_counts: model == ModelName::MbgNbd,
            },
            // A rate of 0 (a gamma of tiny shape) never ends.
            ModelName::ParetoNbd => {
                let rate = stream.gamma(natural[2]) / natural[3];
                Leaving::At(stream.exponential() / rate)
            }
        };
        Buyer { rate, leaving }
    }

    /// The times of its purchases after the first, up to `until`, ascending.
    pub(super) fn purchases(&self, stream: &mut Stream, until: f64) -> Vec<f64> {
        let mut out = Vec::new();
        let (p, mut stays) = match self.leaving {
            Leaving::AfterPurchase { p, first_counts } => (p, !first_counts || stream.uniform() >= p),
            _ => (0.0, true),
        };
        let end = match self.leaving {
            Leaving::At(end) => until.min(end),
            _ => until,
        };
        let mut at = 0.0;
        while stays {
            at += stream.exponential() / self.rate;
            // Also for a rate of 0, whose next purchase is at infinity.
            if at > end || !at.is_finite() {
                break;
            }
            out.push(at);
            stays = p == 0.0 || stream.uniform() >= p;
        }
        out
    }
}

/// A number between two positive ones, its logarithm uniform.
pub(super) fn log_uniform(stream: &mut Stream, (low, high): (f64, f64)) -> f64 {
    low * (stream.uniform() * (high / low).ln()).exp()
}
