//! Decoding and summarising the bundled CDNOW log (69,659 rows).

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tiercast::calendar::Unit;
use tiercast::customers::summarize;
use tiercast::history::{HistoryOptions, Source};

const CDNOW: &[u8] = include_bytes!("../datasets/cdnow/cdnow.parquet");
const ROWS: u64 = 69_659;

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

criterion_group!(benches, cdnow);
criterion_main!(benches);
