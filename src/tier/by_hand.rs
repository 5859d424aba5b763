//! Value, ABC and the four RFM tiers written in Rust, without the rule language: what their documents are held against.

use proptest::prelude::*;

use super::{Columns, Tiering, Totals, builtin};
use crate::customers::CustomerTable;
use crate::customers::rfm::{Rfm, Thresholds, scores};
use crate::customers::spend::{ascending, graded_spend, millionths, threshold};
use crate::customers::testing::{Row, any_rows, spending, table};

/// The tiering of a scheme by its key, as its document has to give it.
fn by_hand(key: &str, table: &CustomerTable) -> Tiering {
    match key {
        "value" => value(table),
        "abc" => abc(table),
        "rfm" => rfm(table),
        other => panic!("{other} is not written by hand"),
    }
}

fn totals(key: &str, title: &str, names: &[&str]) -> Totals {
    let (key, names) = (key.to_string(), names.iter().map(|name| name.to_string()).collect());
    Totals { column_name: format!("tier_{key}"), key, title: title.into(), names }
}

/// The customer at rank ⌈0.2·n⌉ from the top sets the threshold of `high`, the one at ⌈0.5·n⌉ that of `mid`.
fn value(table: &CustomerTable) -> Tiering {
    let (spend, names) = (graded_spend(table), ["high", "mid", "low"]);
    let limits = by_rank(&spend, &[20, 50]);
    let words = words("total spend", &limits);
    let totals = totals("value", "Value by total spend", &names);
    totals.count(&table.total_spend, words, named(&names, &limits), codes(&spend, &limits))
}

/// A group of equals is A where those above it make less than 70 % of spend, B where less than 90 %.
fn abc(table: &CustomerTable) -> Tiering {
    let (spend, names) = (graded_spend(table), ["A", "B", "C"]);
    let limits = by_share(&spend, &[70, 90]);
    let lead = ["the biggest spenders, up to 70 % of spend", "the next, up to 90 %", "the rest"];
    let words = lead.iter().zip(words("total spend", &limits));
    let words = words.map(|(lead, words)| format!("{lead}: {words}")).collect();
    let totals = totals("abc", "ABC by cumulative share of spend", &names);
    totals.count(&table.total_spend, words, named(&names, &limits), codes(&spend, &limits))
}

/// For each of `percents` (ascending) the value at rank ⌈percent·n/100⌉ from the top. None where there is no customer.
pub(super) fn by_rank(values: &[f64], percents: &[u64]) -> Vec<Option<f64>> {
    let sorted = ascending(values.to_vec());
    let n = sorted.len();
    let at = |percent: u64| (percent * n as u64).div_ceil(100) as usize;
    percents.iter().map(|&percent| (n > 0).then(|| sorted[n - at(percent).max(1)])).collect()
}

/// For each of `percents` (ascending) the smallest value of the customers who, the biggest first, make so many percent of
/// the sum. Negative values count as 0. None where there is nothing to share.
pub(super) fn by_share(values: &[f64], percents: &[u64]) -> Vec<Option<f64>> {
    let sorted = ascending(values.iter().map(|value| value.max(0.0)).collect());
    // Whole millionths add exactly: whether a share is 70 % does not depend on rounding.
    let total: i128 = sorted.iter().map(|&value| millionths(value)).sum();
    let mut out = vec![None; percents.len()];
    if total == 0 {
        return out;
    }
    let mut before = 0i128;
    for group in sorted.chunk_by(|a, b| a == b).rev() {
        // `out` is the last group whose share before it was small enough.
        for (slot, &percent) in out.iter_mut().zip(percents) {
            if before * 100 < total * i128::from(percent) {
                *slot = Some(group[0]);
            }
        }
        before += millionths(group[0]) * group.len() as i128;
    }
    out
}

/// The tier of every customer: the first whose threshold the value reaches, else the one after the last.
fn codes(values: &[f64], thresholds: &[Option<f64>]) -> Vec<u8> {
    let reached = |value: f64| thresholds.iter().position(|limit| limit.is_some_and(|limit| value >= limit));
    values.iter().map(|&value| reached(value).unwrap_or(thresholds.len()) as u8).collect()
}

