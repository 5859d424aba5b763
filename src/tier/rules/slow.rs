//! Rules for one customer at a time, straight from the tree as written: slow, obvious, and the tests' reference.

use super::ast::{Arithmetic, Comparison, Expr, Node};
use crate::tier::columns::{CALIBRATION_END, Columns};

/// A value of any type; null is no value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Text(String),
    Truth(bool),
    Whole(i128),
}

/// What rules see of all customers.
pub(crate) struct Slow<'c, 'a> {
    pub(crate) columns: &'c Columns<'a>,
    pub(crate) lets: Vec<(String, Expr)>,
}

impl Slow<'_, '_> {
    /// Whether a rule matches a customer.
    pub(crate) fn matches(&self, rule: &Expr, row: usize) -> bool {
        self.value(rule, row) == Some(Value::Truth(true))
    }

    fn number(&self, expr: &Expr, row: usize) -> Option<f64> {
        match self.value(expr, row)? {
            Value::Number(value) => Some(value),
            other => panic!("{expr} is {other:?}"),
        }
    }

    fn truth(&self, expr: &Expr, row: usize) -> Option<bool> {
        match self.value(expr, row)? {
            Value::Truth(value) => Some(value),
            other => panic!("{expr} is {other:?}"),
        }
    }

    /// The numbers of all customers who have one, in ascending order.
    fn everyone(&self, expr: &Expr) -> Vec<f64> {
        let mut all: Vec<f64> = (0..self.columns.rows()).filter_map(|row| self.number(expr, row)).collect();
        all.sort_by(f64::total_cmp);
        all
    }

    pub(crate) fn value(&self, expr: &Expr, row: usize) -> Option<Value> {
        let number = |value: f64| (!value.is_nan()).then_some(Value::Number(value));
        let negate = |truth: Option<bool>, negated: bool| truth.map(|truth| Value::Truth(truth != negated));
        match &expr.node {
            Node::Number(value) => number(*value),
            Node::Percent(value) => number(value / 100.0),
            Node::Span(span) => number(span.days()),
            Node::Day(day) => number(f64::from(day.0)),
            Node::Whole(value) => Some(Value::Whole(*value)),
            Node::Text(text) => Some(Value::Text(text.clone())),
            Node::Truth(value) => Some(Value::Truth(*value)),
            Node::Name(name) => self.named(name, row),
            Node::Negative(of) => match self.value(of, row)? {
                Value::Number(value) => number(-value),
                Value::Whole(value) => Some(Value::Whole(-value)),
                other => panic!("-{other:?}"),
            },
            Node::Not(of) => negate(self.truth(of, row), true),
            Node::All(items) => self.kleene(items, row, false),
            Node::Any(items) => self.kleene(items, row, true),
            Node::Arithmetic(op, a, b) => {
                let (a, b) = (self.number(a, row)?, self.number(b, row)?);
                match op {
                    Arithmetic::Plus => number(a + b),
                    Arithmetic::Minus => number(a - b),
                    Arithmetic::Times => number(a * b),
                    Arithmetic::Over if b == 0.0 => None,
                    Arithmetic::Over => number(a / b),
                }
            }
            Node::Compare(op, a, b) => {
                compare(*op, &self.value(a, row)?, &self.value(b, row)?).map(Value::Truth)
            }
            Node::In { of, list, negated } => {
                let of = self.value(of, row)?;
                let found = list.iter().any(|item| {
                    let item = self.value(item, row).unwrap();
                    compare(Comparison::Equal, &of, &item) == Some(true)
                });
                negate(Some(found), *negated)
            }
            Node::Between { of, low, high, negated } => {
                let of = self.value(of, row);
                let side = |op: Comparison, end: &Expr| compare(op, of.as_ref()?, &self.value(end, row)?);
                let within = match (side(Comparison::AtLeast, low), side(Comparison::AtMost, high)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                };
                negate(within, *negated)
            }
            Node::IsNull { of, negated } => negate(Some(self.value(of, row).is_none()), *negated),
            Node::Call(function, arguments) => self.call(function, arguments, row),
        }
    }

    fn kleene(&self, items: &[Expr], row: usize, decides: bool) -> Option<Value> {
        let truths: Vec<Option<bool>> = items.iter().map(|item| self.truth(item, row)).collect();
        if truths.contains(&Some(decides)) {
            Some(Value::Truth(decides))
        } else if truths.contains(&None) {
            None
        } else {
            Some(Value::Truth(!decides))
        }
    }

