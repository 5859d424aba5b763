//! Counts of purchases of customers who never leave: negative binomial, a Poisson process whose rate is gamma
//! distributed (Ehrenberg 1959).

use crate::special::{ln_gamma, ln_gamma_delta};

/// Shapes below this take the series for the count's upper tail, whose logarithm is then as small as the shape.
const SMALL_SHAPE: f64 = 1.0;

/// The number of purchases up to a time, for rates ~ gamma(r, rate alpha).
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    r: f64,
    /// The time over alpha.
    tau: f64,
}

impl Counts {
    /// Up to the time `t` ≥ 0, in the unit of `alpha`.
    pub(super) fn up_to(t: f64, r: f64, alpha: f64) -> Counts {
        Counts { r, tau: t / alpha }
    }

    /// P(N = x).
    pub(super) fn probability(&self, x: f64) -> f64 {
        let r = self.r;
        if x == 0.0 {
            return (-r * self.tau.ln_1p()).exp();
        }
        if self.tau == 0.0 {
            return 0.0;
        }
        // ln of Γ(r + x)/(Γ(r)·x!), from whichever side has the smaller steps.
        let ways = if x < r {
            ln_gamma_delta(r, x) - ln_gamma(x + 1.0)
        } else if r >= 1.0 {
            ln_gamma_delta(x + 1.0, r - 1.0) - ln_gamma(r)
        } else {
            -ln_gamma_delta(x + r, 1.0 - r) - ln_gamma(r)
        };
        // ln z and ln(1 − z), z = τ/(1 + τ), each without rounding z.
        (ways - x * (1.0 / self.tau).ln_1p() - r * self.tau.ln_1p()).exp()
    }

    /// P(N ≥ x) = I_z(x, r), the incomplete beta function at z = τ/(1 + τ) (Abramowitz and Stegun 26.5.24), relative
    /// error about 1e-12 also in its upper tail (1e-18/r where r is below 1e-6).
    pub(super) fn at_least(&self, x: f64) -> f64 {
        let Counts { r, tau } = *self;
        if x <= 0.0 || tau == 0.0 {
            return f64::from(u8::from(x <= 0.0));
        }
        let (z, rest) = (tau / (1.0 + tau), 1.0 / (1.0 + tau));
        if z * (x + r + 2.0) < x + 1.0 {
            return (self.probability(x) * beta_fraction(x, r, z)).min(1.0);
        }
        if r >= SMALL_SHAPE {
            return (1.0 - self.probability(x) * (x / r) * beta_fraction(r, x, rest)).clamp(0.0, 1.0);
        }
        // 1 − I is as small as r. I = w^r·Γ(r + x)/(Γ(1 + r)·Γ(x))·(1 + r·Σ (1 − x)_k·w^k/(k!·(r + k))), w = 1 − z
        // (DLMF 8.17.7), where w·x is at most 2: as an exponent it does not cancel.
        let (mut term, mut sum, mut k) = (1.0, 0.0, 1.0);
        loop {
            term *= (k - x) / k * rest;
            let part = term / (r + k);
            sum += part;
            if part.abs() <= 1e-17 * f64::abs(sum) || term == 0.0 {
                break;
            }
            k += 1.0;
        }
        let log = ln_gamma_delta(x, r) - ln_gamma_delta(1.0, r) - r * tau.ln_1p() + (r * sum).ln_1p();
        (-log.exp_m1()).clamp(0.0, 1.0)
    }
}

/// The continued fraction of the incomplete beta function I_z(a, b) over z^a·(1 − z)^b/(a·B(a, b)) (A&S 26.5.8), by
/// Lentz's method; for z below (a + 1)/(a + b + 2), where it takes some multiple of √(a + b) terms.
fn beta_fraction(a: f64, b: f64, z: f64) -> f64 {
    const TINY: f64 = 1e-290;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * z / (a + 1.0));
    let mut value = d;
    let mut m = 1.0;
    while m < 1e6 {
        let even = m * (b - m) * z / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        value *= c * d;
        let odd = -(a + m) * (a + b + m) * z / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
        m += 1.0;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (r, τ, x, P(N = x), P(N ≥ x)) by mpmath at 40 digits.
    const VALUES: &[(f64, f64, u32, f64, f64)] = &[
        (1e-8, 1000000.0, 3, 3.333322922837538e-9, 1.2315512805851913e-7),
        (1e-8, 10000000000.0, 1000, 9.99999744586232e-12, 1.554137896993735e-7),
        (1e-6, 40.0, 1, 9.756061331071498e-7, 3.7135651714040956e-6),
        (1e-6, 40.0, 41, 8.862125737300519e-9, 2.193467762665392e-7),
        (1e-6, 40.0, 900, 2.479021137761469e-19, 9.748233573160424e-18),
        (0.2425945, 8.8, 1, 0.12521938104131675, 0.4251771735977188),
        (0.2425945, 8.8, 26, 0.0007902625132495544, 0.006443043152767663),
        (0.2425945, 1e-6, 4, 9.13357265224757e-26, 9.133580402255609e-26),
        (0.243, 3000.0, 5, 0.011082712565949308, 0.7716398312188897),
        (0.999, 5.0, 2, 0.11577444172194509, 0.6940356095806975),
        (1.0, 5.0, 2, 0.11574074074074074, 0.6944444444444444),
        (1.0, 5.0, 60, 2.957835293710695e-6, 1.7747011762264168e-5),
        (7.5, 3.0, 10, 0.021672949848128842, 0.9430368757431769),
        (7.5, 3.0, 30, 0.02476075733363008, 0.21165113514067757),
        (30.0, 0.01, 3, 0.003571711249648536, 0.0038842974206005094),
        (300.0, 2.0, 500, 0.0005092112415144675, 0.9932304655802136),
        (300.0, 2.0, 900, 1.8491787959815208e-11, 1.622913690930756e-10),
        (20000.0, 0.05, 1000, 0.012310597692855557, 0.5038987279975685),
    ];

    #[test]
    fn values_match_mpmath() {
        for &(r, tau, x, probability, at_least) in VALUES {
            let counts = Counts::up_to(tau, r, 1.0);
            for (got, want) in
                [(counts.probability(f64::from(x)), probability), (counts.at_least(f64::from(x)), at_least)]
            {
                assert!((got / want - 1.0).abs() < 2e-10, "{r} {tau} {x}: {got:e} {want:e}");
            }
        }
    }

    #[test]
    fn tails_are_sums_of_probabilities() {
        for r in [1e-6, 0.24, 0.999, 1.0, 7.5, 200.0] {
            for tau in [1e-3, 0.4, 3.0, 40.0] {
                let counts = Counts::up_to(tau, r, 1.0);
                let mut last = 1.0;
                for x in 0..60 {
                    let x = f64::from(x);
                    let next = counts.at_least(x + 1.0);
                    let got = counts.probability(x);
                    assert!((last - next - got).abs() < 1e-11 * last, "{r} {tau} {x}: {last} {next} {got}");
                    last = next;
                }
            }
        }
        assert_eq!(Counts::up_to(0.0, 1.0, 1.0).at_least(1.0), 0.0);
        assert_eq!(Counts::up_to(0.0, 1.0, 1.0).probability(0.0), 1.0);
    }
}
