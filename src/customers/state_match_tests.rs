//! Which rows go with a state: ids of several columns, id maps, cohorts, and states of other versions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Float64Array, Int16Array, Int64Array, RecordBatch, StringArray, StringViewArray,
    UInt64Array,
};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;

use crate::calendar::{CalendarPeriod, Day, Unit};
use crate::customers::state_tests::{table, write_state};
use crate::customers::{Reading, read_history};
use crate::error::{Error, Result};
use crate::history::testing::{parquet, source};
use crate::history::{CohortPeriod, HistoryOptions, IdKind, Source, Unmatched};

const WIDE: IdKind = IdKind::Unsigned { bits: 64 };

/// Two rows of two customers on a day.
fn rows(ids: Vec<(&'static str, ArrayRef)>, days: [i32; 2]) -> Source {
    let amounts: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 0.2]));
    let days: ArrayRef = Arc::new(Date32Array::from(days.to_vec()));
    source("shop", parquet([ids, vec![("date", days), ("amount", amounts)]].concat(), 10))
}

fn texts(values: [&str; 2]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: [i64; 2]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn read(sources: &[Source], options: &HistoryOptions) -> Result<Reading> {
    read_history(sources, options, Unit::Week, &())
}

/// A folder with the state of rows.
struct State {
    folder: tempfile::TempDir,
    options: HistoryOptions,
}

impl State {
    fn of(first: &Source, options: &HistoryOptions) -> State {
        let state = State { folder: tempfile::tempdir().unwrap(), options: options.clone() };
        let reading = read(std::slice::from_ref(first), &HistoryOptions { state: true, ..options.clone() });
        write_state(&reading.unwrap(), &state.path());
        state
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.parquet")
    }

    /// Adds rows with the options that the state was made with, changed.
    fn add(&self, second: &Source, change: impl Fn(&mut HistoryOptions)) -> Result<Reading> {
        let mut options = HistoryOptions { append: Some(self.path()), ..self.options.clone() };
        change(&mut options);
        read(std::slice::from_ref(second), &options)
    }

    fn refuses(&self, second: &Source, change: impl Fn(&mut HistoryOptions), says: &str, remedy: &str) {
        let error = self.add(second, change).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains(remedy)), "{:?}", error.hint());
    }
}

/// Rows in two files against the first as a state and the second added to it.
fn same(first: &Source, second: &Source, options: &HistoryOptions) {
    let whole = read(&[first.clone(), second.clone()], options).unwrap();
    let parts = State::of(first, options).add(second, |_| {}).unwrap();
    assert_eq!(parts.fingerprint, whole.fingerprint);
    assert_eq!(parts.cohorts, whole.cohorts);
    assert_eq!(table(parts), table(whole));
}

fn columns(names: &[&str]) -> HistoryOptions {
    HistoryOptions {
        customer: names.iter().map(|name| name.to_string()).collect(),
        ..HistoryOptions::default()
    }
}

