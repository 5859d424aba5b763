//! What the tests of the purchase models share: customers from known parameters, a grid that reaches the edges, and
//! references by plain quadrature over a customer's own λ and p, which share no formula with the models.

use std::collections::HashMap;

use proptest::prelude::*;

use super::minimise::Evaluation;
use super::model::PurchaseModel;
use super::pattern::Patterns;
use super::quadrature::Rule;
use crate::calendar::Unit;
use crate::clv::{BgNbd, MbgNbd, Nbd};
use crate::random::{Purpose, Stream, hash_integer};

#[track_caller]
pub fn close(what: impl std::fmt::Display, got: f64, want: f64, tolerance: f64) {
    assert!((got / want - 1.0).abs() <= tolerance, "{what}: {got:e} for {want:e}");
}

/// A purchase model whose customers leave with a probability p ~ beta(a, b), if at all.
pub trait Family: PurchaseModel + std::fmt::Debug {
    /// Chances to leave in a history without repeat purchases; none if nobody ever leaves.
    const FIRST_CHANCES: Option<f64>;

    fn make(r: f64, alpha: f64, a: f64, b: f64) -> Self;

    fn chances(x: u32) -> f64 {
        Self::FIRST_CHANCES.map_or(0.0, |first| f64::from(x) + first)
    }
}

impl Family for BgNbd {
    const FIRST_CHANCES: Option<f64> = Some(0.0);

    fn make(r: f64, alpha: f64, a: f64, b: f64) -> BgNbd {
        BgNbd { r, alpha, a, b, unit: Unit::Week }
    }
}

impl Family for MbgNbd {
    const FIRST_CHANCES: Option<f64> = Some(1.0);

    fn make(r: f64, alpha: f64, a: f64, b: f64) -> MbgNbd {
        MbgNbd { r, alpha, a, b, unit: Unit::Week }
    }
}

impl Family for Nbd {
    const FIRST_CHANCES: Option<f64> = None;

    fn make(r: f64, alpha: f64, _a: f64, _b: f64) -> Nbd {
        Nbd { r, alpha, unit: Unit::Week }
    }
}

/// A history from known parameters, in continuous time: (x, t_x, T) in days. `params` are r, alpha, a, b in weeks.
pub fn world<F: Family>(params: [f64; 4], customers: u64, seed: u64) -> (Vec<u32>, Vec<f64>, Vec<f64>) {
    let [r, alpha, a, b] = params;
    let mut out = (Vec::new(), Vec::new(), Vec::new());
    for customer in 0..customers {
        let mut stream = Stream::new(seed, hash_integer(customer), 0, Purpose::Latent);
        let rate = stream.gamma(r) / alpha;
        let dropout = if F::FIRST_CHANCES.is_some() { stream.beta(a, b) } else { 0.0 };
        let t = 20.0 + 80.0 * stream.uniform();
        let (mut x, mut last) = (0, 0.0);
        let mut stays = F::FIRST_CHANCES != Some(1.0) || stream.uniform() >= dropout;
        while stays {
            let next = last + stream.exponential() / rate;
            if next > t {
                break;
            }
            (x, last) = (x + 1, next);
            stays = stream.uniform() >= dropout;
        }
        out.0.push(x);
        out.1.push(last * Unit::Week.days());
        out.2.push(t * Unit::Week.days());
    }
    out
}

/// Small histories in whole days, and a point of the scale-free scale.
pub fn worlds() -> impl Strategy<Value = (Vec<(u32, u32, u32)>, [f64; 4])> {
    let customer = (0u32..300, 0.0..=1.0f64, 0u32..40).prop_map(|(t, share, x)| {
        let recency = if x == 0 { 0 } else { (f64::from(t) * share) as u32 };
        (x, recency, t)
    });
    let theta = [-6.0..2.0f64, -4.0..6.0f64, -6.0..3.0f64, -4.0..8.0f64];
    (prop::collection::vec(customer, 1..40), theta)
}

pub fn patterns_of(customers: &[(u32, u32, u32)]) -> Patterns {
    let column = |f: fn(&(u32, u32, u32)) -> u32| customers.iter().map(f).collect::<Vec<_>>();
    Patterns::from_days(&column(|c| c.0), &column(|c| c.1), &column(|c| c.2)).unwrap()
}

/// Gradient against central differences of the value, Hessian against those of the gradient (fourth order).
pub fn check_derivatives(loss: impl Fn(&[f64]) -> Evaluation, theta: &[f64]) {
    let at = loss(theta);
    let h = 1e-4;
    for i in 0..theta.len() {
        let moved = |by: f64| {
            let mut theta = theta.to_vec();
            theta[i] += by * h;
            loss(&theta)
        };
        let (a, b, c, d) = (moved(-2.0), moved(-1.0), moved(1.0), moved(2.0));
        let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
        let got = slope(a.value, b.value, c.value, d.value);
        let scale = at.value.abs() + 1.0;
        assert!((got - at.gradient[i]).abs() < 1e-9 * scale, "gradient {i}: {got} {}", at.gradient[i]);
        for j in 0..theta.len() {
            let got = slope(a.gradient[j], b.gradient[j], c.gradient[j], d.gradient[j]);
            let want = at.hessian[(i, j)];
            let scale = at.gradient[j].abs() + at.value.abs() + 1.0;
            assert!((got - want).abs() < 1e-8 * scale, "hessian {i} {j}: {got} {want}");
        }
    }
}

