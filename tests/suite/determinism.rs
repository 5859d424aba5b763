//! The same input, seed and version give the same bytes, whatever the threads and the order of rows and files.

use std::fs;

use arrow_array::{RecordBatch, UInt32Array};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Scratch, dataset, write_parquet};

const FILES: [&str; 4] = ["customers.parquet", "cohorts.csv", "tiers.csv", "strategies.csv"];

fn run(scratch: &Scratch, history: &[&str], threads: &str, out: &str) -> Vec<Vec<u8>> {
    let mut words =
        vec!["run", "--strategies", "bundled", "--replications", "40", "--threads", threads, "--out", out];
    words.extend(history);
    let ran = scratch.run(&words);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    FILES.iter().map(|name| fs::read(scratch.path(out).join(name)).unwrap()).collect()
}

fn sample() -> RecordBatch {
    rows("cdnow/cdnow_sample.parquet")
}

fn rows(name: &str) -> RecordBatch {
    let file = fs::File::open(dataset(name)).unwrap();
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(100_000).build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1);
    batches.into_iter().next().unwrap()
}

#[test]
fn threads_and_the_order_of_rows_and_files_change_no_byte() {
    let scratch = Scratch::new();
    let batch = sample();
    write_parquet(&scratch.path("whole.parquet"), &batch);
    let expected = run(&scratch, &["whole.parquet"], "1", "one");

    for threads in ["2", "3", "8"] {
        let got = run(&scratch, &["whole.parquet"], threads, threads);
        assert!(got == expected, "{threads} threads");
    }

    // A fixed shuffle: multiplication by a unit modulo a prime above the number of rows.
    let rows = batch.num_rows() as u64;
    let order: Vec<u32> =
        (1..6947u64).map(|i| i * 4099 % 6947).filter(|&i| i < rows).map(|i| i as u32).chain([0]).collect();
    assert_eq!(order.iter().collect::<std::collections::BTreeSet<_>>().len() as u64, rows);
    let order = UInt32Array::from(order);
    let columns =
        batch.columns().iter().map(|c| arrow_select::take::take(c, &order, None).unwrap()).collect();
    let shuffled = RecordBatch::try_new(batch.schema(), columns).unwrap();
    write_parquet(&scratch.path("shuffled.parquet"), &shuffled);
    assert!(run(&scratch, &["shuffled.parquet"], "2", "shuffled") == expected, "shuffled rows");

    fs::create_dir(scratch.path("parts")).unwrap();
    for (i, start) in (0..shuffled.num_rows()).step_by(1500).enumerate() {
        let part = shuffled.slice(start, 1500.min(shuffled.num_rows() - start));
        write_parquet(&scratch.path(&format!("parts/{i}.parquet")), &part);
    }
    assert!(run(&scratch, &["parts"], "3", "parts-out") == expected, "several files");
}

#[test]
fn the_seed_changes_luck_and_nothing_else() {
    let scratch = Scratch::new();
    let history = dataset("cdnow/cdnow_sample.parquet");
    let history = history.to_str().unwrap();
    let strategies = |seed: &str| {
        let words = [
            "run",
            history,
            "--strategies",
            "bundled",
            "--replications",
            "20",
            "--seed",
            seed,
            "--out",
            seed,
        ];
        let ran = scratch.run(&words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        (
            fs::read_to_string(scratch.path(seed).join("strategies.csv")).unwrap(),
            fs::read_to_string(scratch.path(seed).join("tiers.csv")).unwrap(),
        )
    };
    let (one, two) = (strategies("1"), strategies("2"));
    assert_ne!(one.0, two.0);
    assert_eq!(one.1, two.1);
}

#[test]
fn streamed_and_scattered_tables_are_the_same_bytes() {
    let scratch = Scratch::new();
    // The whole log is in the order of customers.
    let batch = rows("cdnow/cdnow.parquet");
    write_parquet(&scratch.path("sorted.parquet"), &batch);
    let reversed: UInt32Array = (0..batch.num_rows() as u32).rev().collect::<Vec<u32>>().into();
    let columns =
        batch.columns().iter().map(|c| arrow_select::take::take(c, &reversed, None).unwrap()).collect();
    write_parquet(&scratch.path("reversed.parquet"), &RecordBatch::try_new(batch.schema(), columns).unwrap());
    let summarize = |history: &str, threads: &str| {
        let words =
            ["summarize", history, "-o", "t.parquet", "--force", "--json", "-v", "--threads", threads];
        let ran = scratch.run(&words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let strategy = found["strategy"].as_str().unwrap().to_string();
        (strategy, ran.stderr, fs::read(scratch.path("t.parquet")).unwrap())
    };
    let (strategy, said, expected) = summarize("reversed.parquet", "2");
    assert_eq!(strategy, "scatter");
    assert!(said.contains("note: rows are in no order of customers"), "{said}");
    for threads in ["1", "2", "3", "8"] {
        let (strategy, said, got) = summarize("sorted.parquet", threads);
        assert_eq!(strategy, "stream");
        assert!(said.contains("note: rows are in the order of customers"), "{said}");
        assert!(got == expected, "{threads} threads");
    }
}

/// A generated history of several files: the same table for every number of threads, order of files and limit on memory.
#[test]
fn threads_files_and_memory_change_no_byte_of_the_customer_table() {
    let scratch = Scratch::new();
    let made = scratch.run(&["synth", "--customers", "40000", "--seed", "3", "-o", "w", "-q"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let mut whole: Vec<RecordBatch> = Vec::new();
    for entry in fs::read_dir(scratch.path("w/history")).unwrap() {
        let file = fs::File::open(entry.unwrap().path()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        whole.extend(reader.map(Result::unwrap));
    }
    // Five files, batch by batch in turn, so that customers' rows are spread over them. Each row is there twice, so that
    // the second look at duplicates has work, and there are enough rows not to fit the smallest limits.
    let names: Vec<String> = (0..5).map(|part| format!("part-{part}.parquet")).collect();
    for (part, name) in names.iter().enumerate() {
        let own: Vec<&RecordBatch> = whole.iter().skip(part).step_by(5).flat_map(|b| [b, b]).collect();
        let batch = arrow_select::concat::concat_batches(&own[0].schema(), own.iter().copied()).unwrap();
        write_parquet(&scratch.path(name), &batch);
    }
    let summarize = |threads: usize, first: usize, limit: Option<u64>| {
        // Rotated, and every second time backwards.
        let mut files: Vec<&str> = (0..5).map(|i| names[(i + first) % 5].as_str()).collect();
        if first % 2 == 1 {
            files.reverse();
        }
        let threads_text = threads.to_string();
        let mut words = vec!["summarize", "-o", "t.parquet", "--threads", &threads_text, "--json"];
        let limit_text = limit.map(|megabytes| format!("{megabytes}MiB"));
        words.extend(limit_text.iter().flat_map(|limit| ["--memory-limit", limit]));
        words.extend(files);
        let ran = scratch.run(&words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        (fs::read(scratch.path("t.parquet")).unwrap(), json["fingerprint"].clone())
    };
    let expected = summarize(1, 0, None);
    for (turn, threads) in [1, 2, 3, 8].into_iter().enumerate() {
        // About the smallest limits with so many threads, in which rows go to disk.
        let least = 48 + 68 * threads as u64;
        for (step, limit) in [None, Some(least), Some(least + 16)].into_iter().enumerate() {
            let got = summarize(threads, turn + step + 1, limit);
            assert!(got == expected, "{threads} threads, limit {limit:?} MiB");
        }
    }
}
