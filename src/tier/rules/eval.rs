//! Rules over a chunk of customers at a time: a column of numbers or of truths in, one out, in loops without branches.
//!
//! Truths are 0 (false), 1 (unknown) and 2 (true), so that `and` is the least, `or` the greatest and `not` 2 − x: the
//! three-valued logic of Kleene. A rule matches where it is 2.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use super::ast::Comparison;
use super::code::{Num, Prepared, Program, Tri, Txt, Typed, Whole};
use super::exact::Exact;
use crate::customers::spend::graded;
use crate::parallel;
use crate::tier::columns::Loaded;

/// True.
pub(crate) const YES: u8 = 2;
/// Neither true nor false.
pub(crate) const UNKNOWN: u8 = 1;
/// False.
pub(crate) const NO: u8 = 0;

/// Customers of a chunk: a few columns of it fit the fastest memory.
pub(crate) const CHUNK: usize = 4096;

/// One value for all customers of a chunk, or one each.
#[derive(Debug, Clone)]
pub(crate) enum Values<'v, T: Clone> {
    One(T),
    Many(Cow<'v, [T]>),
}

use Values::{Many, One};

type Numbers<'v> = Values<'v, f64>;
type Truths<'v> = Values<'v, u8>;

impl<T: Clone> Values<'_, T> {
    fn owned(self) -> Values<'static, T> {
        match self {
            One(value) => One(value),
            Many(values) => Many(Cow::Owned(values.into_owned())),
        }
    }

    fn borrowed(&self) -> Values<'_, T> {
        match self {
            One(value) => One(value.clone()),
            Many(values) => Many(Cow::Borrowed(values)),
        }
    }
}

/// Some customers in a row, with what has been computed for them.
pub(crate) struct Chunk<'p> {
    program: &'p Program<'p>,
    rows: Range<usize>,
    /// Columns of numbers that have other values here: their places in the program, and the values of these rows.
    instead: &'p [(usize, &'p [f64])],
    numbers: Vec<OnceCell<Numbers<'static>>>,
    truths: Vec<OnceCell<Truths<'static>>>,
}