/// r, alpha, a, b from tiny to huge, with a beside 1 and a + b = 1.
pub fn parameter_grid() -> impl Iterator<Item = [f64; 4]> {
    let rates = [1e-6, 0.24, 1.0, 30.0, 1e5].into_iter();
    rates.flat_map(|r| {
        [1e-6, 4.4, 1e8].into_iter().flat_map(move |alpha| {
            [1e-8, 0.4, 0.79, 1.0 - 1e-12, 1.0, 1.0 + 1e-12, 3.0, 1e4].into_iter().flat_map(move |a| {
                [1e-8, 0.21, 0.6, 2.4, 1e3, 1e6].into_iter().map(move |b| [r, alpha, a, b])
            })
        })
    })
}

/// (x, t_x, T) with x to 10⁵ and t_x up to T, or 1e-9 below it.
pub fn history_grid() -> Vec<(u32, f64, f64)> {
    let mut out = Vec::new();
    for t in [0.0, 1e-3, 38.86, 1e4] {
        out.push((0, 0.0, t));
        for x in [1, 26, 100_000] {
            for t_x in [0.0, 0.5 * t, t * (1.0 - 1e-9), (t - 1e-9f64).max(0.0), t] {
                out.push((x, t_x, t));
            }
        }
    }
    out
}

/// Nodes and weights' logarithms of ∫ e^(ln_density(y)) dy, for a density with one peak at `centre` that is, outside
/// `zone`, as good as e^(`left`·y) below and e^(−`right`·y) above.
fn nodes(
    centre: f64,
    width: f64,
    zone: (f64, f64),
    (left, right): (f64, f64),
    ln_density: impl Fn(f64) -> f64,
) -> Vec<(f64, f64)> {
    let rule = Rule::new();
    let top = ln_density(centre);
    let mut out = Vec::new();
    for (sign, rate) in [(-1.0, left), (1.0, right)] {
        let mut y = centre;
        while ln_density(y) > top - 45.0 {
            let inside = zone.0 <= y && y <= zone.1;
            let panel = if inside { width.min(2.0) } else { 8.0 / rate };
            for (x, weight) in rule.nodes {
                let at = y + sign * panel * x;
                out.push((at, ln_density(at) + (weight * panel).ln()));
            }
            y += sign * panel;
        }
    }
    out
}

/// Nodes in ln λ' for λ' ~ gamma(shape) with an exponential tilt: density e^(shape·v − (1 + tilt)·shape·e^v).
fn rate_nodes(shape: f64, tilt: f64) -> Vec<(f64, f64)> {
    let centre = -tilt.ln_1p();
    let bend = centre - shape.max(1.0).ln();
    let zone = (bend.min(centre) - 45.0, f64::INFINITY);
    let width = (2.0 / shape.sqrt()).min(2.0);
    nodes(centre, width, zone, (shape, 1.0), |v| shape * (v - (1.0 + tilt) * v.exp()))
}

/// Nodes in the logit of p ~ beta(a, b).
fn dropout_nodes(a: f64, b: f64) -> Vec<(f64, f64)> {
    let centre = (a / b).ln();
    let width = 2.0 * (1.0 / a + 1.0 / b).sqrt();
    let zone = (-45.0 - b.max(1.0).ln(), 45.0 + a.max(1.0).ln());
    let zone = (zone.0.min(centre - 3.0 * width.min(2.0)), zone.1.max(centre + 3.0 * width.min(2.0)));
    nodes(centre, width, zone, (a, b), |y| {
        let log = (-y.abs()).exp().ln_1p();
        -a * ((-y).max(0.0) + log) - b * (y.max(0.0) + log)
    })
}

fn ln_sum(nodes: &[(f64, f64)]) -> f64 {
    let top = nodes.iter().map(|n| n.1).fold(f64::NEG_INFINITY, f64::max);
    top + nodes.iter().map(|n| (n.1 - top).exp()).sum::<f64>().ln()
}

/// Integrals over λ and p, each computed once.
#[derive(Default)]
pub struct References {
    rates: HashMap<[u64; 2], f64>,
    dropouts: HashMap<[u64; 2], f64>,
}

impl References {
    /// ln ∫ e^(shape·v − (1 + tilt)·shape·e^v) dv.
    fn ln_rate(&mut self, shape: f64, tilt: f64) -> f64 {
        let key = [shape.to_bits(), tilt.to_bits()];
        *self.rates.entry(key).or_insert_with(|| ln_sum(&rate_nodes(shape, tilt)))
    }

    /// ln ∫ p^(a−1)·(1 − p)^(b−1) dp.
    fn ln_dropout(&mut self, a: f64, b: f64) -> f64 {
        *self.dropouts.entry([a.to_bits(), b.to_bits()]).or_insert_with(|| ln_sum(&dropout_nodes(a, b)))
    }