/// Who is in each of the tiers between the thresholds, in words: one tier more than there are thresholds.
fn words(what: &str, thresholds: &[Option<f64>]) -> Vec<String> {
    let bound = |at: Option<usize>| at.and_then(|at| thresholds.get(at)).copied().flatten();
    (0..=thresholds.len())
        .map(|tier| match (bound(tier.checked_sub(1)), bound(Some(tier))) {
            (Some(above), Some(limit)) if limit >= above => {
                "nobody: the tier above already has everyone who would be here".into()
            }
            (Some(above), Some(limit)) => {
                format!("{what} of at least {} and below {}", threshold(limit), threshold(above))
            }
            (None, Some(limit)) => format!("{what} of at least {}", threshold(limit)),
            (Some(above), None) => format!("{what} below {}", threshold(above)),
            (None, None) if tier == thresholds.len() => format!("any {what}"),
            (None, None) => "nobody: there is nothing to share".into(),
        })
        .collect()
}

/// The thresholds that exist, with the names of the tiers that they open.
fn named(names: &[&str], thresholds: &[Option<f64>]) -> Vec<(String, f64)> {
    names.iter().zip(thresholds).filter_map(|(name, limit)| Some((name.to_string(), (*limit)?))).collect()
}

const NAMES: [&str; 4] = ["high_value", "potential", "ordinary", "lost"];
const HIGH: u8 = 0;
const POTENTIAL: u8 = 1;
const ORDINARY: u8 = 2;
const LOST: u8 = 3;

/// A rule: the lowest and highest R, F and M score with which it matches.
struct Rule {
    tier: u8,
    scores: [(u8, u8); 3],
    /// Why, for the rule's words.
    why: &'static str,
}

/// Any score.
const ANY: (u8, u8) = (1, 5);

/// The rules in order; the first that matches decides. The last one matches everybody.
const RULES: [Rule; 7] = [
    Rule { tier: HIGH, scores: [(3, 5), (4, 5), (4, 5)], why: "not long absent, frequent and spending much" },
    Rule {
        tier: POTENTIAL,
        scores: [(3, 5), ANY, (3, 5)],
        why: "not high value, but not long absent and spending fairly",
    },
    Rule {
        tier: POTENTIAL,
        scores: [(3, 5), (3, 5), ANY],
        why: "not high value, but not long absent and fairly frequent",
    },
    Rule {
        tier: POTENTIAL,
        scores: [(2, 2), (4, 5), (4, 5)],
        why: "slipping away, but frequent and spending much",
    },
    Rule { tier: LOST, scores: [(1, 1), ANY, ANY], why: "absent for longest" },
    Rule {
        tier: LOST,
        scores: [(2, 2), (1, 2), (1, 2)],
        why: "long absent, with few orders and little spend",
    },
    Rule { tier: ORDINARY, scores: [ANY, ANY, ANY], why: "everybody else" },
];

/// The four tiers from the scores that `customers::rfm` gives.
fn rfm(table: &CustomerTable) -> Tiering {
    let rfm = scores(table);
    let codes = (0..table.len()).map(|i| tier_of(rfm.r[i], rfm.f[i], rfm.m[i])).collect();
    let words = (0..NAMES.len() as u8).map(|tier| rules_in_words(tier, &rfm)).collect();
    let totals = totals("rfm", "RFM: high value, potential, ordinary, lost", &NAMES);
    totals.count(&table.total_spend, words, cuts(&rfm), codes)
}

/// The tier of a customer with those scores, 1 to 5 each.
fn tier_of(r: u8, f: u8, m: u8) -> u8 {
    let matches = |rule: &&Rule| {
        rule.scores.iter().zip([r, f, m]).all(|(&(low, high), score)| (low..=high).contains(&score))
    };
    RULES.iter().find(matches).map_or(ORDINARY, |rule| rule.tier)
}

fn rules_in_words(tier: u8, rfm: &Rfm) -> String {
    let rules: Vec<String> =
        RULES.iter().filter(|rule| rule.tier == tier).map(|rule| rule.words(rfm)).collect();
    rules.join("; or ")
}

impl Rule {
    fn words(&self, rfm: &Rfm) -> String {
        let conditions: Vec<String> = [&rfm.recency, &rfm.frequency, &rfm.monetary]
            .into_iter()
            .zip(self.scores)
            .filter(|&(_, scores)| scores != ANY)
            .map(|(thresholds, scores)| condition(thresholds, scores))
            .collect();
        if conditions.is_empty() {
            self.why.into()
        } else {
            format!("{}: {}", self.why, conditions.join(", "))
        }
    }
}

