//! Student's t: how much wider an interval is that rests on few customers.

use super::effect::Z;
use crate::special::{ln_gamma, ln_gamma_delta};

/// From so many degrees the expansion around the normal is right to about 1e-13.
const MANY: f64 = 1000.0;

/// The 97.5 % quantile of Student's t with `degrees` (> 0, not necessarily whole) degrees of freedom.
///
/// By halving on the tail, 2·P(T > t) = I(ν/(ν + t²); ν/2, 1/2); with many degrees by the expansion of Abramowitz and Stegun 26.7.5.
fn t975(degrees: f64) -> f64 {
    if degrees >= MANY {
        let (z, z2) = (Z, Z * Z);
        let terms = [
            z * (z2 + 1.0) / 4.0,
            z * ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
            z * (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ];
        return z + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / degrees);
    }
    let (mut low, mut high) = (1.0, 2.0);
    while both_tails(high, degrees) > 0.05 {
        (low, high) = (high, 2.0 * high);
        if !f64::is_finite(high) {
            return f64::INFINITY;
        }
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if both_tails(middle, degrees) > 0.05 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// A variance that is a sum of parts, each known with some degrees of freedom.
pub(super) struct Spread {
    pub(super) variance: f64,
    pub(super) degrees: f64,
}

impl Spread {
    /// Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2, 1946; of two means it is
    /// Welch's. Parts are (variance, degrees).
    pub(super) fn of(parts: &[(f64, f64)]) -> Spread {
        let variance: f64 = parts.iter().map(|(variance, _)| variance).sum();
        let below: f64 = parts.iter().map(|(variance, degrees)| variance * variance / degrees.max(1.0)).sum();
        let degrees = if below > 0.0 { (variance * variance / below).max(1.0) } else { 1.0 };
        Spread { variance, degrees }
    }

    /// Half of the 95 % interval.
    pub(super) fn half(&self) -> f64 {
        t975(self.degrees) * self.variance.sqrt()
    }
}

/// P(|T| > t).
fn both_tails(t: f64, degrees: f64) -> f64 {
    let x = degrees / (degrees + t * t);
    // 1 − x without its cancellation.
    incomplete_beta(x, t * t / (degrees + t * t), 0.5 * degrees)
}

/// The regularised incomplete beta function I(x; a, 1/2), with `rest` = 1 − x.
fn incomplete_beta(x: f64, rest: f64, a: f64) -> f64 {
    let b = 0.5;
    // 1/B(a, 1/2) = Γ(a + 1/2)/(Γ(a)·√π).
    let factor = (ln_gamma_delta(a, b) - ln_gamma(b) + a * x.ln() + b * rest.ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        factor * fraction(x, a, b) / a
    } else {
        1.0 - factor * fraction(rest, b, a) / b
    }
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8) by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let kept = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut out) = (1.0, d);
    for m in 1..1000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = out;
        for coefficient in [even, odd] {
            d = 1.0 / kept(1.0 + coefficient * d);
            c = kept(1.0 + coefficient / c);
            out *= c * d;
        }
        if (out - before).abs() <= 1e-16 * out.abs() {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values by scipy.stats.t.ppf(0.975, ν).
    #[test]
    fn quantiles_as_tabled() {
        for (degrees, wanted) in TABLED {
            let found = t975(*degrees);
            assert!((found - wanted).abs() < 1e-9 * wanted, "{degrees}: {found} for {wanted}");
        }
    }

    const TABLED: &[(f64, f64)] = &[
        (1.0, 12.706204736174694),
        (1.5, 6.016663104427929),
        (2.0, 4.302652729749462),
        (3.7, 2.8675207071911895),
        (5.0, 2.5705818356363146),
        (9.0, 2.262157162798205),
        (14.2, 2.141956118858092),
        (28.0, 2.0484071417952454),
        (60.0, 2.0002978220142604),
        (120.0, 1.9799304050824402),
        (500.0, 1.9647198374673676),
        (999.9, 1.9623393186426081),
        (1000.0, 1.9623390808264083),
        (5000.0, 1.9604385517065073),
        (1000000.0, 1.959966356814107),
        (1000000000.0, 1.959963986912325),
    ];
}
