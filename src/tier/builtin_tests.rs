//! Built-in schemes by customers decided by hand; `by_hand` has those that are also written in Rust.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::customers::testing::{Row, any_rows, table};
use crate::customers::{CustomerTable, Values};
use crate::parallel;
use crate::tier::columns::Loaded;
use crate::tier::rules::{Kind, Measure};
use crate::tier::{Columns, Tiering};

fn tiering(key: &str, table: &CustomerTable) -> Tiering {
    scheme_file(key).unwrap().grade(table, &Columns::of_table(table)).unwrap().tiering
}

/// The names of the tiers of all customers.
fn tiers<'t>(file: &'t SchemeFile, table: &CustomerTable, columns: &Columns) -> Vec<&'t str> {
    let graded = file.grade(table, columns).unwrap();
    for i in 0..table.len() {
        let reason = graded.reason(i);
        assert!(!reason.sentence.is_empty() && reason.tier == graded.tiering.tier(i).name);
    }
    graded.tiering.codes.iter().map(|&code| file.tiers()[usize::from(code)]).collect()
}

/// Customers with ids 0, 1, … by frequency, days since the last order, and spend.
fn customers(rows: &[(u32, u32, f64)]) -> CustomerTable {
    let row = |(id, &(frequency, since, total_spend)): (i64, &(u32, u32, f64))| Row {
        id,
        frequency,
        since,
        total_spend,
        monetary_value: 0.0,
    };
    table(&(0..).zip(rows).map(row).collect::<Vec<_>>())
}

