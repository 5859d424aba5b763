//! Quantities, currencies, costs, kept values and composite ids against a slow reading of each row.

use std::sync::Arc;
use std::sync::Mutex;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampSecondArray, UInt64Array,
};
use arrow_cast::cast;
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use proptest::prelude::*;

use crate::amount::AmountKind;
use crate::calendar::Unit;
use crate::customers::{Ids, summarize, to_record_batch};
use crate::error::{Error, Result};
use crate::history::event::{Event, float_of, units_of};
use crate::history::extras::{NO_COST, NO_VALUE};
use crate::history::keys::TextId;
use crate::history::testing::{parquet, parquet_of, source};
use crate::history::{
    Currencies, Extras, History, HistoryOptions, IdKind, KeptColumn, Reason, SetAsideRow, Sink, Source,
    composite,
};
use crate::parallel;

/// A row as it is handed on.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    row: u64,
    id: Vec<u8>,
    amount: u64,
    extras: Vec<u64>,
}

#[derive(Default)]
struct Rows(Vec<Seen>);

impl Rows {
    fn push(&mut self, id: Vec<u8>, event: Event<'_>) {
        let extras = event.extras.to_vec();
        self.0.push(Seen { row: event.when.row(), id, amount: event.amount, extras });
    }
}

impl Sink for Rows {
    fn integer(&mut self, id: u64, event: Event<'_>) {
        self.push(id.to_le_bytes().to_vec(), event);
    }

    fn text(&mut self, id: TextId<'_>, event: Event<'_>) {
        let (id, hash) = (id.bytes, id.hash());
        assert_eq!(hash, crate::history::keys::id_hash(id));
        self.push(id.to_vec(), event);
    }
}

/// A history that was decoded with so many threads.
struct Decoded {
    history: History,
    rows: Vec<Seen>,
    aside: Vec<SetAsideRow>,
    without_cost: u64,
    kept: Vec<KeptColumn>,
}

fn decode(sources: &[Source], options: &HistoryOptions, threads: usize) -> Result<Decoded> {
    let history = History::open(sources, options)?;
    let all = Mutex::new((Vec::new(), Vec::new(), 0, Currencies::default()));
    parallel::with_threads(threads, || {
        parallel::try_map(history.tasks(), |task| {
            // The last first: the result must not depend on it.
            let (task, mut rows) = (history.tasks() - 1 - task, Rows::default());
            let ledger = history.decode(task, options, &(), &mut rows)?;
            assert!(!ledger.too_large);
            let mut all = all.lock().unwrap();
            all.0.extend(rows.0);
            all.1.extend(ledger.set_aside);
            all.2 += ledger.without_cost;
            all.3.add(&ledger.currencies);
            Ok(())
        })
    })??;
    let (mut rows, mut aside, without_cost, currencies) = all.into_inner().unwrap();
    history.check_currencies(&currencies, options)?;
    rows.sort_by_key(|seen: &Seen| seen.row);
    aside.sort_by_key(|row: &SetAsideRow| (row.file, row.row));
    let kept = history.kept().finish()?;
    Ok(Decoded { history, rows, aside, without_cost, kept })
}

impl Decoded {
    /// The amount or cost of a key.
    fn money(key: u64, kind: AmountKind) -> f64 {
        match kind {
            AmountKind::Float => float_of(key),
            AmountKind::Scaled { scale } => AmountKind::scaled_to_f64(units_of(key).into(), scale),
        }
    }

    fn kept_text(&self, seen: &Seen, column: usize) -> Option<String> {
        let code = self.history.extras().code_of(&seen.extras, column);
        let kept = &self.kept[column];
        (code != NO_VALUE)
            .then(|| array_value_to_string(&kept.values, kept.ranks[code as usize] as usize).unwrap())
    }
}

/// What a random row says; money is in quarters, which floats hold exactly.
type Row = (Option<i8>, Option<u8>, i64, Option<i32>, Option<i32>, Option<i32>, [Option<u8>; 2], u8);

