//! Futures of every purchase model: exact expectations against the models' own formulas, futures against both, and
//! treatments that are coupled.

use tiercast::calendar::Unit;
use tiercast::clv::{BgNbd, GammaGamma, Latent, MbgNbd, Nbd, ParetoNbd, PurchaseParameters};
use tiercast::customers::CustomerTable;
use tiercast::random::{Purpose, Stream};
use tiercast::simulate::ParameterDraws;

use crate::strategies::{TWO_EVEN, one_action, sample, sampled, simulate_draws, strategies};

const UNIT: Unit = Unit::Week;
const SPEND: GammaGamma = GammaGamma { p: 6.249572, q: 3.744225, gamma: 15.443522 };
const HORIZON: f64 = 52.0;

/// The optima of the CDNOW sample, calibration to 1997-09-30 (maximum likelihood, recomputed with 40-digit arithmetic).
fn optima() -> [PurchaseParameters; 4] {
    [
        BgNbd { r: 0.2425945, alpha: 4.4136020, a: 0.7929221, b: 2.4259070, unit: UNIT }.into(),
        MbgNbd { r: 0.5248432, alpha: 6.1830853, a: 0.8913594, b: 1.6140022, unit: UNIT }.into(),
        ParetoNbd { r: 0.5532771, alpha: 10.5776835, s: 0.6062400, beta: 11.6687343, unit: UNIT }.into(),
        Nbd { r: 0.384766, alpha: 12.072023, unit: UNIT }.into(),
    ]
}

/// The models' edges: practically nobody leaves, everybody soon does, everybody at one rate, all or nothing.
fn edges() -> Vec<PurchaseParameters> {
    let mut out = Vec::new();
    for (s, beta) in [(1e-9, 5.0), (3.0, 0.05), (40.0, 800.0), (0.01, 0.02), (0.6, 200.0)] {
        out.push(ParetoNbd { r: 0.55, alpha: 10.6, s, beta, unit: UNIT }.into());
    }
    for (a, b) in [(1e-7, 3e-7), (1e-3, 1e-3), (30.0, 90.0), (1e-6, 5.0)] {
        out.push(MbgNbd { r: 0.5, alpha: 6.2, a, b, unit: UNIT }.into());
    }
    out
}

/// Each customer's x, t_x and T.
fn histories(table: &CustomerTable) -> Vec<(u32, f64, f64)> {
    let weeks = |days: u32| UNIT.of_days(days);
    (0..table.len())
        .map(|i| (table.frequency[i], weeks(table.recency_days[i]), weeks(table.t_days[i])))
        .collect()
}

/// What dropout that follows purchases makes of a purchase rate lifted by `factor`: more time. Other dropout does not:
/// more purchases.
fn expected(params: &PurchaseParameters, table: &CustomerTable, factor: f64) -> f64 {
    let model = params.model();
    let of = |&(x, t_x, t): &(u32, f64, f64)| match params {
        PurchaseParameters::BgNbd(_) | PurchaseParameters::MbgNbd(_) => {
            model.conditional_expected(x, t_x, t, factor * HORIZON)
        }
        _ => factor * model.conditional_expected(x, t_x, t, HORIZON),
    };
    histories(table).iter().map(of).sum()
}

#[test]
fn expectations_are_the_models_own_and_futures_keep_to_them() {
    let table = sample();
    let set = strategies(&one_action([0.1; 3], 0.0, TWO_EVEN));
    for params in optima().into_iter().chain(edges()) {
        let draws = ParameterDraws::fixed(params, SPEND, 100);
        let (outcome, _) = simulate_draws(&table, &set, &draws, false);
        for (strategy, factor) in [(0, 1.0), (1, 1.1)] {
            let want = expected(&params, &table, factor);
            let got: f64 = (0..3).map(|k| outcome.expected_orders(0, strategy, k)).sum();
            assert!((got / want - 1.0).abs() < 1e-9, "{params:?} × {factor}: {got}, want {want}");
            let within = |what: &str, (value, error): (f64, f64), want: f64| {
                assert!(
                    (value - want).abs() < 4.0 * error,
                    "{params:?} × {factor}: {what} {value} ± {error}, want {want}"
                );
            };
            let orders = |r: usize| (0..3).map(|k| outcome.orders(r, strategy, k)).sum();
            within("orders", sampled(&outcome, orders), want);
            let revenue = |r: usize| (0..3).map(|k| outcome.revenue(r, strategy, k)).sum();
            let want: f64 = (0..3).map(|k| outcome.expected_revenue(0, strategy, k)).sum();
            within("revenue", sampled(&outcome, revenue), want);
        }
    }
}

/// Nothing changes nothing, to the last bit, and more is never less: in every replication, for every model.
#[test]
fn treatments_are_coupled_in_every_model() {
    let table = sample();
    let set = strategies(&one_action([0.05, 0.3, 0.0], 0.0, TWO_EVEN));
    for params in optima() {
        let draws = ParameterDraws::fixed(params, SPEND, 60);
        let (outcome, _) = simulate_draws(&table, &set, &draws, false);
        let mut more = 0.0;
        for r in 0..outcome.replications() {
            for k in 0..2 {
                assert!(outcome.orders(r, 1, k) >= outcome.orders(r, 0, k), "{params:?}");
                assert!(outcome.revenue(r, 1, k) >= outcome.revenue(r, 0, k), "{params:?}");
                more += outcome.orders(r, 1, k) - outcome.orders(r, 0, k);
            }
            assert_eq!(outcome.orders(r, 1, 2), outcome.orders(r, 0, 2));
            for both in [
                [outcome.revenue(r, 1, 2), outcome.revenue(r, 0, 2)],
                [outcome.expected_orders(r, 1, 2), outcome.expected_orders(r, 0, 2)],
                [outcome.expected_revenue(r, 1, 2), outcome.expected_revenue(r, 0, 2)],
            ] {
                assert_eq!(both[0].to_bits(), both[1].to_bits());
            }
        }
        assert!(more > 0.0, "the test would show nothing");
    }
}

/// The models' own draws of rates and, from them, purchase after purchase: the mean orders under a purchase rate lifted by
/// half are the expectation that stands beside the futures.
#[test]
fn event_by_event_gives_the_same_expectation() {
    let table = sample();
    let set = strategies(&one_action([0.5; 3], 0.0, TWO_EVEN));
    let histories = histories(&table);
    for params in optima() {
        let draws = ParameterDraws::fixed(params, SPEND, 2);
        let (outcome, _) = simulate_draws(&table, &set, &draws, false);
        for (strategy, factor) in [(0, 1.0), (1, 1.5)] {
            let totals: Vec<f64> = (0..80)
                .map(|replication| {
                    let mut orders = 0;
                    for (i, &(x, t_x, t)) in histories.iter().enumerate() {
                        let mut stream = Stream::new(5, i as u64, replication, Purpose::Latent);
                        let latent = params.model().draw(&mut stream, x, t_x, t);
                        let lifted = Latent { rate: factor * latent.rate, ..latent };
                        lifted.purchases(&mut stream, HORIZON, |_| orders += 1);
                    }
                    f64::from(orders)
                })
                .collect();
            let n = totals.len() as f64;
            let mean = totals.iter().sum::<f64>() / n;
            let error = (totals.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            let want: f64 = (0..3).map(|k| outcome.expected_orders(0, strategy, k)).sum();
            assert!(
                (mean - want).abs() < 4.0 * error,
                "{params:?} × {factor}: {mean} ± {error}, want {want}"
            );
        }
    }
}
