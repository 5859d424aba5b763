//! Spend, for Gamma-Gamma.

use super::Data;
use crate::random::Stream;
use crate::recovery::population::log_uniform;

type Range = (f64, f64);

/// A kind of spend: name, and the ranges of p and q with uniform logarithms.
const KINDS: [(&str, Range, Range); 12] = [
    ("ordinary", (1.0, 10.0), (1.5, 6.0)),
    ("in whole cents", (1.0, 10.0), (1.5, 6.0)),
    ("amounts all equal", (1.0, 1.0), (1.0, 1.0)),
    ("each always spends the same", (1e5, 1e8), (1.5, 6.0)),
    ("customers alike", (1.0, 10.0), (1e4, 1e7)),
    ("without a mean", (1.0, 10.0), (0.3, 1.0)),
    ("amounts wild", (0.02, 0.2), (1.5, 6.0)),
    ("one rich customer", (1.0, 10.0), (1.5, 6.0)),
    ("in billionths", (1.0, 10.0), (1.5, 6.0)),
    ("x of a million", (1.0, 10.0), (1.5, 6.0)),
    ("one repeat each", (1.0, 10.0), (1.5, 6.0)),
    ("nobody spends", (1.0, 10.0), (1.5, 6.0)),
];

pub(super) fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.0).collect()
}

pub(super) fn make(kind: &str, customers: usize, stream: &mut Stream) -> (Option<Vec<f64>>, Data) {
    let (_, p, q) = KINDS.iter().find(|known| known.0 == kind).copied().unwrap_or(KINDS[0]);
    let (p, q) = (log_uniform(stream, p), log_uniform(stream, q));
    // The typical amount, and with it the unit of money.
    let typical = if kind == "in billionths" { 3e-8 } else { log_uniform(stream, (5.0, 200.0)) };
    let gamma = typical * q / p;
    let (mut frequency, mut mean) = (Vec::new(), Vec::new());
    for i in 0..customers {
        let x = match kind {
            "x of a million" => log_uniform(stream, (1e3, 1e7)) as u32,
            "one repeat each" => 1,
            // Geometric with a mean of 2, from 1 on.
            _ => 1 + (stream.exponential() / std::f64::consts::LN_2) as u32,
        };
        let count = f64::from(x);
        let rate = stream.gamma(q) / gamma;
        let own = stream.gamma(p * count) / (count * rate);
        let value = match kind {
            "amounts all equal" => 29.9,
            "in whole cents" => (own * 100.0).round() / 100.0,
            "one rich customer" if i == 0 => own * 1e6,
            "nobody spends" => 0.0,
            _ => own,
        };
        frequency.push(x);
        mean.push(value);
    }
    let changed = ["amounts all equal", "one rich customer", "nobody spends"].contains(&kind);
    ((!changed).then(|| vec![p, q, gamma]), Data::Spend { frequency, mean })
}