fn row() -> impl Strategy<Value = Row> {
    let some = |strategy| proptest::option::weighted(0.9, strategy);
    (
        proptest::option::weighted(0.9, 0i8..4),
        proptest::option::weighted(0.9, 0u8..4),
        -1000i64..1000,
        some(-40..400),
        some(-2..5),
        some(0..100),
        [proptest::option::weighted(0.7, 0u8..5), proptest::option::weighted(0.7, 0u8..9)],
        0u8..8,
    )
}

const TEXTS: [&str; 4] = ["a", "", "b b", "ä longer text than twelve bytes"];

/// The rows as a file, in types that depend on `choice`.
fn file(rows: &[Row], choice: usize) -> RecordBatch {
    let pick = |types: &[DataType], salt: usize| types[(choice / salt + choice) % types.len()].clone();
    let to = |array: ArrayRef, data_type: DataType| cast(&array, &data_type).unwrap();
    let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
    let text_types = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary];
    let int_types = [DataType::Int16, DataType::Int8, DataType::Int64, DataType::UInt32];
    let number_types = [DataType::Float64, DataType::Float32, DataType::Decimal128(20, 2)];
    let quarters = |value: fn(&Row) -> Option<i32>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|r| value(r).map(|v| f64::from(v) / 4.0))))
    };
    let texts = |value: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(StringArray::from_iter(rows.iter().map(value)))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("store", to(Arc::new(Int8Array::from_iter(rows.iter().map(|r| r.0))), pick(&int_types, 3))),
        ("number", to(texts(&|r| r.1.map(|t| TEXTS[t as usize].to_string())), pick(&text_types, 5))),
        ("date", Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|r| r.2 * 1_234_567)))),
        ("price", to(quarters(|r| r.3), pick(&number_types, 7))),
        (
            "pieces",
            to(
                Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.4))),
                pick(&[DataType::Int8, DataType::Float32, DataType::Decimal128(9, 1), DataType::Int64], 11),
            ),
        ),
        ("cost", to(quarters(|r| r.5), pick(&number_types, 13))),
        ("city", to(texts(&|r| r.6[0].map(|v| format!("city {v}"))), pick(&text_types, 17))),
        (
            "level",
            to(
                Arc::new(Int32Array::from_iter(rows.iter().map(|r| r.6[1].map(i32::from)))),
                pick(&int_types, 19),
            ),
        ),
        (
            "currency",
            to(
                texts(&|r| {
                    ["EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "USD"].get(r.7 as usize).map(|c| c.to_string())
                }),
                pick(&text_types, 23),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

fn options() -> HistoryOptions {
    HistoryOptions {
        customer: vec!["store".into(), "number".into()],
        amount: Some("price".into()),
        quantity: Some("pieces".into()),
        currency: Some("currency".into()),
        only_currency: Some("EUR".into()),
        cost: Some("cost".into()),
        keep: vec!["city".into(), "level".into(), "currency".into()],
        ..HistoryOptions::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_as_a_slow_reading_has_it(
        first in proptest::collection::vec(row(), 1..120),
        second in proptest::collection::vec(row(), 1..60),
        choices in (0usize..1000, 0usize..1000),
        group in 1usize..70,
    ) {
        prop_assume!(first.iter().chain(&second).any(|r| r.7 < 6));
        let batches = [file(&first, choices.0), file(&second, choices.1)];
        let sources: Vec<Source> =
            ["a", "b"].iter().zip(&batches).map(|(name, batch)| source(name, parquet_of(batch, group))).collect();
        let decoded = decode(&sources, &options(), 1).unwrap();
        let extras = decoded.history.extras();
        assert_eq!(extras, Extras { order: false, cost: true, keep: 3 });
        let (mut rows, mut aside) = (decoded.rows.iter(), decoded.aside.iter());
        let (mut number, mut without_cost) = (0, 0);
        let values = [&first, &second].into_iter().zip(&batches).enumerate();
        for (f, i, row, batch) in values.flat_map(|(f, (rows, batch))| {
            rows.iter().enumerate().map(move |(i, row)| (f, i, row, batch))
        }) {
            let text = |name: &str| {
                let column = batch.column_by_name(name).unwrap();
                (!column.logical_nulls().is_some_and(|n| n.is_null(i)))
                    .then(|| array_value_to_string(column, i).unwrap())
            };
            let amount = row.3.zip(row.4).map(|(price, pieces)| f64::from(price * pieces) / 4.0);
            let reason = match row {
                (None, ..) | (_, None | Some(1), ..) => Some(Reason::NullCustomer),
                (.., 7) => Some(Reason::NullCurrency),
                (.., 6) => Some(Reason::OtherCurrency),
                (_, _, _, None, ..) => Some(Reason::NullAmount),
                (_, _, _, _, None, ..) => Some(Reason::NullQuantity),
                _ if amount < Some(0.0) => Some(Reason::Refund),
                _ => None,
            };
            if let Some(reason) = reason {
                let found = aside.next().unwrap();
                assert_eq!((found.file as usize, found.row as usize, found.reason), (f, i, reason));
            } else {
                let seen = rows.next().unwrap();
                assert_eq!(seen.row, number);
                let id = composite::text(decoded.history.id_parts(), &seen.id);
                assert_eq!(id, format!("{}/{}", text("store").unwrap(), text("number").unwrap()));
                assert_eq!(Decoded::money(seen.amount, decoded.history.amounts()), amount.unwrap());
                let cost = extras.cost_of(&seen.extras);
                without_cost += u64::from(cost == NO_COST);
                let cost = (cost != NO_COST).then(|| Decoded::money(cost, decoded.history.costs().unwrap()));
                assert_eq!(cost, row.5.map(|cost| f64::from(cost) / 4.0));
                assert_eq!(extras.tick_of(&seen.extras) ^ (1 << 63), (row.2 * 1_234_567_000) as u64);
                assert_eq!(decoded.kept_text(seen, 0), text("city"));
                assert_eq!(decoded.kept_text(seen, 1), text("level"));
            }
            number += 1;
        }
        assert_eq!((rows.next(), aside.next()), (None, None));
        assert_eq!(decoded.without_cost, without_cost);

        // The same with three threads: codes may differ, what they stand for does not.
        let again = decode(&sources, &options(), 3).unwrap();
        for (kept, other) in decoded.kept.iter().zip(&again.kept) {
            assert_eq!((&kept.name, &*kept.values), (&other.name, &*other.values));
            assert_eq!(kept.values.null_count(), 0);
        }
        for (a, b) in decoded.rows.iter().zip(&again.rows) {
            assert_eq!((&a.id, a.amount), (&b.id, b.amount));
            let ranks = |of: &Decoded, seen: &Seen| -> Vec<u32> {
                (0..3).map(|k| of.kept[k].ranks[extras.code_of(&seen.extras, k) as usize]).collect()
            };
            assert_eq!(ranks(&decoded, a), ranks(&again, b));
        }
    }
}

fn base(n: usize) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("customer_id", Arc::new(Int64Array::from_iter_values(0..n as i64)) as ArrayRef),
        ("date", Arc::new(Date32Array::from_iter_values(0..n as i32))),
        ("amount", Arc::new(Float64Array::from_iter_values((0..n).map(|i| i as f64)))),
    ]
}

fn with(n: usize, more: Vec<(&'static str, ArrayRef)>) -> Source {
    let mut columns = base(n);
    columns.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    columns.extend(more);
    source("t", parquet(columns, 2))
}

fn keeping(names: &[&str]) -> HistoryOptions {
    HistoryOptions { keep: names.iter().map(|n| n.to_string()).collect(), ..HistoryOptions::default() }
}

#[test]
fn values_of_every_kind_are_kept_in_their_order() {
    let mut words = StringDictionaryBuilder::<Int32Type>::new();
    for word in [Some("b"), None, Some("a"), Some("b")] {
        words.append_option(word);
    }
    // A dictionary with a value that no row has.
    let spare = DictionaryArray::<Int32Type>::new(
        Int32Array::from(vec![Some(2), Some(0), None, Some(0)]),
        Arc::new(StringArray::from(vec!["x", "unused", "w"])),
    );
    let more: Vec<(&str, ArrayRef)> = vec![
        ("words", Arc::new(words.finish())),
        ("spare", Arc::new(spare)),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]))),
        ("float", Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -1.5]))),
        ("day", Arc::new(Date32Array::from(vec![5, -5, 5, 7]))),
        (
            "exact",
            Arc::new(Decimal128Array::from(vec![500, -20, 500, 7]).with_precision_and_scale(10, 2).unwrap()),
        ),
        ("instant", Arc::new(TimestampSecondArray::from(vec![9, 3, 3, 9]).with_timezone("+00:00"))),
    ];
    let names = ["words", "spare", "flag", "float", "day", "exact", "instant"];
    let decoded = decode(&[with(4, more)], &keeping(&names), 1).unwrap();
    let values = |k: usize| -> Vec<String> {
        let values = &decoded.kept[k].values;
        (0..values.len()).map(|i| array_value_to_string(values, i).unwrap()).collect()
    };
    let expected: [&[&str]; 7] = [
        &["a", "b"],
        &["w", "x"],
        &["false", "true"],
        &["-1.5", "0.0"],
        &["1969-12-27", "1970-01-06", "1970-01-08"],
        &["-0.20", "0.07", "5.00"],
        &["1970-01-01T00:00:03Z", "1970-01-01T00:00:09Z"],
    ];
    for (k, expected) in expected.iter().enumerate() {
        assert_eq!(values(k), *expected, "{}", names[k]);
    }
    let texts =
        |k: usize| -> Vec<Option<String>> { decoded.rows.iter().map(|s| decoded.kept_text(s, k)).collect() };
    let some = |list: [&str; 4]| list.map(|t| (t != "-").then(|| t.to_string())).to_vec();
    assert_eq!(texts(0), some(["b", "-", "a", "b"]));
    assert_eq!(texts(1), some(["w", "x", "-", "x"]));
    assert_eq!(texts(3), some(["0.0", "0.0", "-", "-1.5"]));
}

