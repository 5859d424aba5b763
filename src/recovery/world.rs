//! Customers in continuous time, as a likelihood sees them: no day-merged log stands between truth and fit.

use crate::clv::Patterns;
use crate::error::Result;
use crate::parallel;
use crate::random::{Purpose, Stream};

/// Customers are seen for between this many days and [`LONGEST`], evenly.
const SHORTEST: f64 = 150.0;
const LONGEST: f64 = 650.0;

/// A customer's own rates.
pub(super) struct Rates {
    /// Purchases per day while it is there.
    pub purchases: f64,
    /// The probability of leaving after each repeat purchase.
    pub leaves: f64,
    /// Days after which it leaves whatever it buys.
    pub life: f64,
}

/// (x, t_x, T) of one customer, times in days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    frequency: u32,
    recency: f64,
    t: f64,
}

impl Seen {
    /// A customer's purchases after its first one, up to the end of its time.
    pub fn draw(stream: &mut Stream, rates: &Rates) -> Seen {
        let t = SHORTEST + (LONGEST - SHORTEST) * stream.uniform();
        let (mut frequency, mut recency) = (0, 0.0);
        loop {
            let next = recency + stream.exponential() / rates.purchases;
            if next > t.min(rates.life) {
                break;
            }
            (frequency, recency) = (frequency + 1, next);
            if stream.uniform() < rates.leaves {
                break;
            }
        }
        Seen { frequency, recency, t }
    }
}

/// Draws customers, each from a stream of its own: (seed, customer, world).
pub(super) fn draw<C: Send>(
    seed: u64,
    world: u32,
    customers: usize,
    one: impl Fn(usize, &mut Stream) -> C + Sync + Send,
) -> Vec<C> {
    parallel::collect(customers, |i| one(i, &mut Stream::new(seed, i as u64, world, Purpose::Synth)))
}

/// What a model sees of them.
pub(super) fn patterns(seen: &[Seen]) -> Result<Patterns> {
    let column = |f: fn(&Seen) -> f64| seen.iter().map(f).collect::<Vec<_>>();
    let frequency: Vec<u32> = seen.iter().map(|s| s.frequency).collect();
    Patterns::from_times(&frequency, &column(|s| s.recency), &column(|s| s.t))
}
