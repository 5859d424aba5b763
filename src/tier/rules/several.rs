//! Lists and arguments whose parts have to be of one type.

use super::ast::{Comparison, Expr, Node};
use super::check::{Checked, Checker, shown, wrong};
use super::code::{Kind, Measure, Num, TextTest, Tri, Txt, Typed};
use super::problem::Problem;

/// Numbers with what they count, dates or texts of several parts that have to go together.
pub(super) enum Together {
    Numbers(Vec<Num>, Measure),
    Days(Vec<Num>),
    Texts(Vec<Txt>),
}

impl Checker<'_, '_> {
    /// `of in [list]`.
    pub(super) fn listed(&mut self, of: &Expr, list: &[Expr]) -> Checked<Tri> {
        if list.is_empty() {
            return Err(Problem::new(
                of.span.clone(),
                "the list behind \"in\" is empty",
                "name what it may be: in [\"a\", \"b\"]",
            ));
        }
        let value = self.typed(of)?;
        for item in list {
            let literal = match &item.node {
                Node::Negative(inner) => &inner.node,
                node => node,
            };
            if matches!(literal, Node::Name(_) | Node::Call(..) | Node::Arithmetic(..)) {
                return Err(Problem::new(
                    item.span.clone(),
                    format!("{} stands in a list", shown(item)),
                    "the list behind \"in\" holds numbers, texts or dates as they are",
                ));
            }
        }
        match value {
            Typed::Text(text) => {
                let mut texts = Vec::new();
                for item in list {
                    match &item.node {
                        Node::Text(text) => texts.push(text.clone()),
                        _ => return Err(mixed(of, Kind::Text, item, self.typed(item)?.kind())),
                    }
                }
                texts.sort_unstable();
                texts.dedup();
                Ok(match text {
                    Txt::Column(column) => self.asked(column, TextTest::In(texts)),
                    text => Tri::Any(
                        texts
                            .into_iter()
                            .map(|one| Tri::CompareText(Comparison::Equal, text.clone(), Txt::Constant(one)))
                            .collect(),
                    ),
                })
            }
            Typed::Number(num, measure) => {
                let mut values = Vec::new();
                for item in list {
                    match self.typed(item)? {
                        Typed::Number(one, n) => {
                            self.same(item, of, item, measure, n)?;
                            values.push(constant(&one));
                        }
                        other => return Err(mixed(of, Kind::Number(measure), item, other.kind())),
                    }
                }
                Ok(Tri::InNumbers(num, ascending(values)))
            }
            Typed::Day(num) => {
                let mut values = Vec::new();
                for item in list {
                    match self.typed(item)? {
                        Typed::Day(one) => values.push(constant(&one)),
                        other => return Err(mixed(of, Kind::Day, item, other.kind())),
                    }
                }
                Ok(Tri::InNumbers(num, ascending(values)))
            }
            Typed::Whole(_) => {
                let each = list.iter().map(|item| self.comparison(item, Comparison::Equal, of, item));
                Ok(Tri::Any(each.collect::<Checked<_>>()?))
            }
            Typed::Truth(_) => Err(wrong(of, "true or false needs no list: write the condition itself")),
        }
    }

    /// Parts that have to be of one type: numbers, dates or texts.
    pub(super) fn together(&mut self, items: &[Expr]) -> Checked<Together> {
        let mut out: Option<Together> = None;
        for item in items {
            let value = self.typed(item)?;
            let kind = value.kind();
            let first = &items[0];
            match (&mut out, value) {
                (None, Typed::Number(num, measure)) => out = Some(Together::Numbers(vec![num], measure)),
                (None, Typed::Day(num)) => out = Some(Together::Days(vec![num])),
                (None, Typed::Text(text)) => out = Some(Together::Texts(vec![text])),
                (Some(Together::Numbers(nums, measure)), Typed::Number(num, n)) => {
                    *measure = self.same(item, first, item, *measure, n)?;
                    nums.push(num);
                }
                (Some(Together::Days(nums)), Typed::Day(num)) => nums.push(num),
                (Some(Together::Texts(texts)), Typed::Text(text)) => texts.push(text),
                (None, _) => return Err(wrong(item, "numbers, dates and texts can stand here")),
                (Some(Together::Numbers(_, measure)), _) => {
                    return Err(mixed(first, Kind::Number(*measure), item, kind));
                }
                (Some(Together::Days(_)), _) => return Err(mixed(first, Kind::Day, item, kind)),
                (Some(Together::Texts(_)), _) => return Err(mixed(first, Kind::Text, item, kind)),
            }
        }
        out.ok_or_else(|| Problem::new(0..0, "there is nothing to choose from", "name a column"))
    }
}

/// The value of a literal, with or without a sign. Never −0.
fn constant(num: &Num) -> f64 {
    match num {
        Num::Constant(value) | Num::Date(value) => *value + 0.0,
        Num::Negative(of) => -constant(of) + 0.0,
        _ => f64::NAN,
    }
}

fn ascending(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    values
}

fn mixed(a: &Expr, kind: Kind, b: &Expr, other: Kind) -> Problem {
    Problem::new(
        b.span.clone(),
        format!("{} is {}, but {} is {}", shown(b), other.words(), shown(a), kind.words()),
        "give values of one type",
    )
}
