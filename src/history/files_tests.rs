//! Files as they come: folders that name columns, long row groups, every codec, and files that are bad.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array, Int32Array,
    Int64Array, LargeStringArray, RecordBatch, StringArray, TimestampMillisecondArray,
};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::{
    ColumnChunkMetaDataBuilder, FileMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

use crate::calendar::Unit;
use crate::customers::{Summary, summarize};
use crate::error::{Error, Result};
use crate::history::decode::Sink;
use crate::history::event::Event;
use crate::history::keys::TextId;
use crate::history::testing::{parquet, source};
use crate::history::{History, HistoryOptions, Source};

fn run_with(sources: &[Source], options: &HistoryOptions) -> Result<Summary> {
    summarize(sources, options, Unit::Day, &())
}

fn run(sources: &[Source]) -> Result<Summary> {
    run_with(sources, &HistoryOptions::default())
}

fn ids(ids: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(ids.to_vec()))
}

fn dates(days: &[i32]) -> ArrayRef {
    Arc::new(Date32Array::from(days.to_vec()))
}

fn cash(amounts: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(amounts.to_vec()))
}

fn small() -> Bytes {
    parquet(vec![("customer_id", ids(&[1, 2])), ("date", dates(&[10, 11])), ("amount", cash(&[1.0, 2.0]))], 9)
}

fn put(root: &Path, name: &str, data: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, data).unwrap();
}

fn at(path: &Path) -> Source {
    Source::Path(path.to_path_buf())
}

fn written(
    batch: &RecordBatch,
    change: impl Fn(WriterPropertiesBuilder) -> WriterPropertiesBuilder,
) -> Bytes {
    let mut out = Vec::new();
    let properties = change(WriterProperties::builder()).build();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    out.into()
}

#[test]
fn folders_name_columns() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "region=E%20U/month=01/a.parquet", &small());
    put(root, "region=US/month=2/b.parquet", &small());
    put(root, "region=__HIVE_DEFAULT_PARTITION__/month=3/c.parquet", &small());
    let options = HistoryOptions { customer: vec!["region".into()], ..HistoryOptions::default() };
    let summary = run_with(&[at(root)], &options).unwrap();
    assert_eq!((0..2).map(|i| summary.table.ids.text(i)).collect::<Vec<_>>(), ["E U", "US"]);
    assert_eq!((summary.ledger.used, summary.ledger.set_aside.len()), (4, 2), "a null region is no customer");
    let schema = &summary.history.files[0].schema;
    assert_eq!(schema[3..], [("month".into(), "Utf8".into()), ("region".into(), "Utf8".into())]);
    // Found by itself is only what the files hold.
    assert_eq!(run(&[at(root)]).unwrap().history.columns.customer[0].name, "customer_id");
    // Equal rows in folders that say different things are no duplicates.
    assert_eq!(run(&[at(root)]).unwrap().ledger.duplicates, 0);

    // Integers if all are; an order by its folder.
    put(root, "region=E%20U/month=01/a.parquet", &[]);
    fs::remove_file(root.join("region=E%20U/month=01/a.parquet")).unwrap();
    let options = HistoryOptions { order: Some("month".into()), ..HistoryOptions::default() };
    let summary = run_with(&[at(root)], &options).unwrap();
    assert_eq!(summary.history.columns.order.unwrap().type_text, "Int64");
    assert_eq!(summary.table.orders, [2, 2]);

    // A column of the file's own is never replaced.
    put(root, "customer_id=9/d.parquet", &small());
    let ids = run(&[at(&root.join("customer_id=9"))]).unwrap().table.ids;
    assert_eq!((ids.text(0), ids.text(1)), ("1".into(), "2".into()));

    // A role needs its column in every file.
    let options = HistoryOptions { customer: vec!["region".into()], ..HistoryOptions::default() };
    let error = run_with(&[at(root)], &options).unwrap_err().to_string();
    assert!(error.contains("d.parquet: column \"region\" has type Null"), "{error}");
}

