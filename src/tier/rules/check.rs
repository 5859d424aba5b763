//! A tree held against the columns at hand: every name found, every type right, every function given what it takes.

use std::ops::Range;

use super::ast::{Arithmetic, Comparison, Expr, Node};
use super::code::{Kind, Let, Measure, Num, Program, TextTest, Tri, Txt, Typed, Used, Whole};
use super::eval::YES;
use super::problem::{Problem, did_you_mean};
use crate::tier::columns::{CALIBRATION_END, Columns};

/// What a check comes to.
pub(super) type Checked<T> = Result<T, Problem>;

/// Checks rules against columns, and collects what they share.
pub(crate) struct Checker<'c, 'a> {
    pub(super) columns: &'c Columns<'a>,
    pub(crate) program: Program<'c>,
}

impl<'c, 'a> Checker<'c, 'a> {
    pub(crate) fn new(columns: &'c Columns<'a>) -> Checker<'c, 'a> {
        let program = Program {
            rows: columns.rows(),
            columns: Vec::new(),
            lets: Vec::new(),
            aggregates: Vec::new(),
            prepared: Vec::new(),
            lookups: Vec::new(),
        };
        Checker { columns, program }
    }

    /// Gives an expression a name that later ones may use.
    ///
    /// # Errors
    /// A problem with the expression, or a name that is taken.
    pub(crate) fn name(&mut self, name: &str, expr: &Expr) -> Checked<()> {
        let taken = |problem: String| Problem::new(expr.span.clone(), problem, "choose another name");
        if self.program.lets.iter().any(|other| other.name == name) {
            return Err(taken(format!("the name \"{name}\" is given twice")));
        }
        if name == CALIBRATION_END || self.columns.names().iter().any(|column| column == name) {
            return Err(taken(format!("\"{name}\" is the name of a column")));
        }
        let value = self.typed(expr)?;
        if let Typed::Whole(_) = value {
            return Err(wrong(expr, "whole numbers beyond 2^53 can only be compared, not named"));
        }
        let literal = match &expr.node {
            Node::Number(_) | Node::Percent(_) => Some(expr.node.clone()),
            _ => None,
        };
        self.program.lets.push(Let { name: name.to_string(), value, literal });
        Ok(())
    }

    /// A condition.
    ///
    /// # Errors
    /// The first problem.
    pub(crate) fn truth(&mut self, expr: &Expr) -> Checked<Tri> {
        match self.typed(expr)? {
            Typed::Truth(tri) => Ok(tri),
            other => Err(Problem::new(
                expr.span.clone(),
                format!("{} is {}, where a condition is needed", shown(expr), other.kind().words()),
                "compare it with something, as in total_spend >= 500",
            )),
        }
    }

    /// A number.
    pub(super) fn number(&mut self, expr: &Expr) -> Checked<(Num, Measure)> {
        match self.typed(expr)? {
            Typed::Number(num, measure) => Ok((num, measure)),
            other => Err(Problem::new(
                expr.span.clone(),
                format!("{} is {}, where a number is needed", shown(expr), other.kind().words()),
                match other.kind() {
                    Kind::Day => {
                        "take a difference of two dates, which is a number of days: calibration_end - last_order"
                    }
                    Kind::Whole => "numbers beyond 2^53 are taken for ids: they can only be compared",
                    _ => "use a column of numbers",
                },
            )),
        }
    }

    /// A value of any type.
    pub(crate) fn typed(&mut self, expr: &Expr) -> Checked<Typed> {
        Ok(match &expr.node {
            Node::Number(value) => Typed::Number(Num::Constant(*value), Measure::Plain),
            Node::Percent(value) => Typed::Number(Num::Constant(value / 100.0), Measure::Plain),
            Node::Span(span) => Typed::Number(Num::Constant(span.days()), Measure::Days),
            Node::Day(day) => Typed::Day(Num::Date(f64::from(day.0))),
            Node::Whole(value) => Typed::Whole(Whole::Constant(*value)),
            Node::Text(text) => Typed::Text(Txt::Constant(text.clone())),
            Node::Truth(value) => Typed::Truth(Tri::Constant(*value)),
            Node::Name(name) => self.named(name, &expr.span)?,
            Node::Negative(of) => match (&of.node, self.typed(of)?) {
                (Node::Whole(value), _) => Typed::Whole(Whole::Constant(-value)),
                _ => {
                    let (num, measure) = self.number(of)?;
                    Typed::Number(Num::Negative(Box::new(num)), measure)
                }
            },
            Node::Not(of) => Typed::Truth(Tri::Not(Box::new(self.truth(of)?))),
            Node::All(items) => Typed::Truth(Tri::All(self.truths(items)?)),
            Node::Any(items) => Typed::Truth(Tri::Any(self.truths(items)?)),
            Node::Arithmetic(op, a, b) => self.arithmetic(expr, *op, a, b)?,
            Node::Compare(op, a, b) => Typed::Truth(self.comparison(expr, *op, a, b)?),
            Node::In { of, list, negated } => {
                let tri = self.listed(of, list)?;
                Typed::Truth(if *negated { Tri::Not(Box::new(tri)) } else { tri })
            }
            Node::Between { of, low, high, negated } => {
                let least = self.comparison(expr, Comparison::AtLeast, of, low)?;
                let most = self.comparison(expr, Comparison::AtMost, of, high)?;
                let tri = Tri::All(vec![least, most]);
                Typed::Truth(if *negated { Tri::Not(Box::new(tri)) } else { tri })
            }
            Node::IsNull { of, negated } => {
                let tri = match self.typed(of)? {
                    Typed::Number(num, _) | Typed::Day(num) => Tri::NullNumber(num),
                    Typed::Text(text) => Tri::NullText(text),
                    Typed::Whole(whole) => Tri::NullWhole(whole),
                    Typed::Truth(tri) => Tri::NullTruth(Box::new(tri)),
                };
                Typed::Truth(if *negated { Tri::Not(Box::new(tri)) } else { tri })
            }
            Node::Call(function, arguments) => self.call(expr, function, arguments)?,
        })
    }

