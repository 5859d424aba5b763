//! The same luck for all strategies: more treatment never costs a customer orders at any date, and no treatment changes
//! nothing.

use proptest::prelude::*;

use super::scenario::{Company, futures, mean, models, set};
use crate::strategy::Lever;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Any customer, model and pair of doses: the larger dose has at least as many orders up to the end of every period.
    #[test]
    fn more_treatment_never_lowers_cumulative_orders(
        model in 0..4usize,
        x in 0u32..30,
        recency in 1u32..400,
        gap in 0u32..400,
        id in 1u64..1_000_000,
        lifts in (0.0f64..1.0, 0.0f64..0.45, 0.0f64..0.5),
        more in 0.01f64..1.0,
    ) {
        let recency = if x == 0 { 0 } else { recency };
        let company = Company::one(x, recency, recency + gap, 20.0, id);
        let lifts = [
            (Lever::PurchaseRate, lifts.0),
            (Lever::Dropout, -lifts.1),
            (Lever::Reactivation, lifts.2),
        ];
        let mut set = set(&lifts, &[1.0, 1.0 + more]);
        set.0.periods = 39;
        let outcome = futures(&company, models()[model], &set, 40);
        for r in 0..40 {
            let mut sums = [0.0; 3];
            for period in 0..39 {
                for (strategy, sum) in sums.iter_mut().enumerate() {
                    *sum += outcome.flows(r, strategy, 0)[period].orders;
                }
                prop_assert!(sums[0] <= sums[1] && sums[1] <= sums[2], "{sums:?} in period {period}");
            }
        }
    }
}

#[test]
fn no_effect_and_the_same_strategy_differ_by_nothing_at_all() {
    let company = Company::of(300);
    for model in models() {
        let none = [
            (Lever::PurchaseRate, 0.0),
            (Lever::Dropout, 0.0),
            (Lever::Reactivation, 0.0),
            (Lever::Spend, 0.0),
        ];
        let outcome = futures(&company, model, &set(&none, &[1.0]), 20);
        for r in 0..20 {
            for tier in 0..2 {
                assert_eq!(outcome.flows(r, 0, tier), outcome.flows(r, 1, tier));
                assert_eq!(outcome.count(r, 0, tier), outcome.count(r, 1, tier));
            }
        }
        assert_eq!(outcome.expected(0, 0, 1), outcome.expected(0, 1, 1));
        let all = [
            (Lever::PurchaseRate, 0.3),
            (Lever::Dropout, -0.3),
            (Lever::Reactivation, 0.1),
            (Lever::Spend, 0.2),
        ];
        let outcome = futures(&company, model, &set(&all, &[0.7, 0.7]), 20);
        for r in 0..20 {
            assert_eq!(outcome.flows(r, 1, 0), outcome.flows(r, 2, 0));
            assert_ne!(outcome.flows(r, 1, 0), outcome.flows(r, 0, 0));
        }
    }
}

/// Futures that meet different luck vary as a difference of independent sums; the same luck leaves the effect.
#[test]
fn the_same_luck_pays() {
    let company = Company::of(400);
    for model in models() {
        let outcome = futures(&company, model, &set(&[(Lever::PurchaseRate, 0.1)], &[1.0]), 400);
        let (_, paired) = mean(&outcome, |r| outcome.orders(r, 1, 0) - outcome.orders(r, 0, 0));
        let (_, apart) = mean(&outcome, |r| outcome.orders(r, 1, 0) - outcome.orders((r + 1) % 400, 0, 0));
        assert!((apart / paired).powi(2) > 10.0, "{}", (apart / paired).powi(2));
    }
}
