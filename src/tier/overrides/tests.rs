use std::fs;

use proptest::prelude::*;

use super::*;
use crate::history::TextKind;

fn names() -> Vec<String> {
    ["high", "mid", "low"].map(String::from).to_vec()
}

fn ids(count: i64) -> Ids {
    Ids::Signed { values: (0..count).collect(), bits: 64 }
}

fn line(line: u64, customer: &str, tier: &str, until: &str) -> Override {
    Override {
        line,
        scheme: None,
        customer: customer.into(),
        tier: tier.into(),
        who: "Li Na".into(),
        why: "key account".into(),
        until: until.into(),
    }
}

fn applied(lines: Vec<Override>, codes: &[u8], value: Option<&[f64]>) -> Applied {
    let names = names();
    let ids = ids(codes.len() as i64);
    let to = Automatic { scheme: "value", names: &names, ids: &ids, codes, value };
    Overrides { lines }.apply(to, "2024-06-30".parse().unwrap())
}

#[test]
fn every_reason_is_told() {
    let mut unsigned = line(2, "0", "low", "");
    unsigned.why.clear();
    let mut other = line(12, "0", "low", "");
    other.scheme = Some("abc".into());
    let lines = vec![
        unsigned,
        line(3, "0", "high", "soon"),
        line(4, "0", "high", "2024-06-29"),
        line(5, "0", "hihg", ""),
        line(6, "77", "high", ""),
        line(7, "1", "high", "2024-06-30"),
        line(8, "1", "high", ""),
        line(9, "2", "high", ""),
        line(10, "2", "low", ""),
        line(11, "x", "low", ""),
        other,
        line(13, "3", "mid", ""),
    ];
    let found = applied(lines, &[0, 2, 1, 1], Some(&[100.0, 5.0, 40.0, 20.0]));
    assert_eq!(found.effective, [0, 0, 1, 1]);
    assert_eq!(found.by_hand, [(1, 5), (3, 11)]);
    let report = &found.report;
    let counts =
        (report.lines, report.other_schemes, report.heeded, report.changed, report.raised, report.lowered);
    assert_eq!(counts, (11, 1, 2, 1, 1, 0));
    let idle: Vec<(u64, Unheeded)> = report.idle.iter().map(|idle| (idle.line.line, idle.reason)).collect();
    let want = [
        (2, Unheeded::Unsigned),
        (3, Unheeded::BadDate),
        (4, Unheeded::Expired),
        (5, Unheeded::UnknownTier),
        (6, Unheeded::UnknownCustomer),
        (8, Unheeded::Repeated),
        (9, Unheeded::Contradicted),
        (10, Unheeded::Contradicted),
        (11, Unheeded::UnknownCustomer),
    ];
    assert_eq!(idle, want);
    assert_eq!(report.idle[3].nearest.as_deref(), Some("high"));
    assert_eq!(report.idle_by_reason().iter().map(|&(_, n)| n).sum::<u64>(), 9);
    // Customer 1 is worth 5, and who is high by the rules is worth 100.
    assert_eq!(report.value, Some(ValueMoved { customers: 1, own: 5.0, expected: 100.0 }));
}

#[test]
fn texts_are_found_as_they_are_written() {
    let ids = Ids::Text { ends: vec![2, 5], bytes: b"07C07".to_vec(), kind: TextKind::Utf8 };
    let names = names();
    let to = Automatic { scheme: "value", names: &names, ids: &ids, codes: &[2, 2], value: None };
    let overrides = Overrides { lines: vec![line(2, "7", "high", ""), line(3, "07", "mid", "")] };
    let found = overrides.apply(to, Day(0));
    assert_eq!(found.effective, [1, 2]);
    assert_eq!(found.report.idle[0].reason, Unheeded::UnknownCustomer);
    assert_eq!(found.report.value, None);
}

proptest! {
    /// n lines for different customers, each with another tier than the automatic one, change n effective tiers.
    #[test]
    fn n_that_differ_change_n(codes in prop::collection::vec(0u8..3, 1..60), picks in prop::collection::vec((0usize..60, 1u8..3), 0..60)) {
        let mut wanted = std::collections::BTreeMap::new();
        for (at, by) in picks {
            let row = at % codes.len();
            wanted.insert(row, (codes[row] + by) % 3);
        }
        let names = names();
        let lines = wanted.iter().zip(2..).map(|((row, code), at)| line(at, &row.to_string(), &names[usize::from(*code)], ""));
        let found = applied(lines.collect(), &codes, None);
        let changed = found.effective.iter().zip(&codes).filter(|(a, b)| a != b).count();
        prop_assert_eq!(changed, wanted.len());
        prop_assert_eq!(found.report.changed, wanted.len() as u64);
        prop_assert!(found.report.idle.is_empty());
    }
}

#[test]
fn files_are_read_or_refused_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("overrides.csv");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        Overrides::read(&path)
    };
    let found = read("\u{feff}Customer,tier,who,why,until\n7, high ,Li Na,\"big, and growing\",2025-01-31\n8,low,Wu,left,\n").unwrap();
    assert_eq!(found.lines.len(), 2);
    assert_eq!(
        (found.lines[0].line, found.lines[0].why.as_str(), found.lines[0].tier.as_str()),
        (2, "big, and growing", "high")
    );
    assert_eq!(found.lines[1].until, "");
    let error = |text: &str| {
        let error = read(text).unwrap_err();
        (error.to_string(), error.hint().unwrap().to_string())
    };
    let (message, hint) = error("customer_id,teir,who,why\n");
    assert!(
        message.ends_with("overrides.csv, line 1, column \"teir\": there is no such column"),
        "{message}"
    );
    assert!(hint.contains("did you mean \"tier\"?"), "{hint}");
    assert!(error("customer_id,tier,who\n").0.contains("the column \"why\" is missing"));
    assert!(error("id,customer_id,tier,who,why\n").0.contains("a second time"));
    assert!(error("customer_id,tier,who,why\n1,high\n").0.contains("line 2"));
}