fn condition(thresholds: &Thresholds, (low, high): (u8, u8)) -> String {
    let letter = thresholds.measure.letter();
    let range = if low == high { format!("{letter} {low}") } else { format!("{letter} {low}–{high}") };
    format!("{} ({range})", thresholds.phrase(low, high))
}

/// The cuts behind the scores, named by the score that they open.
fn cuts(rfm: &Rfm) -> Vec<(String, f64)> {
    let cuts = |thresholds: &Thresholds| {
        let letter = thresholds.measure.letter();
        let named = (2..).zip(thresholds.cuts).map(|(score, cut)| (format!("{letter} {score}"), cut));
        named.collect::<Vec<_>>()
    };
    [&rfm.recency, &rfm.frequency, &rfm.monetary].into_iter().flat_map(cuts).collect()
}

#[test]
fn each_of_the_125_codes_has_one_tier() {
    // The tiers written down once more, as one would decide them from a list.
    let by_list = |r: u8, f: u8, m: u8| match r {
        1 => "lost",
        2 if f >= 4 && m >= 4 => "potential",
        2 if f <= 2 && m <= 2 => "lost",
        2 => "ordinary",
        _ if f >= 4 && m >= 4 => "high_value",
        _ if f >= 3 || m >= 3 => "potential",
        _ => "ordinary",
    };
    let mut sizes = [0; 4];
    for code in 0..125u8 {
        let (r, f, m) = (code / 25 + 1, code / 5 % 5 + 1, code % 5 + 1);
        let tier = tier_of(r, f, m);
        sizes[usize::from(tier)] += 1;
        assert_eq!(NAMES[usize::from(tier)], by_list(r, f, m), "{r}{f}{m}");
        // A higher score is never a worse tier.
        assert!(r == 5 || tier_of(r + 1, f, m) <= tier);
        assert!(f == 5 || tier_of(r, f + 1, m) <= tier);
        assert!(m == 5 || tier_of(r, f, m + 1) <= tier);
    }
    assert_eq!(sizes, [12, 55, 29, 29]);
}

#[test]
fn ranks_and_shares_are_exact_at_the_cut() {
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    assert_eq!(by_rank(&values, &[20, 50]), [Some(9.0), Some(6.0)]);
    // 11 customers: ranks 3 and 6.
    let values: Vec<f64> = (1..=11).map(f64::from).collect();
    assert_eq!(by_rank(&values, &[20, 50]), [Some(9.0), Some(6.0)]);
    assert_eq!(by_rank(&[], &[20]), [None]);
    // After 70 the share is 70 % and no longer below it; after 70 + 20 it is 90 %.
    assert_eq!(by_share(&[10.0, 70.0, 20.0], &[70, 90]), [Some(70.0), Some(20.0)]);
    // 0.7, 0.2, 0.1 add up to 1 as millionths, though not as floating point.
    assert_eq!(by_share(&[0.1, 0.7, 0.2], &[70, 90]), [Some(0.7), Some(0.2)]);
    // Before the group of 30s there are 40 %: all of them come along.
    assert_eq!(by_share(&[30.0, 40.0, 30.0, 0.0, -9.0], &[70, 90]), [Some(30.0), Some(30.0)]);
    assert_eq!(by_share(&[0.0, -1.0], &[70, 90]), [None, None]);
}

/// What the document of a scheme gives.
fn by_rules(key: &str, table: &CustomerTable) -> Tiering {
    builtin::scheme_file(key).unwrap().grade(table, &Columns::of_table(table)).unwrap().tiering
}

/// By the document, after it is held against what is written here.
fn graded(key: &str, table: &CustomerTable) -> Tiering {
    let tiering = by_rules(key, table);
    assert_eq!(tiering, by_hand(key, table));
    tiering
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Codes, thresholds, words, counts and shares are the same.
    #[test]
    fn schemes_by_rules_are_those_by_hand(rows in any_rows(80)) {
        let table = table(&rows);
        for key in ["value", "rfm", "abc"] {
            prop_assert_eq!(by_rules(key, &table), by_hand(key, &table));
        }
        for (i, a) in table.total_spend.iter().enumerate() {
            for (j, b) in table.total_spend.iter().enumerate() {
                for tiering in [value(&table), abc(&table)] {
                    prop_assert!(a < b || tiering.codes[i] <= tiering.codes[j], "{a} {b}");
                }
            }
        }
    }
}