impl<'p> Chunk<'p> {
    pub(crate) fn new(program: &'p Program<'p>, rows: Range<usize>) -> Chunk<'p> {
        Chunk::with(program, rows, &[])
    }

    /// The same where some columns of numbers have other values, one for each of these rows.
    pub(crate) fn with(
        program: &'p Program<'p>,
        rows: Range<usize>,
        instead: &'p [(usize, &'p [f64])],
    ) -> Chunk<'p> {
        let lets = program.lets.len();
        Chunk {
            program,
            rows,
            instead,
            numbers: std::iter::repeat_with(OnceCell::new).take(lets).collect(),
            truths: std::iter::repeat_with(OnceCell::new).take(lets).collect(),
        }
    }

    /// The numbers of its customers.
    pub(crate) fn numbers<'s>(&'s self, num: &'s Num) -> Cow<'s, [f64]> {
        match self.number(num) {
            One(value) => Cow::Owned(vec![value; self.rows.len()]),
            Many(values) => values,
        }
    }

    /// Whether the rule matches, a byte for each customer or one for all.
    pub(crate) fn truth<'s>(&'s self, tri: &'s Tri) -> Truths<'s> {
        match tri {
            Tri::Constant(value) => One(if *value { YES } else { NO }),
            Tri::Column(column) => {
                let values = self.program.columns[*column].values;
                let Loaded::Truths(values) = values else { return One(UNKNOWN) };
                Many(values[self.rows.clone()].iter().map(|value| byte(*value)).collect())
            }
            Tri::Let(i) => self.truths[*i]
                .get_or_init(|| match &self.program.lets[*i].value {
                    Typed::Truth(tri) => self.truth(tri).owned(),
                    _ => One(UNKNOWN),
                })
                .borrowed(),
            Tri::All(items) => {
                let first = One(YES);
                items.iter().fold(first, |so_far, item| match so_far {
                    One(NO) => so_far,
                    _ => both(so_far, self.truth(item), u8::min),
                })
            }
            Tri::Any(items) => {
                let first = One(NO);
                items.iter().fold(first, |so_far, item| match so_far {
                    One(YES) => so_far,
                    _ => both(so_far, self.truth(item), u8::max),
                })
            }
            Tri::Not(of) => each(self.truth(of), |value| YES - value),
            Tri::Same(a, b) => both(self.truth(a), self.truth(b), |a, b| match (a, b) {
                (UNKNOWN, _) | (_, UNKNOWN) => UNKNOWN,
                _ => YES * u8::from(a == b),
            }),
            Tri::Compare(op, a, b) => compare(*op, self.number(a), self.number(b)),
            Tri::InNumbers(num, list) => made(self.number(num), |value: f64| {
                let value = value + 0.0;
                match list.binary_search_by(|one| one.total_cmp(&value)) {
                    _ if value.is_nan() => UNKNOWN,
                    Ok(_) => YES,
                    Err(_) => NO,
                }
            }),
            Tri::Text { column, lookup, .. } => self.looked_up(*column, &self.program.lookups[*lookup]),
            Tri::CompareText(op, a, b) => self.by_row(|row| {
                let (a, b) = (self.program.text(a, row)?, self.program.text(b, row)?);
                Some(op.holds(a.as_bytes().cmp(b.as_bytes())))
            }),
            Tri::CompareWhole(op, a, b) => self.compare_whole(*op, a, b),
            Tri::NullNumber(num) => made(self.number(num), |value: f64| YES * u8::from(value.is_nan())),
            Tri::NullText(text) => self.by_row(|row| Some(self.is_no_text(text, row))),
            Tri::NullWhole(Whole::Column(column)) => {
                self.by_row(|row| Some(self.program.columns[*column].values.whole(row).is_none()))
            }
            Tri::NullWhole(Whole::Constant(_)) => One(NO),
            Tri::NullWhole(Whole::Number(num)) => {
                made(self.number(num), |value: f64| YES * u8::from(value.is_nan()))
            }
            Tri::NullTruth(of) => each(self.truth(of), |value| YES * u8::from(value == UNKNOWN)),
        }
    }

    fn is_no_text(&self, text: &Txt, row: usize) -> bool {
        self.program.text(text, row).is_none()
    }

    /// Whatever has no faster way.
    fn by_row(&self, truth: impl Fn(usize) -> Option<bool>) -> Truths<'static> {
        Many(self.rows.clone().map(|row| byte(truth(row))).collect())
    }

    fn looked_up(&self, column: usize, answers: &[u8]) -> Truths<'static> {
        let answer = |code: usize| answers.get(code).copied().unwrap_or(UNKNOWN);
        match self.program.columns[column].values {
            Loaded::Labels { codes, .. } => {
                Many(codes[self.rows.clone()].iter().map(|&code| answer(usize::from(code))).collect())
            }
            Loaded::Texts { codes, .. } => {
                Many(codes[self.rows.clone()].iter().map(|&code| answer(code as usize)).collect())
            }
            _ => One(UNKNOWN),
        }
    }

    fn compare_whole(&self, op: Comparison, a: &Whole, b: &Whole) -> Truths<'static> {
        let side = |whole: &Whole| match whole {
            Whole::Number(num) => Some(self.numbers(num).into_owned()),
            _ => None,
        };
        let (x, y) = (side(a), side(b));
        let value = |whole: &Whole, numbers: &Option<Vec<f64>>, row: usize| match (whole, numbers) {
            (Whole::Column(column), _) => self.program.columns[*column].values.whole(row).map(Exact::Whole),
            (Whole::Constant(value), _) => Some(Exact::Whole(*value)),
            (Whole::Number(_), Some(numbers)) => {
                let value = numbers[row - self.rows.start];
                (!value.is_nan()).then_some(Exact::Number(value))
            }
            _ => None,
        };
        self.by_row(|row| Some(op.holds(value(a, &x, row)?.compare(value(b, &y, row)?))))
    }

    /// A number of each customer, or one for all.
    pub(crate) fn number<'s>(&'s self, num: &'s Num) -> Numbers<'s> {
        let columns = &self.program.columns;
        match num {
            Num::Constant(value) | Num::Date(value) => One(*value),
            Num::Column(column) => Many(match self.instead.iter().find(|(own, _)| own == column) {
                Some((_, values)) => Cow::Borrowed(values),
                None => columns[*column].values.numbers(self.rows.clone()),
            }),
            Num::Let(i) => self.numbers[*i]
                .get_or_init(|| match &self.program.lets[*i].value {
                    Typed::Number(num, _) | Typed::Day(num) => self.number(num).owned(),
                    _ => One(f64::NAN),
                })
                .borrowed(),
            Num::Aggregate(slot) => One(match self.program.prepared.get(*slot) {
                Some(Prepared::Number(value)) => *value,
                _ => f64::NAN,
            }),
            Num::Negative(of) => each(self.number(of), |value| -value),
            Num::Round(of) => each(self.number(of), f64::round),
            Num::Absolute(of) => each(self.number(of), f64::abs),
            Num::Log1p(of) => each(self.number(of), log1p),
            Num::Arithmetic(op, a, b) => both(self.number(a), self.number(b), |a, b| op.of(a, b)),
            Num::Least(items) => {
                self.fold(items, |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) })
            }
            Num::Greatest(items) => {
                self.fold(items, |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) })
            }
            Num::First(items) => self.fold(items, |a, b| if a.is_nan() { b } else { a }),
            Num::If(condition, value, otherwise) => {
                let rest = otherwise.as_ref().map_or(One(f64::NAN), |otherwise| self.number(otherwise));
                let value = self.number(value);
                match self.truth(condition) {
                    One(YES) => value,
                    One(_) => rest,
                    Many(truths) => {
                        let at = |values: &Numbers, i: usize| match values {
                            One(value) => *value,
                            Many(values) => values[i],
                        };
                        Many(
                            (0..truths.len())
                                .map(|i| at(if truths[i] == YES { &value } else { &rest }, i))
                                .collect(),
                        )
                    }
                }
            }
            Num::Score(slot, of) => match self.program.prepared.get(*slot) {
                Some(Prepared::Cuts(cuts)) => each(self.number(of), |value| {
                    let below: u8 = cuts.iter().map(|cut| u8::from(*cut < value)).sum();
                    if value.is_nan() { f64::NAN } else { f64::from(1 + below) }
                }),
                _ => One(f64::NAN),
            },
            Num::Rank(slot, of) => match self.program.prepared.get(*slot) {
                Some(Prepared::Sorted(ranks)) => each(self.number(of), |value| {
                    if value.is_nan() { f64::NAN } else { (1 + ranks.above(value)) as f64 }
                }),
                _ => One(f64::NAN),
            },
            Num::CountAbove(periods, above) => {
                let mut count: Numbers = One(0.0);
                for column in periods {
                    let values = Many(columns[*column].values.numbers(self.rows.clone()));
                    let is_above = both(values, self.number(above), |value, above| {
                        if value.is_nan() || above.is_nan() {
                            f64::NAN
                        } else {
                            f64::from(u8::from(value > above))
                        }
                    });
                    count = both(count, is_above, |a, b| a + b);
                }
                count
            }
            Num::Sum(periods) => {
                let values =
                    periods.iter().map(|column| Many(columns[*column].values.numbers(self.rows.clone())));
                each(values.fold(One(0.0), |sum, values| both(sum, values, |a, b| a + b)), rounded)
            }
        }
    }

    fn fold<'s>(&'s self, items: &'s [Num], f: impl Fn(f64, f64) -> f64) -> Numbers<'s> {
        let mut items = items.iter().map(|item| self.number(item));
        let first = items.next().unwrap_or(One(f64::NAN));
        items.fold(first, |a, b| both(a, b, &f))
    }
}

