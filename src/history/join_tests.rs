//! Id maps: what is found, what is refused, and that a mapped history is the one rewritten by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, StringArray, StringViewArray, UInt64Array,
};
use proptest::prelude::*;

use crate::error::Error;
use crate::history::decode::Sink;
use crate::history::event::{Event, float_of};
use crate::history::id_map::{Found, seed};
use crate::history::keys::{TextId, id_hash};
use crate::history::scan::History;
use crate::history::source_keys::Key;
use crate::history::testing::{parquet, source};
use crate::history::{HistoryOptions, IdMap, Reason, Source, Unmatched};

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn all(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn integers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn write(folder: &Path, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, parquet(columns, 3)).unwrap();
    path
}

fn map(folder: &Path, sources: ArrayRef, ids: ArrayRef, customers: ArrayRef) -> PathBuf {
    write(folder, "map.parquet", vec![("source", sources), ("source_id", ids), ("customer_id", customers)])
}

fn history(ids: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let rows = ids.len() as i32;
    vec![
        ("customer_id", ids),
        ("date", Arc::new(Date32Array::from_iter_values(10_000..10_000 + rows))),
        (
            "amount",
            Arc::new(arrow_array::Float64Array::from_iter_values((0..rows).map(f64::from))) as ArrayRef,
        ),
    ]
}

#[derive(Default)]
struct Rows(Vec<(String, i32, f64)>);

impl Sink for Rows {
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.0.push(((id as i64).to_string(), event.when.day().0, float_of(event.amount)));
    }

    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        let (id, hash) = (id.bytes, id.hash());
        assert_eq!(hash, id_hash(id));
        self.0.push((String::from_utf8(id.to_vec()).unwrap(), event.when.day().0, float_of(event.amount)));
    }
}

type Aside = Vec<(Reason, Option<String>)>;

fn read(sources: &[Source], options: &HistoryOptions) -> (Vec<(String, i32, f64)>, Aside, History) {
    let mut history = History::open(sources, options).unwrap();
    history.begin();
    let (mut rows, mut aside) = (Rows::default(), Vec::new());
    for task in 0..history.tasks() {
        let ledger = history.decode(task, options, &(), &mut rows).unwrap();
        aside.extend(ledger.set_aside.into_iter().map(|row| (row.reason, row.value)));
    }
    (rows.0, aside, history)
}

#[test]
fn lines_are_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let sources =
        [Some("shop"), Some("shop"), Some("erp"), None, Some(" "), Some("shop"), Some("erp"), Some("erp")];
    let ids = [Some("1"), Some("x"), Some("1"), Some("7"), Some("8"), None, Some("2"), Some("2")];
    let customers = [Some(10), Some(11), Some(12), Some(13), Some(14), Some(15), Some(16), Some(17)];
    let customers: ArrayRef = Arc::new(Int32Array::from(customers.to_vec()));
    let path = map(folder.path(), texts(&sources), texts(&ids), customers);
    let map = IdMap::read(&path).unwrap();
    let info = map.info();
    assert_eq!((info.lines, info.null_lines, info.duplicate_lines), (8, 3, 0));
    assert_eq!(info.sources, ["erp", "shop"]);
    let find = |name: &str, id: &str| {
        map.find(map.source(name).unwrap(), Key::of_text(id.as_bytes(), id_hash(id.as_bytes())))
    };
    assert!(matches!(find("shop", "1"), Found::Customer { row: 0, .. }));
    assert!(matches!(find("shop", "x"), Found::Customer { row: 1, .. }));
    assert!(matches!(find("erp", "1"), Found::Customer { row: 2, .. }));
    assert!(matches!(find("erp", "2"), Found::Ambiguous { .. }));
    for (name, id) in [("erp", "x"), ("shop", "2"), ("shop", "01"), ("shop", "7")] {
        assert_eq!(find(name, id), Found::Nothing, "{name} {id}");
    }
    assert_eq!(map.source("Shop"), None);
    assert_ne!(seed("shop"), seed("erp"));
}