/// Rows with duplicates, refunds, nulls and repeated days.
fn mixed(rows: i64) -> RecordBatch {
    let of = |row: i64| row % 1117;
    let id = Int64Array::from_iter((0..rows).map(of).map(|i| (i % 29 != 5).then_some(i * 7 % 31)));
    let date = Date32Array::from_iter_values((0..rows).map(of).map(|i| (i * 13 % 97) as i32));
    let amount = Float64Array::from_iter_values((0..rows).map(of).map(|i| (i * 5 % 23 - 2) as f64));
    let note = StringArray::from_iter_values((0..rows).map(of).map(|i| format!("{}", i % 3)));
    let columns: [(&str, ArrayRef); 4] = [
        ("customer_id", Arc::new(id)),
        ("date", Arc::new(date)),
        ("amount", Arc::new(amount)),
        ("note", Arc::new(note)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap()
}

#[test]
fn pieces_of_a_row_group_change_nothing() {
    // Above the length from which a row group is split in tests, and in small pages, so that pages are passed over.
    let batch = mixed(9_001);
    let pages = |p: WriterPropertiesBuilder| p.set_data_page_row_count_limit(37).set_write_batch_size(16);
    let files = [
        written(&batch, |p| pages(p).set_max_row_group_row_count(Some(50))),
        written(&batch, pages),
        written(&batch, |p| pages(p).set_offset_index_disabled(true)),
        written(&batch, |p| p.set_offset_index_disabled(true)),
    ];
    for drop_duplicates in [false, true] {
        let options = HistoryOptions { drop_duplicates, ..HistoryOptions::default() };
        let all: Vec<Summary> =
            files.iter().map(|file| run_with(&[source("h", file.clone())], &options).unwrap()).collect();
        assert!(all[0].ledger.duplicates > 100 && all[0].ledger.set_aside.len() > 300);
        for other in &all[1..] {
            assert_eq!(other.ledger.set_aside, all[0].ledger.set_aside);
            assert_eq!(other.ledger.duplicates, all[0].ledger.duplicates);
            assert_eq!(other.fingerprint, all[0].fingerprint);
            assert_eq!(other.table.total_spend, all[0].table.total_spend);
        }
    }
    let tasks: Vec<usize> = (files.iter())
        .map(|file| History::open(&[source("h", file.clone())], &HistoryOptions::default()).unwrap().tasks())
        .collect();
    assert_eq!(tasks, [91, 91, 16, 16]);
}

#[test]
fn every_codec() {
    let batch = mixed(500);
    let expected = run(&[source("h", written(&batch, |p| p))]).unwrap().fingerprint;
    for (codec, name) in [
        (Compression::UNCOMPRESSED, "UNCOMPRESSED"),
        (Compression::SNAPPY, "SNAPPY"),
        (Compression::GZIP(GzipLevel::default()), "GZIP"),
        (Compression::BROTLI(BrotliLevel::default()), "BROTLI"),
        (Compression::LZ4, "LZ4"),
        (Compression::LZ4_RAW, "LZ4_RAW"),
        (Compression::ZSTD(ZstdLevel::default()), "ZSTD"),
    ] {
        let summary = run(&[source("h", written(&batch, |p| p.set_compression(codec)))]).unwrap();
        assert_eq!(summary.fingerprint, expected, "{name}");
        assert_eq!(summary.history.files[0].compression, name);
    }
}

#[test]
fn columns_in_another_order_and_of_a_wider_type() {
    let decimal = Decimal128Array::from(vec![150, 200]).with_precision_and_scale(9, 2).unwrap();
    let millis = TimestampMillisecondArray::from(vec![13 * 86_400_000, 14 * 86_400_000 + 5]);
    let integers = [
        parquet(
            vec![("customer_id", ids(&[1, 2])), ("date", dates(&[10, 11])), ("amount", cash(&[1.0, 2.0]))],
            9,
        ),
        parquet(
            vec![
                ("amount", Arc::new(decimal) as ArrayRef),
                ("note", cash(&[0.0, 0.0])),
                ("date", Arc::new(millis)),
                ("customer_id", Arc::new(Int32Array::from(vec![2, 1]))),
            ],
            9,
        ),
        parquet(
            vec![
                ("date", dates(&[20, 21])),
                ("amount", Arc::new(Float32Array::from(vec![0.5, 0.25])) as ArrayRef),
                ("customer_id", ids(&[1, 1])),
            ],
            9,
        ),
    ];
    let sources: Vec<Source> =
        integers.into_iter().enumerate().map(|(i, data)| source(&i.to_string(), data)).collect();
    let table = run(&sources).unwrap().table;
    assert_eq!(table.total_spend, [3.75, 3.5]);
    assert_eq!((table.first_order[1].0, table.last_order[1].0), (11, 13));

    let dictionary: DictionaryArray<Int8Type> = vec!["b", "a"].into_iter().collect();
    let texts: [ArrayRef; 3] = [
        Arc::new(StringArray::from(vec!["a", "b"])),
        Arc::new(LargeStringArray::from(vec!["b", "a"])),
        Arc::new(dictionary),
    ];
    let sources: Vec<Source> = (texts.into_iter().enumerate())
        .map(|(i, id)| {
            let columns =
                vec![("customer_id", id), ("date", dates(&[10, 11])), ("amount", cash(&[1.0, 2.0]))];
            source(&i.to_string(), parquet(columns, 9))
        })
        .collect();
    assert_eq!(run(&sources).unwrap().table.total_spend, [5.0, 4.0]);
}

struct Count(u64);

impl Sink for Count {
    fn integer(&mut self, _: u64, _: Event) {
        self.0 += 1;
    }
    fn text(&mut self, _: TextId, _: Event) {
        self.0 += 1;
    }
}

#[test]
fn a_file_that_changes_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.parquet");
    let options = HistoryOptions::default();
    let batch = mixed(500);
    let whole = written(&batch, |p| p.set_max_row_group_row_count(Some(100)));
    let open = || {
        fs::write(&path, &whole).unwrap();
        History::open(&[at(&path)], &options).unwrap()
    };
    let decode = |history: &History| history.decode(1, &options, &(), &mut Count(0));
    let history = open();
    assert_eq!(decode(&history).unwrap().read, 100);
    // Appended to, replaced by a file of the same length, cut short, written to in place, gone.
    let appended = [&whole[..], b"x"].concat();
    let mut torn = whole.to_vec();
    torn[100..110].fill(0xff);
    for data in [&appended[..], &whole[..whole.len() / 2], &torn[..], &[]] {
        let history = open();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, data).unwrap();
        // Clocks of file systems are coarse; a test is faster than a writer.
        let later = before + std::time::Duration::from_millis(20);
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        let error = decode(&history).unwrap_err();
        assert!(matches!(&error, Error::FileChanged { path: named } if *named == path), "{error}");
        assert_eq!(history.file_at_fault(&error), Some(0));
    }
    let history = open();
    fs::write(folder.path().join("new"), &whole).unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    let error = decode(&history).unwrap_err();
    assert!(error.to_string().ends_with("h.parquet changed while it was read"), "{error}");
    let history = open();
    fs::remove_file(&path).unwrap();
    let error = decode(&history).unwrap_err();
    assert!(matches!(error, Error::NoSuchFile { .. }), "{error}");

    // A changed file is bad, and listed.
    fs::write(folder.path().join("good.parquet"), small()).unwrap();
    fs::write(&path, &whole).unwrap();
    let history = History::open(&[at(folder.path())], &options).unwrap();
    fs::write(&path, &appended).unwrap();
    let bad = history.bad_files(&()).unwrap();
    assert_eq!(bad.iter().map(|(file, _)| *file).collect::<Vec<_>>(), [1]);
    let rest = history.without(bad).unwrap();
    assert_eq!((rest.rows(), rest.inspection().skipped[0].rows), (2, Some(500)));
    assert!(rest.inspection().skipped[0].problem.ends_with("changed while it was read"));
}

