//! BG/NBD of one customer, for parameters that move with covariates.
//!
//! alpha_i = alpha·exp(−γ·z) for purchases. For dropout a_i = a·exp(γ·z) with b common to all: Fader and Hardie (2007)
//! let a and b both move; with a alone a coefficient has one sign for all customers, more dropout where it is positive.

use super::{BgNbd, BgNbdModel, FIRST_CHANCE};
use crate::calendar::Unit;
use crate::clv::beta_geometric::fit::coordinates;
use crate::clv::covariates::customer::{CovariateModel, LogTerms, OfCustomer};
use crate::clv::pattern::Patterns;
use crate::clv::purchase_rates::ln_mean_rate;
use crate::clv::search::Coordinate;
use crate::special::{digamma_delta, logistic, trigamma_delta};

impl CovariateModel for BgNbdModel {
    const PURCHASE: (usize, f64) = (1, -1.0);
    const DROPOUT: (usize, f64) = (2, 1.0);

    fn of_customer() -> OfCustomer<BgNbd> {
        Box::new(of_customer)
    }

    fn shifted(params: &BgNbd, purchase: f64, dropout: f64) -> BgNbd {
        BgNbd { alpha: params.alpha * (-purchase).exp(), a: params.a * dropout.exp(), ..*params }
    }

    fn bend(params: &BgNbd, gradient: &[f64; 4]) -> Vec<(usize, f64)> {
        // ln a and ln b are logarithms of a logistic of the third parameter, plus the fourth.
        let p = params.a / (params.a + params.b);
        vec![(2, -(gradient[2] + gradient[3]) * p * (1.0 - p))]
    }

    fn ranges(patterns: &Patterns, unit: Unit) -> Vec<Coordinate> {
        coordinates(ln_mean_rate(patterns, unit), FIRST_CHANCE).into()
    }
}

/// Equation 6 of Fader, Hardie and Lee (2005) with its derivatives.
fn of_customer(params: &BgNbd, x: u32, t_x: f64, t: f64) -> LogTerms {
    let BgNbd { r, alpha, a, b, .. } = *params;
    let n = f64::from(x);
    let value = params.log_likelihood(x, t_x, t);
    // ln(1 + t/alpha) with its derivatives by alpha.
    let log = |t: f64| {
        let both = alpha * (alpha + t);
        ((t / alpha).ln_1p(), -t / both, t / both * (1.0 / alpha + 1.0 / (alpha + t)))
    };
    let (end, end_first, end_second) = log(t);
    let mut g = [digamma_delta(r, n) - end, -(r + n) * end_first - n / alpha, 0.0, 0.0];
    let mut h = [[0.0; 4]; 4];
    h[0][0] = trigamma_delta(r, n);
    h[0][1] = -end_first;
    h[1][1] = n / (alpha * alpha) - (r + n) * end_second;
    if x > 0 {
        let (both, both_second) = (digamma_delta(a + b, n), trigamma_delta(a + b, n));
        g[2] -= both;
        g[3] += digamma_delta(b, n) - both;
        h[2][2] -= both_second;
        h[2][3] -= both_second;
        h[3][3] += trigamma_delta(b, n) - both_second;
        // The odds of having left: softplus(u).
        let (last, last_first, last_second) = log(t_x);
        let u = (a / (b + (n - 1.0))).ln() + (r + n) * ((t - t_x) / (alpha + t_x)).ln_1p();
        let (left, stayed) = (logistic(u), logistic(-u));
        let by_b = -1.0 / (b + (n - 1.0));
        let slope = [end - last, (r + n) * (end_first - last_first), 1.0 / a, by_b];
        for i in 0..4 {
            g[i] += left * slope[i];
            for j in i..4 {
                h[i][j] += left * stayed * slope[i] * slope[j];
            }
        }
        h[0][1] += left * (end_first - last_first);
        h[1][1] += left * (r + n) * (end_second - last_second);
        h[2][2] -= left / (a * a);
        h[3][3] += left * by_b * by_b;
    }
    LogTerms::from_natural(value, g, h, [r, alpha, a, b])
}
