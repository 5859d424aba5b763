//! Tier schemes as documents, over a real history: the columns that `summarize` makes, attributes of every type.

use std::sync::Arc;

use arrow_array::{BooleanArray, Date32Array, Int64Array, StringArray};
use tiercast::calendar::Unit;
use tiercast::customers::{CustomerTable, Values, summarize};
use tiercast::history::{HistoryOptions, Source};
use tiercast::tier::{Columns, SchemeFile, builtin, by_value};

use crate::support::dataset;

/// The 1/10 sample with the last four quarters as columns.
fn sample() -> CustomerTable {
    let options = HistoryOptions { periods: Some("quarter:4".parse().unwrap()), ..HistoryOptions::default() };
    let source = Source::Path(dataset("cdnow/cdnow_sample.parquet"));
    summarize(&[source], &options, Unit::Week, &()).unwrap().table
}

/// How many customers a condition takes.
fn taken(table: &CustomerTable, when: &str) -> u64 {
    let text = format!(
        "scheme = \"x\"\n[[tier]]\nname = \"yes\"\nwhen = \"{when}\"\n[[tier]]\nname = \"no\"\ndefault = true"
    );
    let file = SchemeFile::parse("x", &text).unwrap();
    let columns = Columns::of_table(table);
    file.grade(table, &columns).unwrap_or_else(|error| panic!("{error}")).tiering.tiers[0].customers
}

#[test]
fn documents_grade_a_real_history() {
    let mut table = sample();
    let columns = Columns::of_table(&table);
    for key in ["value", "rfm", "abc", "relation", "frequency", "loyalty", "segments", "life_cycle", "stages"]
    {
        let file = builtin::scheme_file(key).unwrap();
        let graded = file.grade(&table, &columns).unwrap();
        let customers: u64 = graded.tiering.tiers.iter().map(|tier| tier.customers).sum();
        assert_eq!(customers, table.len() as u64, "{key}");
        assert!(!graded.reason(0).sentence.contains('{'), "{key}");
    }
    drop(columns);
    // What is known of all.
    let repeaters = table.frequency.iter().filter(|&&x| x > 0).count() as u64;
    assert_eq!(taken(&table, "gap_mean = rhythm"), repeaters);
    assert_eq!(taken(&table, "gap_mean is null"), table.len() as u64 - repeaters);
    assert_eq!(taken(&table, "periods_sum(orders, 4) > 0"), taken(&table, "last_order >= 1997-07-01"));
    assert_eq!(taken(&table, "periods_sum(spend, 4) <= total_spend + 0.001"), table.len() as u64);
    assert_eq!(taken(&table, "first_order + T_days = calibration_end"), table.len() as u64);
    // Attributes as a customers list has them.
    let n = table.len();
    let texts = (0..n).map(|i| (i % 4 > 0).then_some(["nord", "süd", "ost"][i % 3]));
    table.push("region", Values::Array(Arc::new(texts.collect::<StringArray>())));
    let truths = (0..n).map(|i| (i % 5 > 0).then_some(i % 2 == 0));
    table.push("vip", Values::Array(Arc::new(truths.collect::<BooleanArray>())));
    table.push("born", Values::Array(Arc::new((0..n as i32).map(Some).collect::<Date32Array>())));
    let large = (0..n as i64).map(|i| 9_007_199_254_740_992 + i);
    table.push("account", Values::Array(Arc::new(large.map(Some).collect::<Int64Array>())));
    let count = |of: &dyn Fn(usize) -> bool| (0..n).filter(|&i| of(i)).count() as u64;
    assert_eq!(taken(&table, "region = 'nord'"), count(&|i| i % 4 > 0 && i % 3 == 0));
    assert_eq!(taken(&table, "not (region in ['nord', 'ost'])"), count(&|i| i % 4 > 0 && i % 3 == 1));
    assert_eq!(taken(&table, "vip or vip is null"), count(&|i| i % 5 == 0 || i % 2 == 0));
    assert_eq!(taken(&table, "born < 1970-02-01"), 31);
    assert_eq!(taken(&table, "account <= 9007199254740993"), 2);
    let columns = Columns::of_table(&table);
    let file = by_value::scheme_of_values("region", &columns).unwrap();
    assert_eq!(file.grade(&table, &columns).unwrap().tiering.names(), ["nord", "ost", "süd", "(unknown)"]);
}
