//! Pareto/NBD of one customer, for parameters that move with covariates: alpha_i = alpha·exp(−γ·z) for purchases,
//! beta_i = beta·exp(−γ·z) for dropout (Fader and Hardie 2007), so that positive coefficients mean more of each.

use super::likelihood::{coordinates, of_times};
use super::{ParetoNbd, ParetoNbdModel};
use crate::calendar::Unit;
use crate::clv::covariates::customer::{CovariateModel, LogTerms, OfCustomer};
use crate::clv::pattern::Patterns;
use crate::clv::quadrature::Rule;
use crate::clv::search::Coordinate;
use crate::special::{digamma_delta, ln_gamma_delta, trigamma_delta};

impl CovariateModel for ParetoNbdModel {
    const PURCHASE: (usize, f64) = (1, -1.0);
    const DROPOUT: (usize, f64) = (3, -1.0);

    fn of_customer() -> OfCustomer<ParetoNbd> {
        let rule = Rule::new();
        Box::new(move |params, x, t_x, t| {
            let n = f64::from(x);
            let terms = of_times(params, n, t_x, t, &rule);
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
        let rate = (patterns.total_frequency() * unit.days() / patterns.total_t_days()).ln();
        let span = patterns.total_t_days() / unit.days() / patterns.customers() as f64;
        coordinates(rate, -span.ln()).into()
    }
}
