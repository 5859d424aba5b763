//! k-means: five clusters of 100,000 customers whose rates and spend are drawn from a gamma mixture.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tiercast::calendar::{Day, Unit, Window};
use tiercast::customers::{CustomerTable, Ids};
use tiercast::random::{Purpose, Stream, hash_integer};
use tiercast::segment::{SegmentOptions, segment};

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

criterion_group!(benches, kmeans);
criterion_main!(benches);
