//! Expected purchases of a customer who may leave after each of them: the one expectation that BG/NBD and its
//! relatives share.
//!
//! Purchases would come as N ~ negative binomial (a Poisson process whose rate is gamma distributed); after each
//! the customer leaves with probability p ~ beta(a, b), so that the number made is min(N, G) with G geometric.
//! Fader, Hardie and Lee (2005) write the mean with a ₂F₁, which divides by a − 1, has a pole where a + b = 1 and
//! loses all digits elsewhere. Two forms without any of that are used instead, both valid for all parameters:
//!
//! - E min(N, G) = Σₙ P(N = n)·Σ_{j<n} (b)ⱼ/(a + b)ⱼ, a sum of positive terms, where it is short;
//! - E[(1 − (1 + pτ)^−shape)/p] over p ~ beta(a, b), by the trapezoidal rule in the logit of p, where it is not.

use crate::special::{ln_beta, ln_gamma_delta, logistic, softplus};

/// Beyond so many terms the integral is quicker than the sum.
const MOST_TERMS: f64 = 1000.0;

/// Terms below this share of the sum end it.
const NEGLIGIBLE: f64 = 1e-17;

/// E[min(N, G)], relative error about 1e-12: N negative binomial with `shape` > 0 and mean shape·`tau` (the horizon
/// over the rate's scale, ≥ 0), G geometric on 1, 2, … with p ~ beta(a, b), a, b > 0.
pub fn capped_purchases(shape: f64, a: f64, b: f64, tau: f64) -> f64 {
    capped_purchases_with(shape, a, b, 1.0, tau)
}

/// [`capped_purchases`] where the customer stays after a purchase with probability (1 − p)^`power`, power ≥ 0: what keeps
/// customers has a power below 1. Relative error about 1e-11.
pub fn capped_purchases_with(shape: f64, a: f64, b: f64, power: f64, tau: f64) -> f64 {
    if tau <= 0.0 {
        return 0.0;
    }
    if is_short(shape, tau) {
        by_sum(shape, Staying::new(a, b, power), tau)
    } else {
        by_integral(shape, a, b, power, tau)
    }
}

/// P(G > j) = E (1 − p)^(power·j) for j = 0, 1, …: B(a, b + power·j)/B(a, b).
#[derive(Debug, Clone, Copy)]
struct Staying {
    a: f64,
    b: f64,
    power: f64,
    /// ln Γ(a + b) − ln Γ(b).
    at_first: f64,
    j: f64,
    stays: f64,
}

impl Staying {
    fn new(a: f64, b: f64, power: f64) -> Staying {
        let at_first = if power == 1.0 { 0.0 } else { ln_gamma_delta(b, a) };
        Staying { a, b, power, at_first, j: 0.0, stays: 1.0 }
    }

    /// The next of the probabilities.
    fn next(&mut self) -> f64 {
        let now = self.stays;
        if self.power == 1.0 {
            self.stays *= (self.b + self.j) / (self.a + self.b + self.j);
            self.j += 1.0;
        } else {
            self.j += 1.0;
            let after = ln_gamma_delta(self.b + self.power * self.j, self.a);
            self.stays = (self.at_first - after).exp();
        }
        now
    }
}

/// Whether the sum is the quicker form.
fn is_short(shape: f64, tau: f64) -> bool {
    terms(shape, tau) <= MOST_TERMS
}

/// About how many terms the sum takes.
fn terms(shape: f64, tau: f64) -> f64 {
    let mean = shape * tau;
    mean + 10.0 * (mean * (1.0 + tau)).sqrt() + 37.0 * (1.0 + tau)
}

fn by_sum(shape: f64, mut staying: Staying, tau: f64) -> f64 {
    let z = tau / (1.0 + tau);
    let mean = shape * tau;
    // P(N = 1); few terms mean that it cannot underflow.
    let mut probability = shape * z * (-shape * tau.ln_1p()).exp();
    // The sum of P(G > j) over j < n.
    let mut capped = staying.next();
    let mut sum = 0.0;
    let mut n = 1.0;
    loop {
        let term = probability * capped;
        sum += term;
        // What is left is below term/(1 − z) once the terms fall.
        if n > mean && term <= NEGLIGIBLE * sum * (1.0 - z) || term == 0.0 {
            return sum;
        }
        capped += staying.next();
        probability *= z * (shape + n) / (n + 1.0);
        n += 1.0;
    }
}