#[test]
fn parts_of_ids_go_together_as_in_files() {
    let options = columns(&["store", "number"]);
    let stores = ["north", "south"];
    let narrow: ArrayRef = Arc::new(Int16Array::from(vec![1, -2]));
    let views: ArrayRef = Arc::new(StringViewArray::from(stores.to_vec()));
    let wide: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2]));
    let unsigned =
        |rows: &Source| read(std::slice::from_ref(rows), &options).unwrap().history.id_parts[1].kind == WIDE;
    let kinds = [
        vec![("store", texts(stores)), ("number", numbers([1, -2]))],
        vec![("store", texts(stores)), ("number", narrow)],
        vec![("store", views), ("number", wide)],
    ];
    for first in &kinds {
        for second in &kinds {
            let (first, second) =
                (rows(first.clone(), [20_000, 20_001]), rows(second.clone(), [20_002, 20_002]));
            if unsigned(&first) && !unsigned(&second) {
                // As signed integers the state's ids would have another fingerprint.
                let says = "number (unsigned 64-bit integers), and the new files";
                State::of(&first, &options).refuses(&second, |_| {}, says, "write them with its types");
            } else {
                same(&first, &second, &options);
            }
        }
    }
    let state = State::of(&rows(kinds[0].clone(), [20_000; 2]), &options);
    let later = |ids: Vec<(&'static str, ArrayRef)>| rows(ids, [20_002; 2]);
    let turned = later(vec![("number", numbers([1, 2])), ("store", texts(stores))]);
    let remedy = "--customer store,number";
    state.refuses(
        &turned,
        |options| options.customer.reverse(),
        "ids as the columns store (text), number (64-bit integers), and the new files are read with the columns \
         number (64-bit integers), store (text)",
        remedy,
    );
    let texts_only = later(vec![("store", texts(stores)), ("number", texts(["1", "2"]))]);
    state.refuses(&texts_only, |_| {}, "number (text)", remedy);
    let named = later(vec![("store", texts(stores)), ("client", numbers([1, 2]))]);
    state.refuses(
        &named,
        |options| options.customer[1] = "client".into(),
        "client (64-bit integers)",
        remedy,
    );
    let one = |options: &mut HistoryOptions| options.customer.truncate(1);
    state.refuses(
        &turned,
        |options| *options = HistoryOptions { customer: vec!["number".into()], ..options.clone() },
        "are read with 64-bit integers",
        remedy,
    );
    state.refuses(&turned, one, "are read with text", remedy);
    let single = State::of(&later(vec![("store", texts(stores))]), &columns(&["store"]));
    single.refuses(&turned, |options| options.customer.push("number".into()), "ids as text", "--customer");
}

#[test]
fn integers_beyond_63_bits_meet_no_signed_ones() {
    let wide: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
    let of = |id: &ArrayRef, more: bool, day: i32| {
        let more = more.then(|| ("store", texts(["a", "b"])));
        rows([("number", id.clone())].into_iter().chain(more).collect(), [day; 2])
    };
    for names in [&["number"][..], &["number", "store"]] {
        let (options, more) = (columns(names), names.len() > 1);
        let signed = numbers([1, 2]);
        same(&of(&wide, more, 20_000), &of(&wide, more, 20_001), &options);
        let state = State::of(&of(&wide, more, 20_000), &options);
        let says = if more { "unsigned 64-bit integers" } else { "ids beyond 63 bits" };
        state.refuses(&of(&signed, more, 20_001), |_| {}, says, "type");
        let state = State::of(&of(&signed, more, 20_000), &options);
        let error = state.add(&of(&wide, more, 20_001), |_| {}).unwrap_err();
        assert!(matches!(error, Error::Incompatible { .. }), "{error}");
        assert!(error.to_string().contains("state.parquet"), "{error}");
    }
}

/// An id map in a folder; ids are those of the source "shop".
fn map(folder: &Path, lines: &[(i64, ArrayRef)]) -> PathBuf {
    let path = folder.join("map.parquet");
    let customers: Vec<&dyn arrow_array::Array> = lines.iter().map(|(_, id)| id.as_ref()).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("source", Arc::new(StringArray::from(vec!["shop"; lines.len()]))),
        ("source_id", Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| line.0)))),
        ("customer_id", arrow_select::concat::concat(&customers).unwrap()),
    ];
    std::fs::write(&path, parquet(columns, 10)).unwrap();
    path
}

fn names(lines: &[(i64, &str)]) -> Vec<(i64, ArrayRef)> {
    lines.iter().map(|&(id, name)| (id, Arc::new(StringArray::from(vec![name])) as ArrayRef)).collect()
}