    /// (ln of the customer's likelihood, log-odds of having left; none before the first chance).
    pub fn likelihood(
        &mut self,
        [r, alpha, a, b]: [f64; 4],
        chances: f64,
        (x, t_x, t): (u32, f64, f64),
    ) -> (f64, Option<f64>) {
        let n = f64::from(x);
        let shape = r + n;
        // ∫ λ^(shape−1)·e^(−λ·rate) dλ = (shape/rate)^shape·∫ e^(shape·(v − e^v)) dv, v = ln(λ·rate/shape).
        let stays = shape * (shape / (alpha + t)).ln() + self.ln_rate(shape, 0.0);
        let prior = r * (r / alpha).ln() + self.ln_rate(r, 0.0);
        let alive = stays - prior;
        if chances == 0.0 {
            return (alive, None);
        }
        let dropout = self.ln_dropout(a, b);
        let alive = alive + self.ln_dropout(a, b + chances) - dropout;
        // Of one who left at t_x: the rate's integral there is that at T over the mean of e^(−λ(T − t_x)).
        let none_since = self.ln_rate(shape, (t - t_x) / (alpha + t_x)) - self.ln_rate(shape, 0.0);
        let odds =
            self.ln_dropout(a + 1.0, b + (chances - 1.0)) - self.ln_dropout(a, b + chances) - none_since;
        (alive + odds.max(0.0) + (-odds.abs()).exp().ln_1p(), Some(odds))
    }
}

/// E of (1 − (1 + pτ)^−shape)/p over p ~ beta(a, b).
pub fn expected_over_dropout(shape: f64, a: f64, b: f64, tau: f64) -> f64 {
    average(&dropout_nodes(a, b), |y| {
        let p = y.exp() / (1.0 + y.exp());
        if y < -700.0 {
            shape * tau
        } else if y > 40.0 {
            -(-shape * tau.ln_1p()).exp_m1()
        } else {
            -(-shape * (p * tau).ln_1p()).exp_m1() / p
        }
    })
}

/// E of (1 − e^(−λpτ))/p over λ ~ gamma(shape) and p ~ beta(a, b): nothing is integrated in closed form.
pub fn expected_over_both(shape: f64, a: f64, b: f64, tau: f64) -> f64 {
    let dropout = dropout_nodes(a, b);
    average(&rate_nodes(shape, 0.0), |v| {
        let count = shape * v.exp() * tau;
        average(&dropout, |y| {
            if y < -700.0 {
                return count;
            }
            let p = if y > 40.0 { 1.0 } else { y.exp() / (1.0 + y.exp()) };
            -(-count * p).exp_m1() / p
        })
    })
}

/// P(X = x), x = 0, 1, …, by averaging those of customers with known λ and p.
pub fn pmf_over_rates<F: Family>([r, alpha, a, b]: [f64; 4], t: f64, most: u32) -> Vec<f64> {
    let dropout = dropout_nodes(a, b);
    let rates = rate_nodes(r, 0.0);
    let (top, mut weights) = (rates.iter().map(|n| n.1).fold(f64::NEG_INFINITY, f64::max), 0.0);
    let (mut exactly, mut at_least) = (vec![0.0; most as usize + 1], vec![0.0; most as usize + 1]);
    for (v, log) in &rates {
        let weight = (log - top).exp();
        weights += weight;
        let mean = r * v.exp() / alpha * t;
        // Poisson terms; the tail from its own sum, so that it does not cancel.
        let mut log_term = -mean;
        let mut terms = Vec::new();
        let far = f64::from(most) + 40.0 + 3.0 * mean.min(500.0);
        let mut j = 0.0;
        while j <= far {
            terms.push(log_term.exp());
            j += 1.0;
            log_term += mean.ln() - f64::ln(j);
        }
        let mut tail = if mean > 500.0 { 1.0 } else { 0.0 };
        for (j, term) in terms.iter().enumerate().rev() {
            if mean <= 500.0 {
                tail += term;
            }
            if j <= most as usize {
                exactly[j] += weight * term;
                at_least[j] += weight * tail;
            }
        }
    }
    (0..=most)
        .map(|x| {
            let (exactly, at_least) = (exactly[x as usize] / weights, at_least[x as usize] / weights);
            let chances = F::chances(x);
            let q = |y: f64| 1.0 / (1.0 + y.exp());
            let stays = average(&dropout, |y| q(y).powf(chances));
            if chances == 0.0 {
                return stays * exactly;
            }
            let leaves = average(&dropout, |y| q(-y) * q(y).powf(chances - 1.0));
            stays * exactly + leaves * at_least
        })
        .collect()
}

fn average(nodes: &[(f64, f64)], mut f: impl FnMut(f64) -> f64) -> f64 {
    let top = nodes.iter().map(|n| n.1).fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut weights) = (0.0, 0.0);
    for &(y, log) in nodes {
        let weight = (log - top).exp();
        total += weight * f(y);
        weights += weight;
    }
    total / weights
}
