//! The holdout of the CDNOW sample, the choice of a model, and what intervals held.

use super::report::{Criterion, MethodKind};
use super::*;
use crate::calendar::{Day, Unit};
use crate::clv::bg_nbd::BgNbdModel;
use crate::clv::gamma_gamma::GammaGammaModel;
use crate::clv::model::{FitReport, Verdict};
use crate::customers::{Summary, summarize};
use crate::history::testing::cdnow;
use crate::history::{CohortPeriod, HistoryOptions, Source};

/// Holdout of the CDNOW sample, 39 weeks after 39: model; MAE, RMSE, correlation, bias of the total in percent, and the
/// share of spend of the top predicted tenth in percent (with Gamma-Gamma), as far as they are known to so many digits.
/// Computed independently of this program, from fits by other means.
const CDNOW: [(&str, [&str; 4], Option<&str>); 4] = [
    ("Pareto/NBD", [".7545", "1.6028", ".6302", "-11.5"], Some("50.3")),
    ("BG/NBD", [".7855", "1.6080", ".6256", "-12.1"], None),
    ("MBG/NBD", [".7648", "1.6072", ".6273", "-16.2"], None),
    ("NBD", ["1.041", "1.860", ".583", "56"], None),
];

fn sample(replications: u32) -> (Summary, Validation) {
    let options = HistoryOptions {
        customer: vec!["sample_id".to_string()],
        calibration_end: Some("1997-09-30".parse().unwrap()),
        cohorts: Some(CohortPeriod::Auto),
        ..HistoryOptions::default()
    };
    let source: Source = cdnow("cdnow_sample.parquet");
    let summary = summarize(&[source], &options, Unit::Week, &()).unwrap();
    let table = &summary.table;
    let patterns = Patterns::from_table(table).unwrap();
    let fits = candidates(&patterns, table, &()).unwrap();
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, &()).unwrap();
    let daily = summary.cohorts.as_ref().and_then(|cohorts| cohorts.daily.as_ref());
    let options = ValidateOptions { replications, seed: 1 };
    let out = validate(table, daily, &patterns, &fits, &spend, &options, &()).unwrap();
    (summary, out)
}

fn method_of<'a>(of: &'a Validation, name: &str) -> &'a Method {
    of.methods.iter().find(|method| method.name == name).unwrap()
}

/// A number rounded as a text is: ".7855" has four decimals.
fn rounded(value: f64, like: &str) -> String {
    let decimals = like.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let text = format!("{value:.decimals$}");
    if like.starts_with('.') { text.trim_start_matches('0').to_string() } else { text }
}

#[test]
fn the_cdnow_holdout_to_the_digits() {
    let (summary, out) = sample(60);
    assert_eq!((out.customers, out.transactions, out.holdout_days), (2357, 1882, 273));
    let value = |name: &str, criterion| method_of(&out, name).figure(criterion).unwrap().value;
    for method in out.methods.iter().filter(|method| method.kind == MethodKind::Model) {
        let (name, expected, top) = CDNOW.iter().find(|of| of.0 == method.name).expect("a row in the table");
        let criteria = [Criterion::Mae, Criterion::Rmse, Criterion::Correlation, Criterion::Bias];
        for (criterion, like) in criteria.into_iter().zip(expected) {
            let scale = if criterion == Criterion::Bias { 100.0 } else { 1.0 };
            assert_eq!(rounded(scale * value(name, criterion), like), *like, "{name} {criterion:?}");
        }
        if let Some(top) = top {
            assert_eq!(rounded(100.0 * value(name, Criterion::TopTenthSpend), top), *top, "{name}");
        }
    }
    // The same source: what a manager's list without a model takes.
    for (name, like) in [("past repeat spend", "49.0"), ("past total spend", "48.1")] {
        assert_eq!(rounded(100.0 * value(name, Criterion::TopTenthSpend), like), like, "{name}");
    }
    // Tracking: actual purchases are those of the table, expectations the sum over customers.
    let repeats: u64 = summary.table.frequency.iter().map(|&x| u64::from(x)).sum();
    let (calibrated, last) = (&out.tracking[38], out.tracking.last().unwrap());
    assert_eq!((out.tracking.len(), calibrated.holdout, out.tracking[39].holdout), (78, false, true));
    assert_eq!((calibrated.cumulative_actual, last.cumulative_actual), (repeats, repeats + 1882));
    let model = BgNbdModel.fit(&Patterns::from_table(&summary.table).unwrap(), Unit::Week, &()).unwrap();
    let model = model.params.unwrap();
    let table = &summary.table;
    let k = out.tracked.iter().position(|&m| out.methods[m].name == "BG/NBD").unwrap();
    for (week, more) in [(calibrated, 0.0), (last, 39.0)] {
        let expected: f64 = (0..table.len()).map(|i| model.expected(table.t(i) + more)).sum();
        assert!((week.cumulative_expected[k] / expected - 1.0).abs() < 1e-12);
    }
    let top = &method_of(&out, "BG/NBD").deciles[0];
    assert_eq!(top.customers, 235.0);
    // Every group's customers add up, expected and actual, and so do the deciles' transactions.
    let counts = out.by_frequency.iter().map(|group| group.customers.value).sum::<f64>();
    let expected = out.by_frequency.iter().map(|group| group.expected_customers[k].unwrap()).sum::<f64>();
    assert!((counts - 2357.0).abs() < 1e-9 && (expected - 2357.0).abs() < 1e-6);
    let method = &out.methods[out.tracked[k]];
    let actual: f64 = method.deciles.iter().map(|of| of.customers * of.actual.value).sum();
    let predicted: f64 = method.deciles.iter().map(|of| of.customers * of.predicted.value).sum();
    assert!((actual - 1882.0).abs() < 1e-9 && (predicted / method.transactions.unwrap() - 1.0).abs() < 1e-12);
    assert!(out.conclusions.iter().any(|line| line.contains("do not win")), "{:#?}", out.conclusions);
}