#[test]
fn kept_types_of_several_files_join_or_clash() {
    let keep = |a: ArrayRef, b: ArrayRef| -> Result<DataType> {
        let kept = decode(&[with(2, vec![("k", a)]), with(2, vec![("k", b)])], &keeping(&["k"]), 2)?.kept;
        Ok(kept[0].values.data_type().clone())
    };
    let ints = || Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef;
    let short: ArrayRef = Arc::new(Int16Array::from(vec![1, 3]));
    assert_eq!(keep(short, ints()).unwrap(), DataType::Int64);
    let texts = || Arc::new(StringArray::from(vec!["a", "b"])) as ArrayRef;
    let coded =
        cast(&texts(), &DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))).unwrap();
    assert_eq!(keep(texts(), coded).unwrap(), DataType::Utf8);
    assert_eq!(keep(texts(), cast(&texts(), &DataType::LargeUtf8).unwrap()).unwrap(), DataType::LargeUtf8);
    let float: ArrayRef = Arc::new(Float32Array::from(vec![1.5, 2.0]));
    assert_eq!(keep(float, base(2)[2].1.clone()).unwrap(), DataType::Float64);
    for clash in
        [texts(), Arc::new(UInt64Array::from(vec![1, 2])), base(2)[2].1.clone(), base(2)[1].1.clone()]
    {
        let name = clash.data_type().to_string();
        assert!(matches!(keep(ints(), clash), Err(Error::Incompatible { .. })), "{name}");
    }
    // An instant that the finer unit cannot hold.
    let far: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1, 1 << 40]));
    let fine =
        cast(&far.slice(0, 1), &DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, None)).unwrap();
    let error =
        decode(&[with(2, vec![("k", far)]), with(1, vec![("k", fine)])], &keeping(&["k"]), 1).err().unwrap();
    assert!(error.to_string().contains("does not fit the type of all files"), "{error}");
}

