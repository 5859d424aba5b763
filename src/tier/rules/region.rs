//! What a rule asks of each column: limits that are known without looking at customers, for checks and for words.
//!
//! A rule is a union of regions, each of which bounds some values and may ask more that has no such form.

use super::ast::Comparison;
use super::code::{Kind, Measure, Num, Program, TextTest, Tri, Typed};
use super::eval::{Chunk, Values};

/// A rule of more regions is not looked into.
const MOST: usize = 64;

/// What is bounded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Number(Num),
    Text(usize),
    Truth(usize),
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) value: f64,
    pub(crate) inclusive: bool,
    /// Whether it is a number as written, whatever the customers are.
    pub(crate) literal: bool,
    pub(crate) num: Num,
}

/// What is asked of one value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Limit {
    /// Whether it has to be null, or must not be.
    pub(crate) null: Option<bool>,
    pub(crate) low: Option<Bound>,
    pub(crate) high: Option<Bound>,
    /// The only numbers that it may be.
    pub(crate) among: Option<Vec<f64>>,
    /// The only texts that it may be.
    pub(crate) texts: Option<Vec<String>>,
    /// Texts that it must not be.
    pub(crate) except: Vec<String>,
}

/// Limits that hold together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Region {
    pub(crate) limits: Vec<(Key, Limit)>,
    /// What else is asked, and whether it has to be true or false.
    pub(crate) others: Vec<(Tri, bool)>,
}

fn above(a: &Bound, b: &Bound) -> bool {
    a.value > b.value || (a.value == b.value && !a.inclusive && b.inclusive)
}

impl Limit {
    fn and(self, other: Limit) -> Limit {
        let both = |a: Option<Vec<f64>>, b: Option<Vec<f64>>| match (a, b) {
            (Some(a), Some(b)) => Some(a.into_iter().filter(|x| b.contains(x)).collect()),
            (a, b) => a.or(b),
        };
        let texts = match (self.texts, other.texts) {
            (Some(a), Some(b)) => Some(a.into_iter().filter(|x| b.contains(x)).collect()),
            (a, b) => a.or(b),
        };
        let tighter = |a: Option<Bound>, b: Option<Bound>, second: fn(&Bound, &Bound) -> bool| match (a, b) {
            (Some(a), Some(b)) => Some(if second(&a, &b) { b } else { a }),
            (a, b) => a.or(b),
        };
        Limit {
            // Null and not null at once cannot be; `is_empty` sees it by the empty list.
            null: self.null.or(other.null),
            among: match (self.null, other.null) {
                (Some(a), Some(b)) if a != b => Some(Vec::new()),
                _ => both(self.among, other.among),
            },
            low: tighter(self.low, other.low, |a, b| above(b, a)),
            high: tighter(self.high, other.high, |a, b| {
                b.value < a.value || (b.value == a.value && a.inclusive && !b.inclusive)
            }),
            texts,
            except: self.except.into_iter().chain(other.except).collect(),
        }
    }

    /// Whether no value can be within. Ends that customers set may meet by chance, as where many are equal: then a
    /// range that would be empty is none that is written wrongly.
    pub(crate) fn is_empty(&self) -> bool {
        let crossed = match (&self.low, &self.high) {
            (Some(low), Some(high)) => {
                low.value > high.value
                    || (low.value == high.value
                        && !(low.inclusive && high.inclusive)
                        && (low.num == high.num || (low.literal && high.literal)))
            }
            _ => false,
        };
        let within = |x: &f64| {
            let low =
                self.low.as_ref().is_none_or(|low| *x > low.value || (*x == low.value && low.inclusive));
            low && self
                .high
                .as_ref()
                .is_none_or(|high| *x < high.value || (*x == high.value && high.inclusive))
        };
        crossed
            || self.among.as_ref().is_some_and(|among| !among.iter().any(within))
            || self.texts.as_ref().is_some_and(|texts| texts.iter().all(|text| self.except.contains(text)))
    }