/// A model that expects so many purchases whatever the horizon.
struct Fake(&'static str, fn(u32) -> f64);

impl Forecast for Fake {
    fn name(&self) -> &'static str {
        self.0
    }

    fn unit(&self) -> Unit {
        Unit::Week
    }

    fn conditional_expected(&self, x: u32, _: f64, _: f64, _: f64) -> f64 {
        (self.1)(x)
    }

    fn expected(&self, t: f64) -> f64 {
        t
    }

    fn pmf(&self, x: u32, _: f64) -> f64 {
        f64::from(u8::from(x == 0))
    }
}

fn report(model: &'static str, verdict: Verdict) -> FitReport {
    FitReport::without_data(model, Some(Unit::Week), 0, verdict)
}

fn fake(name: &'static str, expected: fn(u32) -> f64) -> Candidate {
    let report = report(name, Verdict::VerifiedOptimum);
    Candidate {
        report,
        forecast: Some(Box::new(Fake(name, expected))),
        intervals: None,
        about_intervals: Vec::new(),
    }
}

/// Customers with frequencies 0 to 9 who buy as often again, but for one in seven.
fn judged(candidates: &[Candidate]) -> Result<Validation> {
    use crate::customers::testing::{Row, table};
    let row =
        |id: i64| Row { id, frequency: (id % 10) as u32, since: 30, monetary_value: 5.0, total_spend: 9.0 };
    let mut table = table(&(0..200).map(row).collect::<Vec<_>>());
    table.window.as_of = Day(table.window.as_of.0 + 70);
    let frequency: Vec<u32> = (0..200).map(|i| if i % 7 == 0 { 3 } else { (i % 10) as u32 }).collect();
    let spend = frequency.iter().map(|&n| 5.0 * f64::from(n)).collect();
    table.holdout = Some(Holdout { frequency, spend });
    let patterns = Patterns::from_table(&table).unwrap();
    let failed = Verdict::Failed { reason: "no spend".to_string(), advice: "spend" };
    let spend = Fit { report: report("Gamma-Gamma", failed), params: None, uncertainty: None };
    let options = ValidateOptions { replications: 200, seed: 3 };
    validate(&table, None, &patterns, candidates, &spend, &options, &())
}

#[test]
fn the_preferred_model_is_the_better_or_pareto() {
    let preferred = |list: &[Candidate]| judged(list).unwrap().preferred.unwrap();
    let good = || fake("BG/NBD", f64::from);
    // Worse for some, better for a few less.
    let slightly = |x: u32| match x {
        5 => 5.0001,
        7 => 6.99996,
        x => f64::from(x),
    };
    // So near that nobody could tell them apart, but a little worse.
    let near = preferred(&[good(), fake("Pareto/NBD", slightly)]);
    assert_eq!(near.model, "Pareto/NBD");
    assert!(near.why.contains("cannot tell"), "{}", near.why);
    let far = preferred(&[good(), fake("Pareto/NBD", |x| 9.0 - f64::from(x))]);
    assert_eq!(far.model, "BG/NBD");
    let other = preferred(&[good(), fake("NBD", |x| f64::from(x) * 0.999)]);
    assert!(["BG/NBD", "NBD"].contains(&other.model.as_str()));
}

