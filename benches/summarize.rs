//! Summarising the bundled CDNOW log (69,659 rows), and the stages one by one on a generated history of a million rows.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tiercast::calendar::{Day, Unit, Window};
use tiercast::customers::{stages, summarize};
use tiercast::history::{History, HistoryOptions, Source};
use tiercast::report::tables::write_stretches;
use tiercast::synth::{self, Config, Ids, Model, Order, Plan, Spend};

const CDNOW: &[u8] = include_bytes!("../datasets/cdnow/cdnow.parquet");
const ROWS: u64 = 69_659;

/// Customers of the generated history, who have about 7.6 rows each.
const CUSTOMERS: u64 = 130_000;

fn cdnow(c: &mut Criterion) {
    let sources = [Source::Bytes { name: "cdnow".into(), data: bytes::Bytes::from_static(CDNOW) }];
    let mut group = c.benchmark_group("summarize");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("cdnow", |b| {
        b.iter(|| {
            summarize(&sources, &HistoryOptions::default(), Unit::Week, &()).expect("CDNOW summarises")
        });
    });
    group.finish();
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn generated() -> Plan {
    let config = Config {
        customers: CUSTOMERS,
        seed: 1,
        model: Model::ParetoNbd { r: 0.8, alpha: 3.75, s: 0.6, beta: 12.0 },
        spend: Spend { p: 6.0, q: 4.0, gamma: 16.0 },
        start: day("2023-01-01"),
        end: day("2024-12-28"),
        join_until: None,
        seasonality: 0.0,
        ids: Ids::Integer,
        attributes: false,
        order: Order::Time,
    };
    Plan::new(config).expect("a plan")
}

/// Each stage with all that has to come before it where it cannot be measured alone; rates are of rows.
fn one_by_one(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows = synth::write(&generated(), folder.path(), &()).expect("a history").orders;
    let sources = [Source::Path(folder.path().join(synth::HISTORY))];
    let history = History::open(&sources, &HistoryOptions::default()).expect("it opens");
    let place = || folder.path().to_path_buf();
    let end = day("2024-12-28");
    let window = Window { calibration_end: end, as_of: end };

    let mut group = c.benchmark_group("stages");
    group.throughput(Throughput::Elements(rows));
    group.sample_size(20);
    group.bench_function("decode", |b| b.iter(|| black_box(stages::decode(&history).expect("rows"))));
    let ground = stages::Ground::new(usize::MAX, place());
    group.bench_function("decode and scatter", |b| {
        b.iter(|| stages::scatter(&history, &ground).expect("rows").take().expect("all of them"));
    });
    // A tenth of the rows fit.
    let tight = stages::Ground::new(rows as usize * 24 / 10, place());
    group.bench_function("decode, scatter and spill, and read back", |b| {
        b.iter(|| stages::scatter(&history, &tight).expect("rows").take().expect("all of them"));
    });
    group.bench_function("fold", |b| {
        b.iter_batched(
            || stages::scatter(&history, &ground).expect("rows"),
            |rows| stages::fold_all(rows, window, place()).expect("customers"),
            BatchSize::PerIteration,
        );
    });
    let rows = stages::scatter(&history, &ground).expect("rows");
    let customers = stages::fold_all(rows, window, place()).expect("customers");
    let table = folder.path().join("table.parquet");
    group.throughput(Throughput::Elements(customers.len() as u64));
    group.bench_function("write, rates of customers", |b| {
        b.iter(|| {
            let stretch = |i| tiercast::customers::into_record_batch(customers.stretch(i)?);
            write_stretches(&table, customers.stretches(), stretch, &()).expect("a table");
        });
    });
    group.finish();
}

criterion_group!(benches, cdnow, one_by_one);
criterion_main!(benches);