#[test]
fn every_document_is_its_key_and_has_both_languages() {
    for key in keys() {
        let file = scheme_file(key).unwrap();
        assert_eq!(file.key, key);
        assert!(!file.note.is_empty());
        for label in [&file.title].into_iter().chain(file.entries().map(|tier| &tier.label)) {
            let own = key == "vip" && label.zh == "VIP";
            assert!(own || label.zh.chars().any(|c| c as u32 > 0x3000), "{key}: {label:?}");
            assert!(label.en.is_ascii(), "{key}: {label:?}");
        }
    }
    assert!(scheme_file("vlue").unwrap_err().hint().unwrap().starts_with("did you mean \"value\"?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn schemes_that_need_no_more_take_everybody(rows in any_rows(60), by in 1usize..59) {
        let mut turned = rows.clone();
        turned.rotate_left(by % rows.len());
        let (table, turned) = (table(&rows), table(&turned));
        for key in ["value", "rfm", "abc", "frequency", "loyalty", "life_cycle", "segments", "relation"] {
            let graded = tiering(key, &table);
            prop_assert_eq!(graded.codes.len(), table.len());
            prop_assert_eq!(&graded, &tiering(key, &turned));
            prop_assert!(graded.codes.iter().all(|&code| usize::from(code) < graded.tiers.len()));
            prop_assert_eq!(graded.tiers.iter().map(|tier| tier.customers).sum::<u64>(), table.len() as u64);
            let share: f64 = graded.tiers.iter().map(|tier| tier.share_of_customers).sum();
            prop_assert!((share - 1.0).abs() < 1e-12);
            prop_assert!(graded.thresholds.iter().all(|(_, value)| value.is_finite()));
        }
    }
}

#[test]
fn threads_change_nothing() {
    let rows: Vec<(u32, u32, f64)> = (0..70_000u32)
        .map(|i| (i % 11 * (i % 7), i * 7 % 365, f64::from(i * 7919 % 10_007) / 100.0))
        .collect();
    let table = customers(&rows);
    let all =
        || ["value", "abc", "rfm", "segments", "life_cycle", "frequency"].map(|key| tiering(key, &table));
    let one = parallel::with_threads(1, all).unwrap();
    assert_eq!(parallel::with_threads(3, all).unwrap(), one);
}

#[test]
fn nobody_at_all() {
    let table = table(&[]);
    for key in ["value", "abc", "rfm", "frequency", "loyalty", "life_cycle", "segments", "relation"] {
        assert!(tiering(key, &table).tiers.iter().all(|tier| tier.customers == 0), "{key}");
    }
}

#[test]
fn reasons_have_the_customers_values() {
    let table = customers(&[(0, 0, 5.0), (0, 0, 1234.5), (0, 0, 7.0)]);
    let (file, columns) = (scheme_file("value").unwrap(), Columns::of_table(&table));
    let graded = file.grade(&table, &columns).unwrap();
    assert_eq!(graded.reason(1).sentence, "spent 1,234.50, at least 1,234.50");
    assert_eq!(graded.reason(0).sentence, "spent 5.00, below 7.00");
    assert_eq!((graded.reason(0).tier.as_str(), graded.reason(0).rule), ("low", 2));
    let own = SchemeFile::parse("x", "scheme = \"x\"\n[[tier]]\nname = \"a\"\nwhen = \"orders >= 1 and total_spend > 6\"\n[[tier]]\nname = \"b\"\ndefault = true").unwrap();
    let graded = own.grade(&table, &columns).unwrap();
    assert_eq!(
        graded.reason(2).sentence,
        "orders of at least 1, total spend over 6.00 (here: orders 1, total spend 7.00)"
    );
    assert_eq!(graded.reason(0).sentence, "everybody else");
    assert_eq!(graded.tiering.tiers[1].rule, "everybody else");
}

#[test]
fn frequency_by_hand() {
    // Orders a month: 1 (at least a month counts), 4 in 61 days, 10 in 63, 1 in 365, 2 in 61.
    let table = customers(&[(0, 0, 1.0), (3, 40, 1.0), (9, 0, 1.0), (0, 365, 1.0), (1, 54, 1.0)]);
    let (file, columns) = (scheme_file("frequency").unwrap(), Columns::of_table(&table));
    assert_eq!(tiers(&file, &table, &columns), ["mid", "mid", "high", "low", "low"]);
    // Who ties with the customer at the cut belongs to the tier.
    let table = customers(&[(0, 0, 1.0), (0, 5, 1.0), (0, 30, 1.0), (0, 365, 1.0), (0, 365, 1.0)]);
    assert_eq!(tiers(&file, &table, &Columns::of_table(&table)), ["high", "high", "high", "low", "low"]);
}

#[test]
fn loyalty_by_hand() {
    let rows: Vec<(u32, u32, f64)> = (0..5).map(|n| (n, 0, 10.0 * f64::from(n + 1))).collect();
    let mut table = customers(&rows);
    let file = scheme_file("loyalty").unwrap();
    // Shares of return 0, 1/2, 2/3, 3/4 and 4/5; F and M are 1 to 5.
    assert_eq!(tiers(&file, &table, &Columns::of_table(&table)), ["low", "low", "mid", "high", "high"]);
    // Who has probably left is loyal no more; a half is enough.
    table.push("p_alive", Values::Float(vec![1.0, 1.0, 1.0, 0.4, 0.5]));
    assert_eq!(tiers(&file, &table, &Columns::of_table(&table)), ["low", "low", "mid", "low", "high"]);
}

#[test]
fn potential_by_hand() {
    // Ratios 0.1, 5, none, 0.1, 0.001: the better half of four is from 0.1 on; CLV from 50 on.
    let mut table = customers(&[(0, 0, 1000.0), (0, 0, 10.0), (0, 0, 0.0), (0, 0, 50.0), (0, 0, 1000.0)]);
    table.push("clv", Values::Float(vec![100.0, 50.0, 60.0, 5.0, 1.0]));
    let file = scheme_file("potential").unwrap();
    assert_eq!(tiers(&file, &table, &Columns::of_table(&table)), ["high", "high", "high", "mid", "low"]);
}

#[test]
fn lifetime_value_and_vip_by_hand() {
    let mut table = customers(&[(0, 0, 100.0), (0, 0, 50.0), (0, 0, 10.0)]);
    let error =
        scheme_file("clv").unwrap().grade(&table, &Columns::of_table(&table)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("there is no column \"clv\""), "{error}");
    table.push("clv", Values::Float(vec![1.0, 90.0, 2.0]));
    let (clv, vip) = (scheme_file("clv").unwrap(), scheme_file("vip").unwrap());
    assert_eq!(tiers(&clv, &table, &Columns::of_table(&table)), ["low", "high", "mid"]);
    assert_eq!(tiers(&vip, &table, &Columns::of_table(&table)), ["vip", "potential", "ordinary"]);
}

#[test]
fn stages_by_hand() {
    // Days since the only order, spend and orders before and now, and the stage.
    let all = [
        (30, (0.0, 0), (5.0, 1), "new"),
        (200, (9.0, 1), (0.0, 0), "decline"),
        // Exactly 70 % is no decline.
        (200, (100.0, 1), (70.0, 1), "mature"),
        (200, (100.0, 1), (69.99, 1), "decline"),
        (200, (100.0, 2), (130.01, 2), "growth"),
        (200, (100.0, 2), (130.0, 2), "mature"),
        (200, (100.0, 2), (131.0, 1), "mature"),
        (200, (0.0, 0), (10.0, 1), "growth"),
        // The 90th day is still new.
        (90, (0.0, 0), (10.0, 1), "new"),
        (91, (0.0, 0), (10.0, 1), "growth"),
    ];
    let mut table = customers(&all.map(|(since, ..)| (0, since, 1.0)));
    let file = scheme_file("stages").unwrap();
    let error = file.grade(&table, &Columns::of_table(&table)).map(|_| ()).unwrap_err();
    assert!(error.hint().unwrap().contains("--periods quarter:"), "{error}");
    for (i, label) in ["2025_Q3", "2025_Q4", "2026_Q1", "2026_Q2"].into_iter().enumerate() {
        // All of it stands in the first of two periods.
        let pick = |before: f64, now: f64| [before, 0.0, now, 0.0][i];
        let spend = all.iter().map(|(_, before, now, _)| pick(before.0, now.0)).collect();
        let orders =
            all.iter().map(|(_, before, now, _)| pick(before.1.into(), now.1.into()) as u32).collect();
        table.push(&format!("spend_{label}"), Values::Float(spend));
        table.push(&format!("orders_{label}"), Values::Count(orders));
    }
    assert_eq!(tiers(&file, &table, &Columns::of_table(&table)), all.map(|(.., stage)| stage));
}

#[test]
fn life_cycle_by_hand() {
    // Every gap is 7 days, and so is the median for those who came once.
    let all = [
        ((0, 0), "new"),
        ((2, 14), "new"),
        ((2, 15), "dormant"),
        ((20, 14), "active"),
        ((20, 15), "dormant"),
        ((20, 35), "dormant"),
        ((20, 36), "lost"),
        ((0, 95), "lost"),
        ((0, 10), "new"),
    ];
    let table = customers(&all.map(|((frequency, since), _)| (frequency, since, 1.0)));
    let file = scheme_file("life_cycle").unwrap();
    let mut columns = Columns::of_table(&table);
    assert_eq!(tiers(&file, &table, &columns), all.map(|(_, stage)| stage));
    // Nobody ever returned: three months are the gap.
    let once = customers(&[(0, 182, 1.0), (0, 183, 1.0), (0, 457, 1.0), (0, 30, 1.0)]);
    assert_eq!(tiers(&file, &once, &Columns::of_table(&once)), ["active", "dormant", "lost", "new"]);
    // Those of a customers list who never ordered have no figures.
    let mut orders = vec![1.0; all.len()];
    (orders[3], orders[4]) = (f64::NAN, 0.0);
    columns.push("orders", Kind::Number(Measure::Orders), Loaded::Numbers(Cow::Owned(orders)));
    assert_eq!(tiers(&file, &table, &columns)[3..5], ["prospect", "prospect"]);
}

#[test]
fn segments_take_each_code_once() {
    let codes: Vec<[u32; 3]> = (0..125).map(|i| [i / 25 + 1, i / 5 % 5 + 1, i % 5 + 1]).collect();
    let table = customers(&vec![(0, 0, 0.0); 125]);
    let mut columns = Columns::of_table(&table);
    // Each value is a fifth of the customers, so that it is its own score.
    let column = |of: &dyn Fn(&[u32; 3]) -> f64| Loaded::Numbers(Cow::Owned(codes.iter().map(of).collect()));
    columns.push("days_since_last", Kind::Number(Measure::Days), column(&|code| f64::from(9 - code[0])));
    columns.push("orders", Kind::Number(Measure::Orders), column(&|code| f64::from(code[1])));
    columns.push("total_spend", Kind::Number(Measure::Money), column(&|code| f64::from(10 * code[2])));
    let by_hand = |&[r, f, m]: &[u32; 3]| match (r, f + m) {
        (4 | 5, 8..) => "champions",
        (3, 7..) | (4 | 5, 7) => "loyal",
        (4 | 5, 4..) => "potential_loyalists",
        (5, _) => "new",
        (4, _) => "promising",
        (3, 5..) => "need_attention",
        (3, _) => "about_to_sleep",
        (1, 8..) => "cannot_lose",
        (_, 6..) => "at_risk",
        (2, _) => "hibernating",
        _ => "lost",
    };
    let file = scheme_file("segments").unwrap();
    assert_eq!(tiers(&file, &table, &columns), codes.iter().map(by_hand).collect::<Vec<_>>());
    let graded = file.grade(&table, &columns).unwrap();
    let sizes: Vec<u64> = graded.tiering.tiers.iter().map(|tier| tier.customers).collect();
    assert_eq!(sizes, [12, 18, 24, 3, 3, 9, 6, 6, 24, 10, 10]);
}

/// Margin and spend differ: who spends most leaves little. Equals stay together, and nothing left is low.
#[test]
fn profit_by_hand() {
    let spend = [1000.0, 50.0, 40.0, 30.0, 20.0, 10.0];
    let margin = [-5.0, 20.0, 20.0, 9.0, 3.0, f64::NAN];
    let rows: Vec<(u32, u32, f64)> = spend.iter().map(|&spend| (0, 0, spend)).collect();
    let table = customers(&rows);
    let mut columns = Columns::of_table(&table);
    let money = Kind::Number(Measure::Money);
    columns.push("total_margin", money, Loaded::Numbers(Cow::Borrowed(&margin)));
    let file = scheme_file("profit").unwrap();
    // Of five with a margin the best at rank 1 has 20, and two have it; rank 3 has 9.
    assert_eq!(tiers(&file, &table, &columns), ["low", "high", "high", "mid", "low", "low"]);
    assert_eq!(tiering("value", &table).tier(0).name, "high");
    // Where nobody leaves anything, nobody is high.
    let nothing = vec![0.0, -1.0, 0.0, -2.0, 0.0, 0.0];
    columns.push("total_margin", money, Loaded::Numbers(Cow::Owned(nothing)));
    assert_eq!(tiers(&file, &table, &columns), ["low"; 6]);
    let error = file.ready(&Columns::of_table(&table)).unwrap_err().to_string();
    assert!(error.contains("there is no column \"total_margin\""), "{error}");
}

#[test]
fn accounts_by_hand() {
    // Margin, cost to serve, days since the last order (the gap is 7 days), and the colour.
    let all = [
        (1000.0, 100.0, 14, "blue"),
        // Half of the margin is simple to serve, more is not.
        (500.0, 250.0, 14, "green"),
        (500.0, 251.0, 14, "red"),
        // Among the best, but more than two gaps away.
        (500.0, 10.0, 15, "red"),
        (100.0, 100.0, 14, "transfer"),
        (0.0, 5.0, 14, "exit"),
        (-5.0, f64::NAN, 14, "exit"),
        (50.0, f64::NAN, 14, "red"),
    ];
    let mut table = customers(&all.map(|(_, _, since, _)| (20, since, 1.0)));
    table.push("total_margin", Values::Float(all.map(|(margin, ..)| margin).to_vec()));
    table.push("cost_to_serve", Values::Float(all.map(|(_, cost, ..)| cost).to_vec()));
    let file = scheme_file("accounts").unwrap();
    assert_eq!(tiers(&file, &table, &Columns::of_table(&table)), all.map(|(.., colour)| colour));
}

#[test]
fn relation_by_hand() {
    // Days since the first order, order days after it, mean days between them, and the relation.
    let all = [
        (0, 0, f64::NAN, "short_shallow"),
        // A year is 365.25 days.
        (365, 2, 10.0, "short_shallow"),
        (365, 3, 100.0, "short_deep"),
        (366, 3, 100.0, "long_deep"),
        (366, 2, 100.0, "long_shallow"),
        (2000, 0, f64::NAN, "long_shallow"),
        // Half a year is 182.625 days.
        (2000, 3, 182.0, "long_deep"),
        (2000, 3, 183.0, "long_shallow"),
        (2000, 90, 20.0, "long_deep"),
    ];
    let table = customers(&all.map(|_| (0, 0, 1.0)));
    let mut columns = Columns::of_table(&table);
    for (name, kind, values) in [
        ("T_days", Kind::Number(Measure::Days), all.map(|(t, ..)| f64::from(t))),
        ("frequency", Kind::Number(Measure::Orders), all.map(|(_, x, ..)| f64::from(x))),
        ("rhythm", Kind::Number(Measure::Days), all.map(|(_, _, rhythm, _)| rhythm)),
    ] {
        columns.push(name, kind, Loaded::Numbers(Cow::Owned(values.to_vec())));
    }
    let file = scheme_file("relation").unwrap();
    assert_eq!(tiers(&file, &table, &columns), all.map(|(.., relation)| relation));
    let graded = file.grade(&table, &columns).unwrap();
    assert_eq!(
        graded.reason(0).sentence,
        "first order 0 days before the end of calibration; returned on 0 days"
    );
}

#[test]
fn satisfaction_by_hand() {
    let all = [
        (5.0, "satisfied"),
        (4.0, "satisfied"),
        (3.99, "neutral"),
        (3.0, "neutral"),
        (2.01, "neutral"),
        (2.0, "dissatisfied"),
        (1.0, "dissatisfied"),
        (f64::NAN, "unknown"),
        // Of another scale, or a code for no answer.
        (0.0, "unknown"),
        (9.0, "unknown"),
        (-1.0, "unknown"),
    ];
    let mut table = customers(&all.map(|_| (0, 0, 1.0)));
    let file = scheme_file("satisfaction").unwrap();
    let error = file.grade(&table, &Columns::of_table(&table)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("there is no column \"satisfaction\""), "{error}");
    table.push("satisfaction", Values::Float(all.map(|(answer, _)| answer).to_vec()));
    let columns = Columns::of_table(&table);
    assert_eq!(tiers(&file, &table, &columns), all.map(|(_, tier)| tier));
    let graded = file.grade(&table, &columns).unwrap();
    assert_eq!(graded.reason(0).sentence, "answered 5 of 5");
    assert_eq!(graded.reason(7).sentence, "no answer");
    assert_eq!(graded.reason(9).sentence, "the answer 9 is not from 1 to 5");
}