#[test]
fn unusable_fits_are_listed_and_intervals_are_judged() {
    let failed = Verdict::Failed { reason: "it fell".to_string(), advice: "pick it up" };
    let mut wide = fake("BG/NBD", f64::from);
    // Half of the customers, of whom every second one's interval holds nothing; a tenth is twenty rows.
    let of: Vec<u32> = (0..200).step_by(2).collect();
    let upper: Vec<f64> = (0..100).map(|k| if k % 2 == 0 { 9.0 } else { -1.0 }).collect();
    let tenth: Vec<u8> = (0..100).map(|k| k / 10).collect();
    let mut tenths = vec![(0.0, 999.0); 10];
    tenths[3] = (0.0, 1.0);
    let ends = Ends { lower: vec![0.0; 100], upper, total: (0.0, 10.0), tenths };
    wide.intervals = Some(Intervals { level: 0.9, of, tenth, transactions: ends, spend: None });
    wide.about_intervals = vec!["half are asked".to_string()];
    let left_out = Candidate {
        report: report("NBD", failed),
        forecast: None,
        intervals: None,
        about_intervals: Vec::new(),
    };
    let out = judged(&[wide, left_out]).unwrap();
    assert_eq!((out.left_out.len(), out.left_out[0].model), (1, "NBD"));
    assert!(out.conclusions.iter().any(|line| line.contains("it fell")));
    assert!(out.warnings.contains(&"half are asked".to_string()));
    let coverage = out.methods[0].coverage.as_ref().unwrap();
    let of = &coverage.transactions;
    let customers = of.customers.unwrap();
    assert_eq!((coverage.customers, customers.value, of.total.covered), (100, 0.5, false));
    // What the even customers do: 3 of the multiples of 14, and the last digit of the others.
    let actual = |range: std::ops::Range<u32>| {
        let of = range.step_by(2).map(|i| if i % 7 == 0 { 3 } else { i % 10 });
        f64::from(of.sum::<u32>())
    };
    assert_eq!(of.total.actual, actual(0..200));
    assert_eq!(of.tenths.iter().map(|tenth| tenth.covered).collect::<Vec<_>>(), {
        let mut held = vec![true; 10];
        held[3] = false;
        held
    });
    assert_eq!((of.tenths[3].actual, of.tenths[3].customers), (actual(60..80), 10));
    assert!(
        out.conclusions.iter().any(|line| line.contains("9 of 10 tenths, and miss their total (0 to 10"))
    );
    // The error of a share of 100.
    assert!((customers.standard_error.unwrap() / (0.25f64 / 100.0).sqrt() - 1.0).abs() < 0.25);
    // Without a model there is still a comparison, and nobody is preferred.
    let none = judged(&[]).unwrap();
    assert!(none.preferred.is_none() && none.methods.len() == 4 && !none.conclusions.is_empty());
    assert!(none.methods[1].figure(Criterion::Correlation).is_none(), "a constant has no correlation");
}

/// Intervals of the CDNOW sample's holdout, from the calibration alone: what a model with the right shape covers is
/// told by the studies; here it is what the verb gives, and that nothing depends on threads.
#[test]
fn intervals_of_the_cdnow_holdout() {
    let history = HistoryOptions {
        customer: vec!["sample_id".to_string()],
        calibration_end: Some("1997-09-30".parse().unwrap()),
        ..HistoryOptions::default()
    };
    let summary = summarize(&[cdnow("cdnow_sample.parquet")], &history, Unit::Week, &()).unwrap();
    let table = &summary.table;
    let patterns = Patterns::from_table(table).unwrap();
    let spend = GammaGammaModel.fit(&table.frequency, &table.monetary_value, &()).unwrap();
    let asked = IntervalOptions { level: 0.9, draws: 40, seed: 1 };
    let make = || candidates_with_intervals(&patterns, table, &spend, &asked, &()).unwrap();
    let fits = parallel::with_threads(1, make).unwrap();
    let again = parallel::with_threads(3, make).unwrap();
    for (one, other) in fits.iter().zip(&again) {
        assert_eq!(one.intervals, other.intervals, "{}", one.report.model);
    }
    let options = ValidateOptions { replications: 40, seed: 1 };
    let out = validate(table, None, &patterns, &fits, &spend, &options, &()).unwrap();
    for name in ["Pareto/NBD", "BG/NBD", "MBG/NBD", "NBD"] {
        let coverage = method_of(&out, name).coverage.as_ref().unwrap_or_else(|| panic!("{name}"));
        let spend = coverage.spend.as_ref().unwrap();
        assert_eq!((coverage.customers, coverage.transactions.tenths.len()), (2357, 10), "{name}");
        for covered in [&coverage.transactions, spend] {
            let actual: f64 = covered.tenths.iter().map(|tenth| tenth.actual).sum();
            assert!((actual - covered.total.actual).abs() < 1e-6, "{name}");
            assert!(
                covered.customers.is_some_and(|share| (0.8..1.0).contains(&share.value)),
                "{name}: {covered:?}"
            );
        }
        assert_eq!(coverage.transactions.total.actual, 1882.0);
    }
    // NBD, which knows no dropout, expects half as much again and is sure of it.
    let total = method_of(&out, "NBD").coverage.as_ref().unwrap().transactions.total;
    assert!(!total.covered && total.lower > 1882.0, "{total:?}");
}
