//! Statistics of anybody's files: read right, or refused with column and row.

use super::*;
use crate::history::testing::parquet;
use arrow_array::{Int64Array, StringArray};

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
    assert_eq!(exact.places, [0, 2, 3]);
    let columns = vec![("Frequency", one()), ("FREQUENCY", one()), ("recency", one()), ("T", one())];
    let two = open_with(columns, Some(Unit::Day)).unwrap_err();
    assert!(two.to_string().contains("Frequency, FREQUENCY"), "{two}");
    let columns = vec![("frequency", one()), ("recency", one()), ("T", one())];
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