impl Program<'_> {
    /// A number of customer `row`.
    pub(crate) fn value_at(&self, num: &Num, row: usize) -> f64 {
        Chunk::new(self, row..row + 1).numbers(num).first().copied().unwrap_or(f64::NAN)
    }

    /// The least and the greatest number of a column; infinite the wrong way round where there is none.
    pub(crate) fn range(&self, column: usize) -> (f64, f64) {
        let used = &self.columns[column];
        *used.range.get_or_init(|| {
            let none = (f64::INFINITY, f64::NEG_INFINITY);
            let of_chunk = |rows: Range<usize>| {
                used.values.numbers(rows).iter().fold(none, |(low, high), x| (low.min(*x), high.max(*x)))
            };
            let wider = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
            parallel::reduce_chunks(self.rows, CHUNK, of_chunk, wider).unwrap_or(none)
        })
    }

    /// Whether a number is null for some customer.
    pub(crate) fn has_null(&self, num: &Num) -> bool {
        let any = parallel::map_chunks(self.rows, CHUNK, |rows| {
            Chunk::new(self, rows).numbers(num).iter().any(|value| value.is_nan())
        });
        any.contains(&true)
    }
}

/// A sum of amounts as tiers compare it.
pub(crate) fn rounded(sum: f64) -> f64 {
    if sum.is_nan() { sum } else { graded(sum) }
}

