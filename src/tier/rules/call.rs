//! The functions that a rule may call, and what they take.

use super::aggregate::{Aggregate, Fraction, What};
use super::ast::{Expr, Node};
use super::check::{Checked, Checker, shown};
use super::code::{Kind, Measure, Num, Txt, Typed};
use super::problem::{Problem, did_you_mean};
use super::several::Together;

/// Names of all functions.
pub(crate) const FUNCTIONS: [&str; 17] = [
    "coalesce",
    "optional",
    "min",
    "max",
    "abs",
    "log1p",
    "if",
    "top",
    "quantile",
    "share",
    "mean",
    "median",
    "sd",
    "score5",
    "rank",
    "periods_above",
    "periods_sum",
];

/// How a function is called, as errors show it.
fn usage(function: &str) -> &'static str {
    match function {
        "coalesce" => "coalesce(column, 0): the first that is not null",
        "optional" => "optional(column, 0): the column if the customers have it, else the other value",
        "min" => {
            "min(a, b): the lesser of a customer's values; a quantile over customers is quantile(a, 10%)"
        }
        "max" => {
            "max(a, b): the greater of a customer's values; a quantile over customers is quantile(a, 90%)"
        }
        "abs" => "abs(a)",
        "log1p" => "log1p(a), the logarithm of 1 + a",
        "if" => "if(condition, value, otherwise): without the last one null",
        "top" => "top(column, 20%): the least value of the top 20 % of customers",
        "quantile" => "quantile(column, 80%)",
        "share" => "share(column, 70%): the least value of the biggest customers who make 70 % of the sum",
        "mean" | "median" | "sd" => "mean(column), median(column), sd(column)",
        "score5" => "score5(column): 1 to 5 by fifths of the customers",
        "rank" => "rank(column): 1 for the highest",
        "periods_above" => {
            "periods_above(spend, 1200, 4): in how many of the last 4 periods spend was above 1200"
        }
        _ => {
            "periods_sum(spend, 4): the spend of the last 4 periods; periods_sum(spend, 4, 4): of the 4 before them"
        }
    }
}