#[test]
fn a_line_may_stand_twice_and_other_names_are_known() {
    let folder = tempfile::tempdir().unwrap();
    for (part, ids) in [("a", [1, 2]), ("b", [2, 1])] {
        let columns = vec![
            ("System", all(&["s", "s"])),
            ("External-ID", integers(&ids)),
            ("Master ID", all(&[["p", "q"][ids[0] as usize - 1], ["p", "q"][ids[1] as usize - 1]])),
        ];
        write(folder.path(), &format!("maps/{part}.parquet"), columns);
    }
    let map = IdMap::read(&folder.path().join("maps")).unwrap();
    assert_eq!((map.info().duplicate_lines, map.len()), (2, 2));
    assert_eq!(map.info().columns, ["System", "External-ID", "Master ID"]);
}

#[test]
fn maps_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let column = |name, values| (name, values);
    let cases: [(Vec<(&str, ArrayRef)>, &str); 5] = [
        (
            vec![column("source", all(&["a"])), column("customer_id", all(&["x"]))],
            "it has no column source_id",
        ),
        (
            vec![
                ("source", all(&["a"])),
                ("source_id", all(&["a"])),
                ("customer_id", all(&["x"])),
                ("CustomerID", all(&["x"])),
            ],
            "several columns could be customer_id: customer_id, CustomerID",
        ),
        (
            vec![
                ("source", all(&["a"])),
                ("source_id", Arc::new(arrow_array::Float64Array::from(vec![1.0])) as ArrayRef),
                ("customer_id", all(&["x"])),
            ],
            "column \"source_id\" has type Float64, which cannot be the source_id",
        ),
        (
            vec![("source", all(&["a"])), ("source_id", all(&[" "])), ("customer_id", all(&["x"]))],
            "no line has a source, a source id and a customer id",
        ),
        (vec![("source", all(&[])), ("source_id", all(&[])), ("customer_id", all(&[]))], "it has no line"),
    ];
    for (columns, problem) in cases {
        let path = write(folder, "map.parquet", columns);
        let error = IdMap::read(&path).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    for (name, customers) in [("two/a.parquet", all(&["x"])), ("two/b.parquet", integers(&[1]))] {
        let columns = vec![("source", all(&["a"])), ("source_id", all(&["a"])), ("customer_id", customers)];
        write(folder, name, columns);
    }
    let error = IdMap::read(&folder.join("two")).unwrap_err();
    assert!(matches!(error, Error::Incompatible { role: "customer_id", .. }), "{error}");
}

#[test]
fn files_have_ids_of_their_own_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let path = map(
        folder.path(),
        all(&["shop", "erp", "web", "big", "small"]),
        all(&["-3", "-3", "x", "18446744073709551615", "9"]),
        all(&["A", "B", "A", "C", "D"]),
    );
    let options = HistoryOptions { id_map: Some(path), ..HistoryOptions::default() };
    let dictionary: DictionaryArray<Int8Type> =
        vec![Some("x"), None, Some(" "), Some("y"), Some("x")].into_iter().collect();
    let sources = [
        source("shop.parquet", parquet(history(integers(&[-3])), 5)),
        source("erp.parquet", parquet(history(Arc::new(StringViewArray::from(vec!["-3"]))), 5)),
        source("web.parquet", parquet(history(Arc::new(dictionary)), 5)),
        source("big.parquet", parquet(history(Arc::new(UInt64Array::from(vec![u64::MAX]))), 5)),
        source("small.parquet", parquet(history(Arc::new(arrow_array::UInt8Array::from(vec![9, 8]))), 5)),
    ];
    let (rows, aside, history) = read(&sources, &options);
    let ids: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(ids, ["A", "B", "A", "A", "C", "D"]);
    let text = |text: &str| Some(text.to_string());
    assert_eq!(
        aside,
        [
            (Reason::NullCustomer, None),
            (Reason::NullCustomer, text(" ")),
            (Reason::UnmatchedId, text("web:y")),
            (Reason::UnmatchedId, text("small:8")),
        ]
    );
    let report = history.join_report().unwrap().unwrap();
    let web = &report.sources["web"];
    assert_eq!((web.matched.ids, web.matched.rows, web.unmatched.ids), (1, 2, 1));
    assert!(report.sources["big"].unmatched.rows == 0 && report.warnings().is_empty());
}