#[test]
fn a_price_times_a_quantity_is_exact_where_both_are() {
    let spend = |price: ArrayRef, pieces: ArrayRef| {
        let options = HistoryOptions {
            amount: Some("price".into()),
            quantity: Some("qty".into()),
            ..HistoryOptions::default()
        };
        let mut columns = base(price.len());
        columns.truncate(2);
        columns.extend([("price", price), ("qty", pieces)]);
        let summary = summarize(&[source("t", parquet(columns, 2))], &options, Unit::Day, &()).unwrap();
        (summary.history.amounts, summary.table.total_spend, summary.ledger.counts())
    };
    let cents = |values: Vec<i128>, digits, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(digits, scale).unwrap())
    };
    let (kind, sums, _) = spend(cents(vec![10, 330], 9, 2), cents(vec![30, 5], 9, 1));
    assert_eq!((kind, sums), (AmountKind::Scaled { scale: 3 }, vec![0.3, 1.65]));
    let (kind, sums, _) = spend(cents(vec![10, 330], 9, 2), Arc::new(Int8Array::from(vec![3, 100])));
    assert_eq!((kind, sums), (AmountKind::Scaled { scale: 2 }, vec![0.3, 330.0]));
    // Beyond 64 bits, and beyond 128.
    for digits in [15, 30] {
        let large = 10i128.pow(digits);
        let (kind, sums, _) = spend(cents(vec![large, 200], 38, 2), cents(vec![large, 5], 38, 0));
        assert_eq!(kind, AmountKind::Float);
        let product = 10f64.powi(2 * digits as i32 - 2);
        assert!((sums[0] / product - 1.0).abs() < 1e-15 && sums[1] == 10.0, "{sums:?}");
    }
    let pieces: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(2.0), Some(f64::NAN), None, Some(f64::INFINITY)]));
    let (_, sums, counts) = spend(Arc::new(Float64Array::from(vec![1.5; 4])), pieces);
    assert_eq!(sums, [3.0]);
    assert_eq!(counts, [(Reason::NullQuantity, 1), (Reason::NotFiniteAmount, 2)]);
}

