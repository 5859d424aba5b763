//! A tree back as text that parses to the same tree, with as few brackets as it needs.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{Arithmetic, Expr, Node};
use super::token::is_plain_name;

/// How tightly a part holds together: the higher, the tighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grip {
    Any,
    All,
    Not,
    Compare,
    Sum,
    Product,
    Negative,
    Atom,
}

fn grip(node: &Node) -> Grip {
    match node {
        Node::Any(_) => Grip::Any,
        Node::All(_) => Grip::All,
        Node::Not(_) => Grip::Not,
        Node::Compare(..) | Node::In { .. } | Node::Between { .. } | Node::IsNull { .. } => Grip::Compare,
        Node::Arithmetic(Arithmetic::Plus | Arithmetic::Minus, ..) => Grip::Sum,
        Node::Arithmetic(Arithmetic::Times | Arithmetic::Over, ..) => Grip::Product,
        Node::Negative(_) => Grip::Negative,
        _ => Grip::Atom,
    }
}

/// Writes `expr` where at least that grip is needed.
fn put(f: &mut Formatter<'_>, expr: &Expr, least: Grip) -> fmt::Result {
    if grip(&expr.node) < least { write!(f, "({})", expr.node) } else { expr.node.fmt(f) }
}

fn list(f: &mut Formatter<'_>, items: &[Expr], between: &str, least: Grip) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        put(f, item, least)?;
    }
    Ok(())
}

/// A number as a rule writes it, to the last bit.
pub(crate) fn number(value: f64) -> String {
    // Long digits without a point would be read as a whole number.
    if value.abs() < 9_007_199_254_740_992.0 { value.to_string() } else { format!("{value:e}") }
}

/// A text between quotation marks, or a name between backticks.
fn between(content: &str, mark: char) -> String {
    format!("{mark}{}{mark}", content.replace(mark, &format!("{mark}{mark}")))
}

/// A name as a rule writes it.
pub(crate) fn name(name: &str) -> String {
    if is_plain_name(name) { name.to_string() } else { between(name, '`') }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { "not " } else { "" };
        match self {
            Node::Number(value) => f.write_str(&number(*value)),
            Node::Whole(value) => value.fmt(f),
            Node::Percent(value) => write!(f, "{}%", number(*value)),
            Node::Span(span) => span.fmt(f),
            Node::Day(day) => day.fmt(f),
            Node::Text(text) => f.write_str(&between(text, '"')),
            Node::Truth(value) => value.fmt(f),
            Node::Name(text) => f.write_str(&name(text)),
            Node::Negative(of) => {
                f.write_char('-')?;
                put(f, of, Grip::Negative)
            }
            Node::Not(of) => {
                f.write_str("not ")?;
                put(f, of, Grip::Not)
            }
            Node::All(items) => list(f, items, " and ", Grip::Not),
            Node::Any(items) => list(f, items, " or ", Grip::All),
            Node::Arithmetic(op, a, b) => {
                let own = grip(self);
                put(f, a, own)?;
                write!(f, " {} ", op.sign())?;
                put(f, b, if own == Grip::Sum { Grip::Product } else { Grip::Negative })
            }
            Node::Compare(op, a, b) => {
                put(f, a, Grip::Sum)?;
                write!(f, " {} ", op.sign())?;
                put(f, b, Grip::Sum)
            }
            Node::In { of, list: items, negated } => {
                put(f, of, Grip::Sum)?;
                write!(f, " {}in [", not(*negated))?;
                list(f, items, ", ", Grip::Any)?;
                f.write_char(']')
            }
            Node::Between { of, low, high, negated } => {
                put(f, of, Grip::Sum)?;
                write!(f, " {}between ", not(*negated))?;
                put(f, low, Grip::Sum)?;
                f.write_str(" and ")?;
                put(f, high, Grip::Sum)
            }
            Node::IsNull { of, negated } => {
                put(f, of, Grip::Sum)?;
                write!(f, " is {}null", not(*negated))
            }
            Node::Call(function, arguments) => {
                write!(f, "{}(", name(function))?;
                list(f, arguments, ", ", Grip::Any)?;
                f.write_char(')')
            }
        }
    }
}
