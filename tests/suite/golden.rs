//! Known numbers, from the raw Parquet log with default settings.
//!
//! Origin: maximum-likelihood fits of Fader, Hardie and Lee's CDNOW data, recomputed with 40-digit arithmetic from
//! exact day counts; tolerances as stated with each.

use tiercast::calendar::Unit;
use tiercast::clv::customer_value;
use tiercast::clv::{
    BgNbd, BgNbdModel, Fit, FitReport, GammaGamma, GammaGammaModel, Patterns, ValueOptions, Verdict,
};
use tiercast::customers::{Summary, Values, summarize};
use tiercast::history::{HistoryOptions, Source};

use crate::support::{Scratch, dataset};

/// The 1/10 sample, calibration to 1997-09-30, holdout to the end.
fn sample(unit: Unit) -> Summary {
    let options =
        HistoryOptions { calibration_end: Some("1997-09-30".parse().unwrap()), ..HistoryOptions::default() };
    summarize(&[Source::Path(dataset("cdnow/cdnow_sample.parquet"))], &options, unit, &()).unwrap()
}

fn fits(summary: &Summary, unit: Unit) -> (Patterns, Fit<BgNbd>, Fit<GammaGamma>) {
    let table = &summary.table;
    let patterns = Patterns::from_table(table).unwrap();
    let purchases = BgNbdModel.fit(&patterns, unit, &()).unwrap();
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, &()).unwrap();
    (patterns, purchases, spend)
}

#[track_caller]
fn close(got: f64, want: f64, relative: f64) {
    assert!((got - want).abs() <= relative * want.abs(), "{got} is not {want} to {relative}");
}

/// Parameters as (estimate, relative tolerance, standard error to 1 %), log-likelihood to 1e-3.
#[track_caller]
fn check(report: &FitReport, want: &[(f64, f64, f64)], log_likelihood: f64) {
    assert_eq!(report.verdict, Verdict::VerifiedOptimum, "{}", report.model);
    let got = report.log_likelihood.unwrap();
    assert!((got - log_likelihood).abs() < 1e-3, "{}: LL {got}, want {log_likelihood}", report.model);
    assert_eq!(report.parameters.len(), want.len());
    for (parameter, &(estimate, tolerance, error)) in report.parameters.iter().zip(want) {
        close(parameter.estimate, estimate, tolerance);
        close(parameter.standard_error.unwrap(), error, 1e-2);
    }
    assert!(report.gradient_norm <= 1e-6, "{}: gradient {}", report.model, report.gradient_norm);
    assert!(report.hessian_eigenvalues.iter().all(|&e| e > 0.0));
}

#[test]
fn the_sample_has_its_customers_and_holdout() {
    let summary = sample(Unit::Week);
    let table = &summary.table;
    let ledger = &summary.ledger;
    assert!(ledger.adds_up());
    assert_eq!((ledger.read, ledger.set_aside.len(), ledger.zero_amounts), (6_919, 0, 8));
    assert_eq!(table.len(), 2_357);
    let repeaters: Vec<usize> = (0..table.len()).filter(|&i| table.frequency[i] > 0).collect();
    assert_eq!(repeaters.len(), 946);
    let mean = repeaters.iter().map(|&i| table.monetary_value[i]).sum::<f64>() / 946.0;
    assert!((mean - 35.078).abs() < 5e-4, "{mean}");
    let holdout = table.holdout.as_ref().unwrap();
    assert_eq!(holdout.frequency.iter().map(|&x| u64::from(x)).sum::<u64>(), 1_882);
    assert_eq!(table.window.holdout_days(), 273);
}