#[test]
fn a_mixture_of_currencies_is_noticed_in_the_last_row() {
    let mut codes = vec!["EUR"; 200];
    codes[199] = "USD";
    let history = with(200, vec![("cur", Arc::new(StringArray::from(codes)))]);
    let of = |only: Option<&str>| HistoryOptions {
        currency: Some("cur".into()),
        only_currency: only.map(String::from),
        ..HistoryOptions::default()
    };
    let run = |only| summarize(std::slice::from_ref(&history), &of(only), Unit::Day, &());
    let error = run(None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the currency column \"cur\" cannot be \"EUR, USD\": amounts of different currencies cannot be added: EUR in \
         199 rows, first in row 0 of t; USD in 1 row, first in row 199 of t"
    );
    assert!(error.hint().unwrap().starts_with("choose one, as in --only-currency EUR"));
    let summary = run(Some("USD")).unwrap();
    assert_eq!((summary.ledger.used, summary.ledger.counts()), (1, vec![(Reason::OtherCurrency, 199)]));
    // The days of other currencies' orders say nothing.
    assert_eq!(summary.table.first_order[0], summary.table.window.as_of);
    let error = run(Some("eur")).unwrap_err();
    assert!(error.hint().unwrap().contains("did you mean EUR?"), "{error}");
    let many = StringArray::from_iter_values((0..1000).map(|i| i.to_string()));
    let mut columns = base(1000);
    columns.push(("cur", Arc::new(many)));
    let error = decode(&[source("t", parquet(columns, 1000))], &of(None), 1).err().unwrap();
    assert!(error.to_string().contains("more different texts than there are currencies"), "{error}");
}

