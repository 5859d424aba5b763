//! k-means: five clusters of 100,000 customers whose rates and spend are drawn from a gamma mixture; and its parts, the
//! assignment to given centres and one iteration (assignment, sums, assignment), on a million points.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linfa::ParamGuard;
use ndarray::Array2;
use tiercast::calendar::{Day, Unit, Window};
use tiercast::customers::{CustomerTable, Ids};
use tiercast::random::{Purpose, Stream, hash_integer};
use tiercast::segment::kmeans::Init;
use tiercast::segment::sample::by_number;
use tiercast::segment::{KMeans, Points, SegmentOptions, segment};

/// `n` customers observed for up to 78 weeks: no groups that a search could find at once, as in real histories.
fn customers(n: u32) -> CustomerTable {
    let end = Day(10_000);
    let mut table = CustomerTable {
        ids: Ids::Unsigned { values: (0..u64::from(n)).collect(), bits: 64 },
        window: Window { calibration_end: end, as_of: end },
        unit: Unit::Week,
        frequency: Vec::new(),
        recency_days: Vec::new(),
        t_days: Vec::new(),
        monetary_value: Vec::new(),
        first_order: Vec::new(),
        last_order: Vec::new(),
        orders: Vec::new(),
        transactions: Vec::new(),
        total_spend: Vec::new(),
        holdout: None,
        columns: Vec::new(),
    };
    for id in 0..u64::from(n) {
        let mut draw = Stream::new(1, hash_integer(id), 0, Purpose::Latent);
        let t = (180.0 + 366.0 * draw.uniform()) as u32;
        let active = f64::from(t) * draw.beta(1.0, 1.5);
        let frequency = (draw.gamma(0.6) * 0.02 * active) as u32;
        let recency = if frequency == 0 { 0 } else { active as u32 };
        let mean = 1000.0 * draw.gamma(6.0) / draw.gamma(4.0).max(1.0) / 30.0;
        table.frequency.push(frequency);
        table.recency_days.push(recency);
        table.t_days.push(t);
        table.monetary_value.push(if frequency == 0 { 0.0 } else { mean });
        table.first_order.push(Day(end.0 - t as i32));
        table.last_order.push(Day(end.0 - (t - recency) as i32));
        table.orders.push(frequency + 1);
        table.transactions.push(frequency + 1);
        table.total_spend.push((mean * f64::from(frequency + 1) * 100.0).round() / 100.0);
    }
    table
}

fn kmeans(c: &mut Criterion) {
    let table = customers(100_000);
    let options = SegmentOptions::default();
    let mut group = c.benchmark_group("segment");
    group.sample_size(10);
    group.bench_function("k5_100k", |b| b.iter(|| segment(black_box(&table), &options, &()).unwrap()));
    group.finish();
}

/// `features` columns of standard normal numbers.
fn normal(rows: u64, features: u32) -> Vec<Vec<f64>> {
    let value = |row: u64, feature: u32| Stream::new(2, row, feature, Purpose::Latent).normal();
    (0..features).map(|feature| (0..rows).map(|row| value(row, feature)).collect()).collect()
}

fn parts(c: &mut Criterion) {
    const ROWS: u64 = 1_000_000;
    for features in [3, 8] {
        let columns = normal(ROWS, features);
        let points = Points::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let mut group = c.benchmark_group(format!("kmeans_1m_x_{features}"));
        group.sample_size(10).throughput(Throughput::Elements(ROWS));
        for clusters in [8, 20] {
            let centres = Array2::from_shape_fn((clusters, features as usize), |(at, j)| columns[j][at]);
            let one =
                KMeans::params(clusters).init(Init::Precomputed(centres)).max_iterations(1).check().unwrap();
            let (model, _) = one.fit_points(&points, &by_number, &()).unwrap();
            group.bench_function(BenchmarkId::new("assign", clusters), |b| {
                b.iter(|| model.assign(black_box(&points)).unwrap())
            });
            group.bench_function(BenchmarkId::new("iteration", clusters), |b| {
                b.iter(|| one.fit_points(black_box(&points), &by_number, &()).unwrap())
            });
        }
        group.finish();
    }
}

criterion_group!(benches, kmeans, parts);
criterion_main!(benches);
