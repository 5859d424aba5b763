//! The holdout of the CDNOW sample, metrics by brute force, and the bootstrap against plain resampling.

use proptest::prelude::*;

use super::bootstrap::{Spread, Weights};
use super::curve::Ranked;
use super::methods::Predictions;
use super::report::{Criterion, MethodKind};
use super::scores::Scoring;
use super::*;
use crate::calendar::{Day, Unit};
use crate::clv::bg_nbd::BgNbdModel;
use crate::clv::gamma_gamma::GammaGammaModel;
use crate::clv::model::{FitReport, Verdict};
use crate::customers::{Summary, summarize};
use crate::history::testing::cdnow;
use crate::history::{CohortPeriod, HistoryOptions, Source};
use crate::random::{Purpose, Stream, hash_integer};

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
    Candidate { report, forecast: Some(Box::new(Fake(name, expected))), intervals: None }
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
    // Every second customer's interval holds nothing.
    let upper: Vec<f64> = (0..200).map(|i| if i % 2 == 0 { 9.0 } else { -1.0 }).collect();
    wide.intervals =
        Some(Intervals { level: 0.9, customers: Some((vec![0.0; 200], upper)), total: Some((0.0, 10.0)) });
    let left_out = Candidate { report: report("NBD", failed), forecast: None, intervals: None };
    let out = judged(&[wide, left_out]).unwrap();
    assert_eq!((out.left_out.len(), out.left_out[0].model), (1, "NBD"));
    assert!(out.conclusions.iter().any(|line| line.contains("it fell")));
    let coverage = out.methods[0].coverage.as_ref().unwrap();
    let customers = coverage.customers.unwrap();
    assert_eq!((customers.value, coverage.total_covered), (0.5, Some(false)));
    // The error of a share of 200.
    assert!((customers.standard_error.unwrap() / (0.25f64 / 200.0).sqrt() - 1.0).abs() < 0.2);
    // Without a model there is still a comparison, and nobody is preferred.
    let none = judged(&[]).unwrap();
    assert!(none.preferred.is_none() && none.methods.len() == 4 && !none.conclusions.is_empty());
    assert!(none.methods[1].figure(Criterion::Correlation).is_none(), "a constant has no correlation");
}