/// Below these the beta density's tail towards p = 0 (a) or p = 1 (b) is so long in the logit that the integrand's
/// value at that end is taken out and integrated in closed form. For a the price is a cancellation by (mean)^a.
const LONG_LEFT_TAIL: f64 = 0.2;
const LONG_RIGHT_TAIL: f64 = 0.5;

fn by_integral(shape: f64, a: f64, b: f64, power: f64, tau: f64) -> f64 {
    let at_zero = if a < LONG_LEFT_TAIL { shape * tau } else { 0.0 };
    if power == 0.0 {
        return shape * tau;
    }
    let at_one = if b < LONG_RIGHT_TAIL { -(-shape * tau.ln_1p()).exp_m1() } else { 0.0 };
    let taken_out = a < LONG_LEFT_TAIL || b < LONG_RIGHT_TAIL;
    // The logarithm that the weights are measured from, and a point in the middle of what counts.
    let (reference, start) = if taken_out {
        let middle = match (a < LONG_LEFT_TAIL, b < LONG_RIGHT_TAIL) {
            (true, false) => -b.ln_1p(),
            (false, true) => a.ln_1p(),
            _ => 0.0,
        };
        (ln_beta(a, b), middle)
    } else {
        let mode = (a / b).ln();
        (ln_weight(a, b, mode), mode)
    };
    // The integrand is analytic within π/2 of the real line; a peak of the weight sharper than that asks for less.
    let step = (0.6 * (1.0 / a + 1.0 / b).sqrt()).min(0.25);
    let (mut total, mut weights, mut size) = (0.0, 0.0, 0.0);
    let mut march = |first: f64, step: f64| {
        let mut y = first;
        let mut small = 0;
        for _ in 0..100_000 {
            let weight = (ln_weight(a, b, y) - reference).exp();
            let p = logistic(y);
            // 1 − (1 − p)^power.
            let leaves = if power == 1.0 { p } else { -(-power * softplus(y)).exp_m1() };
            let g =
                if leaves > 0.0 { -(-shape * (leaves * tau).ln_1p()).exp_m1() / leaves } else { shape * tau };
            let value = weight * (g - at_zero * logistic(-y) - at_one * p);
            total += value;
            weights += weight;
            size += value.abs();
            let ends = value.abs() <= NEGLIGIBLE * size && (taken_out || weight <= NEGLIGIBLE * weights);
            small = if ends { small + 1 } else { 0 };
            // Two in a row, and not beside the start: one could be a change of sign.
            if small >= 2 && (y - start).abs() > 3.0 * step.abs() {
                break;
            }
            y += step;
        }
    };
    march(start, step);
    march(start - step, -step);
    if taken_out {
        (at_zero * b + at_one * a) / (a + b) + step * total
    } else {
        // The rule that integrates the numerator also integrates the weight: their errors go together.
        total / weights
    }
}

/// ln(p^a·(1 − p)^b) at p = logistic(y): the beta density by the logit, without its constant.
pub(super) fn ln_weight(a: f64, b: f64, y: f64) -> f64 {
    let log = (-y.abs()).exp().ln_1p();
    -a * ((-y).max(0.0) + log) - b * (y.max(0.0) + log)
}

/// [`capped_purchases`] of many customers who share a and b: what depends on (a, b) alone is computed once, and
/// several horizons of one customer are summed side by side.
///
/// The simulation asks for millions of such expectations per second; together they cost an eighth of single calls.
#[derive(Debug, Clone)]
pub struct CappedPurchases {
    staying: Staying,
    /// Σ_{j<n} P(G > j), by n − 1.
    capped: Vec<f64>,
}

