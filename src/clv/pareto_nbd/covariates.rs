//! Pareto/NBD of one customer, for parameters that move with covariates: alpha_i = alpha·exp(−γ·z) for purchases,
//! beta_i = beta·exp(−γ·z) for dropout (Fader and Hardie 2007), so that positive coefficients mean more of each.

use super::first::{LnLeavesFirst, ln_buys_first, ln_stays};
use super::fit::coordinates;
use super::terms::Terms;
use super::{ParetoNbd, ParetoNbdModel};
use crate::calendar::Unit;
use crate::clv::covariates::customer::{CovariateModel, LogTerms, OfCustomer};
use crate::clv::pattern::Patterns;
use crate::clv::purchase_rates::ln_mean_rate;
use crate::clv::search::Coordinate;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

impl CovariateModel for ParetoNbdModel {
    const PURCHASE: (usize, f64) = (1, -1.0);
    const DROPOUT: (usize, f64) = (3, -1.0);

    fn of_customer() -> OfCustomer<ParetoNbd> {
        Box::new(|params, x, t_x, t| {
            let n = f64::from(x);
            let terms = of_times(params, n, t_x, t);
            let ParetoNbd { r, alpha, s, beta, .. } = *params;
            let mut gradient = terms.gradient;
            let mut hessian = [[0.0; 4]; 4];
            let mut upper = terms.hessian.into_iter();
            for (i, row) in hessian.iter_mut().enumerate() {
                for (entry, value) in row[i..].iter_mut().zip(&mut upper) {
                    *entry = value;
                }
            }
            gradient[0] += digamma_delta(r, n);
            hessian[0][0] += trigamma_delta(r, n);
            let value = terms.value + ln_gamma_delta(r, n);
            LogTerms::from_natural(value, gradient, hessian, [r, alpha, s, beta])
        })
    }

    fn shifted(params: &ParetoNbd, purchase: f64, dropout: f64) -> ParetoNbd {
        ParetoNbd { alpha: params.alpha * (-purchase).exp(), beta: params.beta * (-dropout).exp(), ..*params }
    }

    fn bend(_: &ParetoNbd, _: &[f64; 4]) -> Vec<(usize, f64)> {
        Vec::new()
    }

    fn ranges(patterns: &Patterns, unit: Unit) -> Vec<Coordinate> {
        let rate = ln_mean_rate(patterns, unit);
        let span = patterns.total_t_days() / unit.days() / patterns.customers() as f64;
        coordinates(rate, -span.ln()).into()
    }
}

/// The log-likelihood of one customer without ln Γ(r+x) − ln Γ(r): the logarithm of the sum of two positive terms, one of
/// those who stayed up to T and one of those who left after t_x.
fn of_times(params: &ParetoNbd, x: f64, t_x: f64, t: f64) -> Terms {
    let mut leaving = LnLeavesFirst::new(params, x);
    let mut stayed = ln_buys_first(&leaving.at(t));
    stayed.add(1.0, &ln_stays(params, x, t));
    let mut left = leaving.at(t_x);
    left.add(1.0, &ln_stays(params, x, t_x));
    let u = stayed.value - left.value;
    let e = (-u.abs()).exp();
    let (larger, smaller) = (1.0 / (1.0 + e), e / (1.0 + e));
    let (of_stayed, of_left) = if u > 0.0 { (larger, smaller) } else { (smaller, larger) };
    let mut sum = Terms { value: stayed.value.max(left.value) + e.ln_1p(), ..Terms::default() };
    sum.add_derivatives(of_stayed, &stayed);
    sum.add_derivatives(of_left, &left);
    let (s, l) = (&stayed.gradient, &left.gradient);
    sum.add_square(larger * smaller, &[s[0] - l[0], s[1] - l[1], s[2] - l[2], s[3] - l[3]]);
    sum
}
