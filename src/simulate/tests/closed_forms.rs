//! Sampled means against expectations, and these against closed forms and oracles.

use super::scenario::{Company, futures, mean, models, set};
use crate::calendar::{Discount, Period, Unit};
use crate::clv::{BgNbd, MbgNbd, ParetoNbd, PurchaseParameters};
use crate::random::{Purpose, Stream};
use crate::simulate::Outcome;
use crate::strategy::{Belief, Lever};

/// The sampled totals of a strategy lie within 4 standard errors of the expected ones, in every tier.
fn holds(outcome: &Outcome, strategy: usize, what: &str) {
    for tier in 0..outcome.tiers {
        for (name, sampled, expected) in [
            (
                "orders",
                mean(outcome, |r| outcome.orders(r, strategy, tier)),
                outcome.expected_orders(0, strategy, tier),
            ),
            (
                "revenue",
                mean(outcome, |r| outcome.revenue(r, strategy, tier)),
                outcome.expected_revenue(0, strategy, tier),
            ),
        ] {
            let (value, error) = sampled;
            assert!(
                (value - expected).abs() <= 4.0 * error,
                "{what}: {name} of strategy {strategy} in tier {tier}: {value} ± {error}, expected {expected}"
            );
        }
    }
}

#[test]
fn sampled_means_are_the_expectations_under_every_lever_and_model() {
    let company = Company::of(400);
    for (m, model) in models().into_iter().enumerate() {
        let lifts = [
            (Lever::PurchaseRate, 0.3),
            (Lever::Dropout, -0.4),
            (Lever::Reactivation, 0.25),
            (Lever::Spend, 0.1),
        ];
        for (lever, lift) in lifts {
            let set = set(&[(lever, lift)], &[1.0]);
            let outcome = futures(&company, model, &set, 300);
            holds(&outcome, 0, &format!("model {m}, {}", lever.name()));
            holds(&outcome, 1, &format!("model {m}, {}", lever.name()));
        }
        let outcome = futures(&company, model, &set(&lifts, &[1.0, 2.0]), 300);
        holds(&outcome, 2, &format!("model {m}, all levers"));
    }
}

/// Oracles: expected purchases in the next 39 weeks at published parameters.
#[test]
fn oracles_of_single_customers() {
    let unit = Unit::Week;
    let pareto = ParetoNbd { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669, unit };
    let bg = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, unit };
    let mbg = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614, unit };
    let company = |x: u32| Company::one(x, 213, 272, 35.0, 1);
    // Whole days stand for the oracles' weeks: the expectation is that of the model at these, and near the oracle.
    for (purchases, x, oracle) in [(PurchaseParameters::from(bg), 2, 1.226028), (mbg.into(), 2, 1.262961)] {
        let outcome = futures(&company(x), purchases, &set(&[], &[]), 40_000);
        let expected = outcome.expected_orders(0, 0, 0);
        assert!((expected - oracle).abs() < 2e-3, "{expected} {oracle}");
        holds(&outcome, 0, "oracle");
    }
    let outcome = futures(&Company::one(3, 140, 272, 35.0, 1), pareto.into(), &set(&[], &[]), 40_000);
    assert!((outcome.expected_orders(0, 0, 0) - 1.228202).abs() < 2e-3);
    holds(&outcome, 0, "oracle");
    // Spend of an order: 35.027920.
    let spend = outcome.expected_revenue(0, 0, 0) / outcome.expected_orders(0, 0, 0);
    assert!((spend - 35.027920).abs() < 1e-5, "{spend}");
}

/// A lifted purchase rate: 1.1 × CET(t) for Pareto/NBD, CET(1.1 t) for BG/NBD and MBG/NBD, where dropout follows purchases.
#[test]
fn a_lifted_rate_is_its_closed_form() {
    let company = Company::of(300);
    for (m, model) in models().into_iter().enumerate() {
        let outcome = futures(&company, model, &set(&[(Lever::PurchaseRate, 0.1)], &[1.0]), 1);
        for tier in 0..2 {
            let cet = |horizon: f64| -> f64 {
                (0..company.tier.len())
                    .filter(|&i| usize::from(company.tier[i]) == tier)
                    .map(|i| {
                        let (x, t_x, t) = (
                            company.frequency[i],
                            f64::from(company.recency_days[i]) / 7.0,
                            f64::from(company.t_days[i]) / 7.0,
                        );
                        let model = model.model();
                        model.p_alive(x, t_x, t) * model.expected_if_alive(x, t, horizon)
                    })
                    .sum()
            };
            let want = if m < 2 { cet(1.1 * 39.0) } else { 1.1 * cet(39.0) };
            let got = outcome.expected_orders(0, 1, tier);
            assert!((got / want - 1.0).abs() < 1e-9, "model {m}: {got} {want}");
            assert!((outcome.expected_orders(0, 0, tier) / cet(39.0) - 1.0).abs() < 1e-9);
        }
    }
}