/// Horizons that are summed side by side: their recurrences are independent, so that the processor overlaps them.
const LANES: usize = 4;

/// Terms between looks at whether all lanes have ended.
const TERMS_BETWEEN_CHECKS: usize = 8;

impl CappedPurchases {
    /// For customers whose dropout probability is beta(a, b), both > 0.
    pub fn new(a: f64, b: f64) -> CappedPurchases {
        CappedPurchases::with_power(a, b, 1.0)
    }

    /// The same where they stay with probability (1 − p)^`power`.
    pub fn with_power(a: f64, b: f64, power: f64) -> CappedPurchases {
        CappedPurchases { staying: Staying::new(a, b, power), capped: Vec::new() }
    }

    /// `out[i]` = [`capped_purchases`]`(shape, a, b, taus[i])`, relative error about 1e-12.
    pub fn expected(&mut self, shape: f64, taus: &[f64], out: &mut [f64]) {
        for (taus, out) in taus.chunks(LANES).zip(out.chunks_mut(LANES)) {
            self.by_sums(shape, taus, out);
            for (out, &tau) in out.iter_mut().zip(taus).filter(|(_, tau)| !is_short(shape, **tau)) {
                let Staying { a, b, power, .. } = self.staying;
                *out = capped_purchases_with(shape, a, b, power, tau);
            }
        }
    }

    fn by_sums(&mut self, shape: f64, taus: &[f64], out: &mut [f64]) {
        // Lanes without a horizon, with none left or with too long a one have z = 0: their terms are 0.
        let (mut z, mut probability, mut sum) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let mut mean = [0.0; LANES];
        for (lane, &tau) in taus.iter().enumerate().filter(|&(_, &tau)| tau > 0.0 && is_short(shape, tau)) {
            z[lane] = tau / (1.0 + tau);
            probability[lane] = shape * z[lane] * (-shape * tau.ln_1p()).exp();
            mean[lane] = shape * tau;
        }
        let mut n = 0;
        loop {
            self.extend_to(n + TERMS_BETWEEN_CHECKS);
            let first = n as f64 + 1.0;
            for &capped in &self.capped[n..n + TERMS_BETWEEN_CHECKS] {
                n += 1;
                let ratio = (shape + n as f64) / (n as f64 + 1.0);
                for lane in 0..LANES {
                    sum[lane] += probability[lane] * capped;
                    probability[lane] *= z[lane] * ratio;
                }
            }
            // What is left of a lane is below its next term/(1 − z) once the terms fall. A lane that has ended gets no
            // further term, so that it does not depend on its neighbours.
            let mut ended = true;
            for lane in 0..LANES {
                let next = probability[lane] * self.capped[n - 1];
                if first > mean[lane] && next <= NEGLIGIBLE * sum[lane] * (1.0 - z[lane]) || next == 0.0 {
                    probability[lane] = 0.0;
                } else {
                    ended = false;
                }
            }
            if ended {
                out.copy_from_slice(&sum[..out.len()]);
                return;
            }
        }
    }

