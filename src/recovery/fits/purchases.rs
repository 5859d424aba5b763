//! Purchases in continuous time, for BG/NBD, MBG/NBD, Pareto/NBD and NBD.

use super::{Data, Model};
use crate::clv::ModelName;
use crate::random::Stream;
use crate::recovery::population::{Buyer, Leaving, log_uniform};

/// Days of a week, the unit of the parameters.
const WEEK: f64 = 7.0;

type Range = (f64, f64);

/// What customers are like, each range with its logarithm uniform.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// Mean purchases a week, and how alike customers are (r).
    rate: Range,
    r: Range,
    /// The mean probability to leave after a purchase (times the mean rate: the mean rate of leaving), and how alike
    /// customers are (a + b, or s).
    leave: Range,
    size: Range,
    /// Weeks of observation, uniform.
    span: Range,
    change: Change,
}

/// What is done to the customers beyond their parameters.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    None,
    WholeDays,
    NobodyLeaves,
    OneHeavyBuyer,
    NobodyRepeats,
    AllEqual,
    OneRepeatEach,
    LastAtTheEnd,
    BurstThenSilence,
    Clockwork,
    HugeCounts,
}

const ORDINARY: Kind = Kind {
    name: "ordinary",
    rate: (0.05, 0.5),
    r: (0.3, 3.0),
    leave: (0.05, 0.4),
    size: (0.7, 5.0),
    span: (20.0, 80.0),
    change: Change::None,
};

const fn changed(name: &'static str, change: Change) -> Kind {
    Kind { name, change, ..ORDINARY }
}

const KINDS: [Kind; 22] = [
    ORDINARY,
    changed("ordinary, whole days", Change::WholeDays),
    Kind { name: "purchases rare", rate: (0.003, 0.02), r: (0.2, 1.0), ..ORDINARY },
    Kind { name: "purchases many", rate: (3.0, 30.0), leave: (0.001, 0.01), span: (50.0, 100.0), ..ORDINARY },
    Kind { name: "rates alike", r: (1e4, 1e7), ..ORDINARY },
    Kind { name: "rates unlike", r: (0.01, 0.05), ..ORDINARY },
    changed("nobody leaves", Change::NobodyLeaves),
    Kind { name: "nearly all leave at once", leave: (0.8, 0.97), ..ORDINARY },
    Kind { name: "leaving alike", size: (1e4, 1e7), ..ORDINARY },
    Kind { name: "leaving all or nothing", size: (0.003, 0.02), ..ORDINARY },
    Kind { name: "T all equal", span: (39.0, 39.0), ..ORDINARY },
    Kind {
        name: "T of days, some 0",
        span: (0.0, 1.0),
        change: Change::WholeDays,
        rate: (0.5, 2.0),
        ..ORDINARY
    },
    Kind { name: "T of decades", span: (1000.0, 3000.0), rate: (0.01, 0.1), ..ORDINARY },
    Kind { name: "T is 0", span: (0.0, 0.0), ..ORDINARY },
    changed("one heavy buyer", Change::OneHeavyBuyer),
    changed("nobody repeats", Change::NobodyRepeats),
    changed("all equal", Change::AllEqual),
    changed("one repeat each", Change::OneRepeatEach),
    changed("last purchase at T", Change::LastAtTheEnd),
    changed("a burst, then silence", Change::BurstThenSilence),
    changed("regular as a clock", Change::Clockwork),
    changed("x of a million", Change::HugeCounts),
];