    /// Whether every value within these limits is within those of `other`.
    fn is_within(&self, other: &Limit) -> bool {
        let same_end = |a: &Bound, b: &Bound| {
            a.value == b.value
                && (b.inclusive || !a.inclusive)
                && (a.num == b.num || (a.literal && b.literal))
        };
        let each = |holds: &dyn Fn(f64) -> bool| {
            self.among.as_ref().is_some_and(|all| all.iter().all(|x| holds(*x)))
        };
        let low = other.low.as_ref().is_none_or(|b| {
            self.low.as_ref().is_some_and(|a| a.value > b.value || same_end(a, b))
                || each(&|x| x > b.value || (x == b.value && b.inclusive))
        });
        let high = other.high.as_ref().is_none_or(|b| {
            self.high.as_ref().is_some_and(|a| a.value < b.value || same_end(a, b))
                || each(&|x| x < b.value || (x == b.value && b.inclusive))
        });
        let among = other.among.as_ref().is_none_or(|all| each(&|x| all.contains(&x)));
        let texts = other.texts.as_ref().is_none_or(|all| {
            self.texts.as_ref().is_some_and(|own| own.iter().all(|text| all.contains(text)))
        });
        let except = other.except.iter().all(|text| {
            self.except.contains(text) || self.texts.as_ref().is_some_and(|own| !own.contains(text))
        });
        (other.null.is_none() || self.null == other.null) && low && high && among && texts && except
    }
}

impl Region {
    fn of(key: Key, limit: Limit) -> Region {
        Region { limits: vec![(key, limit)], others: Vec::new() }
    }

    fn other(tri: &Tri, positive: bool) -> Region {
        Region { limits: Vec::new(), others: vec![(tri.clone(), positive)] }
    }

    fn and(mut self, other: Region) -> Region {
        for (key, limit) in other.limits {
            match self.limits.iter_mut().find(|(own, _)| *own == key) {
                Some((_, own)) => *own = std::mem::take(own).and(limit),
                None => self.limits.push((key, limit)),
            }
        }
        self.others.extend(other.others);
        self
    }

    /// What cannot hold together, if anything.
    pub(crate) fn contradiction(&self) -> Option<&(Key, Limit)> {
        self.limits.iter().find(|(_, limit)| limit.is_empty())
    }

    /// Whether everybody in this region is in `other`.
    pub(crate) fn is_within(&self, other: &Region) -> bool {
        other.others.is_empty()
            && other.limits.iter().all(|(key, limit)| {
                self.limits.iter().any(|(own, within)| own == key && within.is_within(limit))
            })
    }

    /// Whether it is everybody.
    pub(crate) fn is_everybody(&self) -> bool {
        self.limits.is_empty() && self.others.is_empty()
    }
}