#[test]
fn customers_of_an_id_map_meet_their_like_alone() {
    let folder = tempfile::tempdir().unwrap();
    let id_map = Some(map(folder.path(), &names(&[(1, "anna"), (2, "bert"), (3, "anna")])));
    let day = |ids: [i64; 2], day: i32| rows(vec![("customer_id", numbers(ids))], [day; 2]);
    let [first, second] = [day([1, 99], 20_000), day([3, 99], 20_001)];
    for unmatched in [Unmatched::Aside, Unmatched::Keep] {
        let options = HistoryOptions { id_map: id_map.clone(), unmatched, ..HistoryOptions::default() };
        same(&first, &second, &options);
        let state = State::of(&first, &options);
        let reading = state.add(&second, |_| {}).unwrap();
        let late = "1 rows of the state are set aside because the id map did not have their ids";
        let warned = reading.warnings().iter().any(|warning| warning.contains(late));
        assert_eq!(warned, unmatched == Unmatched::Aside, "{:?}", reading.warnings());
        let unmapped = |options: &mut HistoryOptions| {
            (options.id_map, options.unmatched) = (None, Unmatched::Aside);
        };
        state.refuses(&second, unmapped, "come of an id map", "give the map with --id-map");
        let other = if unmatched == Unmatched::Keep { Unmatched::Aside } else { Unmatched::Keep };
        state.refuses(&second, |options| options.unmatched = other, "with --unmatched", "give --unmatched");
    }
    let state = State::of(&first, &HistoryOptions::default());
    let mapped = |options: &mut HistoryOptions| options.id_map = id_map.clone();
    state.refuses(&second, mapped, "the files' own ids", "leave --id-map out");
    // Customers beyond 63 bits cannot be beside signed ones, and are not looked at when they are looked up.
    let customer = |id: u64| (1, Arc::new(UInt64Array::from(vec![id])) as ArrayRef);
    let signed = map(folder.path(), &[(1, Arc::new(Int64Array::from(vec![7])) as ArrayRef)]);
    let options = HistoryOptions { id_map: Some(signed), ..HistoryOptions::default() };
    let state = State::of(&first, &options);
    map(folder.path(), &[customer(u64::MAX)]);
    state.refuses(&day([1, 1], 20_001), |_| {}, "unsigned 64-bit integers", "the state's ids");
}

#[test]
fn cohorts_go_on_by_their_own_period() {
    use CalendarPeriod::{Month, Quarter};
    let day = |day: [&str; 2]| {
        rows(vec![("customer_id", numbers([1, 2]))], day.map(|day| day.parse::<Day>().unwrap().0))
    };
    let (first, second) = (day(["2023-01-31", "2023-02-01"]), day(["2025-12-31", "2025-11-01"]));
    let auto = HistoryOptions { cohorts: Some(CohortPeriod::Auto), ..HistoryOptions::default() };
    same(&first, &second, &auto);
    let by = |period| move |options: &mut HistoryOptions| options.cohorts = Some(CohortPeriod::By(period));
    let state = State::of(&first, &auto);
    let (says, remedy) =
        ("by month, and the new files are read with cohorts by quarter", "--cohort-period month");
    state.refuses(&second, by(Quarter), says, remedy);
    // From the 37th month on, quarters are the default: the state's months stay, if they are asked for.
    let later = day(["2026-01-01", "2025-12-31"]);
    state.refuses(&later, |_| {}, says, remedy);
    let months = state.add(&later, by(Month)).unwrap().cohorts.unwrap();
    let mut whole = auto.clone();
    by(Month)(&mut whole);
    assert_eq!(months, read(&[first, later.clone()], &whole).unwrap().cohorts.unwrap());
    assert_eq!(months.labels.len(), 37);
    // Without a state to be made and without being asked, nothing is counted.
    assert!(state.add(&later, |options| options.cohorts = None).unwrap().cohorts.is_none());
    let kept = state.add(&later, |options| (options.cohorts, options.state) = (None, true)).unwrap();
    assert_eq!(kept.cohorts, Some(months));
}