    fn named(&self, name: &str, row: usize) -> Option<Value> {
        if let Some((_, expr)) = self.lets.iter().find(|(own, _)| own == name) {
            return self.value(expr, row);
        }
        if name == CALIBRATION_END {
            return Some(Value::Number(f64::from(self.columns.calibration_end().0)));
        }
        let (_, values) = self.columns.get(name).unwrap().unwrap();
        if let Some(text) = values.text(row) {
            return Some(Value::Text(text.to_string()));
        }
        if let Some(truth) = values.truth(row) {
            return Some(Value::Truth(truth));
        }
        if let Some(whole) = values.whole(row) {
            return Some(Value::Whole(whole));
        }
        values
            .numbers(row..row + 1)
            .first()
            .filter(|value| !value.is_nan())
            .map(|value| Value::Number(*value))
    }

    fn call(&self, function: &str, arguments: &[Expr], row: usize) -> Option<Value> {
        let number = |at: usize| self.number(&arguments[at], row);
        let share = |at: usize| match arguments[at].node {
            // Whole percentages are all that tests ask for.
            Node::Percent(value) => value as usize,
            _ => panic!("a percentage"),
        };
        let value = match function {
            "coalesce" => return arguments.iter().find_map(|argument| self.value(argument, row)),
            "if" => {
                let at = if self.truth(&arguments[0], row) == Some(true) { 1 } else { 2 };
                return self.value(arguments.get(at)?, row);
            }
            "min" | "max" => {
                let all: Option<Vec<f64>> = (0..arguments.len()).map(number).collect();
                let pick = if function == "min" { f64::min } else { f64::max };
                all?.into_iter().reduce(pick)?
            }
            "abs" => number(0)?.abs(),
            "log1p" => Some(number(0)?).filter(|value| *value > -1.0)?.ln_1p(),
            "top" => {
                let all = self.everyone(&arguments[0]);
                let rank = (share(1) * all.len()).div_ceil(100);
                *all.iter().rev().nth(rank.checked_sub(1)?)?
            }
            "quantile" => {
                let all = self.everyone(&arguments[0]);
                let rank = (share(1) * all.len()).div_ceil(100);
                *all.get(rank.checked_sub(1)?)?
            }
            "share" => {
                let all = self.everyone(&arguments[0]);
                crate::tier::by_hand::by_share(&all, &[share(1) as u64])[0]?
            }
            "median" => {
                let all = self.everyone(&arguments[0]);
                let upper = *all.get(all.len() / 2)?;
                if all.len() % 2 == 1 { upper } else { upper / 2.0 + all[all.len() / 2 - 1] / 2.0 }
            }
            "score5" => {
                let all = self.everyone(&arguments[0]);
                let value = number(0)?;
                let cut = |percent: usize| all[(percent * all.len()).div_ceil(100) - 1];
                1.0 + [20, 40, 60, 80].into_iter().filter(|&percent| cut(percent) < value).count() as f64
            }
            "rank" => {
                let value = number(0)?;
                1.0 + self.everyone(&arguments[0]).into_iter().filter(|other| *other > value).count() as f64
            }
            "periods_above" | "periods_sum" => {
                let of = |at: usize| {
                    arguments.get(at).map_or(0, |n| match n.node {
                        Node::Number(n) => n as usize,
                        _ => panic!("a number of periods"),
                    })
                };
                let (count, skip) = if function == "periods_sum" { (of(1), of(2)) } else { (of(2), 0) };
                let names = self.columns.of_periods(&arguments[0].to_string());
                let end = names.len() - skip;
                let mut sum = 0.0;
                for name in &names[end - count..end] {
                    let Some(Value::Number(value)) = self.named(name, row) else { return None };
                    sum += if function == "periods_sum" {
                        value
                    } else {
                        f64::from(u8::from(value > number(1)?))
                    };
                }
                crate::customers::spend::graded(sum)
            }
            _ => panic!("{function}"),
        };
        (!value.is_nan()).then_some(Value::Number(value))
    }
}

fn compare(op: Comparison, a: &Value, b: &Value) -> Option<bool> {
    let order = match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b)?,
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Truth(a), Value::Truth(b)) => a.cmp(b),
        (Value::Whole(a), Value::Whole(b)) => a.cmp(b),
        (Value::Whole(a), Value::Number(b)) => a.partial_cmp(&(*b as i128))?,
        (Value::Number(a), Value::Whole(b)) => (*a as i128).cmp(b),
        _ => panic!("{a:?} against {b:?}"),
    };
    Some(op.holds(order))
}