#[test]
fn the_sample_fits() {
    let (_, purchases, spend) = fits(&sample(Unit::Week), Unit::Week);
    check(
        &purchases.report,
        &[
            (0.2425945, 1e-3, 0.01256),
            (4.4136020, 1e-3, 0.37822),
            (0.7929221, 1e-2, 0.18573),
            (2.4259070, 1e-2, 0.70541),
        ],
        -9582.429207,
    );
    check(
        &spend.report,
        &[(6.249572, 1e-2, 1.190), (3.744225, 1e-2, 0.2901), (15.443522, 1e-2, 4.159)],
        -4055.917695,
    );
    assert_eq!(spend.report.customers, 946);
}

#[test]
fn days_instead_of_weeks_are_a_change_of_unit() {
    let weeks = fits(&sample(Unit::Week), Unit::Week).1;
    let days = fits(&sample(Unit::Day), Unit::Day).1;
    let ll = days.report.log_likelihood.unwrap();
    assert!((ll - -14363.530443).abs() < 1e-3, "{ll}");
    let (weeks, days) = (weeks.params.unwrap(), days.params.unwrap());
    close(days.alpha, 7.0 * weeks.alpha, 1e-5);
    close(days.r, weeks.r, 1e-5);
    close(
        days.conditional_expected(2, 213.0, 272.0, 273.0),
        weeks.conditional_expected(2, 213.0 / 7.0, 272.0 / 7.0, 39.0),
        1e-5,
    );
}

#[test]
fn the_bundled_log_fits() {
    let summary =
        summarize(&[tiercast::history::bundled()], &HistoryOptions::default(), Unit::Week, &()).unwrap();
    assert_eq!(summary.ledger.read, 69_659);
    assert_eq!(summary.ledger.used, 69_659);
    assert_eq!(summary.ledger.zero_amounts, 80);
    assert_eq!(summary.ledger.duplicates, 255);
    assert_eq!(summary.table.len(), 23_570);
    let (_, purchases, spend) = fits(&summary, Unit::Week);
    check(
        &purchases.report,
        &[
            (0.26712777, 1e-3, 0.003660),
            (5.98649178, 1e-3, 0.13716),
            (0.48351698, 1e-2, 0.02679),
            (2.11160839, 1e-2, 0.15437),
        ],
        -173425.916293,
    );
    check(
        &spend.report,
        &[(5.08604394, 1e-2, 0.2568), (3.99512073, 1e-2, 0.0870), (21.25223802, 1e-2, 1.527)],
        -49496.524204,
    );
    // 11,516 repeaters, one of whom has mean 0.
    assert_eq!(spend.report.customers, 11_515);
}

