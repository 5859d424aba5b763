//! Transactions at opportunities, for BG/BB and the beta-binomial.

use super::{Data, Model};
use crate::random::Stream;
use crate::recovery::population::log_uniform;

type Range = (f64, f64);

#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// The mean probability to transact, and how alike customers are (alpha + beta).
    transact: Range,
    size: Range,
    /// The same of leaving (gamma + delta).
    leave: Range,
    leave_size: Range,
    /// Opportunities: from, to.
    n: (u32, u32),
}

const ORDINARY: Kind = Kind {
    name: "ordinary",
    transact: (0.2, 0.7),
    size: (0.8, 5.0),
    leave: (0.05, 0.3),
    leave_size: (0.8, 5.0),
    n: (6, 6),
};

const KINDS: [Kind; 14] = [
    ORDINARY,
    Kind { name: "n from 3 to 24", n: (3, 24), ..ORDINARY },
    Kind { name: "n of a hundred", n: (100, 100), ..ORDINARY },
    Kind { name: "n of 1", n: (1, 1), ..ORDINARY },
    Kind { name: "n of 2, some 0", n: (0, 2), ..ORDINARY },
    Kind { name: "nobody transacts", transact: (0.0, 0.0), ..ORDINARY },
    Kind { name: "everybody always transacts", transact: (1.0, 1.0), leave: (0.0, 0.0), ..ORDINARY },
    Kind { name: "nobody leaves", leave: (0.0, 0.0), ..ORDINARY },
    Kind { name: "nearly all leave at once", leave: (0.8, 0.97), ..ORDINARY },
    Kind { name: "transacting alike", size: (1e4, 1e7), ..ORDINARY },
    Kind { name: "leaving alike", leave_size: (1e4, 1e7), ..ORDINARY },
    Kind { name: "transacting all or nothing", size: (0.003, 0.02), ..ORDINARY },
    Kind { name: "leaving all or nothing", leave_size: (0.003, 0.02), ..ORDINARY },
    Kind { name: "all equal", ..ORDINARY },
];

pub(super) fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// A range's ends may be the same, then also 0.
fn within(stream: &mut Stream, range: Range) -> f64 {
    if range.0 == range.1 { range.0 } else { log_uniform(stream, range) }
}

pub(super) fn make(
    model: Model,
    kind: &str,
    customers: usize,
    stream: &mut Stream,
) -> (Option<Vec<f64>>, Data) {
    let kind = KINDS.iter().find(|known| known.name == kind).copied().unwrap_or(ORDINARY);
    let transact = within(stream, kind.transact);
    let size = log_uniform(stream, kind.size);
    // The beta-binomial knows no leaving.
    let leave = if model == Model::BetaBinomial { 0.0 } else { within(stream, kind.leave) };
    let leave_size = log_uniform(stream, kind.leave_size);
    let probability = |mean: f64, size: f64, stream: &mut Stream| match mean {
        0.0 | 1.0 => mean,
        _ => stream.beta(mean * size, (1.0 - mean) * size),
    };
    let (mut x, mut t_x, mut n) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..customers {
        let observed = kind.n.0 + (stream.uniform() * f64::from(kind.n.1 - kind.n.0 + 1)) as u32;
        let p = probability(transact, size, stream);
        let theta = probability(leave, leave_size, stream);
        let (mut count, mut last) = (0, 0);
        for k in 1..=observed {
            if stream.uniform() < theta {
                break;
            }
            if stream.uniform() < p {
                (count, last) = (count + 1, k);
            }
        }
        x.push(count);
        t_x.push(last);
        n.push(observed);
    }
    if kind.name == "all equal" {
        (x, t_x, n) = (vec![2; customers], vec![4; customers], vec![6; customers]);
    }
    let inside = |mean: f64| mean > 0.0 && mean < 1.0;
    let mut truth = vec![transact * size, (1.0 - transact) * size];
    if model == Model::BgBb {
        truth.extend([leave * leave_size, (1.0 - leave) * leave_size]);
    }
    let from_the_model =
        inside(transact) && (model == Model::BetaBinomial || inside(leave)) && kind.name != "all equal";
    (from_the_model.then_some(truth), Data::Opportunities { x, t_x, n })
}
