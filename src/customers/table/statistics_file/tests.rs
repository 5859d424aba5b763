//! Statistics of anybody's files: read right, or refused with column and row.

use super::*;
use crate::history::testing::parquet;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_cast::cast;

fn column(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn open_with(columns: Vec<(&str, ArrayRef)>, unit: Option<Unit>) -> Result<StatisticsFile> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), parquet(columns, 1000)).unwrap();
    let (_, path) = file.keep().unwrap();
    StatisticsFile::open(&path, unit)
}

fn three(frequency: [f64; 3], recency: [f64; 3], t: [f64; 3], money: [f64; 3]) -> Result<Statistics> {
    let of = |values: [f64; 3]| column(&values.map(Some));
    let columns = vec![
        ("Frequency", of(frequency)),
        ("recency", of(recency)),
        ("T", of(t)),
        ("monetary_value", of(money)),
    ];
    let file = open_with(columns, Some(Unit::Week))?;
    let read = file.statistics(0..file.stretches());
    std::fs::remove_file(file.path()).unwrap();
    read
}

#[test]
fn weeks_become_whole_days() {
    let got = three([0., 1., 2.], [0., 3.0 / 7.0, 52.0 + 1.0 / 7.0], [0., 5., 60.5], [0., 3., -4.]).unwrap();
    assert_eq!(got.frequency, [0, 1, 2]);
    assert_eq!(got.recency_days, [0., 3., 365.]);
    assert_eq!(got.t_days, [0., 35., 423.5]);
    assert_eq!(got.monetary_value, [0., 3., -4.]);
    assert!(!got.are_whole_days());
}

#[test]
fn what_cannot_be_is_refused_with_its_row() {
    let (x, t_x, t, m) = ([0., 1., 2.], [0., 1., 2.], [5.; 3], [0., 3., 4.]);
    let cases = [
        (three([0., -1., 2.], t_x, t, m), "frequency in row 1", "whole number"),
        (three([0., 1.5, 2.], t_x, t, m), "frequency in row 1", "whole number"),
        (three([0., f64::NAN, 2.], t_x, t, m), "frequency in row 1", "whole number"),
        (three(x, [0., 1., 6.], t, m), "recency in row 2", "above T"),
        (three(x, [1., 1., 2.], t, m), "recency in row 0", "no repeat purchase"),
        (three(x, t_x, [5., -1., 5.], m), "T in row 1", "no number from 0 on"),
        (three(x, t_x, [5., f64::INFINITY, 5.], m), "T in row 1", "no number from 0 on"),
        (three(x, t_x, t, [2., 3., 4.]), "monetary_value in row 0", "no repeat purchase"),
        (three(x, t_x, t, [0., f64::NAN, 4.]), "monetary_value in row 1", "finite"),
    ];
    for (result, place, problem) in cases {
        let error = result.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(place) && text.contains(problem), "{text}");
        assert!(error.hint().is_some(), "{text}");
    }
}

#[test]
fn columns_and_units_are_needed() {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let one = || column(&[Some(1.0)]);
    let missing = open_with(vec![("frequency", one()), ("recency", one())], Some(Unit::Day)).unwrap_err();
    assert!(missing.to_string().contains("no column \"T\""), "{missing}");
    let columns = vec![("frequency", ids), ("recency", one()), ("T", text)];
    let wrong = open_with(columns, Some(Unit::Day)).unwrap_err();
    assert!(wrong.to_string().contains("column \"T\" has type"), "{wrong}");
    let columns = vec![("frequency", one()), ("t", one()), ("recency", one()), ("T", one())];
    let exact = open_with(columns, Some(Unit::Day)).unwrap();
    assert_eq!(exact.places.times, [0, 2, 3]);
    let columns = vec![("Frequency", one()), ("FREQUENCY", one()), ("recency", one()), ("T", one())];
    let two = open_with(columns, Some(Unit::Day)).unwrap_err();
    assert!(two.to_string().contains("Frequency, FREQUENCY"), "{two}");
    // Whatever column it is: two of one name cannot be told apart.
    let columns = vec![("frequency", one()), ("recency", one()), ("T", one()), ("a", one()), ("a", one())];
    let twice = open_with(columns, Some(Unit::Day)).unwrap_err();
    assert!(twice.to_string().contains("several columns could be \"a\": a, a"), "{twice}");
    let ids = || -> ArrayRef { Arc::new(Int64Array::from(vec![1])) };
    let times = || vec![("frequency", one()), ("recency", one()), ("T", one())];
    let id = |names: [&'static str; 2]| {
        let columns = [times(), names.map(|name| (name, ids())).to_vec()].concat();
        open_with(columns, Some(Unit::Day)).unwrap().id_columns(&[])
    };
    assert_eq!(id(["Customer_ID", "customer_id"]).unwrap(), [4]);
    let several = id(["Customer_ID", "CUSTOMER_ID"]).unwrap_err();
    assert!(several.to_string().contains("Customer_ID, CUSTOMER_ID"), "{several}");
    let columns = times();
    let unit = open_with(columns, None).unwrap_err();
    assert!(unit.to_string().contains("in what unit"), "{unit}");
}

