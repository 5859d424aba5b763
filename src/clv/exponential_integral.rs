//! The generalised exponential integral of real order, scaled: Q(z) = z·e^z·E_n(z) = z·∫ e^(−zt)·(1 + t)^−n dt over
//! t > 0, which rises from 0 at z = 0 to 1 (Abramowitz and Stegun 5.1.4, 5.1.22).

use crate::special::ln_gamma;

/// From here on the continued fraction is short; below it, orders below [`FRACTION_ORDERS`] take the series.
const SERIES_BELOW: f64 = 2.0;

/// Orders from here on have a short continued fraction at every z.
const FRACTION_ORDERS: f64 = 16.0;

/// Terms of the series: 2²⁶/26! is below 2e-19.
const TERMS: usize = 26;

/// Terms of the continued fraction between looks at whether it has converged, and at most.
const TERMS_BETWEEN_CHECKS: u32 = 4;
const MOST_TERMS: u32 = 400;

/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// Q of one order n > 1 at many z; what depends on the order alone is computed once. Relative error about 1e-13.
pub(super) struct ExponentialIntegral {
    order: f64,
    /// What differs from the order by the whole number `steps` and lies within ½ of 1.
    base: f64,
    steps: u32,
    /// ln Γ(2 − base).
    ln_gamma: f64,
    series: [f64; TERMS],
}

impl ExponentialIntegral {
    /// For the order n > 1.
    pub(super) fn new(order: f64) -> ExponentialIntegral {
        let mut out =
            ExponentialIntegral { order, base: order, steps: 0, ln_gamma: 0.0, series: [0.0; TERMS] };
        if order >= FRACTION_ORDERS {
            return out;
        }
        let steps = (order - 1.0).round();
        out.steps = steps as u32;
        out.base = order - steps;
        // With c = 1 − base, from E_n(z) = z^−c·Γ(c, z) and the series of the lower incomplete gamma function
        // (A&S 6.5.29): e^z·E_base(z) = e^z·(Γ(1 + c)·z^−c − 1)/c − Σ z^k·(1/(1 + c)_k − 1/k!)/c. Both differences
        // are taken without cancellation, so that a base of 1, the logarithmic case, is an ordinary point.
        let c = 1.0 - out.base;
        out.ln_gamma = ln_gamma(1.0 + c);
        let (mut factorial, mut log, mut harmonic) = (1.0, 0.0, 0.0);
        for (k, term) in (1u32..).zip(&mut out.series[1..]) {
            let k = f64::from(k);
            factorial /= k;
            log -= (c / k).ln_1p();
            harmonic -= 1.0 / k;
            *term = factorial * if c == 0.0 { harmonic } else { log.exp_m1() / c };
        }
        out
    }

    /// Q(z), z > 0; infinity gives 1.
    pub(super) fn at(&self, z: f64) -> f64 {
        if z >= SERIES_BELOW || self.order >= FRACTION_ORDERS {
            return self.by_fraction(z);
        }
        let c = 1.0 - self.base;
        let head = if c == 0.0 { -EULER - z.ln() } else { (self.ln_gamma - c * z.ln()).exp_m1() / c };
        let series = self.series.iter().rev().fold(0.0, |sum, term| sum * z + term);
        let mut value = z.exp() * head - series;
        // n·E_{n+1} = e^−z − z·E_n (A&S 5.1.14): stable upwards for z this small.
        let mut order = self.base;
        for _ in 0..self.steps {
            value = (1.0 - z * value) / order;
            order += 1.0;
        }
        z * value
    }

