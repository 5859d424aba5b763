//! The likelihood and its derivatives on any histories at any parameters.

use super::super::likelihood::Likelihood;
use super::super::*;
use super::{OPTIMUM, opportunities};
use proptest::prelude::*;

fn worlds() -> impl Strategy<Value = (Vec<(u32, u32, u32)>, [f64; 4])> {
    let customer = (1u32..25, 0.0..=1.0f64, 0.0..=1.0f64).prop_map(|(n, recency, share)| {
        let t_x = (f64::from(n) * recency).round() as u32;
        let x = if t_x == 0 { 0 } else { 1 + (f64::from(t_x - 1) * share).round() as u32 };
        (x, t_x, n)
    });
    let theta = [-5.0..4.0f64, -4.0..6.0f64, -6.0..3.0f64, -4.0..6.0f64];
    (prop::collection::vec(customer, 1..40), theta)
}

proptest! {
    /// The value against the customers' own log-likelihoods, the gradient against central differences of the value, the
    /// Hessian against those of the gradient.
    #[test]
    fn derivatives_match_differences((customers, theta) in worlds()) {
        let data = opportunities(&customers);
        let likelihood = Likelihood::new(data.cells());
        let at = likelihood.mean_loss(&theta);
        let params = OPTIMUM.with_scale_free(&theta);
        let sum: f64 = customers.iter().map(|&(x, t_x, n)| params.log_likelihood(x, t_x, n)).sum();
        let mean = sum / customers.len() as f64;
        prop_assert!((mean + at.value).abs() < 1e-12 * (1.0 + mean.abs()), "{mean} {}", at.value);
        let h = 1e-4;
        for i in 0..4 {
            // Fourth-order differences.
            let moved = |by: f64| {
                let mut theta = theta;
                theta[i] += by * h;
                likelihood.mean_loss(&theta)
            };
            let (a, b, c, d) = (moved(-2.0), moved(-1.0), moved(1.0), moved(2.0));
            let slope = |a: f64, b: f64, c: f64, d: f64| (a - 8.0 * b + 8.0 * c - d) / (12.0 * h);
            let got = slope(a.value, b.value, c.value, d.value);
            let scale = at.value.abs() + 1.0;
            prop_assert!((got - at.gradient[i]).abs() < 1e-9 * scale, "gradient {i}: {got} {}", at.gradient[i]);
            for j in 0..4 {
                let got = slope(a.gradient[j], b.gradient[j], c.gradient[j], d.gradient[j]);
                let want = at.hessian[(i, j)];
                let scale = at.gradient[j].abs() + at.value.abs() + 1.0;
                prop_assert!((got - want).abs() < 1e-8 * scale, "hessian {i} {j}: {got} {want}");
            }
        }
    }
}