/// Expected purchases of who has left and is back: against the mean over drawn rates, and dropout against its closed form
/// by quadrature over the customer's own rates.
#[test]
fn expectations_of_changed_dropout_are_means_over_own_rates() {
    let (x, t_x, t, horizon, leaving) = (3, 12.0, 30.0, 39.0, 0.6);
    let unit = Unit::Week;
    let pareto = ParetoNbd { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669, unit };
    let exposure = |m: f64| -(-m * horizon).exp_m1() / m;
    let n = 200_000;
    let (mut alive, mut back) = ((0.0, 0.0), (0.0, 0.0));
    let add = |to: &mut (f64, f64), value: f64| {
        to.0 += value;
        to.1 += value * value;
    };
    for i in 0..n {
        let mut stream = Stream::new(3, 8, i, Purpose::Latent);
        for (which, latent) in [
            (0, crate::clv::PurchaseModel::draw_alive(&pareto, &mut stream, x, t)),
            (1, pareto.draw_left(&mut stream, x, t_x, t)),
        ] {
            let crate::clv::Dropout::AtRate(m) = latent.dropout else { panic!() };
            let value = latent.rate * exposure(m * leaving);
            add(if which == 0 { &mut alive } else { &mut back }, value);
        }
    }
    let check = |(sum, squares): (f64, f64), want: f64| {
        let mean = sum / f64::from(n);
        let error = ((squares / f64::from(n) - mean * mean) / f64::from(n)).sqrt();
        assert!((mean - want).abs() < 4.0 * error, "{mean} ± {error}, {want}");
    };
    check(alive, pareto.expected_if_alive_with(x, t, horizon, leaving));
    let mut out = [0.0];
    pareto.expected_if_back((x, t_x, t), &[horizon], leaving, &mut out);
    check(back, out[0]);
}

/// The quadrature against many steps over the plain density.
#[test]
fn coming_back_is_integrated_well() {
    let unit = Unit::Week;
    for (r, alpha, s, beta) in [
        (0.553, 10.578, 0.606, 11.669),
        (0.2, 3.0, 2.5, 0.8),
        (4.0, 60.0, 0.3, 5.0),
        (0.55, 10.6, 40.0, 800.0),
        (0.55, 10.6, 200.0, 4000.0),
        (0.3, 2.0, 20.0, 300.0),
    ] {
        let model = ParetoNbd { r, alpha, s, beta, unit };
        for (x, t_x, t) in [(0u32, 0.0, 38.0), (3, 12.0, 30.0), (40, 70.0, 104.0), (2, 1.0, 150.0)] {
            let n = r + f64::from(x);
            let density =
                |u: f64| ((alpha + u) / (alpha + t_x)).powf(-n) * ((beta + u) / (beta + t_x)).powf(-s - 1.0);
            let value = |u: f64| {
                let b = beta + u;
                n / (alpha + u) * b * (1.0 - (b / (b + 39.0)).powf(s)) / s
            };
            let steps = 200_000;
            let at = |i: usize| t_x + (t - t_x) * (i as f64 + 0.5) / steps as f64;
            let total: f64 = (0..steps).map(|i| density(at(i))).sum();
            let want: f64 = (0..steps).map(|i| density(at(i)) * value(at(i))).sum::<f64>() / total;
            let mut out = [0.0];
            model.expected_if_back((x, t_x, t), &[39.0], 1.0, &mut out);
            assert!((out[0] / want - 1.0).abs() < 1e-6, "{r} {x} {t_x} {t}: {} {want}", out[0]);
        }
    }
}

#[test]
fn periods_add_up_to_the_horizon_and_so_do_expected_steps() {
    let company = Company::of(200);
    for model in models() {
        let lifts = [(Lever::PurchaseRate, 0.3), (Lever::Dropout, -0.4), (Lever::Reactivation, 0.2)];
        let by_periods = futures(&company, model, &set(&lifts, &[1.0]), 40);
        let mut whole = set(&lifts, &[1.0]);
        whole.0.periods = 1;
        let at_once = futures(&company, model, &whole, 40);
        let mut discounted = set(&lifts, &[1.0]);
        discounted.0.discount = Some(Discount::new(0.1, Period::Year).unwrap());
        let by_steps = futures(&company, model, &discounted, 40);
        assert_eq!((by_steps.steps, by_periods.steps), (13, 1));
        for strategy in 0..2 {
            for tier in 0..2 {
                for r in 0..40 {
                    assert_eq!(by_periods.orders(r, strategy, tier), at_once.orders(r, strategy, tier));
                    assert_eq!(by_periods.count(r, strategy, tier), at_once.count(r, strategy, tier));
                }
                let (steps, once) = (
                    by_steps.expected_orders(0, strategy, tier),
                    by_periods.expected_orders(0, strategy, tier),
                );
                assert!((steps / once - 1.0).abs() < 1e-12, "{steps} {once}");
                // And each step is the mean of its period.
                for (step, expected) in by_steps.expected(0, strategy, tier).iter().enumerate() {
                    let (value, error) = mean(&by_steps, |r| by_steps.flows(r, strategy, tier)[step].orders);
                    assert!(
                        (value - expected.orders).abs() < 5.0 * error.max(0.05),
                        "{value} {error} {}",
                        expected.orders
                    );
                }
            }
        }
    }
}

#[test]
fn new_customers_come_and_order_as_expected() {
    for model in models() {
        let (mut set, plans) = set(&[(Lever::PurchaseRate, 0.5)], &[1.0]);
        set.new_customers = Some(Belief::fixed(60.0));
        let outcome = futures(&Company::of(10), model, &(set, plans), 400);
        assert_eq!(outcome.tiers, 3);
        let (came, error) = mean(&outcome, |r| outcome.count(r, 0, 2).kept);
        assert!((came - 60.0 * 13.0).abs() < 4.0 * error, "{came} {error}");
        holds(&outcome, 0, "new customers");
        for r in 0..400 {
            assert_eq!(outcome.flows(r, 0, 2), outcome.flows(r, 1, 2), "no strategy treats them");
        }
    }
}