/// ln(1 + x); null where there is none.
pub(crate) fn log1p(value: f64) -> f64 {
    if value > -1.0 { value.ln_1p() } else { f64::NAN }
}

pub(crate) fn byte(truth: Option<bool>) -> u8 {
    match truth {
        Some(true) => YES,
        Some(false) => NO,
        None => UNKNOWN,
    }
}

fn each<T: Copy>(values: Values<'_, T>, f: impl Fn(T) -> T) -> Values<'_, T> {
    match values {
        One(value) => One(f(value)),
        Many(values) => {
            let mut values = values.into_owned();
            values.iter_mut().for_each(|value| *value = f(*value));
            Many(Cow::Owned(values))
        }
    }
}

fn made<T: Copy, R: Copy>(values: Values<'_, T>, f: impl Fn(T) -> R) -> Values<'static, R> {
    match values {
        One(value) => One(f(value)),
        Many(values) => Many(values.iter().map(|value| f(*value)).collect()),
    }
}

fn both<'v, T: Copy>(a: Values<'v, T>, b: Values<'v, T>, f: impl Fn(T, T) -> T) -> Values<'v, T> {
    match (a, b) {
        (One(a), One(b)) => One(f(a, b)),
        (a, One(b)) => each(a, |a| f(a, b)),
        (One(a), b) => each(b, |b| f(a, b)),
        (Many(a), Many(b)) => {
            let mut a = a.into_owned();
            a.iter_mut().zip(b.iter()).for_each(|(a, b)| *a = f(*a, *b));
            Many(Cow::Owned(a))
        }
    }
}

/// Comparisons; one with null is unknown.
fn compare(op: Comparison, a: Numbers, b: Numbers) -> Truths<'static> {
    fn with(a: Numbers, b: Numbers, holds: impl Fn(f64, f64) -> bool) -> Truths<'static> {
        // A comparison with NaN is false, and `holds` must not say otherwise.
        let byte = |a: f64, b: f64| 2 * u8::from(holds(a, b)) + u8::from(a.is_nan() | b.is_nan());
        match (a, b) {
            (One(a), One(b)) => One(byte(a, b)),
            (Many(a), One(b)) => Many(a.iter().map(|a| byte(*a, b)).collect()),
            (One(a), Many(b)) => Many(b.iter().map(|b| byte(a, *b)).collect()),
            (Many(a), Many(b)) => Many(a.iter().zip(b.iter()).map(|(a, b)| byte(*a, *b)).collect()),
        }
    }
    match op {
        Comparison::Equal => with(a, b, |a, b| a == b),
        Comparison::NotEqual => with(a, b, |a, b| (a < b) | (a > b)),
        Comparison::Less => with(a, b, |a, b| a < b),
        Comparison::AtMost => with(a, b, |a, b| a <= b),
        Comparison::Greater => with(a, b, |a, b| a > b),
        Comparison::AtLeast => with(a, b, |a, b| a >= b),
    }
}