/// The main job with either model, from the command line: Pareto/NBD's optimum was checked with another implementation of its
/// likelihood (SciPy's 2F1: the same value, and no slope).
#[test]
fn the_main_job_has_the_known_fits() {
    let scratch = Scratch::new();
    for (model, log_likelihood, parameters) in [
        ("bg-nbd", -173425.916293, [0.26712777, 5.98649178, 0.48351698, 2.11160839]),
        ("pareto-nbd", -173327.996204, [0.61098831, 13.6141937, 0.31257745, 6.1485556]),
    ] {
        let ran =
            scratch.run(&["run", "--model", model, "--replications", "4", "--json", "-q", "--out", model]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let run: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let fit = &run["fits"][0];
        let got = fit["log_likelihood"].as_f64().unwrap();
        assert!((got - log_likelihood).abs() < 1e-3, "{model}: {got}");
        for (parameter, want) in fit["parameters"].as_array().unwrap().iter().zip(parameters) {
            close(parameter["estimate"].as_f64().unwrap(), want, 1e-3);
        }
        assert_eq!(fit["verdict"]["kind"], "verified_optimum");
    }
}

/// Twelve-month CLV of sample id 1 (the customer with the smallest id of the sample), 1 % a month, months of 30.4375
/// days, orders of month i discounted by 1.01^−i: 36.2960.
#[test]
fn the_first_customers_lifetime_value() {
    let summary = sample(Unit::Week);
    let (patterns, purchases, spend) = fits(&summary, Unit::Week);
    let options =
        ValueOptions { horizon: "12mo".parse().unwrap(), discount: "1%/mo".parse().unwrap(), margin: 1.0 };
    let table = &summary.table;
    let value =
        customer_value(&patterns, &table.monetary_value, &purchases, Some(&spend), &options, &()).unwrap();
    let column = value.columns.iter().find(|c| c.name == "clv").unwrap();
    let Values::Float(clv) = &column.values else { panic!("clv is a number") };
    // The sample's first customer has id 4 in the full log: x = 2, t_x = 213 days, T = 272 days.
    assert_eq!(table.ids.text(0), "4");
    assert_eq!((table.frequency[0], table.recency_days[0], table.t_days[0]), (2, 213, 272));
    assert!((clv[0] - 36.2960).abs() < 2e-3, "{}", clv[0]);
}

/// The 14-row log of the literature's summary functions, end 2015-02-07, days: exact.
#[test]
fn the_fourteen_row_fixture() {
    let scratch = Scratch::new();
    let path = scratch.write_history(
        "fixture.parquet",
        &[
            (1, "2015-01-01", 1.0),
            (1, "2015-02-06", 2.0),
            (2, "2015-01-01", 2.0),
            (3, "2015-01-01", 3.0),
            (3, "2015-01-02", 1.0),
            (3, "2015-01-05", 5.0),
            (4, "2015-01-16", 6.0),
            (4, "2015-02-02", 3.0),
            (4, "2015-02-05", 3.0),
            (4, "2015-02-05", 6.0),
            (5, "2015-01-16", 3.0),
            (5, "2015-01-17", 1.0),
            (5, "2015-01-18", 8.0),
            (6, "2015-02-02", 5.0),
        ],
    );
    let options = HistoryOptions { as_of: Some("2015-02-07".parse().unwrap()), ..HistoryOptions::default() };
    let table = summarize(&[Source::Path(path)], &options, Unit::Day, &()).unwrap().table;
    let rows: Vec<(u32, f64, f64, f64)> = (0..table.len())
        .map(|i| (table.frequency[i], table.recency(i), table.t(i), table.monetary_value[i]))
        .collect();
    assert_eq!(
        rows,
        [
            (1, 36.0, 37.0, 2.0),
            (0, 0.0, 37.0, 0.0),
            (2, 4.0, 37.0, 3.0),
            (2, 20.0, 22.0, 6.0),
            (2, 2.0, 22.0, 4.5),
            (0, 0.0, 5.0, 0.0)
        ]
    );
    // The RFM form counts the first purchase: frequency + 1, days since the last, mean spend per day with an order.
    let rfm: Vec<(u32, u32, f64)> = (0..table.len())
        .map(|i| {
            (table.orders[i], table.days_since_last(i), table.total_spend[i] / f64::from(table.orders[i]))
        })
        .collect();
    assert_eq!(rfm, [(2, 1, 1.5), (1, 37, 2.0), (3, 33, 3.0), (3, 2, 6.0), (3, 20, 4.0), (1, 5, 5.0)]);
}

#[test]
fn a_customer_of_the_last_day_is_valid() {
    let scratch = Scratch::new();
    let path = scratch.write_history(
        "h.parquet",
        &[
            (1, "2024-01-01", 1.0),
            (1, "2024-02-01", 2.0),
            (2, "2024-01-10", 5.0),
            (2, "2024-01-20", 5.0),
            (3, "2024-02-01", 3.0),
        ],
    );
    let table = summarize(&[Source::Path(path)], &HistoryOptions::default(), Unit::Week, &()).unwrap().table;
    assert_eq!((table.frequency[2], table.t_days[2]), (0, 0));
    let model = BgNbd { r: 0.2425945, alpha: 4.4136020, a: 0.7929221, b: 2.4259070, unit: Unit::Week };
    assert_eq!(model.p_alive(0, 0.0, 0.0), 1.0);
    close(model.conditional_expected(0, 0.0, 0.0, 52.0), 1.444012357, 1e-6);
}
