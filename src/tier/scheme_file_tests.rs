use super::*;
use crate::customers::testing::spending;
use crate::tier::Columns;

fn parse_scheme(text: &str) -> Result<SchemeFile> {
    SchemeFile::parse("tiers.toml", text)
}

const GOOD: &str = r#"scheme = "mine"
title = "Mine"
note = "for tests"
order = ["b", "a", "rest"]

[let]
z = "2 * 3"
high = "top(total_spend, 20%)"
at = 50
beyond = "high + z"

[[tier]]
name = "a"
label = { en = "A!", zh = "甲" }
when = "total_spend >= beyond"
reason = "spent {total_spend:money} of {{all}}"

[[tier]]
name = "b"
[[tier.any]]
when = "total_spend >= high"
about = "big"
[[tier.any]]
when = "orders > at"
reason = "{orders} orders"

[[tier]]
name = "rest"
default = true
"#;

#[test]
fn a_document_is_read_in_its_order() {
    let file = parse_scheme(GOOD).unwrap();
    assert_eq!(file.tiers(), ["b", "a", "rest"]);
    assert_eq!(file.column(), "tier_mine");
    assert_eq!(
        file.lets.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["z", "high", "at", "beyond"]
    );
    let labels: Vec<&str> = file.entries().map(|tier| tier.label.zh.as_str()).collect();
    assert_eq!(labels, ["b", "甲", "rest"]);
    assert_eq!((file.tiers[1].rules.len(), file.tiers[1].rules[0].about.as_str()), (2, "big"));
    assert_eq!(file.tiers[1].rules[1].when.line, 24);
    assert_eq!(file.title.zh, "Mine");
}

/// A scheme of those tiers.
fn with(tiers: &str) -> String {
    format!("scheme = \"x\"\n{tiers}")
}

#[test]
fn each_mistake_has_one_error() {
    let tier = |name: &str, rest: &str| format!("[[tier]]\nname = \"{name}\"\n{rest}\n");
    let many: String =
        (0..101).map(|i| tier(&format!("t{i}"), &format!("when = \"orders = {i}\""))).collect();
    let rest = tier("rest", "default = true");
    for (text, problem, remedy) in [
        ("scheme = \"x", "line 1: ", "docs/rules.md"),
        ("title = \"x\"", "line 1: the scheme has no name", "begin with scheme"),
        ("scheme = \"My Scheme\"", "line 1: scheme = \"My Scheme\" is no name", "small letters"),
        ("scheme = 5", "line 1: scheme is a number, where a text is needed", "docs/rules.md"),
        ("scheme = \"x\"", "line 1: the scheme has no tiers", "[[tier]]"),
        ("scheme = \"x\"\ntier = []", "line 2: the scheme has no tiers", "[[tier]]"),
        (&with(&many), "line 2: the scheme has 101 tiers, and there can be 100", "join tiers"),
        (&with("tires = 1"), "line 2: a scheme has no key \"tires\"", "did you mean \"tier\"?"),
        (
            &with(&tier("a", "wen = \"x > 1\"")),
            "line 4: [[tier]] \"a\" has no key \"wen\"",
            "did you mean \"when\"?",
        ),
        (
            &with(&tier("a", "label = { cn = \"x\" }\nwhen = \"x > 1\"")),
            "line 4: [[tier]] \"a\", label has no key \"cn\"",
            "en",
        ),
        (&with("[[tier]]\nwhen = \"x > 1\""), "line 2: a [[tier]] has no name", "write name"),
        (&with(&tier(" ", "when = \"x > 1\"")), "line 3: [[tier]] \" \" has no usable name", ""),
        (&with(&tier("a", "")), "line 2: [[tier]] \"a\" has no rule", "default = true"),
        (
            &with(&tier("a", "when = 5")),
            "line 4: [[tier]] \"a\", when is a number, where a text is needed",
            "",
        ),
        (&with(&tier("a", "default = \"yes\"")), "line 4: [[tier]] \"a\", default is a text", ""),
        (
            &with(&tier("a", "default = true\nwhen = \"x > 1\"")),
            "line 2: [[tier]] \"a\" is the default and has a rule",
            "",
        ),
        (
            &with(&tier("a", "when = \"x > 1\"\n[[tier.any]]\nwhen = \"y\"")),
            "line 5: [[tier]] \"a\" has both when and any",
            "",
        ),
        (
            &with(&(tier("a", "when = \"x > 1\"") + &tier("a", "when = \"x > 0\""))),
            "line 5: [[tier]] \"a\" stands twice, also on line 2",
            "a name of its own",
        ),
        (
            &with(&(rest.clone() + &tier("a", "when = \"x > 0\""))),
            "line 2: [[tier]] \"rest\" is the default but not the last",
            "put it last",
        ),
        (
            &with(&tier("a", "when = \"x >\"")),
            "line 4, [[tier]] \"a\", when: the rule ends where a value is expected\n  x >\n     ^",
            "complete it",
        ),
        (
            &with(&tier("a", "when = \"x > 1\"\nreason = \"{x:mony}\"")),
            "line 5, [[tier]] \"a\", reason: there is no format \"mony\"",
            "money",
        ),
        (&with(&format!("order = [\"a\"]\n{rest}")), "line 2: order names \"a\", which is no tier", "rest"),
        (&with(&format!("order = [\"rest\", \"rest\"]\n{rest}")), "line 2: order names \"rest\" twice", ""),
        (&with(&format!("order = []\n{rest}")), "line 2: order does not name tier \"rest\"", "once"),
        (
            &with(&format!("[let]\nin = \"x\"\n{rest}")),
            "line 3: [let] in is no name that a rule can use",
            "letter",
        ),
        (
            &with(&format!("[let]\na = true\n{rest}")),
            "line 3: [let] a is true or false, where a text or a number is needed",
            "",
        ),
        (&with(&format!("[let]\na = \"1 +\"\n{rest}")), "line 3, [let] a: the rule ends", ""),
    ] {
        let error = parse_scheme(text).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(&format!("tiers.toml: {problem}")), "{text}\n{said}");
        assert!(error.hint().unwrap().contains(remedy), "{text}\n{:?}", error.hint());
    }
}