/// The file with another footer: `column` changes each column chunk, `rows` the rows of each row group.
fn lying(
    good: &Bytes,
    column: impl Fn(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder,
    rows: impl Fn(i64) -> i64,
) -> Bytes {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(good).unwrap();
    let file = metadata.file_metadata();
    let mut builder = metadata.clone().into_builder();
    for group in builder.take_row_groups() {
        let columns =
            group.columns().iter().map(|c| column(c.clone().into_builder()).build().unwrap()).collect();
        let lie = rows(group.num_rows());
        builder = builder.add_row_group(
            group.into_builder().set_column_metadata(columns).set_num_rows(lie).build().unwrap(),
        );
    }
    let groups = builder.build().row_groups().to_vec();
    let said = FileMetaData::new(
        file.version(),
        file.num_rows(),
        None,
        file.key_value_metadata().cloned(),
        file.schema_descr_ptr(),
        None,
    );
    let lie = parquet::file::metadata::ParquetMetaDataBuilder::new(said).set_row_groups(groups).build();
    let footer = u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap()) as usize;
    let mut out = good[..good.len() - 8 - footer].to_vec();
    ParquetMetaDataWriter::new(&mut out, &lie).finish().unwrap();
    out.into()
}

#[test]
fn footers_that_lie_are_found_out() {
    let good = written(&mixed(80), |p| p.set_offset_index_disabled(true));
    let same = |n: i64| n;
    let honest = lying(&good, |c| c, same);
    assert_eq!(run(&[source("h", honest)]).unwrap().ledger.read, 80);
    let huge = |_: i64| 1i64 << 60;
    let two_billion = |_: i64| i64::from(i32::MAX);
    for (file, said) in [
        (
            lying(&good, |c| c, huge),
            "row group 0: its footer says 1152921504606846976 rows, which no row group has",
        ),
        (lying(&good, |c| c, |_| -1), "row group 0: its footer says -1 rows"),
        (
            lying(&good, |c| c, |_| 81),
            "row group 0: its footer says 80 values of column \"customer_id\", where there are 81",
        ),
        (lying(&good, |c| c.set_num_values(81), |_| 81), "row group 0"),
        (lying(&good, |c| c.set_num_values(79), |_| 79), "row group 0"),
        (lying(&good, |c| c.set_num_values(i64::from(i32::MAX)), two_billion), "row group 0"),
        (
            lying(&good, |c| c.set_total_compressed_size(1 << 60), same),
            "row group 0: its footer places column",
        ),
        (lying(&good, |c| c.set_total_compressed_size(-1), same), "row group 0: its footer places column"),
        (
            lying(&good, |c| c.set_dictionary_page_offset(Some(-9)), same),
            "row group 0: its footer places column",
        ),
        (lying(&good, |c| c.set_dictionary_page_offset(Some(1 << 40)), same), "at byte 1099511627776 with"),
        (
            lying(&good, |c| c.set_data_page_offset(5).set_dictionary_page_offset(Some(6)), same),
            "row group 0",
        ),
        (lying(&good, |c| c.set_total_compressed_size(10), same), "row group 0"),
    ] {
        let error = run(&[source("h", file)]).err().unwrap_or_else(|| panic!("no error: {said}"));
        assert!(matches!(error, Error::NotParquet { .. }), "{error}");
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}

#[test]
fn no_byte_of_a_footer_brings_it_down() {
    let good = written(&mixed(80), |p| p);
    let footer = u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap()) as usize;
    let mut refused = 0;
    for at in good.len() - 8 - footer..good.len() - 4 {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut data = good.to_vec();
            data[at] ^= flip;
            match run(&[source("h", data.into())]) {
                Ok(summary) => assert!(summary.ledger.adds_up()),
                Err(error) => {
                    assert!(error.is_input_fault(), "{at}: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > footer, "{refused} of {}", 4 * footer);
}

#[test]
fn a_footer_of_absurd_sizes_reserves_nothing() {
    let good = written(&mixed(80), |p| p);
    let footer = u32::from_le_bytes(good[good.len() - 8..good.len() - 4].try_into().unwrap()) as usize;
    // The list of row groups follows the number of rows (field 3: 80, zigzag).
    let begin = good.len() - 8 - footer;
    let at = begin + good[begin..].windows(4).position(|w| w == [0x16, 0xa0, 0x01, 0x19]).unwrap() + 4;
    let mut data = good.to_vec();
    data[at..at + 6].copy_from_slice(&[0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]);
    let error = run(&[source("h", data.into())]).unwrap_err().to_string();
    assert_eq!(error, "h is not a readable Parquet file: its footer is damaged");
}

#[test]
fn bad_files_are_set_aside_whole() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let batch = mixed(300);
    let good = written(&batch, |p| p.set_max_row_group_row_count(Some(100)));
    // Damaged in its last row group, when the rows of the others have long been handed on.
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&good).unwrap();
    let begin = metadata.row_group(2).column(0).data_page_offset() as usize;
    let mut torn = good.to_vec();
    torn[begin..begin + 40].fill(0xff);
    for i in 0..60 {
        put(root, &format!("{i:02}.parquet"), &small());
    }
    put(root, "20.parquet", &torn);
    put(root, "30.parquet", &good[..good.len() - 9]);
    put(root, "40.parquet", &torn);
    let error = run(&[at(root)]).unwrap_err().to_string();
    assert!(error.contains("30.parquet"), "what opening tells comes first: {error}");
    fs::write(root.join("30.parquet"), small()).unwrap();
    let error = run(&[at(root)]).unwrap_err().to_string();
    assert!(error.contains("20.parquet is not a readable Parquet file: row group 2: "), "{error}");
    fs::write(root.join("30.parquet"), &good[..good.len() - 9]).unwrap();

    let options = HistoryOptions { skip_bad_files: true, ..HistoryOptions::default() };
    let summary = run_with(&[at(root)], &options).unwrap();
    let ledger = &summary.ledger;
    let skipped: Vec<_> =
        ledger.skipped.iter().map(|file| (file.name.rsplit('/').next().unwrap(), file.rows)).collect();
    assert_eq!(skipped, [("30.parquet", None), ("20.parquet", Some(300)), ("40.parquet", Some(300))]);
    assert!(ledger.skipped[1].problem.contains("row group 2"), "{:?}", ledger.skipped);
    assert_eq!((ledger.read, ledger.used, ledger.files.len()), (114, 114, 57));
    assert_eq!(summary.table.total_spend, [57.0, 114.0]);
    assert_eq!(summary.warnings().iter().filter(|w| w.contains("bad file")).count(), 3);
    // The same as if they had never been there.
    for name in ["20", "30", "40"] {
        fs::remove_file(root.join(format!("{name}.parquet"))).unwrap();
    }
    assert_eq!(run(&[at(root)]).unwrap().fingerprint, summary.fingerprint);

    put(root, "bad/1.parquet", &torn);
    put(root, "bad/2.parquet", &torn);
    put(root, "bad/3.parquet", b"");
    let error = run_with(&[at(&root.join("bad"))], &options).unwrap_err().to_string();
    assert!(error.contains("1.parquet is not a readable Parquet file: row group 2"), "{error}");
    fs::remove_file(root.join("bad/1.parquet")).unwrap();
    fs::remove_file(root.join("bad/2.parquet")).unwrap();
    let error = run_with(&[at(&root.join("bad"))], &options).unwrap_err().to_string();
    assert!(error.contains("3.parquet is not a readable Parquet file: it is empty"), "{error}");
}
