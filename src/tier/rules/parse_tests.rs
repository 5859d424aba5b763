use proptest::prelude::*;

use super::*;
use crate::calendar::{Day, Period, Span};

/// What brackets the parser saw.
fn shown(text: &str) -> String {
    fn put(expr: &Expr) -> String {
        let join = |items: &[Expr], word: &str| {
            format!("({})", items.iter().map(put).collect::<Vec<_>>().join(&format!(" {word} ")))
        };
        match &expr.node {
            Node::All(items) => join(items, "and"),
            Node::Any(items) => join(items, "or"),
            Node::Not(of) => format!("(not {})", put(of)),
            Node::Negative(of) => format!("(-{})", put(of)),
            Node::Arithmetic(op, a, b) => format!("({} {} {})", put(a), op.sign(), put(b)),
            Node::Compare(op, a, b) => format!("({} {} {})", put(a), op.sign(), put(b)),
            _ => expr.to_string(),
        }
    }
    put(&parse(text).unwrap())
}

#[test]
fn precedence() {
    assert_eq!(shown("a or b and not c = 1 + 2 * -3"), "(a or (b and (not (c = (1 + (2 * (-3)))))))");
    assert_eq!(shown("a - b - c"), "((a - b) - c)");
    assert_eq!(shown("a and b and (c and d)"), "(a and b and (c and d))");
    assert_eq!(shown("not a and b"), "((not a) and b)");
    assert_eq!(shown("x between 1 and 2 and y"), "(x between 1 and 2 and y)");
    assert_eq!(shown("-a * b"), "((-a) * b)");
    assert_eq!(shown("x not in ['a', \"b\"] or x is not null"), "(x not in [\"a\", \"b\"] or x is not null)");
}

#[test]
fn places_are_kept() {
    let expr = parse("a >= 1 and (b < 2)").unwrap();
    let Node::All(items) = &expr.node else { panic!() };
    assert_eq!(items[0].span, 0..6);
    assert_eq!(items[1].span, 11..18);
    assert_eq!(expr.span, 0..18);
}

#[test]
fn problems_have_a_place_and_a_remedy() {
    for (text, place, says) in [
        ("", 0..0, "the rule is empty"),
        ("a >=", 4..4, "the rule ends where a value is expected"),
        ("1 < x < 5", 6..7, "\"<\" stands where"),
        ("a >= 1 AND b", 7..10, "\"AND\" stands where"),
        ("total spend > 1", 6..11, "\"spend\" stands where an operator or the end is expected"),
        ("a = null", 4..8, "\"null\" cannot be compared"),
        ("a = not b", 4..7, "\"not\" cannot stand here"),
        ("a in ['x' 'y']", 10..13, "a text stands where \",\" or \"]\""),
        ("(a", 2..2, "the rule ends where \")\""),
        ("a is 5", 5..6, "a number stands where \"null\""),
        ("a between 1 or 2", 12..14, "\"or\" stands where \"and\""),
    ] {
        let problem = parse(text).unwrap_err();
        assert_eq!(problem.span, place, "{text}: {problem:?}");
        assert!(problem.message.contains(says), "{text}: {problem:?}");
        assert!(!problem.remedy.is_empty());
    }
}

#[test]
fn size_is_bounded() {
    let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
    assert!(parse(&deep).unwrap_err().message.contains("nested"));
    assert!(parse(&"-".repeat(5000)).unwrap_err().message.contains("nested"));
    let long = vec!["a"; 1000].join(" + ");
    assert!(parse(&long).unwrap_err().message.contains("parts"));
    let long = |n: usize| parse(&vec!["a"; n].join(" + "));
    assert!(long(100).is_ok() && long(101).unwrap_err().message.contains("in a row"));
    let many = vec!["a > 1"; 160].join(" and ");
    assert!(parse(&many).is_ok());
    let entries = (0..5000).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    assert!(parse(&format!("a in [{entries}]")).is_ok());
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,5}",
        Just("in".to_string()),
        Just("客户".to_string()),
        Just("my `odd` column".to_string()),
    ]
}

/// Any tree at all, sensible or not.
pub(crate) fn any_expr() -> impl Strategy<Value = Expr> {
    let literal = prop_oneof![
        (0.0f64..1e6).prop_map(Node::Number),
        prop::num::f64::POSITIVE.prop_map(Node::Number),
        (9_007_199_254_740_993i128..i128::MAX).prop_map(Node::Whole),
        (0.0f64..100.0).prop_map(Node::Percent),
        (1u32..500).prop_map(|n| Node::Span(Span::new(f64::from(n), Period::Month).unwrap())),
        (-20_000i32..80_000).prop_map(|n| Node::Day(Day(n))),
        "[a-z\"' é\n]{0,6}".prop_map(Node::Text),
        any::<bool>().prop_map(Node::Truth),
        any_name().prop_map(Node::Name),
    ];
    let at = |node: Node| Expr { node, span: 0..0 };
    literal.prop_map(at).prop_recursive(5, 60, 4, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let several = prop::collection::vec(inner.clone(), 2..4);
        let op = prop::sample::select(vec!["+", "-", "*", "/"]);
        let op = op.prop_map(|sign| match sign {
            "+" => Arithmetic::Plus,
            "-" => Arithmetic::Minus,
            "*" => Arithmetic::Times,
            _ => Arithmetic::Over,
        });
        let comparison = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="])
            .prop_map(|sign| Comparison::of_sign(sign).unwrap());
        prop_oneof![
            boxed.clone().prop_map(Node::Negative),
            boxed.clone().prop_map(Node::Not),
            several.clone().prop_map(Node::All),
            several.prop_map(Node::Any),
            (op, boxed.clone(), boxed.clone()).prop_map(|(op, a, b)| Node::Arithmetic(op, a, b)),
            (comparison, boxed.clone(), boxed.clone()).prop_map(|(c, a, b)| Node::Compare(c, a, b)),
            (boxed.clone(), prop::collection::vec(inner.clone(), 0..3), any::<bool>())
                .prop_map(|(of, list, negated)| Node::In { of, list, negated }),
            (boxed.clone(), boxed.clone(), boxed.clone(), any::<bool>())
                .prop_map(|(of, low, high, negated)| Node::Between { of, low, high, negated }),
            (boxed, any::<bool>()).prop_map(|(of, negated)| Node::IsNull { of, negated }),
            (any_name(), prop::collection::vec(inner, 0..3)).prop_map(|(name, list)| Node::Call(name, list)),
        ]
        .prop_map(at)
    })
}

proptest! {
    #[test]
    fn printed_trees_parse_to_themselves(expr in any_expr()) {
        let text = expr.to_string();
        let parsed = parse(&text);
        prop_assert_eq!(parsed.as_ref().ok(), Some(&expr), "{}: {:?}", text, parsed);
    }

    #[test]
    fn any_text_is_a_rule_or_a_problem_within_it(text in "[a-c0-9 .%'\"`()\\[\\],<>=!+*/-]{0,30}|\\PC{0,20}") {
        match parse(&text) {
            Ok(expr) => prop_assert_eq!(parse(&expr.to_string()).unwrap(), expr),
            Err(problem) => {
                prop_assert!(problem.span.end <= text.len());
                problem.marked(&text);
            }
        }
    }
}