impl Program<'_> {
    /// The number that an expression is for all customers; needs what aggregates came to.
    pub(crate) fn one(&self, num: &Num) -> Option<f64> {
        if !self.is_one(num) {
            return None;
        }
        match Chunk::new(self, 0..0).number(num) {
            Values::One(value) => Some(value),
            Values::Many(_) => None,
        }
    }

    /// A name of `[let]` replaced by what it stands for.
    pub(crate) fn expanded<'n>(&'n self, num: &'n Num) -> &'n Num {
        match num {
            Num::Let(i) => match &self.lets[*i].value {
                Typed::Number(num, _) | Typed::Day(num) => self.expanded(num),
                _ => num,
            },
            num => num,
        }
    }

    /// The regions where a condition is true, or false; one that asks for it all where there are too many.
    pub(crate) fn regions(&self, tri: &Tri, positive: bool) -> Vec<Region> {
        self.some_regions(tri, positive).unwrap_or_else(|| vec![Region::other(tri, positive)])
    }

    /// None where there are too many.
    fn some_regions(&self, tri: &Tri, positive: bool) -> Option<Vec<Region>> {
        let limit = |key: Key, limit: Limit| Some(vec![Region::of(key, limit)]);
        let known = |limit: Limit| Limit { null: Some(false), ..limit };
        match tri {
            Tri::Constant(value) => {
                Some(if *value == positive { vec![Region::default()] } else { Vec::new() })
            }
            Tri::Not(of) => self.some_regions(of, !positive),
            Tri::Let(i) => match &self.lets[*i].value {
                Typed::Truth(tri) => self.some_regions(tri, positive),
                _ => None,
            },
            Tri::All(items) | Tri::Any(items) if matches!(tri, Tri::All(_)) == positive => {
                let mut out = vec![Region::default()];
                for item in items {
                    let regions = self.some_regions(item, positive)?;
                    out = out.iter().flat_map(|a| regions.iter().map(|b| a.clone().and(b.clone()))).collect();
                    if out.len() > MOST {
                        return None;
                    }
                }
                Some(out)
            }
            Tri::All(items) | Tri::Any(items) => {
                let mut out = Vec::new();
                for item in items {
                    out.extend(self.some_regions(item, positive)?);
                    if out.len() > MOST {
                        return None;
                    }
                }
                Some(out)
            }
            Tri::Compare(op, a, b) => {
                let op = if positive { *op } else { op.opposite() };
                Some(vec![self.compared(op, a, b).unwrap_or_else(|| Region::other(tri, positive))])
            }
            Tri::InNumbers(num, list) if positive => {
                let own = self.implied(num);
                limit(self.key(num), own.and(known(Limit { among: Some(list.clone()), ..Limit::default() })))
            }
            Tri::Column(column) => {
                let value = if positive { 1.0 } else { 0.0 };
                limit(Key::Truth(*column), known(Limit { among: Some(vec![value]), ..Limit::default() }))
            }
            Tri::Text { column, test, .. } => {
                let found = match test {
                    TextTest::Compare(Comparison::Equal, text) => Some((vec![text.clone()], positive)),
                    TextTest::Compare(Comparison::NotEqual, text) => Some((vec![text.clone()], !positive)),
                    TextTest::In(texts) => Some((texts.clone(), positive)),
                    TextTest::Compare(..) => None,
                };
                Some(vec![match found {
                    Some((texts, true)) => Region::of(
                        Key::Text(*column),
                        known(Limit { texts: Some(texts), ..Limit::default() }),
                    ),
                    Some((except, false)) => {
                        Region::of(Key::Text(*column), known(Limit { except, ..Limit::default() }))
                    }
                    None => Region::other(tri, positive),
                }])
            }
            Tri::NullNumber(num) => limit(self.key(num), Limit { null: Some(positive), ..Limit::default() }),
            Tri::NullText(super::code::Txt::Column(column)) => {
                limit(Key::Text(*column), Limit { null: Some(positive), ..Limit::default() })
            }
            _ => Some(vec![Region::other(tri, positive)]),
        }
    }

    fn key(&self, num: &Num) -> Key {
        Key::Number(self.expanded(num).clone())
    }

    fn compared(&self, op: Comparison, a: &Num, b: &Num) -> Option<Region> {
        let (op, of, end) = match (self.is_one(a), self.is_one(b)) {
            (false, true) => (op, a, b),
            (true, false) => (op.turned(), b, a),
            (true, true) if self.is_literal(a) && self.is_literal(b) => {
                let (x, y) = (self.one(a)?, self.one(b)?);
                let holds = x.partial_cmp(&y).is_some_and(|order| op.holds(order));
                let nobody = Limit { among: Some(Vec::new()), ..Limit::default() };
                return Some(if holds { Region::default() } else { Region::of(self.key(a), nobody) });
            }
            _ => return None,
        };
        let value = self.one(end).filter(|value| !value.is_nan())?;
        let bound = |inclusive: bool| {
            Some(Bound { value, inclusive, literal: self.is_literal(end), num: self.expanded(end).clone() })
        };
        let limit = match op {
            Comparison::Equal => Limit { low: bound(true), high: bound(true), ..Limit::default() },
            Comparison::NotEqual => return None,
            Comparison::Less => Limit { high: bound(false), ..Limit::default() },
            Comparison::AtMost => Limit { high: bound(true), ..Limit::default() },
            Comparison::Greater => Limit { low: bound(false), ..Limit::default() },
            Comparison::AtLeast => Limit { low: bound(true), ..Limit::default() },
        };
        let limit = Limit { null: Some(false), ..limit };
        Some(Region::of(self.key(of), limit.and(self.implied(of))))
    }

    /// What a value is always within: scores 1 to 5, probabilities 0 to 1, counts from 0 on.
    fn implied(&self, num: &Num) -> Limit {
        let end =
            |value: f64| Some(Bound { value, inclusive: true, literal: true, num: Num::Constant(value) });
        let within = |low: f64, high: Option<f64>| Limit {
            low: end(low),
            high: high.and_then(end),
            ..Limit::default()
        };
        match self.expanded(num) {
            Num::Score(..) => within(1.0, Some(5.0)),
            Num::Rank(..) => within(1.0, None),
            Num::CountAbove(periods, _) => within(0.0, Some(periods.len() as f64)),
            Num::Column(column) => match self.columns[*column].kind {
                // Unless somebody gives something else by that name.
                Kind::Number(Measure::Share)
                    if self.range(*column).1 <= 1.0 && self.range(*column).0 >= 0.0 =>
                {
                    within(0.0, Some(1.0))
                }
                Kind::Number(Measure::Orders | Measure::Days | Measure::Weeks)
                    if self.range(*column).0 >= 0.0 =>
                {
                    within(0.0, None)
                }
                _ => Limit::default(),
            },
            _ => Limit::default(),
        }
    }
}