#[test]
fn value_by_hand() {
    let tiering = graded("value", &spending(&[5.0, 100.0, 1.0, 123.45, 7.0, 50.0, 2.0, 3.0, 60.0, 4.0]));
    assert_eq!(tiering.codes, [2, 0, 2, 0, 1, 1, 2, 2, 1, 2]);
    assert_eq!(tiering.thresholds, [("high".to_string(), 100.0), ("mid".to_string(), 7.0)]);
    assert_eq!(tiering.tiers[1].rule, "total spend of at least 7.00 and below 100.00");
    assert_eq!((tiering.tiers[0].customers, tiering.tiers[0].share_of_customers), (2, 0.2));
    assert!((tiering.tiers[0].share_of_spend - 223.45 / 355.45).abs() < 1e-15);
    assert_eq!(tiering.tier(5).name, "mid");
    // The second of ten sets the threshold, and three more spent the same (one of them as a floating sum).
    let tied = graded("value", &spending(&[9.0, 0.3, 0.1 + 0.2, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0]));
    assert_eq!(tied.codes, [0, 0, 0, 0, 0, 2, 2, 2, 2, 2]);
    assert_eq!(tied.tiers[1].customers, 0);
    assert!(tied.tiers[1].rule.starts_with("nobody"));
    assert_eq!(graded("value", &spending(&[4.0; 3])).codes, [0, 0, 0]);
    assert_eq!(graded("value", &spending(&[4.0])).codes, [0]);
    assert_eq!(graded("value", &spending(&[4.0, 5.0])).codes, [2, 0]);
}

#[test]
fn abc_by_hand() {
    // Cumulative before each: 400 0 %, 200 40 %, 200 (tie), 100 80 %, 60 90 %, 40 96 %.
    let tiering = graded("abc", &spending(&[100.0, 200.0, 40.0, 400.0, 60.0, 200.0]));
    assert_eq!(tiering.codes, [1, 0, 2, 0, 2, 0]);
    assert_eq!(tiering.thresholds, [("A".to_string(), 200.0), ("B".to_string(), 100.0)]);
    let rule = "the biggest spenders, up to 70 % of spend: total spend of at least 200.00";
    assert_eq!(tiering.tiers[0].rule, rule);
    assert_eq!(tiering.tiers[2].rule, "the rest: total spend below 100.00");
    assert_eq!(tiering.tiers[0].share_of_spend, 0.8);
    // Nothing spent, and refunds.
    assert_eq!(graded("abc", &spending(&[0.0, -3.0])).codes, [2, 2]);
    let tiering = graded("abc", &spending(&[0.0, -3.0, 10.0]));
    assert_eq!((&tiering.codes[..], tiering.tiers[2].spend), (&[2, 2, 0][..], -3.0));
}

#[test]
fn rfm_by_hand() {
    let row = |id: i64| Row {
        id,
        frequency: id as u32,
        since: 50 - 10 * id as u32,
        total_spend: 100.0 * id as f64,
        monetary_value: 0.0,
    };
    let tiering = graded("rfm", &table(&[row(0), row(1), row(2), row(3), row(4)]));
    // Codes 111, 222, 333, 444, 555.
    assert_eq!(tiering.codes, [LOST, LOST, POTENTIAL, HIGH, HIGH]);
    assert_eq!(
        tiering.tiers[0].rule,
        "not long absent, frequent and spending much: last order at most 39 days ago (R 3–5), \
         at least 4 orders (F 4–5), spend over 200.00 (M 4–5)"
    );
    assert_eq!(
        tiering.tiers[3].rule,
        "absent for longest: last order at least 50 days ago (R 1); or long absent, with few orders and \
         little spend: last order 40 to 49 days ago (R 2), at most 2 orders (F 1–2), spend of at most 100.00 \
         (M 1–2)"
    );
    assert_eq!(tiering.thresholds.len(), 12);
    assert_eq!(tiering.thresholds[5], ("F 3".to_string(), 2.0));
}