impl Checker<'_, '_> {
    /// A call of a function.
    pub(super) fn call(&mut self, expr: &Expr, function: &str, arguments: &[Expr]) -> Checked<Typed> {
        let counts = match function {
            "abs" | "log1p" | "mean" | "median" | "sd" | "score5" | "rank" => 1..=1,
            "top" | "quantile" | "share" | "optional" => 2..=2,
            "if" => 2..=3,
            "periods_above" => 3..=3,
            "periods_sum" => 2..=3,
            "coalesce" | "min" | "max" => 2..=100,
            _ => {
                let known: Vec<String> = FUNCTIONS.map(String::from).to_vec();
                let remedy = did_you_mean(function, &known);
                return Err(Problem::new(
                    expr.span.clone(),
                    format!("there is no function \"{function}\""),
                    remedy,
                ));
            }
        };
        if !counts.contains(&arguments.len()) {
            let given = match arguments.len() {
                1 => "one value".to_string(),
                n => format!("{n} values"),
            };
            return Err(Problem::new(
                expr.span.clone(),
                format!("{function} is given {given}"),
                usage(function),
            ));
        }
        let one = &arguments[0];
        Ok(match function {
            "abs" => {
                let (num, measure) = self.number(one)?;
                Typed::Number(Num::Absolute(Box::new(num)), measure)
            }
            "log1p" => Typed::Number(Num::Log1p(Box::new(self.number(one)?.0)), Measure::Plain),
            "if" => self.choice(arguments)?,
            "optional" => match &one.node {
                // A column that is there is the value, with its nulls.
                Node::Name(name) if self.columns.has(name) => {
                    self.together(arguments)?;
                    self.typed(one)?
                }
                Node::Name(_) => self.typed(&arguments[1])?,
                _ => {
                    let problem = format!("{} is no name of a column", shown(one));
                    return Err(Problem::new(one.span.clone(), problem, usage(function)));
                }
            },
            "coalesce" => match self.together(arguments)? {
                Together::Numbers(nums, measure) => Typed::Number(Num::First(nums), measure),
                Together::Days(nums) => Typed::Day(Num::First(nums)),
                Together::Texts(texts) => Typed::Text(Txt::First(texts)),
            },
            "min" | "max" => {
                let node = |nums| if function == "min" { Num::Least(nums) } else { Num::Greatest(nums) };
                match self.together(arguments)? {
                    Together::Numbers(nums, measure) => Typed::Number(node(nums), measure),
                    Together::Days(nums) => Typed::Day(node(nums)),
                    Together::Texts(_) => {
                        let problem = format!("{} is a text, where a number or a date is needed", shown(one));
                        return Err(Problem::new(one.span.clone(), problem, usage(function)));
                    }
                }
            }
            "top" => self.threshold(one, What::Top(self.fraction(function, &arguments[1])?))?,
            "quantile" => self.threshold(one, What::Quantile(self.fraction(function, &arguments[1])?))?,
            "share" => self.threshold(one, What::Share(self.fraction(function, &arguments[1])?))?,
            "mean" => self.threshold(one, What::Mean)?,
            "median" => self.threshold(one, What::Median)?,
            "sd" => self.threshold(one, What::Deviation)?,
            "score5" | "rank" => {
                let what = if function == "rank" { What::Sorted } else { What::Cuts };
                let (of, _) = self.of_customers(function, one)?;
                let slot = self.aggregate(Aggregate { what, of: of.clone() });
                let of = Box::new(of);
                let num = if function == "rank" { Num::Rank(slot, of) } else { Num::Score(slot, of) };
                Typed::Number(num, Measure::Plain)
            }
            "periods_above" => {
                let columns = self.periods(function, one, &arguments[2], None)?;
                let (above, measure) = self.number(&arguments[1])?;
                let own = self.measure_of_columns(&columns);
                self.same(expr, one, &arguments[1], own, measure)?;
                Typed::Number(Num::CountAbove(columns, Box::new(above)), Measure::Plain)
            }
            _ => {
                let columns = self.periods(function, one, &arguments[1], arguments.get(2))?;
                let measure = self.measure_of_columns(&columns);
                Typed::Number(Num::Sum(columns), measure)
            }
        })
    }

    fn choice(&mut self, arguments: &[Expr]) -> Checked<Typed> {
        let condition = Box::new(self.truth(&arguments[0])?);
        let pair = |mut nums: Vec<Num>| {
            let otherwise = (nums.len() > 1).then(|| nums.pop()).flatten().map(Box::new);
            Num::If(condition.clone(), Box::new(nums.remove(0)), otherwise)
        };
        match self.together(&arguments[1..])? {
            Together::Numbers(nums, measure) => Ok(Typed::Number(pair(nums), measure)),
            Together::Days(nums) => Ok(Typed::Day(pair(nums))),
            Together::Texts(_) => {
                let problem =
                    format!("{} is a text, where a number or a date is needed", shown(&arguments[1]));
                Err(Problem::new(arguments[1].span.clone(), problem, usage("if")))
            }
        }
    }

    /// A number that differs between customers.
    fn of_customers(&mut self, function: &str, expr: &Expr) -> Checked<(Num, Measure)> {
        let value = self.typed(expr)?;
        let kind = value.kind();
        let Typed::Number(num, measure) = value else {
            let problem =
                format!("{function} needs a column of numbers, but {} is {}", shown(expr), kind.words());
            return Err(Problem::new(expr.span.clone(), problem, usage(function)));
        };
        if self.program.is_one(&num) {
            let problem =
                format!("{function} is over all customers, but {} is the same for all", shown(expr));
            return Err(Problem::new(expr.span.clone(), problem, usage(function)));
        }
        Ok((num, measure))
    }

