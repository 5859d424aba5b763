//! Rules over columns of every type, against the slow reference and by hand.

use std::borrow::Cow;

use proptest::prelude::*;

use super::slow::Slow;
use super::*;
use crate::calendar::Day;
use crate::customers::table::NO_TEXT;
use crate::tier::columns::{Columns, Loaded};

/// What a test says of one customer.
#[derive(Debug, Clone)]
struct Who {
    x: f64,
    y: f64,
    n: u32,
    day: i32,
    plan: u8,
    city: Option<u8>,
    vip: Option<bool>,
    id: Option<i128>,
    spend: [f64; 3],
}

const CITIES: [&str; 4] = ["Bonn", "Köln", "b", "北京"];

fn columns<'a>(all: &[Who]) -> Columns<'a> {
    let mut out = Columns::new(all.len(), Day(20_000));
    let numbers = |of: &dyn Fn(&Who) -> f64| Loaded::Numbers(Cow::Owned(all.iter().map(of).collect()));
    let plain = Kind::Number(Measure::Plain);
    out.push("x", plain, numbers(&|w| w.x));
    out.push("y", plain, numbers(&|w| w.y));
    out.push("money", Kind::Number(Measure::Money), numbers(&|w| w.spend[0]));
    out.push("p_alive", Kind::Number(Measure::Share), numbers(&|w| w.spend[1] / 10.0));
    out.push("age", Kind::Number(Measure::Weeks), numbers(&|w| w.y));
    let orders = Kind::Number(Measure::Orders);
    out.push("n", orders, Loaded::Counts(all.iter().map(|w| w.n).collect()));
    out.push("day", Kind::Day, Loaded::Days(all.iter().map(|w| Day(w.day)).collect()));
    let names: Cow<[String]> = ["gold", "silver", "none"].map(String::from).to_vec().into();
    out.push("plan", Kind::Text, Loaded::Labels { codes: all.iter().map(|w| w.plan).collect(), names });
    let codes = all.iter().map(|w| w.city.map_or(NO_TEXT, u32::from)).collect();
    let names: Cow<[String]> = CITIES.map(String::from).to_vec().into();
    out.push("city", Kind::Text, Loaded::Texts { codes, names });
    out.push("vip", Kind::Truth, Loaded::Truths(all.iter().map(|w| w.vip).collect()));
    out.push("id", Kind::Whole, Loaded::Whole(all.iter().map(|w| w.id).collect()));
    for (i, label) in ["spend_2025_Q4", "spend_2026_Q1", "spend_2026_Q2"].into_iter().enumerate() {
        out.push(label, Kind::Number(Measure::Money), numbers(&|w| w.spend[i]));
    }
    out
}

fn any_who() -> impl Strategy<Value = Who> {
    let number = || prop_oneof![3 => (-3i32..6).prop_map(|n| f64::from(n) / 2.0), 1 => Just(f64::NAN)];
    let id = prop::option::of((9_007_199_254_740_990i128..9_007_199_254_740_996).boxed());
    let spend = (0i32..4).prop_map(|n| f64::from(n) / 10.0);
    let texts = (0u8..3, prop::option::of(0u8..4), prop::option::of(any::<bool>()));
    (number(), number(), 0u32..5, 19_990i32..20_001, texts, id, [spend.clone(), spend.clone(), spend])
        .prop_map(|(x, y, n, day, (plan, city, vip), id, spend)| Who {
            x,
            y,
            n,
            day,
            plan,
            city,
            vip,
            id,
            spend,
        })
}

/// Numbers that differ between customers.
fn any_column() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "x",
        "y",
        "n",
        "x - y",
        "x + n * 2",
        "coalesce(x, y, 0)",
        "-y",
        "abs(x)",
        "periods_sum(spend, 2)",
        "w",
    ])
    .prop_map(String::from)
}