#[test]
fn prospects_have_no_statistics_and_get_no_scores() {
    let n = 20;
    let some = |i: usize| (i % 3 != 1).then_some(1.0);
    let values: Vec<Option<f64>> = (0..n).map(some).collect();
    let columns = vec![("frequency", column(&values)), ("recency", column(&values)), ("T", column(&values))];
    let file = open_with(columns, Some(Unit::Day)).unwrap();
    assert!(file.stretches() > 1 && !file.has_money());
    let mut scored = 0;
    for i in 0..file.stretches() {
        let rows = file.read(i, None).unwrap();
        let customers = rows.customers.clone();
        let scores = vec![0.5; rows.statistics.frequency.len()];
        let batch = rows.with_columns(vec![("p_alive", scores)]).unwrap();
        let column = batch.column_by_name("p_alive").unwrap();
        for (row, is_customer) in customers.into_iter().enumerate() {
            assert_eq!(column.is_valid(row), is_customer);
            scored += usize::from(is_customer);
        }
    }
    assert_eq!(scored, values.iter().flatten().count());
    std::fs::remove_file(file.path()).unwrap();
}

/// A file with what it says of itself.
fn described(text: &str) -> PathBuf {
    let one: ArrayRef = column(&[Some(1.0)]);
    let names = ["frequency", "recency", "T"];
    let batch = RecordBatch::try_from_iter(names.map(|name| (name, one.clone()))).unwrap();
    let metadata = [("tiercast:customers".to_string(), text.to_string())].into();
    let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
    let batch = batch.with_schema(Arc::new(schema)).unwrap();
    let (file, path) = tempfile::NamedTempFile::new().unwrap().keep().unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[test]
fn what_was_typed_counts_more_than_the_file_and_that_more_than_settings() {
    let path =
        described(r#"{"version":1,"unit":"week","calibration_end":"1997-09-30","as_of":"1997-09-30"}"#);
    let open = |unit, otherwise| {
        StatisticsFile::open_with(&path, &StatisticsOptions { unit, otherwise, money: None }).unwrap()
    };
    let of_setting = open(None, Some(Unit::Day));
    assert_eq!((of_setting.unit(), of_setting.warnings().len()), (Unit::Week, 0));
    let same = open(Some(Unit::Week), None);
    assert_eq!((same.unit(), same.warnings().len()), (Unit::Week, 0));
    let typed = open(Some(Unit::Day), None);
    assert_eq!(typed.unit(), Unit::Day);
    assert!(typed.warnings()[0].contains("says itself that they are weeks"), "{:?}", typed.warnings());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_a_later_tiercast_says_is_not_taken_for_nothing() {
    for (text, says) in [
        (r#"{"version":2,"units":["week"]}"#, "a later tiercast made it"),
        (r#"{"version":0,"unit":"week","calibration_end":"1997-09-30","as_of":"1997-09-30"}"#, "version 0"),
        (r#"{"version":1,"unit":"month"}"#, "damaged"),
        ("{", "damaged"),
    ] {
        let path = described(text);
        // Not even where the unit is typed: what else is said there cannot be known.
        let error = StatisticsFile::open(&path, Some(Unit::Day)).unwrap_err();
        assert!(error.to_string().contains(says), "{text}: {error}");
        assert!(error.hint().is_some());
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn nan_is_no_money_as_null_is() {
    let (x, t_x, t) = ([0., 1., 2.], [0., 1., 2.], [5.; 3]);
    let got = three(x, t_x, t, [f64::NAN, 3., 4.]).unwrap();
    assert_eq!(got.monetary_value, [0., 3., 4.]);
    let none = three(x, t_x, t, [0., 3., f64::NAN]).unwrap_err().to_string();
    assert!(none.contains("monetary_value in row 2") && none.contains("no finite number"), "{none}");
    // A prospect with money is none.
    let of = |values: [Option<f64>; 2]| column(&values);
    let with = |money: Option<f64>| {
        let some = of([Some(1.0), None]);
        let columns = vec![
            ("frequency", some.clone()),
            ("recency", some.clone()),
            ("T", some),
            ("monetary_value", of([Some(2.0), money])),
        ];
        let file = open_with(columns, Some(Unit::Day)).unwrap();
        let read = file.statistics(0..1);
        std::fs::remove_file(file.path()).unwrap();
        read
    };
    assert_eq!(with(None).unwrap().monetary_value, [2.0]);
    assert_eq!(with(Some(f64::NAN)).unwrap().monetary_value, [2.0]);
    let error = with(Some(0.0)).unwrap_err().to_string();
    assert!(error.contains("monetary_value in row 1") && error.contains("no frequency"), "{error}");
}

#[test]
fn margins_are_means_over_all_order_days() {
    let of = |values: [f64; 2]| column(&values.map(Some));
    let open_money = |money: &str| {
        let columns = vec![
            ("frequency", of([0., 2.])),
            ("recency", of([0., 4.])),
            ("T", of([9., 9.])),
            ("total_spend", of([10., 90.])),
            ("total_cost", of([4., 30.])),
            ("total_margin", of([6., -3.])),
            ("own", of([0., 7.])),
        ];
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), parquet(columns, 1000)).unwrap();
        let options =
            StatisticsOptions { unit: Some(Unit::Day), otherwise: None, money: Some(money.to_string()) };
        let file = StatisticsFile::open_with(file.path(), &options)?;
        file.statistics(0..1).map(|read| (file.money().unwrap().over, read.monetary_value))
    };
    assert_eq!(open_money("total_margin").unwrap(), (OrderDays::All, vec![6., -1.]));
    assert_eq!(open_money("total_cost").unwrap(), (OrderDays::All, vec![6., 20.]));
    assert_eq!(open_money("own").unwrap(), (OrderDays::Repeat, vec![0., 7.]));
    assert!(open_money("total_spend").unwrap_err().to_string().contains("it is a sum"));
    assert!(open_money("none").unwrap_err().to_string().contains("no column \"none\""));
}

/// Columns beside the statistics over several stretches: customers only, names joined, who has no value told by row.
#[test]
fn columns_beside_the_statistics() {
    let n = 20;
    let known = |i: usize| i != 4;
    let values: Vec<Option<f64>> = (0..n).map(|i| known(i).then_some(0.0)).collect();
    let regions: Vec<Option<&str>> =
        (0..n).map(|i| ["south", "north", "east"].get((i * 7 + i / 8) % 4).copied()).collect();
    let numbers: Vec<Option<i64>> = (0..n).map(|i| (i != 18).then_some(i as i64 * 10)).collect();
    let texts = StringArray::from(regions.clone());
    let key = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let columns = vec![
        ("frequency", column(&values)),
        ("recency", column(&values)),
        ("T", column(&values)),
        ("region", cast(&texts, &key).unwrap()),
        ("number", Arc::new(Int64Array::from(numbers))),
    ];
    let file = open_with(columns, Some(Unit::Day)).unwrap();
    let region = file.column("groups", "region").unwrap();
    let number = file.column("groups", "number").unwrap();
    assert!(!region.is_numeric() && number.is_numeric() && file.stretches() > 2);
    assert!(region.check_labels(&file, "groups").is_ok() && number.check_labels(&file, "groups").is_ok());
    let wanted = [(region, true), (number.clone(), false), (number, true)];
    let (statistics, found) = file.statistics_with(&wanted).unwrap();
    assert_eq!(statistics.frequency.len(), n - 1);
    let customers: Vec<usize> = (0..n).filter(|&i| known(i)).collect();
    let FileValues::Labels { names, codes } = &found[0].values else { panic!("{found:?}") };
    for (&i, code) in customers.iter().zip(codes) {
        assert_eq!(code.map(|code| names[code as usize].as_str()), regions[i], "{i}");
    }
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted, ["east", "north", "south"]);
    let gaps: Vec<usize> = customers.iter().copied().filter(|&i| regions[i].is_none()).collect();
    let want = Missing { customers: gaps.len() as u64, first_row: gaps[0] as u64, says: "null" };
    assert_eq!(found[0].missing, Some(want));
    let FileValues::Numbers(values) = &found[1].values else { panic!("{found:?}") };
    assert!(customers.iter().zip(values).all(|(&i, &v)| if i == 18 {
        v.is_nan()
    } else {
        v == i as f64 * 10.0
    }));
    assert_eq!(found[1].missing, Some(Missing { customers: 1, first_row: 18, says: "null or NaN" }));
    let FileValues::Labels { names, .. } = &found[2].values else { panic!("{found:?}") };
    assert!(names.contains(&"190".to_string()));
    let missing = file.column("groups", "Region").unwrap_err();
    assert!(missing.to_string().contains("no column \"Region\" for the groups"), "{missing}");
    let t = file.column("groups", "T").unwrap();
    assert!(t.check_labels(&file, "groups").unwrap_err().to_string().contains("has type Float64"));
    std::fs::remove_file(file.path()).unwrap();
}