#[test]
fn weights_are_poisson_and_belong_to_the_customer() {
    let weights = Weights::new(5, 401);
    let (mut counts, mut row) = ([0u32; 4], vec![0.0; 402]);
    for id in 0..1000 {
        weights.fill(hash_integer(id), &mut row);
        assert_eq!(row[0], 1.0);
        row[1..].iter().for_each(|&w| counts[(w as usize).min(3)] += 1);
    }
    let e = (-1f64).exp();
    for (count, p) in counts.into_iter().zip([e, e, e / 2.0, 1.0 - 2.5 * e]) {
        let n = 401_000.0;
        assert!((f64::from(count) - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt(), "{count} {p}");
    }
    // More replications leave the first ones as they are.
    let mut short = vec![0.0; 11];
    Weights::new(5, 10).fill(hash_integer(999), &mut short);
    assert_eq!(short, row[..11]);
}

#[derive(Debug)]
struct Data {
    frequency: Vec<u32>,
    transactions: Vec<f64>,
    spend: Vec<f64>,
    predicted: Vec<f64>,
    hash: Vec<u64>,
}

impl Data {
    fn values(&self, weights: Weights) -> Vec<(Criterion, Vec<f64>)> {
        let method = Predictions {
            name: "it".to_string(),
            kind: MethodKind::Baseline,
            about: "",
            forecast: None,
            intervals: None,
            transactions: Some(self.predicted.clone()),
            spend: Some(self.predicted.clone()),
        };
        let scoring = Scoring {
            frequency: &self.frequency,
            transactions: &self.transactions,
            spend: &self.spend,
            hash: &self.hash,
            weights,
        };
        let scores = scoring.score(&[method], &()).unwrap();
        Criterion::ALL.into_iter().map(|c| (c, scores.every(0, c).unwrap())).collect()
    }

    /// The customers as often as they count.
    fn times(&self, weights: &[f64]) -> Vec<[f64; 3]> {
        let one = |i: usize| [self.predicted[i], self.transactions[i], self.spend[i]];
        (0..weights.len()).flat_map(|i| vec![one(i); weights[i] as usize]).collect()
    }
}

/// Every criterion in the plainest way.
fn slow(rows: &[[f64; 3]], criterion: Criterion) -> f64 {
    let n = rows.len() as f64;
    let mean = |f: &dyn Fn(&[f64; 3]) -> f64| rows.iter().map(f).sum::<f64>() / n;
    // Area below the curve: of every pair, what the one before has.
    let area = |by: usize, of: usize| {
        let pair = |a: &[f64; 3], b: &[f64; 3]| match b[by].total_cmp(&a[by]) {
            std::cmp::Ordering::Greater => b[of],
            std::cmp::Ordering::Equal => 0.5 * b[of],
            std::cmp::Ordering::Less => 0.0,
        };
        rows.iter().flat_map(|a| rows.iter().map(move |b| pair(a, b))).sum::<f64>()
    };
    let gini = |by: usize, of: usize| 2.0 * area(by, of) / (n * n * mean(&|row| row[of])) - 1.0;
    // The tied as customers who all are their mean, and how many the first k tenths are.
    let sorted = |of: usize| {
        let mut rows = rows.to_vec();
        rows.sort_by(|a, b| b[0].total_cmp(&a[0]));
        let tie = |tied: &[[f64; 3]]| {
            let mean = tied.iter().map(|row| row[of]).sum::<f64>() / tied.len() as f64;
            vec![mean; tied.len()]
        };
        rows.chunk_by(|a, b| a[0] == b[0]).flat_map(tie).collect::<Vec<f64>>()
    };
    let first = |k: usize| rows.len() * k / 10;
    let bias = |of: usize| mean(&|row| row[0]) / mean(&|row| row[of]) - 1.0;
    match criterion {
        Criterion::Mae => mean(&|row| (row[0] - row[1]).abs()),
        Criterion::SpendMae => mean(&|row| (row[0] - row[2]).abs()),
        Criterion::Rmse => mean(&|row| (row[0] - row[1]).powi(2)).sqrt(),
        Criterion::Bias => bias(1),
        Criterion::SpendBias => bias(2),
        Criterion::Correlation => {
            let (p, y) = (mean(&|row| row[0]), mean(&|row| row[1]));
            let product = mean(&|row| (row[0] - p) * (row[1] - y));
            product / (mean(&|row| (row[0] - p).powi(2)) * mean(&|row| (row[1] - y).powi(2))).sqrt()
        }
        Criterion::GiniTransactions => gini(0, 1) / gini(1, 1),
        Criterion::GiniSpend => gini(0, 2) / gini(2, 2),
        Criterion::TopTenthSpend => {
            let sorted = sorted(2);
            let top = if first(1) == 0 { f64::NAN } else { sorted[..first(1)].iter().sum::<f64>() };
            top / sorted.iter().sum::<f64>()
        }
        Criterion::DecileError => {
            let (p, y) = (sorted(0), sorted(1));
            let tenth = |k: usize| {
                let range = first(k)..first(k + 1);
                (p[range.clone()].iter().sum::<f64>() - y[range].iter().sum::<f64>()).abs()
            };
            (0..10).map(tenth).sum::<f64>() / n
        }
    }
}

fn any_data() -> impl Strategy<Value = Data> {
    // Few values, so that ties are common.
    prop::collection::vec((0u32..9, 0u32..5, 0u32..40, 0u32..12), 1..60).prop_map(|rows| Data {
        frequency: rows.iter().map(|row| row.0).collect(),
        transactions: rows.iter().map(|row| f64::from(row.1)).collect(),
        spend: rows.iter().map(|row| f64::from(row.2) * 2.5).collect(),
        predicted: rows.iter().map(|row| f64::from(row.3) / 4.0).collect(),
        hash: (0..rows.len() as u64).map(hash_integer).collect(),
    })
}

proptest! {
    #[test]
    fn criteria_are_what_brute_force_finds(data in any_data(), seed in 0u64..1000) {
        let weights = Weights::new(seed, 3);
        let by_customer: Vec<Vec<f64>> = data.hash.iter().map(|&hash| {
            let mut row = vec![0.0; 4];
            weights.fill(hash, &mut row);
            row
        }).collect();
        for (criterion, found) in data.values(weights) {
            for (r, found) in found.into_iter().enumerate() {
                let rows = data.times(&by_customer.iter().map(|row| row[r]).collect::<Vec<_>>());
                let expected = slow(&rows, criterion);
                // A constant has no correlation, and equal values have no order: 0/0 by rounding.
                if found.is_finite() && expected.is_finite() {
                    prop_assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{criterion:?} {found} {expected}");
                } else if criterion != Criterion::Correlation {
                    prop_assert!(!found.is_finite() || expected.abs() > 1e9 || expected.is_nan(), "{criterion:?} {found} {expected}");
                }
            }
        }
    }
}

/// Predictions that are partly right.
fn noisy(n: u64) -> Data {
    let draw = |id: u64| {
        let mut stream = Stream::new(11, hash_integer(id), 0, Purpose::Sample);
        let rate = stream.gamma(0.6) * 2.0;
        let y = (rate * stream.exponential()).floor();
        [rate, y, y * (5.0 + 20.0 * stream.uniform())]
    };
    let rows: Vec<[f64; 3]> = (0..n).map(draw).collect();
    Data {
        frequency: rows.iter().map(|row| row[0] as u32).collect(),
        transactions: rows.iter().map(|row| row[1]).collect(),
        spend: rows.iter().map(|row| row[2]).collect(),
        predicted: rows.iter().map(|row| row[0]).collect(),
        hash: (0..n).map(hash_integer).collect(),
    }
}

#[test]
fn standard_errors_are_those_of_plain_resampling() {
    let data = noisy(400);
    let found = data.values(Weights::new(2, 1000));
    let rows = data.times(&[1.0; 400]);
    let mut stream = Stream::new(3, 0, 0, Purpose::Sample);
    let samples: Vec<Vec<[f64; 3]>> = (0..300)
        .map(|_| (0..rows.len()).map(|_| rows[(stream.uniform() * rows.len() as f64) as usize]).collect())
        .collect();
    // The slow Gini takes the square of the customers' number: fewer resamples there.
    for (criterion, values) in found {
        let gini = [Criterion::GiniTransactions, Criterion::GiniSpend].contains(&criterion);
        let samples = if gini { &samples[..60] } else { &samples[..] };
        let mut plain = vec![slow(&rows, criterion)];
        plain.extend(samples.iter().map(|rows| slow(rows, criterion)));
        let (found, plain) = (Spread::of(&values), Spread::of(&plain));
        assert!((found.value - plain.value).abs() < 1e-9, "{criterion:?}");
        // Four standard errors of a standard error, and for the heavy tail of the data.
        let error = 5.0 / (2.0 * samples.len() as f64).sqrt();
        let ratio = found.standard_error / plain.standard_error;
        assert!((ratio - 1.0).abs() < error, "{criterion:?} {found:?} {plain:?}");
    }
}

#[test]
fn nothing_depends_on_threads() {
    // More than one chunk of every kind, with ties across their borders.
    let mut data = noisy(9_000);
    data.predicted.iter_mut().skip(1).step_by(2).for_each(|p| *p = 0.25);
    let run = |threads| {
        let values = parallel::with_threads(threads, || data.values(Weights::new(2, 7))).unwrap();
        values.into_iter().flat_map(|of| of.1).map(f64::to_bits).collect::<Vec<u64>>()
    };
    assert_eq!(run(1), run(3));
    // A curve cut into pieces is the curve in one: the mean of each tenth by a plain sort.
    let ranked = Ranked {
        score: &data.transactions,
        quantities: [&data.transactions, &data.spend],
        hash: &data.hash,
        weights: Weights::new(2, 2),
    };
    let curve = ranked.curve();
    let mut sorted = data.transactions.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    for k in 0..10 {
        let sum: f64 = sorted[..900 * (k + 1)].iter().sum();
        assert!((curve.edges[0][k][0] - sum).abs() < 1e-9 * sum, "{k}");
    }
}

#[test]
fn intervals_of_a_spread() {
    let mut values = vec![7.0];
    values.extend((0..=1000).map(f64::from));
    let spread = Spread::of(&values);
    assert_eq!((spread.value, spread.lower, spread.upper), (7.0, 25.0, 975.0));
    assert!(Spread::of(&[f64::NAN, 1.0, 2.0]).standard_error.is_nan());
    assert_eq!(Spread::of(&[1.0, 0.1, 0.1, 0.1]).standard_error, 0.0);
}