fn any_number() -> impl Strategy<Value = String> {
    let share = || prop::sample::select(vec![1, 20, 33, 50, 80, 100]);
    let aggregate = (prop::sample::select(vec!["top", "quantile", "share"]), any_column(), share())
        .prop_map(|(function, of, share)| format!("{function}({of}, {share}%)"));
    let leaf = prop_oneof![
        4 => any_column(),
        3 => (0i32..8).prop_map(|n| format!("{}", f64::from(n) / 2.0)),
        1 => Just("25%".to_string()),
        1 => Just("t".to_string()),
        1 => Just("calibration_end - day".to_string()),
        2 => aggregate,
        1 => any_column().prop_map(|of| format!("median({of})")),
        1 => any_column().prop_map(|of| format!("score5({of})")),
        1 => any_column().prop_map(|of| format!("rank({of})")),
        1 => Just("periods_above(spend, 0.1, 3)".to_string()),
        1 => Just("periods_sum(spend, 1, 1)".to_string()),
        1 => Just("spend_2026_Q1".to_string()),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let op = prop::sample::select(vec!["+", "-", "*", "/"]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            (prop::sample::select(vec!["min", "max", "coalesce"]), inner.clone(), inner.clone())
                .prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            inner.clone().prop_map(|a| format!("log1p({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("if(vip, {a}, {b})")),
            inner.prop_map(|a| format!("if(x > 0, {a})")),
        ]
    })
}

fn any_truth() -> impl Strategy<Value = String> {
    let sign = || prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let text =
        || prop::sample::select(vec!["city", "plan", "coalesce(city, plan)", "'b'", "'Köln'", "'gold'", "s"]);
    let leaf = prop_oneof![
        4 => (any_number(), sign(), any_number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => (any_number(), any_number(), any_number()).prop_map(|(a, b, c)| format!("{a} between {b} and {c}")),
        1 => any_number().prop_map(|a| format!("{a} not in [0, 1.5, -1, 2]")),
        1 => any_number().prop_map(|a| format!("{a} is null")),
        2 => (text(), sign(), text()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => Just("city in ['Bonn', \"北京\"]".to_string()),
        1 => Just("city is not null".to_string()),
        1 => Just("coalesce(city, plan) in ['gold', 'b']".to_string()),
        1 => Just("vip".to_string()),
        1 => Just("vip is null".to_string()),
        1 => Just("vip = (x > 1)".to_string()),
        1 => Just("c".to_string()),
        1 => sign().prop_map(|op| format!("id {op} 9007199254740993")),
        1 => Just("id in [9007199254740991, 9007199254740993]".to_string()),
        1 => sign().prop_map(|op| format!("day {op} 2024-10-01")),
        1 => sign().prop_map(|op| format!("day {op} calibration_end - 5d")),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(") and ("))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(") or ("))),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

const LETS: [(&str, &str); 4] = [
    ("t", "quantile(x, 50%) + 1"),
    ("w", "coalesce(x, 0) - n"),
    ("c", "vip or t > x"),
    ("s", "coalesce(city, 'b')"),
];

fn parsed(text: &str) -> Expr {
    parse(text).unwrap_or_else(|problem| panic!("{}", problem.marked(text)))
}

/// Rules ready to run, with the names of [`LETS`].
fn ready<'c>(columns: &'c Columns<'_>, rules: &[&str]) -> (Program<'c>, Vec<Tri>) {
    let mut checker = Checker::new(columns);
    for (name, text) in LETS {
        checker.name(name, &parsed(text)).unwrap();
    }
    let check = |text: &&str| {
        checker.truth(&parsed(text)).unwrap_or_else(|problem| panic!("{}", problem.marked(text)))
    };
    let tris = rules.iter().map(check).collect();
    let mut program = checker.program;
    program.prepare().unwrap();
    (program, tris)
}

fn matches(program: &Program, tri: &Tri, rows: std::ops::Range<usize>) -> Vec<bool> {
    let chunk = Chunk::new(program, rows.clone());
    match chunk.truth(tri) {
        Values::One(byte) => vec![byte == YES; rows.len()],
        Values::Many(bytes) => bytes.iter().map(|byte| *byte == YES).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn chunks_agree_with_the_slow_reference(all in prop::collection::vec(any_who(), 1..25), text in any_truth()) {
        let columns = columns(&all);
        let (program, tris) = ready(&columns, &[&text]);
        let fast = matches(&program, &tris[0], 0..all.len());
        let lets = LETS.map(|(name, text)| (name.to_string(), parsed(text))).to_vec();
        let slow = Slow { columns: &columns, lets };
        let expr = parsed(&text);
        for (row, fast) in fast.iter().enumerate() {
            prop_assert_eq!(*fast, slow.matches(&expr, row), "{} of {:?}", text, all[row]);
        }
        // Whoever matches is in one of the regions, and words are found for each.
        let regions = program.regions(&tris[0], true);
        if regions.iter().all(|region| region.contradiction().is_some()) {
            prop_assert!(fast.iter().all(|is| !is), "{} matches somebody", text);
        }
        prop_assert!(!program.rule_words(&tris[0]).is_empty());
        program.rule_words(&Tri::Not(Box::new(tris[0].clone())));
    }

    #[test]
    fn a_rule_that_is_said_to_be_taken_takes_nobody(
        all in prop::collection::vec(any_who(), 1..25),
        first in any_truth(),
        second in any_truth(),
    ) {
        let columns = columns(&all);
        let (program, tris) = ready(&columns, &[&first, &second]);
        if let Some((1, Never::Taken { .. })) = first_empty(&program, &tris) {
            let [first, second] = [0, 1].map(|i| matches(&program, &tris[i], 0..all.len()));
            prop_assert!(first.iter().zip(&second).all(|(first, second)| *first || !second));
        }
        if takes_everybody(&program, &tris[..1]) == Some(0) {
            prop_assert!(matches(&program, &tris[0], 0..all.len()).iter().all(|is| *is));
        }
    }
}

fn some(n: usize) -> Vec<Who> {
    let who = |i: usize| Who {
        x: if i % 7 == 3 { f64::NAN } else { (i % 5) as f64 },
        y: (i % 3) as f64,
        n: (i % 4) as u32,
        day: 19_990 + (i % 10) as i32,
        plan: (i % 3) as u8,
        city: (i % 5 != 4).then_some((i % 4) as u8),
        vip: [None, Some(true), Some(false)][i % 3],
        id: Some(i as i128 + 9_007_199_254_740_990),
        spend: [0.1, 0.2, (i % 2) as f64],
    };
    (0..n).map(who).collect()
}

#[test]
fn chunks_meet_without_a_seam() {
    let all = some(2 * CHUNK + 77);
    let columns = columns(&all);
    let (program, tris) = ready(&columns, &["x >= top(x, 40%) and city != 'b' or w < -1"]);
    let whole = matches(&program, &tris[0], 0..all.len());
    let mut pieces = Vec::new();
    for begin in (0..all.len()).step_by(CHUNK) {
        pieces.extend(matches(&program, &tris[0], begin..(begin + CHUNK).min(all.len())));
    }
    assert_eq!(whole, pieces);
    assert_eq!(program.all(&Num::Let(1)).len(), all.len());
}

#[test]
fn nulls_are_unknown() {
    let all = some(12);
    let columns = columns(&all);
    // Customer 3 has no x.
    for (rule, is) in [
        ("x > 1", false),
        ("not (x > 1)", false),
        ("x > 1 or x <= 1", false),
        ("x = x", false),
        ("x is null", true),
        ("x > 1 or x is null", true),
        ("not (x > 1 and n = 99)", true),
        ("coalesce(x, 5) = 5", true),
        ("x in [1]", false),
        ("x not in [1]", false),
        ("x / 0 is null and 1 / y is null", true),
        ("log1p(-1) is null", true),
        ("if(x > 1, 1, 2) = 2", true),
        ("min(x, 1) is null", true),
    ] {
        let (program, tris) = ready(&columns, &[rule]);
        assert_eq!(matches(&program, &tris[0], 3..4), [is], "{rule}");
    }
}

#[test]
fn wrong_rules_name_the_place_and_both_types() {
    let all = some(10);
    let columns = columns(&all);
    for (rule, place, says, remedy) in [
        ("mony > 5", "mony", "there is no column \"mony\"", "did you mean \"money\"?"),
        (
            "x > 1 and city >= 5",
            "city >= 5",
            "city is a text, 5 is a number: they cannot be compared with >=",
            "quotation marks",
        ),
        (
            "day > '2024-01-01'",
            "day > '2024-01-01'",
            "day is a date, \"2024-01-01\" is a text",
            "without quotation marks",
        ),
        ("day > 5", "day > 5", "day is a date, 5 is a number", "compare dates with dates"),
        ("x", "x", "x is a number, where a condition is needed", "compare it"),
        ("x and vip", "x", "x is a number, where a condition is needed", "compare it"),
        (
            "city + 1 > 2",
            "city + 1",
            "city, a text, and 1, a number, cannot go together with +",
            "numbers can be",
        ),
        (
            "top(city, 20%) > 5",
            "city",
            "top needs a column of numbers, but city is a text",
            "top(column, 20%)",
        ),
        ("x > top(x, 120%)", "120%", "120% is not above 0 % and up to 100 %", "top(column, 20%)"),
        ("x > top(x, 0)", "0", "0 is not above 0 % and up to 100 %", ""),
        ("x > top(x, -5%)", "-5%", "-5% is not above 0 % and up to 100 %", ""),
        ("x > top(x, n)", "n", "n is no percentage", ""),
        ("x > quantile(5, 20%)", "5", "5 is the same for all", ""),
        (
            "x > qantile(x, 20%)",
            "qantile(x, 20%)",
            "there is no function \"qantile\"",
            "did you mean \"quantile\"?",
        ),
        ("x > top(x)", "top(x)", "top is given one value", "top(column, 20%)"),
        ("min(x) > 1", "min(x)", "min is given one value", "quantile(a, 10%)"),
        ("x in [1, 'a']", "'a'", "\"a\" is a text, but x is a number", "one type"),
        ("x in [y]", "y", "y stands in a list", "as they are"),
        ("x in []", "x", "the list behind \"in\" is empty", ""),
        ("id + 1 > 5", "id + 1", "id, a whole number beyond 2^53, and 1, a number", ""),
        ("top(id, 5%) > 1", "id", "top needs a column of numbers, but id is a whole number beyond 2^53", ""),
        ("vip < true", "vip < true", "they cannot be compared with <", "equal or not"),
        ("age > 90d", "age > 90d", "age is a number of weeks, 90d is a number of days", "T_days"),
        ("spend_holdout > 1", "spend_holdout", "there is no column", "holdout"),
        (
            "periods_sum(spend, 9) > 1",
            "spend",
            "the customers have 3 columns spend_PERIOD, and periods_sum asks for 9",
            "--periods quarter:9",
        ),
        ("periods_sum(orders, 1) > 1", "orders", "the customers have no columns orders_PERIOD", "--periods"),
        ("periods_above(spend, 1, 1.5) > 1", "1.5", "1.5 is no number of periods", ""),
        ("coalesce(x, city) = 1", "city", "city is a text, but x is a number", ""),
    ] {
        let problem = Checker::new(&columns).truth(&parsed(rule)).unwrap_err();
        assert_eq!(&rule[problem.span.clone()], place, "{rule}: {problem:?}");
        assert!(problem.message.contains(says), "{rule}: {problem:?}");
        assert!(problem.remedy.contains(remedy) && !problem.remedy.is_empty(), "{rule}: {problem:?}");
    }
}

#[test]
fn a_name_is_given_once() {
    let all = some(3);
    let columns = columns(&all);
    let mut checker = Checker::new(&columns);
    checker.name("own", &parsed("x + 1")).unwrap();
    assert!(checker.name("own", &parsed("x")).unwrap_err().message.contains("given twice"));
    assert!(checker.name("x", &parsed("y")).unwrap_err().message.contains("the name of a column"));
    assert!(checker.name("far", &parsed("later + 1")).unwrap_err().message.contains("no column \"later\""));
    // A percentage may have a name.
    checker.name("best", &parsed("20%")).unwrap();
    assert!(checker.truth(&parsed("x >= top(x, best)")).is_ok());
}

#[test]
fn what_can_never_match_is_found() {
    let all = some(40);
    let columns = columns(&all);
    let found = |rules: &[&str]| {
        let (program, tris) = ready(&columns, rules);
        first_empty(&program, &tris).map(|(rule, why)| match why {
            Never::Contradiction(words) => format!("{rule}: {words}"),
            Never::Taken { by, everybody, words } => {
                format!("{rule}: taken by {by}{}, {}", if everybody { " (all)" } else { "" }, words[1])
            }
        })
    };
    assert_eq!(found(&["x > 5 and x < 3"]).unwrap(), "0: x over 5 and below 3");
    assert_eq!(found(&["money >= 5 and money < 5"]).unwrap(), "0: money of at least 5.00 and below 5.00");
    assert_eq!(found(&["x = 1 and x = 2"]).unwrap(), "0: x of at least 2 and of at most 1");
    assert_eq!(found(&["plan = 'gold' and plan = 'none'"]).unwrap(), "0: plan that is two things at once");
    assert_eq!(
        found(&["plan = 'gold' and plan != 'gold'"]).unwrap(),
        "0: plan \"gold\" and other than \"gold\""
    );
    assert_eq!(found(&["x is null and x > 2"]).unwrap(), "0: x that is two things at once");
    assert_eq!(found(&["vip and not vip"]).unwrap(), "0: vip that is two things at once");
    assert_eq!(found(&["p_alive > 60"]).unwrap(), "0: P(alive) over 60");
    assert_eq!(found(&["score5(x) >= 6"]).unwrap(), "0: the score of x of at least 6 and of at most 5");
    assert_eq!(found(&["not (x > 5 or x < 7)"]).unwrap(), "0: x of at least 7 and of at most 5");
    assert_eq!(found(&["x in [1, 2] and x > 4"]).unwrap(), "0: x of 1 or 2 and over 4");
    assert_eq!(found(&["1 > 2"]).unwrap(), "0: a comparison that is always false");
    assert_eq!(found(&["false"]).unwrap(), "0: it is always false");
    // Order of rules.
    assert_eq!(found(&["x >= 1", "x >= 2"]).unwrap(), "1: taken by 0, x of at least 2");
    assert_eq!(found(&["x >= 1", "x >= 1"]).unwrap(), "1: taken by 0, x of at least 1");
    assert_eq!(found(&["x >= top(x, 80%)", "x >= top(x, 10%)"]).unwrap(), "1: taken by 0, x of at least 4");
    assert_eq!(found(&["true", "x >= 2"]).unwrap(), "1: taken by 0 (all), x of at least 2");
    assert_eq!(
        found(&["x >= 1 or y > 5", "x >= 2 and city = 'b'"]).unwrap(),
        "1: taken by 0, x of at least 2, city \"b\""
    );
    // What may match somebody.
    for rules in [
        &["x >= 2", "x >= 1"][..],
        &["x >= 2 and vip", "x >= 2"],
        &["x > 5 and x < 3 or y > 1"],
        // Two cuts that meet because many are equal are no mistake.
        &["x >= top(x, 1%)", "x >= top(x, 10%)"],
        &["x >= quantile(x, 95%) and x < quantile(x, 99%)"],
        &["x >= 1", "x >= 1 or x is null"],
        &["x != 1", "x = 1"],
    ] {
        assert_eq!(found(rules), None, "{rules:?}");
    }
}

#[test]
fn rules_have_words() {
    let all = some(40);
    let columns = columns(&all);
    for (rule, words) in [
        ("money >= 1200 and p_alive > 0.6", "money of at least 1,200.00, P(alive) over 0.6"),
        ("x between 1 and 2 and n >= 3", "x of at least 1 and of at most 2, n of at least 3"),
        ("city in ['Bonn', 'b'] and plan != 'none'", "city \"Bonn\" or \"b\", plan other than \"none\""),
        ("x > top(x, 20%) or vip", "x over 4; or vip"),
        ("not (vip or x > 3)", "not vip, x of at most 3"),
        ("day >= calibration_end - 5d", "day of at least 2024-09-29"),
        ("x > y * 2", "x above y × 2"),
        ("x is not null and city is null", "a known x, no city"),
        ("score5(x) >= 4", "x over 2 (score 4–5)"),
        ("periods_above(spend, 0.1, 2) = 2", "periods with spend above 0.1, of 2 of 2"),
        ("age >= 4", "age of at least 4 weeks"),
        ("w < t", "w below 3"),
        ("id > 9007199254740993", "id above 9007199254740993"),
        ("n = 2", "n of 2"),
        ("y > x + 2 * 3", "y above x + 6"),
        ("day - 2024-10-01 > 2", "day − 2024-10-01 over 2 days"),
        ("calibration_end - day <= 5", "2024-10-04 − day of at most 5 days"),
    ] {
        let (program, tris) = ready(&columns, &[rule]);
        assert_eq!(program.rule_words(&tris[0]), words, "{rule}");
    }
}