#[test]
fn unmatched_ids_are_kept_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = map(folder.path(), all(&["shop", "shop"]), integers(&[1, 2]), all(&["A", "new:7"]));
    let mut options =
        HistoryOptions { id_map: Some(path), unmatched: Unmatched::Keep, ..HistoryOptions::default() };
    let file = |name: &str, ids: &[i64]| source(name, parquet(history(integers(ids)), 5));
    let (rows, aside, history) =
        read(&[file("shop.parquet", &[1, 17, 17]), file("new.parquet", &[1, 2])], &options);
    let ids: Vec<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    assert_eq!((ids, aside.len()), (vec!["A", "shop:17", "shop:17", "new:1", "new:2"], 0));
    let report = history.join_report().unwrap().unwrap();
    let unmatched = |name: &str| (report.sources[name].unmatched.ids, report.sources[name].unmatched.rows);
    assert_eq!((unmatched("shop"), unmatched("new")), ((1, 2), (2, 2)));
    assert!(report.warnings()[0].contains("source \"new\" is not in the id map"));
    // A customer of the map that is called like a kept id.
    let fails = |sources: &[Source], options: &HistoryOptions| -> String {
        let history = History::open(sources, options);
        let decoded = history.and_then(|h| h.decode(0, options, &(), &mut Rows::default()).map(|_| ()));
        decoded.unwrap_err().to_string()
    };
    assert!(
        fails(&[file("new.parquet", &[7])], &options)
            .contains("\"new:7\" would be the id of a kept customer")
    );
    assert!(fails(&[file("a:b.parquet", &[7])], &options).contains("kept ids would be ambiguous"));
    let path = map(folder.path(), all(&["shop"]), integers(&[1]), integers(&[5]));
    options.id_map = Some(path);
    assert!(fails(&[file("shop.parquet", &[1])], &options).contains("are integers"));
}

