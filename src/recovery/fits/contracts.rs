//! Survivors of contracts, for sBG and BdW.

use super::{Data, Model};
use crate::random::Stream;
use crate::recovery::population::log_uniform;

type Range = (f64, f64);

#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// The mean probability to leave at the first renewal, and how alike customers are.
    leave: Range,
    size: Range,
    /// Renewals observed by each cohort.
    renewals: &'static [u32],
}

const ORDINARY: Kind = Kind { name: "ordinary", leave: (0.1, 0.5), size: (0.8, 5.0), renewals: &[8] };

const KINDS: [Kind; 9] = [
    ORDINARY,
    Kind { name: "four cohorts", renewals: &[12, 9, 6, 3], ..ORDINARY },
    Kind { name: "nobody leaves", leave: (0.0, 0.0), ..ORDINARY },
    Kind { name: "all leave at once", leave: (1.0, 1.0), ..ORDINARY },
    Kind { name: "leaving alike", size: (1e4, 1e7), ..ORDINARY },
    Kind { name: "leaving all or nothing", size: (0.003, 0.02), ..ORDINARY },
    Kind { name: "leaving rare", leave: (0.001, 0.01), ..ORDINARY },
    Kind { name: "one renewal", renewals: &[1], ..ORDINARY },
    Kind { name: "no renewal", renewals: &[0], ..ORDINARY },
];

pub(super) fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

pub(super) fn make(
    model: Model,
    kind: &str,
    customers: usize,
    stream: &mut Stream,
) -> (Option<Vec<f64>>, Data) {
    let kind = KINDS.iter().find(|known| known.name == kind).copied().unwrap_or(ORDINARY);
    let fixed = kind.leave.0 == kind.leave.1;
    let leave = if fixed { kind.leave.0 } else { log_uniform(stream, kind.leave) };
    let size = log_uniform(stream, kind.size);
    let c = if model == Model::Bdw { log_uniform(stream, (0.6, 1.6)) } else { 1.0 };
    let (gamma, delta) = (leave * size, (1.0 - leave) * size);
    let cohorts = kind.renewals.iter().map(|&renewals| {
        let mut survivors = vec![0; renewals as usize + 1];
        for _ in 0..customers {
            let theta = if fixed { leave } else { stream.beta(gamma, delta) };
            // Left after renewal t with probability (1 − θ)^(t^c).
            let time = (stream.uniform().ln() / (-theta).ln_1p()).powf(1.0 / c);
            survivors.iter_mut().enumerate().filter(|&(t, _)| (t as f64) < time).for_each(|(_, n)| *n += 1);
        }
        // Nobody can leave before the first renewal.
        survivors[0] = customers as i64;
        survivors
    });
    let data = Data::Contracts(cohorts.collect());
    let mut truth = vec![gamma, delta];
    if model == Model::Bdw {
        truth.push(c);
    }
    ((!fixed).then_some(truth), data)
}