#[test]
fn costs_too_large_to_be_exact_become_floats() {
    let large = 10i128.pow(30);
    let cost = Decimal128Array::from(vec![large, 200]).with_precision_and_scale(38, 2).unwrap();
    let options = HistoryOptions { margin: Some("m".into()), ..HistoryOptions::default() };
    let summary = summarize(&[with(2, vec![("m", Arc::new(cost))])], &options, Unit::Day, &()).unwrap();
    assert_eq!(summary.history.costs, Some(AmountKind::Float));
}

#[test]
fn ids_of_several_columns_keep_their_columns() {
    let number = || Arc::new(UInt64Array::from(vec![u64::MAX, 7, 7, 7])) as ArrayRef;
    let more = |store: ArrayRef, number: ArrayRef| vec![("store", store), ("no", number)];
    let store: ArrayRef = Arc::new(StringArray::from(vec!["n", "s", "n", "n"]));
    let options = HistoryOptions { customer: vec!["store".into(), "no".into()], ..HistoryOptions::default() };
    let run = |sources: &[Source]| summarize(sources, &options, Unit::Day, &());
    let summary = run(&[with(4, more(store.clone(), number()))]).unwrap();
    assert_eq!(summary.history.ids, IdKind::Composite);
    let table = summary.table;
    let ids: Vec<String> = (0..3).map(|i| table.ids.text(i)).collect();
    assert_eq!(ids, ["n/7", "n/18446744073709551615", "s/7"]);
    assert_eq!(table.total_spend, [5.0, 0.0, 1.0]);
    assert!(matches!(&table.ids, Ids::Composite { parts, .. } if parts.len() == 2));
    let batch = to_record_batch(&table).unwrap();
    assert_eq!(batch.column(0).as_ref(), &StringArray::from(vec!["n", "n", "s"]));
    assert_eq!(batch.column(1).as_ref(), &UInt64Array::from(vec![7, u64::MAX, 7]));
    let names: Vec<String> = batch.schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names[..3], ["store", "no", "frequency"]);

    // Widths join over files, and what does not fit is an error.
    let short = with(4, more(store.clone(), Arc::new(Int16Array::from(vec![7, 7, -1, 8]))));
    let wide = with(4, more(store.clone(), Arc::new(Int64Array::from(vec![7, 7, 7, 1 << 40]))));
    let joined = run(&[short.clone(), wide]).unwrap().table;
    let batch = to_record_batch(&joined).unwrap();
    assert_eq!(batch.column(1).as_ref(), &Int64Array::from(vec![-1, 7, 8, 1 << 40, 7]));
    assert!(matches!(run(&[short.clone(), with(4, more(store, number()))]), Err(Error::Incompatible { .. })));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["7"; 4]));
    assert!(matches!(run(&[short, with(4, more(texts.clone(), texts))]), Err(Error::Incompatible { .. })));
}

#[test]
fn orders_of_several_files_are_the_same_by_value() {
    let file = |order: ArrayRef, day: i32| {
        let columns = vec![
            ("customer_id", Arc::new(Int64Array::from(vec![1, 1])) as ArrayRef),
            ("date", Arc::new(Date32Array::from(vec![day, day]))),
            ("amount", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
            ("order_id", order),
        ];
        source("t", parquet(columns, 2))
    };
    let orders = |a: ArrayRef, b: ArrayRef| {
        let sources = [file(a, 3), file(b, 3)];
        summarize(&sources, &HistoryOptions::default(), Unit::Day, &()).unwrap().table.orders[0]
    };
    let narrow: ArrayRef = Arc::new(Int8Array::from(vec![5, -1]));
    assert_eq!(orders(narrow, Arc::new(Int64Array::from(vec![5, -1]))), 2);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    let coded =
        cast(&texts, &DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8))).unwrap();
    assert_eq!(orders(texts, coded), 2);
}