#[test]
fn unknown_sources_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = map(folder.path(), all(&["shop", "erp"]), integers(&[1, 1]), integers(&[5, 6]));
    let options = HistoryOptions { id_map: Some(path), ..HistoryOptions::default() };
    let file = source("shp.parquet", parquet(history(integers(&[1])), 5));
    let error = History::open(&[file], &options).unwrap_err();
    assert!(error.to_string().starts_with("the source of shp.parquet cannot be \"shp\""), "{error}");
    assert!(error.hint().unwrap().starts_with("did you mean \"shop\"? The map's sources are: shop, erp"));
    let mut columns = history(integers(&[1, 1, 1, 1]));
    columns.push(("system", texts(&[Some("shop"), Some("x"), None, Some("erpp")])));
    let options = HistoryOptions { source: Some("system".into()), ..options };
    let (rows, aside, history) = read(&[source("f", parquet(columns.clone(), 2))], &options);
    assert_eq!((rows.len(), aside[1].0), (1, Reason::NullSource));
    let error = history.join_report().unwrap_err();
    assert!(error.to_string().contains("cannot be \"erpp\""), "{error}");
    assert!(error.to_string().contains("nor has it \"x\" (1 rows)"), "{error}");
    let fails = |options: HistoryOptions| {
        History::open(&[source("f", parquet(columns.clone(), 2))], &options).unwrap_err().to_string()
    };
    let other = HistoryOptions { source: Some("sistem".into()), ..options.clone() };
    assert!(fails(other).contains("no column \"sistem\" for the source"));
    let other = HistoryOptions { source: Some("amount".into()), ..options.clone() };
    assert!(fails(other).contains("cannot be the source"));
    let other = HistoryOptions { id_map: None, ..options.clone() };
    assert!(fails(other).contains("there is no id map"));
    let other = HistoryOptions { unmatched: Unmatched::Keep, ..HistoryOptions::default() };
    assert!(fails(other).contains("there is no id map"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// The rows that a map gives are those of a history whose ids were rewritten by hand, with text and integer ids, and
    /// what is counted is what counting by hand gives.
    #[test]
    fn a_mapped_history_is_the_rewritten_one(
        lines in prop::collection::vec((0usize..3, -3i64..12, 0i64..6), 1..40),
        rows in prop::collection::vec((0usize..3, -4i64..14), 1..80),
        as_text in any::<bool>(), map_text in any::<bool>(), by_text in any::<bool>(),
    ) {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let column = |values: Vec<i64>, text: bool| -> ArrayRef {
            match text {
                true => Arc::new(StringArray::from_iter_values(values.iter().map(i64::to_string))),
                false => integers(&values),
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let mut lines = lines;
        // Every source is in the map.
        lines.extend([(0, 100, 0), (1, 100, 0), (2, 100, 0)]);
        let names: Vec<&str> = lines.iter().map(|line| NAMES[line.0]).collect();
        let path = map(
            folder.path(),
            all(&names),
            column(lines.iter().map(|line| line.1).collect(), map_text),
            column(lines.iter().map(|line| line.2).collect(), by_text),
        );
        let mut meant: BTreeMap<(usize, i64), Vec<i64>> = BTreeMap::new();
        for &(of, id, customer) in &lines {
            let customers = meant.entry((of, id)).or_default();
            if !customers.contains(&customer) {
                customers.push(customer);
            }
        }
        let mut columns = history(column(rows.iter().map(|row| row.1).collect(), as_text));
        let of: Vec<&str> = rows.iter().map(|row| NAMES[row.0]).collect();
        columns.push(("src", all(&of)));
        let options = HistoryOptions { id_map: Some(path), source: Some("src".into()), ..HistoryOptions::default() };
        let (found, aside, opened) = read(&[source("h", parquet(columns, 7))], &options);

        let (mut expected, mut reasons) = (Vec::new(), Vec::new());
        let mut counts = [[0u64; 3]; 3];
        for (i, row) in rows.iter().enumerate() {
            let customers = meant.get(row).map_or(&[][..], Vec::as_slice);
            let what = customers.len().min(2);
            counts[row.0][what] += 1;
            match customers {
                [one] => expected.push((one.to_string(), 10_000 + i as i32, i as f64)),
                [] => reasons.push(Reason::UnmatchedId),
                _ => reasons.push(Reason::AmbiguousId),
            }
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(aside.into_iter().map(|one| one.0).collect::<Vec<_>>(), reasons);
        let report = opened.join_report().unwrap().unwrap();
        for (of, name) in NAMES.iter().enumerate() {
            let Some(found) = report.sources.get(*name) else {
                prop_assert_eq!(counts[of], [0; 3]);
                continue;
            };
            let [unmatched, matched, ambiguous] = counts[of];
            prop_assert_eq!([found.unmatched.rows, found.matched.rows, found.ambiguous.rows], [unmatched, matched, ambiguous]);
            let distinct = |wanted: usize| {
                let mut ids: Vec<i64> = rows.iter().filter(|row| row.0 == of).map(|row| row.1)
                    .filter(|&id| meant.get(&(of, id)).map_or(0, Vec::len).min(2) == wanted).collect();
                ids.sort_unstable();
                ids.dedup();
                ids.len() as u64
            };
            prop_assert_eq!([found.unmatched.ids, found.matched.ids, found.ambiguous.ids], [distinct(0), distinct(1), distinct(2)]);
        }
    }
}