#[test]
fn mistakes_that_show_with_the_customers() {
    let table = spending(&[1.0, 2.0, 3.0, 40.0, 500.0]);
    let columns = Columns::of_table(&table);
    for (tiers, problem, remedy) in [
        (
            "[[tier]]\nname = \"a\"\nwhen = \"total_spnd > 5\"",
            "line 4, [[tier]] \"a\", when: there is no column \"total_spnd\"\n  total_spnd > 5\n  ^^^^^^^^^^",
            "did you mean \"total_spend\"?",
        ),
        (
            "[let]\nhigh = \"mean(first_order)\"\n[[tier]]\nname = \"a\"\nwhen = \"total_spend > high\"",
            "line 3, [let] high: mean needs a column of numbers, but first_order is a date",
            "mean(column)",
        ),
        (
            "[[tier]]\nname = \"a\"\nwhen = \"orders >= 1\"\nreason = \"{first_order:money}\"\n",
            "line 5, [[tier]] \"a\", reason: first_order is a date, which cannot be written so",
            "format",
        ),
        (
            "[[tier]]\nname = \"high\"\nwhen = \"total_spend >= 100\"\n[[tier]]\nname = \"mid\"\nwhen = \"total_spend >= 500\"",
            "line 5, [[tier]] \"mid\": the rule can never match: it asks for total spend of at least 500.00, and tier \"high\" before it takes everybody with total spend of at least 100.00",
            "put the strictest first",
        ),
        (
            "[let]\nhigh = \"top(total_spend, 60%)\"\nmid = \"top(total_spend, 20%)\"\n[[tier]]\nname = \"high\"\nwhen = \"total_spend >= high\"\n[[tier]]\nname = \"mid\"\nwhen = \"total_spend >= mid\"",
            "line 8, [[tier]] \"mid\": the rule can never match: it asks for total spend of at least 500.00, and tier \"high\"",
            "correct the threshold",
        ),
        (
            "[[tier]]\nname = \"a\"\nwhen = \"orders > 5 and orders < 3\"",
            "line 2, [[tier]] \"a\": the rule can never match: orders over 5 and below 3",
            "turn a comparison round",
        ),
        (
            "[[tier]]\nname = \"a\"\nwhen = \"true\"\n[[tier]]\nname = \"b\"\nwhen = \"orders > 2\"",
            "line 5, [[tier]] \"b\": the rule can never match: tier \"a\" before it takes everybody",
            "asked in order",
        ),
        (
            "[[tier]]\nname = \"a\"\nwhen = \"true\"\n[[tier]]\nname = \"b\"\ndefault = true",
            "line 5, [[tier]] \"b\": nobody is left for the default: tier \"a\" takes everybody",
            "leave the default out",
        ),
        (
            "[[tier]]\nname = \"a\"\nwhen = \"total_spend >= 3\"",
            "2 customers have no tier: no rule takes customer 0",
            "default = true",
        ),
    ] {
        let file = parse_scheme(&with(tiers)).unwrap();
        let error = file.grade(&table, &columns).map(|_| ()).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(&format!("tiers.toml: {problem}")), "{tiers}\n{said}");
        assert!(error.hint().unwrap().contains(remedy), "{tiers}\n{:?}", error.hint());
    }
}

#[test]
fn a_scheme_says_what_it_looks_at() {
    let built_in = |key: &str| crate::tier::builtin::scheme_file(key).unwrap();
    assert!(built_in("clv").looks_at("clv") && built_in("loyalty").looks_at("p_alive"));
    assert!(!built_in("value").looks_at("clv") && !built_in("life_cycle").looks_at("p_alive"));
    // In every part of a rule, and in sentences.
    let text = "scheme = \"x\"\n[let]\na = \"top(c1, 5%)\"\n[[tier]]\nname = \"t\"\n\
        when = \"not (c2 in [c3, 1]) or c4 between c5 and c6 or c7 is not null or -c8 + c9 >= `c 10`\"\n\
        reason = \"{c11:money}, {a}\"\n[[tier]]\nname = \"d\"\ndefault = true\nreason = \"{c12}\"\n";
    let own = SchemeFile::parse("x", text).unwrap();
    for name in ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c 10", "c11", "c12"] {
        assert!(own.looks_at(name), "{name}");
    }
    assert!(!own.looks_at("c13") && !own.looks_at("top"));
}