#[test]
fn columns_say_what_they_said() {
    let day = |columns: Vec<(&'static str, ArrayRef)>, day: i32| {
        let date: ArrayRef = Arc::new(Date32Array::from(vec![day; 2]));
        source(
            "shop",
            parquet([vec![("customer_id", numbers([1, 2])), ("date", date)], columns].concat(), 10),
        )
    };
    let amounts = |name: &'static str| (name, Arc::new(Float64Array::from(vec![0.5, 2.5])) as ArrayRef);
    let sold = |of: [&str; 2]| vec![amounts("amount"), ("qty", numbers([2, 3])), ("currency", texts(of))];
    let plain = HistoryOptions::default();
    let state = State::of(&day(vec![amounts("amount")], 20_000), &plain);
    let other = day(vec![amounts("net_amount")], 20_001);
    state.refuses(&other, |_| {}, "the amount in \"amount\", and the new files", "--amount");
    // The user knows that it is the same.
    state.add(&other, |options| options.amount = Some("net_amount".into())).unwrap();
    state.add(&day(vec![amounts("Amount")], 20_001), |_| {}).unwrap();
    let counted = |options: &mut HistoryOptions| options.quantity = Some("qty".into());
    state.refuses(&day(sold(["EUR"; 2]), 20_001), counted, "a column of the quantity: no", "option");
    let in_currency = |options: &mut HistoryOptions| options.currency = Some("currency".into());
    state.refuses(&day(sold(["EUR"; 2]), 20_001), in_currency, "a column of the currency: no", "option");
    let mut euros = plain.clone();
    in_currency(&mut euros);
    for only_currency in [None, Some("EUR".to_string())] {
        let mut options = euros.clone();
        options.only_currency = only_currency.clone();
        let first = if only_currency.is_some() { ["EUR", "USD"] } else { ["EUR"; 2] };
        let state = State::of(&day(sold(first), 20_000), &options);
        let dollars = |options: &mut HistoryOptions| options.only_currency = None;
        state.refuses(
            &day(sold(["USD"; 2]), 20_001),
            dollars,
            "amounts in EUR, and the new",
            "--only-currency EUR",
        );
        let chosen = |options: &mut HistoryOptions| options.only_currency = Some("USD".into());
        state.refuses(
            &day(sold(["USD", "EUR"]), 20_001),
            chosen,
            "amounts in EUR, and the new",
            "--only-currency EUR",
        );
        same(&day(sold(first), 20_000), &day(sold(["EUR"; 2]), 20_001), &options);
        let rows =
            state.add(&day(sold(["EUR"; 2]), 20_001), |options| options.state = true).unwrap().state.unwrap();
        assert_eq!(rows.currency.as_deref(), Some("EUR"));
    }
}

#[test]
fn states_of_other_versions_and_none() {
    let first = rows(vec![("customer_id", numbers([1, 2]))], [20_000; 2]);
    let second = rows(vec![("customer_id", numbers([1, 2]))], [20_001; 2]);
    let state = State::of(&first, &HistoryOptions::default());
    let says = |text: &str| {
        let batch = RecordBatch::try_from_iter([("customer_id", numbers([1, 2]))]).unwrap();
        let metadata = HashMap::from([("tiercast.state".to_string(), text.to_string())]);
        let schema = Arc::new(Schema::new_with_metadata(batch.schema().fields().clone(), metadata));
        let file = std::fs::File::create(state.path()).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema.clone(), None).unwrap();
        writer.write(&batch.with_schema(schema).unwrap()).unwrap();
        writer.close().unwrap();
    };
    says(r#"{"version":1,"closed":"2024-10-04"}"#);
    let problem = "an earlier tiercast made it: it is a state of version 1, and this tiercast adds to those of version 2";
    state.refuses(&second, |_| {}, problem, "read the whole history again with --state");
    says(r#"{"version":99}"#);
    state.refuses(
        &second,
        |_| {},
        "a later tiercast made it: it is a state of version 99",
        "use that tiercast",
    );
    for text in ["", "[]", r#"{"version":2}"#] {
        says(text);
        state.refuses(&second, |_| {}, "what it says of itself cannot be read", "summarize --state FILE");
    }
    let holdout =
        HistoryOptions { calibration_end: Some(Day(20_000)), state: true, ..HistoryOptions::default() };
    let error = read(&[first, second], &holdout).unwrap_err();
    assert!(error.to_string().contains("a state has no holdout"), "{error}");
}
