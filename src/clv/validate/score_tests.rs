//! Metrics by brute force, and the bootstrap against plain resampling.

use proptest::prelude::*;

use super::bootstrap::{Spread, Weights};
use super::curve::Ranked;
use super::methods::Predictions;
use super::report::{Criterion, MethodKind};
use super::scores::Scoring;
use crate::parallel;
use crate::random::{Purpose, Stream, hash_integer};

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

/// Whether a criterion exists: a constant correlates with nothing, equal values have no order, and there is no share of
/// nothing.
fn exists(rows: &[[f64; 3]], criterion: Criterion) -> bool {
    let differ = |of: usize| rows.iter().any(|row| row[of] != rows[0][of]);
    let some = |of: usize| rows.iter().any(|row| row[of] > 0.0);
    !rows.is_empty()
        && match criterion {
            Criterion::Mae | Criterion::SpendMae | Criterion::Rmse | Criterion::DecileError => true,
            Criterion::Correlation => differ(0) && differ(1),
            Criterion::Bias => some(1),
            Criterion::SpendBias => some(2),
            Criterion::GiniTransactions => differ(1),
            Criterion::GiniSpend => differ(2),
            Criterion::TopTenthSpend => rows.len() >= 10 && some(2),
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
                prop_assert_eq!(found.is_finite(), exists(&rows, criterion), "{:?} {} {}", criterion, found, expected);
                if found.is_finite() {
                    prop_assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{criterion:?} {found} {expected}");
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
