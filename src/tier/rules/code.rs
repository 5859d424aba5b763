//! A rule after every check: which column, of which type, and what is done with it.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::aggregate::{Aggregate, Ranks};
use super::ast::{Arithmetic, Comparison};
use crate::tier::columns::Loaded;

/// What a number counts, for checks and for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Nothing that is known.
    Plain,
    /// Money.
    Money,
    /// Orders, purchases, rows.
    Orders,
    /// A share or a probability, 0 to 1.
    Share,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number.
    Number(Measure),
    /// A calendar day.
    Day,
    /// A text.
    Text,
    /// Yes or no.
    Truth,
    /// Whole numbers of which some are beyond 2^53: they can only be compared.
    Whole,
}

impl Kind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Number(Measure::Days) => "a number of days",
            Kind::Number(Measure::Weeks) => "a number of weeks",
            Kind::Number(_) => "a number",
            Kind::Day => "a date",
            Kind::Text => "a text",
            Kind::Truth => "true or false",
            Kind::Whole => "a whole number beyond 2^53",
        }
    }
}

/// A number or a day (as days since 1970) of every customer, or one for all. Null is NaN.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Num {
    Constant(f64),
    /// A day as it was written.
    Date(f64),
    Column(usize),
    Let(usize),
    /// The number of an aggregate.
    Aggregate(usize),
    Negative(Box<Num>),
    Arithmetic(Arithmetic, Box<Num>, Box<Num>),
    /// To the nearest whole number: dates move by whole days.
    Round(Box<Num>),
    Absolute(Box<Num>),
    Log1p(Box<Num>),
    Least(Vec<Num>),
    Greatest(Vec<Num>),
    /// The first that is not null.
    First(Vec<Num>),
    If(Box<Tri>, Box<Num>, Option<Box<Num>>),
    /// 1 to 5 by the cuts of an aggregate.
    Score(usize, Box<Num>),
    /// 1 + how many customers have more.
    Rank(usize, Box<Num>),
    /// In how many of the columns there is more.
    CountAbove(Vec<usize>, Box<Num>),
    /// The columns added up, rounded to millionths.
    Sum(Vec<usize>),
}

/// A text of every customer, or one for all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Txt {
    Constant(String),
    Column(usize),
    Let(usize),
    First(Vec<Txt>),
}

/// A whole number that may be beyond 2^53.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whole {
    Column(usize),
    Constant(i128),
    Number(Num),
}

/// What a column of texts is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TextTest {
    Compare(Comparison, String),
    In(Vec<String>),
}

/// True, false or unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tri {
    Constant(bool),
    Column(usize),
    Let(usize),
    All(Vec<Tri>),
    Any(Vec<Tri>),
    Not(Box<Tri>),
    /// Whether both are true or both false.
    Same(Box<Tri>, Box<Tri>),
    Compare(Comparison, Num, Num),
    InNumbers(Num, Vec<f64>),
    CompareText(Comparison, Txt, Txt),
    /// A column of texts, asked what is answered once for each of its values (in [`Program::lookups`]).
    Text {
        column: usize,
        test: TextTest,
        lookup: usize,
    },
    CompareWhole(Comparison, Whole, Whole),
    NullNumber(Num),
    NullText(Txt),
    NullWhole(Whole),
    NullTruth(Box<Tri>),
}

/// A value of any type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Typed {
    Number(Num, Measure),
    Day(Num),
    Text(Txt),
    Truth(Tri),
    Whole(Whole),
}

impl Typed {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Typed::Number(_, measure) => Kind::Number(*measure),
            Typed::Day(_) => Kind::Day,
            Typed::Text(_) => Kind::Text,
            Typed::Truth(_) => Kind::Truth,
            Typed::Whole(_) => Kind::Whole,
        }
    }
}

/// A name of `[let]`.
#[derive(Debug, Clone)]
pub(crate) struct Let {
    pub(crate) name: String,
    pub(crate) value: Typed,
    /// The number it is if it is no more than one, as digits of a decimal.
    pub(crate) literal: Option<super::ast::Node>,
}

/// A column that rules use.
#[derive(Debug, Clone)]
pub(crate) struct Used<'c> {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) values: &'c Loaded<'c>,
    /// The least and the greatest number, once somebody has asked.
    pub(crate) range: OnceLock<(f64, f64)>,
}

/// What an aggregate came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Prepared {
    /// A number; NaN where there was nothing to make it of.
    Number(f64),
    /// The four cuts between five scores; NaN where nobody has a value.
    Cuts([f64; 4]),
    /// All values in ascending order.
    Sorted(Ranks),
}

/// Everything that rules share: columns, names, aggregates and their results.
#[derive(Debug)]
pub(crate) struct Program<'c> {
    /// How many customers there are.
    pub(crate) rows: usize,
    pub(crate) columns: Vec<Used<'c>>,
    pub(crate) lets: Vec<Let>,
    pub(crate) aggregates: Vec<Aggregate>,
    /// Results of the first aggregates; of all once [`Program::prepare`] has run.
    pub(crate) prepared: Vec<Prepared>,
    /// For columns of texts: the answer ([`super::eval::YES`] or 0) for each of its values.
    pub(crate) lookups: Vec<Vec<u8>>,
}

impl Program<'_> {
    /// The text of customer `row`, if it has one.
    pub(crate) fn text<'t>(&'t self, text: &'t Txt, row: usize) -> Option<Cow<'t, str>> {
        match text {
            Txt::Constant(text) => Some(Cow::Borrowed(text)),
            Txt::Column(column) => self.columns[*column].values.text(row).map(Cow::Borrowed),
            Txt::Let(i) => match &self.lets[*i].value {
                Typed::Text(text) => self.text(text, row),
                _ => None,
            },
            Txt::First(texts) => texts.iter().find_map(|text| self.text(text, row)),
        }
    }

    /// Whether a number is one for all customers.
    pub(crate) fn is_one(&self, num: &Num) -> bool {
        match num {
            Num::Constant(_) | Num::Date(_) | Num::Aggregate(_) => true,
            Num::Column(_)
            | Num::Score(..)
            | Num::Rank(..)
            | Num::CountAbove(..)
            | Num::Sum(_)
            | Num::If(..) => false,
            Num::Let(i) => match &self.lets[*i].value {
                Typed::Number(num, _) | Typed::Day(num) => self.is_one(num),
                _ => false,
            },
            Num::Negative(of) | Num::Round(of) | Num::Absolute(of) | Num::Log1p(of) => self.is_one(of),
            Num::Arithmetic(_, a, b) => self.is_one(a) && self.is_one(b),
            Num::Least(of) | Num::Greatest(of) | Num::First(of) => of.iter().all(|num| self.is_one(num)),
        }
    }

    /// Whether a number rests on no customer at all.
    pub(crate) fn is_literal(&self, num: &Num) -> bool {
        match num {
            Num::Aggregate(_) => false,
            Num::Let(i) => match &self.lets[*i].value {
                Typed::Number(num, _) | Typed::Day(num) => self.is_literal(num),
                _ => false,
            },
            Num::Negative(of) | Num::Round(of) | Num::Absolute(of) | Num::Log1p(of) => self.is_literal(of),
            Num::Arithmetic(_, a, b) => self.is_literal(a) && self.is_literal(b),
            Num::Least(of) | Num::Greatest(of) | Num::First(of) => of.iter().all(|num| self.is_literal(num)),
            other => matches!(other, Num::Constant(_) | Num::Date(_)),
        }
    }
}