    fn truths(&mut self, items: &[Expr]) -> Checked<Vec<Tri>> {
        items.iter().map(|item| self.truth(item)).collect()
    }

    /// A column or a name of `[let]`.
    fn named(&mut self, name: &str, span: &Range<usize>) -> Checked<Typed> {
        if let Some(at) = self.program.lets.iter().position(|own| own.name == name) {
            return Ok(match &self.program.lets[at].value {
                Typed::Number(_, measure) => Typed::Number(Num::Let(at), *measure),
                Typed::Day(_) => Typed::Day(Num::Let(at)),
                Typed::Text(_) => Typed::Text(Txt::Let(at)),
                Typed::Truth(_) => Typed::Truth(Tri::Let(at)),
                Typed::Whole(whole) => Typed::Whole(whole.clone()),
            });
        }
        if name == CALIBRATION_END {
            return Ok(Typed::Day(Num::Date(f64::from(self.columns.calibration_end().0))));
        }
        let (column, kind) = self.column(name, span)?;
        Ok(match kind {
            Kind::Number(measure) => Typed::Number(Num::Column(column), measure),
            Kind::Day => Typed::Day(Num::Column(column)),
            Kind::Text => Typed::Text(Txt::Column(column)),
            Kind::Truth => Typed::Truth(Tri::Column(column)),
            Kind::Whole => Typed::Whole(Whole::Column(column)),
        })
    }

    /// The place among the used columns of the one of that name.
    pub(super) fn column(&mut self, name: &str, span: &Range<usize>) -> Checked<(usize, Kind)> {
        if let Some(at) = self.program.columns.iter().position(|used| used.name == name) {
            return Ok((at, self.program.columns[at].kind));
        }
        let found = self.columns.get(name).map_err(|error| {
            Problem::new(span.clone(), error.to_string(), error.hint().unwrap_or_default())
        })?;
        let Some((kind, values)) = found else {
            let lets = self.program.lets.iter().map(|own| own.name.clone());
            let known: Vec<String> = lets.chain(self.columns.names()).collect();
            let remedy = match name {
                "frequency_holdout" | "spend_holdout" | "T_holdout" => {
                    "a tier cannot rest on the holdout, which is what came after".to_string()
                }
                _ => did_you_mean(name, &known),
            };
            return Err(Problem::new(span.clone(), format!("there is no column \"{name}\""), remedy));
        };
        self.program.columns.push(Used { name: name.to_string(), kind, values, range: Default::default() });
        Ok((self.program.columns.len() - 1, kind))
    }

    fn arithmetic(&mut self, expr: &Expr, op: Arithmetic, a: &Expr, b: &Expr) -> Checked<Typed> {
        let both = |a: Num, b: Num| Num::Arithmetic(op, Box::new(a), Box::new(b));
        match (self.typed(a)?, self.typed(b)?) {
            (Typed::Number(x, m), Typed::Number(y, n)) => {
                let measure = match op {
                    Arithmetic::Plus | Arithmetic::Minus => self.same(expr, a, b, m, n)?,
                    Arithmetic::Times if m == Measure::Plain => n,
                    Arithmetic::Times if n == Measure::Plain => m,
                    Arithmetic::Over if m == n => Measure::Plain,
                    Arithmetic::Over if n == Measure::Plain => m,
                    // Days and weeks do not cancel.
                    Arithmetic::Over => {
                        self.same(expr, a, b, m, n)?;
                        Measure::Plain
                    }
                    Arithmetic::Times => Measure::Plain,
                };
                Ok(Typed::Number(both(x, y), measure))
            }
            (Typed::Day(x), Typed::Day(y)) if op == Arithmetic::Minus => {
                Ok(Typed::Number(both(x, y), Measure::Days))
            }
            (Typed::Day(x), Typed::Number(y, m)) if matches!(op, Arithmetic::Plus | Arithmetic::Minus) => {
                self.same(expr, a, b, Measure::Days, m)?;
                Ok(Typed::Day(both(x, Num::Round(Box::new(y)))))
            }
            (x, y) => Err(Problem::new(
                expr.span.clone(),
                format!(
                    "{}, {}, and {}, {}, cannot go together with {}",
                    shown(a),
                    x.kind().words(),
                    shown(b),
                    y.kind().words(),
                    op.sign()
                ),
                "numbers can be added, subtracted, multiplied and divided; a date less a date is a number of days, and a date moves by days",
            )),
        }
    }