    /// The convergents of 1/(z + n − n/(z + n + 2 − 2(n + 1)/(z + n + 4 − …))) (A&S 5.1.22, every second one).
    fn by_fraction(&self, z: f64) -> f64 {
        let n = self.order;
        if z > 1e18 * n {
            return 1.0;
        }
        // Both numerator and denominator are measured in units that keep the first ones near 1.
        let unit = 1.0 / (z + n);
        let (mut numerator, mut denominator) = ((0.0, unit), (1.0, 1.0));
        let (mut last, mut k) = (unit, 1u32);
        loop {
            for _ in 0..TERMS_BETWEEN_CHECKS {
                let of_term = f64::from(k);
                let whole = (z + n + 2.0 * of_term) * unit;
                let part = of_term * (n + of_term - 1.0) * unit * unit;
                numerator = (numerator.1, whole * numerator.1 - part * numerator.0);
                denominator = (denominator.1, whole * denominator.1 - part * denominator.0);
                k += 1;
            }
            let value = numerator.1 / denominator.1;
            if (value - last).abs() <= f64::EPSILON * value || k > MOST_TERMS {
                return z * value;
            }
            last = value;
            if denominator.1 > 1e100 {
                for pair in [&mut numerator, &mut denominator] {
                    *pair = (pair.0 * 1e-100, pair.1 * 1e-100);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (n, z, Q) by mpmath at 40 digits.
    const VALUES: &[(f64, f64, f64)] = &[
        (1.000001, 1e-9, 2.0145846440433863e-8),
        (1.000001, 0.003, 0.01575191664997399),
        (1.000001, 0.4, 0.4191309057150829),
        (1.000001, 1.99, 0.7218144202589712),
        (1.000001, 2.0, 0.7226570229691538),
        (1.000001, 100000.0, 0.9999900001899943),
        (1.2425945, 1e-9, 4.089250856040866e-9),
        (1.2425945, 0.003, 0.008731306853887549),
        (1.2425945, 0.4, 0.35560241500722317),
        (1.2425945, 1.99, 0.6735054321518492),
        (1.2425945, 2.0, 0.6744430670502586),
        (1.2425945, 30.0, 0.9613822317603952),
        (1.2425945, 100000.0, 0.9999875743336545),
        (1.499999999, 1e-9, 1.999887908173233e-9),
        (1.499999999, 0.003, 0.005451834234152665),
        (1.499999999, 0.4, 0.3035266898085537),
        (1.499999999, 1.99, 0.6280348766339239),
        (1.499999999, 2.0, 0.6290461658615678),
        (1.499999999, 30.0, 0.9537424332440216),
        (1.499999999, 100000.0, 0.9999850003749969),
        (2.0, 1e-9, 9.999999798539499e-10),
        (2.0, 0.003, 0.0029527441191040792),
        (2.0, 0.4, 0.23234751864703898),
        (2.0, 1.99, 0.5535888832784746),
        (2.0, 2.0, 0.5546855324471096),
        (2.0, 30.0, 0.9392351169178873),
        (2.0, 100000.0, 0.999980000599976),
        (3.2425945, 1e-9, 4.4591208941038263e-10),
        (3.2425945, 0.003, 0.0013345347677314948),
        (3.2425945, 0.4, 0.14136551891198937),
        (3.2425945, 1.99, 0.42338220343299204),
        (3.2425945, 2.0, 0.42451236603702297),
        (3.2425945, 30.0, 0.9049778852000162),
        (3.2425945, 100000.0, 0.9999675754306292),
        (7.9, 1e-9, 1.4492753620732006e-10),
        (7.9, 0.003, 0.00043456166804150924),
        (7.9, 0.4, 0.054332522334624246),
        (7.9, 1.99, 0.21803996262235217),
        (7.9, 2.0, 0.21887525325435994),
        (7.9, 30.0, 0.7957593860328249),
        (7.9, 100000.0, 0.9999210070303041),
        (15.99, 1e-9, 6.671114075573852e-11),
        (15.99, 0.003, 0.00020009051580253894),
        (15.99, 0.4, 0.025944235656519946),
        (15.99, 1.99, 0.11635693491376148),
        (15.99, 2.0, 0.11686967531904727),
        (15.99, 30.0, 0.6571466225549195),
        (15.99, 100000.0, 0.9998401271621236),
        (16.0, 1e-9, 6.666666666190477e-11),
        (16.0, 0.003, 0.0001999571527447809),
        (16.0, 0.4, 0.025927451014937895),
        (16.0, 1.99, 0.11628944396956437),
        (16.0, 2.0, 0.11680193048180001),
        (16.0, 30.0, 0.6570047481502037),
        (16.0, 100000.0, 0.9998400271951049),
        (27.2, 1e-9, 3.8167938929783115e-11),
        (27.2, 0.003, 0.0001144901870767573),
        (27.2, 0.4, 0.015028777168045881),
        (27.2, 1.99, 0.07041061122310968),
        (27.2, 2.0, 0.07073856065500456),
        (27.2, 30.0, 0.5287918487590355),
        (27.2, 100000.0, 0.9997280766816092),
        (300.0, 0.003, 1.0033343809240064e-5),
        (300.0, 0.4, 0.001335999362499265),
        (300.0, 1.99, 0.006611369630437569),
        (300.0, 2.0, 0.006644371116835948),
        (300.0, 30.0, 0.09116008159688398),
        (300.0, 100000.0, 0.9970090028117795),
        (1000000.0, 1e-9, 1.0000010000009992e-15),
        (1000000.0, 0.003, 3.000002991002973e-9),
        (1000000.0, 0.4, 4.00000239999984e-7),
        (1000000.0, 1.99, 1.9899980298979904e-6),
        (1000000.0, 2.0, 1.999997999998e-6),
        (1000000.0, 30.0, 2.9999130024329345e-5),
        (1000000.0, 100000.0, 0.09090916604062067),
    ];

    #[test]
    fn values_match_mpmath() {
        for &(order, z, want) in VALUES {
            let got = ExponentialIntegral::new(order).at(z);
            assert!((got / want - 1.0).abs() < 1e-13, "{order} {z}: {got:e} {want:e}");
        }
    }

    #[test]
    fn the_recurrence_and_the_ends_hold() {
        for i in 0..200 {
            let order = 1.0 + 1e-9 + 0.11 * f64::from(i);
            let (one, next) = (ExponentialIntegral::new(order), ExponentialIntegral::new(order + 1.0));
            for z in [1e-9, 1e-3, 0.4, 1.999, 2.0, 2.001, 30.0, 1e6] {
                // n·Q_{n+1} = z·(1 − Q_n), whose right side cancels for large z.
                let (left, right) = (order * next.at(z), z * (1.0 - one.at(z)));
                assert!((left - right).abs() < 1e-12 * left + 1e-14 * z, "{order} {z}: {left} {right}");
            }
            assert_eq!(one.at(f64::INFINITY), 1.0);
        }
    }
}
