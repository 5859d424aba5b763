//! A rule as a tree, as it was written.

use std::ops::Range;

use crate::calendar::{Day, Span};

/// A part of a rule with its place in the text. Two are equal when they say the same, wherever it stands.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it says.
    pub node: Node,
    /// The bytes of the text that say it.
    pub span: Range<usize>,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.node == other.node
    }
}

impl Expr {
    /// Whether it names a column (or a name of `[let]`) so.
    pub fn names(&self, column: &str) -> bool {
        let any = |parts: &[Expr]| parts.iter().any(|part| part.names(column));
        match &self.node {
            Node::Number(_)
            | Node::Whole(_)
            | Node::Percent(_)
            | Node::Span(_)
            | Node::Day(_)
            | Node::Text(_)
            | Node::Truth(_) => false,
            Node::Name(name) => name == column,
            Node::Negative(of) | Node::Not(of) | Node::IsNull { of, .. } => of.names(column),
            Node::All(parts) | Node::Any(parts) | Node::Call(_, parts) => any(parts),
            Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) => a.names(column) || b.names(column),
            Node::In { of, list, .. } => of.names(column) || any(list),
            Node::Between { of, low, high, .. } => [of, low, high].iter().any(|part| part.names(column)),
        }
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        }
    }

    /// The one written so.
    pub(crate) fn of_sign(sign: &str) -> Option<Comparison> {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
        [Equal, NotEqual, Less, AtMost, Greater, AtLeast].into_iter().find(|c| c.sign() == sign)
    }

    /// Whether values in that order are what it asks for.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        }
    }

    /// The one that says the same with the sides exchanged.
    pub fn turned(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Greater => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
            same => same,
        }
    }

    /// The one that is true where this is false.
    pub fn opposite(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::AtLeast,
            Comparison::AtMost => Comparison::Greater,
            Comparison::Greater => Comparison::AtMost,
            Comparison::AtLeast => Comparison::Less,
        }
    }
}

/// The four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

impl Arithmetic {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Arithmetic::Plus => "+",
            Arithmetic::Minus => "-",
            Arithmetic::Times => "*",
            Arithmetic::Over => "/",
        }
    }

    /// The result; a number divided by 0, or what is no number, is null (NaN).
    #[inline]
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Arithmetic::Plus => a + b,
            Arithmetic::Minus => a - b,
            Arithmetic::Times => a * b,
            Arithmetic::Over => {
                if b == 0.0 {
                    f64::NAN
                } else {
                    a / b
                }
            }
        }
    }
}

/// What a part of a rule says.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A number, not negative.
    Number(f64),
    /// A whole number beyond 2^53 that no floating-point number need equal.
    Whole(i128),
    /// So many percent: `20%` is 20 here and 0.2 as a value.
    Percent(f64),
    /// A length of time, which is a number of days.
    Span(Span),
    /// A date.
    Day(Day),
    /// A text.
    Text(String),
    /// `true` or `false`.
    Truth(bool),
    /// A column, or a name of `[let]`.
    Name(String),
    /// `-x`
    Negative(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `x and y and …`, two or more.
    All(Vec<Expr>),
    /// `x or y or …`, two or more.
    Any(Vec<Expr>),
    /// `x + y`
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `x >= y`
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `x in [a, b]`; negated: `x not in [a, b]`.
    In {
        /// What is looked for.
        of: Box<Expr>,
        /// Where.
        list: Vec<Expr>,
        /// Whether `not` stands before `in`.
        negated: bool,
    },
    /// `x between a and b`, both included.
    Between {
        /// What is held against the ends.
        of: Box<Expr>,
        /// The lower end.
        low: Box<Expr>,
        /// The upper end.
        high: Box<Expr>,
        /// Whether `not` stands before `between`.
        negated: bool,
    },
    /// `x is null`, `x is not null`.
    IsNull {
        /// What may have no value.
        of: Box<Expr>,
        /// Whether `not` stands before `null`.
        negated: bool,
    },
    /// `name(x, y)`
    Call(String, Vec<Expr>),
}