/// The kinds' names.
pub(super) fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// The customers of a kind, with the parameters where they come from the model.
pub(super) fn make(
    model: Model,
    kind: &str,
    customers: usize,
    stream: &mut Stream,
) -> (Option<Vec<f64>>, Data) {
    let kind = KINDS.iter().find(|known| known.name == kind).copied().unwrap_or(ORDINARY);
    let model = match model {
        Model::MbgNbd => ModelName::MbgNbd,
        Model::ParetoNbd => ModelName::ParetoNbd,
        Model::Nbd => ModelName::Nbd,
        _ => ModelName::BgNbd,
    };
    let truth = kind.parameters(model, stream);
    let (mut frequency, mut recency, mut t) = (Vec::new(), Vec::new(), Vec::new());
    let same = stream.uniform();
    for i in 0..customers {
        let u = if kind.change == Change::AllEqual { same } else { stream.uniform() };
        let until = kind.span.0 + (kind.span.1 - kind.span.0) * u;
        let mut buyer = Buyer::drawn(model, &truth, stream);
        match kind.change {
            Change::NobodyLeaves => buyer.leaving = Leaving::Never,
            Change::OneHeavyBuyer if i == 0 => buyer = Buyer { rate: 300.0, leaving: Leaving::Never },
            _ => {}
        }
        let drawn = buyer.purchases(stream, until);
        let (x, last, observed) = kind.change.seen(&drawn, until, (i, same), stream);
        frequency.push(x);
        recency.push(last);
        t.push(observed);
    }
    let from_the_model = matches!(kind.change, Change::None | Change::WholeDays)
        || (kind.change == Change::NobodyLeaves && model == ModelName::Nbd);
    (from_the_model.then_some(truth), Data::Purchases { frequency, recency, t })
}

impl Kind {
    fn parameters(&self, model: ModelName, stream: &mut Stream) -> Vec<f64> {
        let rate = log_uniform(stream, self.rate);
        let r = log_uniform(stream, self.r);
        let leave = log_uniform(stream, self.leave);
        let size = log_uniform(stream, self.size);
        let mut out = vec![r, r / rate];
        match model {
            ModelName::Nbd => {}
            ModelName::ParetoNbd => out.extend([size, size / (leave * rate)]),
            ModelName::BgNbd | ModelName::MbgNbd => out.extend([leave * size, (1.0 - leave) * size]),
        }
        out
    }
}

impl Change {
    /// x, t_x and T in days of a customer with purchases at these weeks; `same` is a number that all customers share.
    fn seen(
        self,
        drawn: &[f64],
        until: f64,
        (i, same): (usize, f64),
        stream: &mut Stream,
    ) -> (u32, f64, f64) {
        let (x, last, t) = (drawn.len() as u32, drawn.last().copied().unwrap_or(0.0) * WEEK, until * WEEK);
        match self {
            Change::None | Change::NobodyLeaves | Change::OneHeavyBuyer => (x, last, t),
            Change::WholeDays => {
                // The first purchase comes at some time of its day, and days with several purchases count once.
                let hour = stream.uniform();
                let mut days: Vec<i64> = drawn.iter().map(|at| (at * WEEK + hour) as i64).collect();
                days.retain(|&day| day > 0);
                days.dedup();
                (days.len() as u32, days.last().map_or(0.0, |&day| day as f64), (t + hour).floor())
            }
            Change::NobodyRepeats => (0, 0.0, t),
            Change::AllEqual => {
                let x = (same * 7.0) as u32;
                (x, if x > 0 { t * (0.2 + 0.7 * same) } else { 0.0 }, t)
            }
            Change::OneRepeatEach => (1, t * stream.uniform(), t),
            Change::LastAtTheEnd => (x, if x > 0 { t } else { 0.0 }, t),
            Change::BurstThenSilence => {
                let x = 3 + (stream.uniform() * 5.0) as u32;
                (x, WEEK * stream.uniform(), t)
            }
            Change::Clockwork => {
                let every = [WEEK, 2.0 * WEEK, 30.0, 91.0][i % 4];
                let x = (t / every).floor();
                (x as u32, x * every, t)
            }
            Change::HugeCounts => {
                let x = if i % 3 == 0 { x } else { log_uniform(stream, (1e5, 1e7)) as u32 };
                (x, if x > 0 { t * (1.0 - 0.5 * stream.uniform()) } else { 0.0 }, t)
            }
        }
    }
}