    /// What numbers of two measures count together; days and weeks do not go together.
    pub(super) fn same(&self, expr: &Expr, a: &Expr, b: &Expr, m: Measure, n: Measure) -> Checked<Measure> {
        match (m, n) {
            (Measure::Days, Measure::Weeks) | (Measure::Weeks, Measure::Days) => Err(Problem::new(
                expr.span.clone(),
                format!(
                    "{} is {}, {} is {}",
                    shown(a),
                    Kind::Number(m).words(),
                    shown(b),
                    Kind::Number(n).words()
                ),
                "recency and T are in the table's unit: take recency_days and T_days, which are always in days",
            )),
            (Measure::Plain, other) | (other, Measure::Plain) => Ok(other),
            _ if m == n => Ok(m),
            _ => Ok(Measure::Plain),
        }
    }

    pub(super) fn comparison(&mut self, expr: &Expr, op: Comparison, a: &Expr, b: &Expr) -> Checked<Tri> {
        Ok(match (self.typed(a)?, self.typed(b)?) {
            (Typed::Number(x, m), Typed::Number(y, n)) => {
                self.same(expr, a, b, m, n)?;
                Tri::Compare(op, x, y)
            }
            (Typed::Day(x), Typed::Day(y)) => Tri::Compare(op, x, y),
            (Typed::Text(Txt::Column(column)), Typed::Text(Txt::Constant(text))) => {
                self.asked(column, TextTest::Compare(op, text))
            }
            (Typed::Text(Txt::Constant(text)), Typed::Text(Txt::Column(column))) => {
                self.asked(column, TextTest::Compare(op.turned(), text))
            }
            (Typed::Text(x), Typed::Text(y)) => Tri::CompareText(op, x, y),
            (Typed::Whole(x), Typed::Whole(y)) => Tri::CompareWhole(op, x, y),
            (Typed::Whole(x), Typed::Number(y, _)) => Tri::CompareWhole(op, x, Whole::Number(y)),
            (Typed::Number(x, _), Typed::Whole(y)) => Tri::CompareWhole(op, Whole::Number(x), y),
            (Typed::Truth(x), Typed::Truth(y)) if matches!(op, Comparison::Equal | Comparison::NotEqual) => {
                let same = Tri::Same(Box::new(x), Box::new(y));
                if op == Comparison::Equal { same } else { Tri::Not(Box::new(same)) }
            }
            (x, y) => {
                let remedy = match (x.kind(), y.kind()) {
                    (Kind::Day, Kind::Text) | (Kind::Text, Kind::Day) => {
                        "write dates without quotation marks: first_order >= 2024-01-31"
                    }
                    (Kind::Day, Kind::Number(_)) | (Kind::Number(_), Kind::Day) => {
                        "compare dates with dates, as in last_order >= calibration_end - 90d"
                    }
                    (Kind::Number(_), Kind::Text) => "write numbers without quotation marks",
                    (Kind::Text, Kind::Number(_)) => {
                        "write texts between quotation marks: segment = \"gold\""
                    }
                    (Kind::Truth, Kind::Truth) => "true and false can only be equal or not",
                    _ => "compare values of one type",
                };
                return Err(Problem::new(
                    expr.span.clone(),
                    format!(
                        "{} is {}, {} is {}: they cannot be compared with {}",
                        shown(a),
                        x.kind().words(),
                        shown(b),
                        y.kind().words(),
                        op.sign()
                    ),
                    remedy,
                ));
            }
        })
    }

    /// A question to a column of texts, answered now for each text that it has.
    pub(super) fn asked(&mut self, column: usize, test: TextTest) -> Tri {
        let answer = |text: &String| match &test {
            TextTest::Compare(op, other) => op.holds(text.as_bytes().cmp(other.as_bytes())),
            TextTest::In(list) => list.binary_search(text).is_ok(),
        };
        let names = self.program.columns[column].values.names();
        let answers = names.iter().map(|name| if answer(name) { YES } else { 0 }).collect();
        self.program.lookups.push(answers);
        Tri::Text { column, test, lookup: self.program.lookups.len() - 1 }
    }
}

/// A part as it was written, cut short.
pub(super) fn shown(expr: &Expr) -> String {
    let text = expr.to_string();
    if text.chars().count() <= 40 {
        return text;
    }
    text.chars().take(39).chain(['…']).collect()
}

pub(super) fn wrong(expr: &Expr, remedy: &str) -> Problem {
    Problem::new(expr.span.clone(), format!("{} cannot stand here", shown(expr)), remedy)
}