    fn extend_to(&mut self, len: usize) {
        while self.capped.len() < len {
            let stays = self.staying.next();
            self.capped.push(self.capped.last().copied().unwrap_or(0.0) + stays);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two forms share nothing, so their agreement checks both.
    #[test]
    fn the_sum_and_the_integral_agree() {
        let mut checked = 0;
        for shape in [1e-6, 0.01, 0.2425945, 1.0, 7.3, 40.0, 300.0] {
            for a in [1e-9, 1e-3, 0.1, 0.19, 0.21, 0.7929221, 1.0 - 1e-12, 1.0, 1.0 + 1e-9, 3.3, 50.0, 1e4] {
                for b in [1e-9, 1e-3, 0.3, 0.49, 0.51, 0.6, 2.4259070, 30.0, 1e3, 1e6] {
                    for tau in [1e-9, 1e-4, 0.03, 0.5, 1.7, 6.0, 20.0] {
                        if shape * tau > 1000.0 {
                            continue;
                        }
                        let (sum, integral) =
                            (by_sum(shape, Staying::new(a, b, 1.0), tau), by_integral(shape, a, b, 1.0, tau));
                        let error = (sum - integral).abs() / sum;
                        assert!(error < 2e-12, "{shape} {a} {b} {tau}: {sum} {integral} {error:e}");
                        checked += 1;
                    }
                }
            }
        }
        assert!(checked > 5000);
    }

    #[test]
    fn with_a_power_too() {
        for power in [0.0, 0.3, 0.8, 1.0 + 1e-12, 1.7, 5.0] {
            for (shape, a, b, tau) in [
                (0.24, 0.79, 2.43, 6.0),
                (7.3, 0.1, 0.3, 20.0),
                (40.0, 3.3, 30.0, 1.7),
                (5.0, 0.5, 0.6, 0.03),
            ] {
                let sum = by_sum(shape, Staying::new(a, b, power), tau);
                let integral = by_integral(shape, a, b, power, tau);
                assert!(
                    (sum / integral - 1.0).abs() < 1e-11,
                    "{power} {shape} {a} {b} {tau}: {sum} {integral}"
                );
                let mut out = [0.0];
                CappedPurchases::with_power(a, b, power).expected(shape, &[tau], &mut out);
                assert!((out[0] / sum - 1.0).abs() < 1e-11);
            }
        }
        let (with, without) = (
            capped_purchases_with(0.24, 0.79, 2.43, 1.0 + 1e-9, 6.0),
            capped_purchases(0.24, 0.79, 2.43, 6.0),
        );
        assert!((with / without - 1.0).abs() < 1e-8);
    }

    #[test]
    fn many_at_once_are_what_they_are_alone() {
        for (a, b) in [(0.5, 2.4), (1e-6, 3.0), (40.0, 0.2), (0.8, 5000.0)] {
            let mut table = CappedPurchases::new(a, b);
            for shape in [1e-6, 0.25, 7.3, 300.0] {
                let taus = [0.0, 1e-9, 0.03, 0.5, 0.55, 6.0, 20.0, 1e6, 0.5];
                let mut got = [f64::NAN; 9];
                table.expected(shape, &taus, &mut got);
                for (got, tau) in got.iter().zip(taus) {
                    let want = capped_purchases(shape, a, b, tau);
                    assert!((got - want).abs() <= 2e-12 * want, "{shape} {a} {b} {tau}: {got} {want}");
                }
                assert_eq!(got[3].to_bits(), capped_purchases_in_lanes(&mut table, shape, 0.5).to_bits());
            }
        }
    }

    fn capped_purchases_in_lanes(table: &mut CappedPurchases, shape: f64, tau: f64) -> f64 {
        let mut out = [0.0; 4];
        table.expected(shape, &[0.0, 1e-9, 0.03, tau], &mut out);
        out[3]
    }

    /// mpmath: E over beta(a, b) of (1 − (1 + pτ)^−shape)/p by quadrature at 40 digits.
    #[test]
    fn values_match_mpmath() {
        for (shape, a, b, tau, want) in [
            (0.2, 0.8, 2.4, 10000000.0, 107.72608531806),
            (100000.0, 0.3, 100000.0, 1.3, 113067.02798496807),
            (5000.2, 0.79, 5002.4, 0.4976, 2107.6260713446068),
            (0.05, 1e-6, 0.7, 10000.0, 499.99553410850547),
            (30.0, 0.001, 0.001, 1000000.0, 14749994.637115588),
            (0.25, 0.15, 0.4, 1000000000000.0, 3564697201.1161556),
            (2.0, 1000.0, 0.2, 500.0, 1.0001962137598226),
            (1000000.0, 2000.0, 100000.0, 3.0, 51.02501250625313),
            (0.3, 10000.0, 1000000.0, 1000000000.0, 100.20521194618173),
        ] {
            let got = capped_purchases(shape, a, b, tau);
            assert!((got / want - 1.0).abs() < 2e-12, "{shape} {a} {b} {tau}: {got} {want}");
        }
    }
}