    fn threshold(&mut self, of: &Expr, what: What) -> Checked<Typed> {
        let (num, measure) = self.of_customers(what.name(), of)?;
        let slot = self.aggregate(Aggregate { what, of: num });
        Ok(Typed::Number(Num::Aggregate(slot), measure))
    }

    /// The place of an aggregate; the same one is computed once.
    fn aggregate(&mut self, aggregate: Aggregate) -> usize {
        let all = &mut self.program.aggregates;
        all.iter().position(|other| *other == aggregate).unwrap_or_else(|| {
            all.push(aggregate);
            all.len() - 1
        })
    }

    /// A share above 0 and up to 1, as an exact fraction.
    fn fraction(&self, function: &str, expr: &Expr) -> Checked<Fraction> {
        let named = match &expr.node {
            Node::Name(name) => self.program.lets.iter().find(|own| own.name == *name),
            _ => None,
        };
        let node = named.and_then(|own| own.literal.as_ref()).unwrap_or(&expr.node);
        let fail = |problem: String| Err(Problem::new(expr.span.clone(), problem, usage(function)));
        let (value, percent) = match node {
            Node::Number(value) => (*value, false),
            Node::Percent(value) => (*value, true),
            Node::Negative(_) => return fail(format!("{} is not above 0 % and up to 100 %", shown(expr))),
            _ => return fail(format!("{} is no percentage: write one, as in 20%", shown(expr))),
        };
        match Fraction::of(value, percent) {
            Some(fraction) if fraction.is_share() => Ok(fraction),
            Some(_) => fail(format!("{} is not above 0 % and up to 100 %", shown(expr))),
            None => fail(format!("{} has too many digits", shown(expr))),
        }
    }

    /// The columns of the last `count` periods, or of those before the last `skip`.
    fn periods(
        &mut self,
        function: &str,
        what: &Expr,
        count: &Expr,
        skip: Option<&Expr>,
    ) -> Checked<Vec<usize>> {
        let Node::Name(name) = &what.node else {
            return Err(Problem::new(
                what.span.clone(),
                format!("{} is no name of columns by period", shown(what)),
                usage(function),
            ));
        };
        let whole = |expr: &Expr, least: f64| match &expr.node {
            Node::Number(n) if n.fract() == 0.0 && (least..=1000.0).contains(n) => Ok(*n as usize),
            _ => Err(Problem::new(
                expr.span.clone(),
                format!("{} is no number of periods", shown(expr)),
                usage(function),
            )),
        };
        let (wanted, skip) = (whole(count, 1.0)?, skip.map_or(Ok(0), |skip| whole(skip, 0.0))?);
        let names = self.columns.of_periods(name);
        let needed = wanted + skip;
        if names.len() < needed {
            let has = match names.as_slice() {
                [] => format!("the customers have no columns {name}_PERIOD"),
                [one] => format!(
                    "the customers have one column {name}_PERIOD, {one}, and {function} asks for {needed}"
                ),
                all => format!(
                    "the customers have {} columns {name}_PERIOD, and {function} asks for {needed}",
                    all.len()
                ),
            };
            let remedy = format!(
                "summarize the history with --periods, as in --periods quarter:{needed}, which makes orders_PERIOD and spend_PERIOD"
            );
            return Err(Problem::new(what.span.clone(), has, remedy));
        }
        let end = names.len() - skip;
        let mut out = Vec::with_capacity(wanted);
        for name in &names[end - wanted..end] {
            match self.column(name, &what.span)? {
                (column, Kind::Number(_)) => out.push(column),
                (_, kind) => {
                    let problem = format!("column {name} is {}, where a number is needed", kind.words());
                    return Err(Problem::new(what.span.clone(), problem, usage(function)));
                }
            }
        }
        Ok(out)
    }

    fn measure_of_columns(&self, columns: &[usize]) -> Measure {
        match columns.first().map(|&column| self.program.columns[column].kind) {
            Some(Kind::Number(measure)) => measure,
            _ => Measure::Plain,
        }
    }
}
