//! Rules as sentences with the real thresholds.

use super::ast::{Arithmetic, Comparison};
use super::code::{Kind, Measure, Num, Prepared, Program, Tri, Txt, Typed, Whole};
use super::region::{Bound, Key, Limit, Region};
use crate::calendar::Day;
use crate::customers::rfm::{self, Thresholds};
use crate::customers::spend::threshold;

/// A number without needless digits: `1,200`, `0.6`.
pub(crate) fn plain(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-6 {
        return format!("{value:e}");
    }
    let text = threshold(value);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

/// A number of what it counts.
pub(crate) fn measured(value: f64, kind: Kind) -> String {
    let counted =
        |one: &str| if value == 1.0 { format!("1 {one}") } else { format!("{} {one}s", plain(value)) };
    match kind {
        _ if value.is_nan() => "unknown".into(),
        Kind::Number(Measure::Money) => threshold(value),
        Kind::Number(Measure::Days) => counted("day"),
        Kind::Number(Measure::Weeks) => counted("week"),
        Kind::Day if value.fract() == 0.0 && value.abs() < 1e9 => Day(value as i32).to_string(),
        _ => plain(value),
    }
}

/// The words of a column.
fn label(name: &str) -> String {
    match name {
        "p_alive" => "P(alive)".into(),
        "clv" => "CLV".into(),
        "T_days" => "T".into(),
        "recency_days" => "recency".into(),
        "days_since_last" => "days since the last order".into(),
        name => name.replace('_', " "),
    }
}

fn joined(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} {word} {last}", all.join(", ")),
    }
}

impl Program<'_> {
    /// The type of a number or a day.
    pub(crate) fn kind(&self, num: &Num) -> Kind {
        match num {
            Num::Column(column) => self.columns[*column].kind,
            Num::Date(_) => Kind::Day,
            Num::Let(i) => self.lets[*i].value.kind(),
            Num::Aggregate(slot) => self.kind(&self.aggregates[*slot].of),
            Num::Negative(of) | Num::Round(of) | Num::Absolute(of) => self.kind(of),
            Num::Least(of) | Num::Greatest(of) | Num::First(of) => {
                let plain = Kind::Number(Measure::Plain);
                of.iter().map(|num| self.kind(num)).find(|kind| *kind != plain).unwrap_or(plain)
            }
            // A date moves by whole days; otherwise two dates have a difference.
            Num::Arithmetic(_, of, by) if matches!(**by, Num::Round(_)) => self.kind(of),
            Num::Arithmetic(op, a, b) => match (op, self.kind(a), self.kind(b)) {
                (_, Kind::Day, _) | (_, _, Kind::Day) => Kind::Number(Measure::Days),
                (Arithmetic::Over, a, b) if a == b => Kind::Number(Measure::Plain),
                (_, a, Kind::Number(Measure::Plain)) => a,
                (Arithmetic::Over, ..) => Kind::Number(Measure::Plain),
                (_, Kind::Number(Measure::Plain), b) => b,
                (Arithmetic::Plus | Arithmetic::Minus, a, b) if a == b => a,
                _ => Kind::Number(Measure::Plain),
            },
            Num::If(_, of, _) => self.kind(of),
            Num::Sum(columns) => {
                columns.first().map_or(Kind::Number(Measure::Plain), |c| self.columns[*c].kind)
            }
            _ => Kind::Number(Measure::Plain),
        }
    }

    /// A number in words: what it is called, or the threshold that it is.
    pub(crate) fn num_words(&self, num: &Num) -> String {
        let list = |items: &[Num]| items.iter().map(|num| self.num_words(num)).collect::<Vec<_>>();
        match num {
            Num::Constant(value) => plain(*value),
            num if self.is_one(num) && !matches!(num, Num::Let(_)) => {
                self.one(num).map_or_else(String::new, |value| measured(value, self.kind(num)))
            }
            Num::Column(column) => label(&self.columns[*column].name),
            Num::Let(i) if self.is_one(num) => match self.one(num) {
                Some(value) => measured(value, self.lets[*i].value.kind()),
                None => label(&self.lets[*i].name),
            },
            Num::Let(i) => label(&self.lets[*i].name),
            // One for all.
            Num::Date(_) | Num::Aggregate(_) => String::new(),
            Num::Negative(of) => format!("−{}", self.num_words(of)),
            Num::Round(of) => self.num_words(of),
            Num::Arithmetic(op, a, b) => {
                let part = |num: &Num| match num {
                    Num::Arithmetic(..) if !self.is_one(num) => format!("({})", self.num_words(num)),
                    _ => self.num_words(num),
                };
                let sign = match op.sign() {
                    "-" => "−",
                    "*" => "×",
                    sign => sign,
                };
                format!("{} {sign} {}", part(a), part(b))
            }
            Num::Absolute(of) => format!("the absolute {}", self.num_words(of)),
            Num::Log1p(of) => format!("ln(1 + {})", self.num_words(of)),
            Num::Least(items) => format!("the lesser of {}", joined(&list(items), "and")),
            Num::Greatest(items) => format!("the greater of {}", joined(&list(items), "and")),
            Num::First(items) => format!(
                "{} (if there is none, {})",
                self.num_words(&items[0]),
                joined(&list(&items[1..]), "or")
            ),
            Num::If(condition, value, otherwise) => {
                let rest = otherwise.as_ref().map_or("nothing".to_string(), |rest| self.num_words(rest));
                format!("{} where {}, else {rest}", self.num_words(value), self.rule_words(condition))
            }
            Num::Score(_, of) => format!("the score of {}", self.num_words(of)),
            Num::Rank(_, of) => format!("the rank by {}", self.num_words(of)),
            Num::CountAbove(columns, above) => {
                format!(
                    "periods with {} above {}, of {}",
                    self.period_words(columns),
                    self.num_words(above),
                    columns.len()
                )
            }
            Num::Sum(columns) => match columns.as_slice() {
                [one] => label(&self.columns[*one].name),
                [first, .., last] => {
                    format!(
                        "{} from {} to {}",
                        self.period_words(columns),
                        self.period(*first),
                        self.period(*last)
                    )
                }
                [] => String::new(),
            },
        }
    }

    fn period_words(&self, columns: &[usize]) -> &str {
        let name = columns.first().map_or("", |column| self.columns[*column].name.as_str());
        name.split('_').next().unwrap_or(name)
    }

    /// The period of a column such as spend_2026_Q1.
    fn period(&self, column: usize) -> String {
        let name = &self.columns[column].name;
        name.split_once('_').map_or(name.as_str(), |(_, period)| period).replace('_', "-")
    }

    fn bound_words(&self, low: &Option<Bound>, high: &Option<Bound>, kind: Kind) -> String {
        let value = |bound: &Bound| measured(bound.value, kind);
        match (low, high) {
            (Some(low), Some(high)) if low.value == high.value && low.inclusive && high.inclusive => {
                format!("of {}", value(low))
            }
            (low, high) => {
                let low = low.as_ref().map(|low| {
                    let word = if low.inclusive { "of at least" } else { "over" };
                    format!("{word} {}", value(low))
                });
                let high = high.as_ref().map(|high| {
                    let word = if high.inclusive { "of at most" } else { "below" };
                    format!("{word} {}", value(high))
                });
                low.into_iter().chain(high).collect::<Vec<_>>().join(" and ")
            }
        }
    }

    /// What is asked of one value.
    pub(crate) fn limit_words(&self, key: &Key, limit: &Limit) -> String {
        let quoted = |texts: &[String]| texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>();
        match key {
            Key::Truth(column) => {
                let name = label(&self.columns[*column].name);
                if limit.among.as_ref().is_some_and(Vec::is_empty) {
                    return format!("{name} that is two things at once");
                }
                let is = limit.among.as_ref().is_some_and(|among| among.contains(&1.0));
                if is { name } else { format!("not {name}") }
            }
            Key::Text(column) => {
                let name = label(&self.columns[*column].name);
                match (limit.null, &limit.texts) {
                    (Some(true), _) => format!("no {name}"),
                    (_, Some(texts)) if texts.is_empty() => format!("{name} that is two things at once"),
                    (_, Some(texts)) if !limit.except.is_empty() => format!(
                        "{name} {} and other than {}",
                        joined(&quoted(texts), "or"),
                        joined(&quoted(&limit.except), "and")
                    ),
                    (_, Some(texts)) => format!("{name} {}", joined(&quoted(texts), "or")),
                    _ if limit.except.is_empty() => format!("a known {name}"),
                    _ => format!("{name} other than {}", joined(&quoted(&limit.except), "and")),
                }
            }
            Key::Number(num) => {
                let what = self.key_words(num);
                if limit.among.as_ref().is_some_and(Vec::is_empty) {
                    return match self.is_one(num) {
                        true => "a comparison that is always false".into(),
                        false => format!("{what} that is two things at once"),
                    };
                }
                if limit.null == Some(true) {
                    return format!("no {what}");
                }
                if let Num::Score(slot, of) = num
                    && let Some(words) = self.score_words(num, *slot, of, limit)
                {
                    return words;
                }
                let kind = self.kind(num);
                if let Some(among) = &limit.among {
                    let values: Vec<String> = among.iter().map(|value| measured(*value, kind)).collect();
                    let bounds = match (&limit.low, &limit.high) {
                        (None, None) => String::new(),
                        (low, high) => format!(" and {}", self.bound_words(low, high, kind)),
                    };
                    return format!("{what} of {}{bounds}", joined(&values, "or"));
                }
                // What a value always is needs no words.
                let told = |bound: &Option<Bound>| {
                    bound.clone().filter(|b| !(b.literal && b.inclusive && self.is_implied(num, b.value)))
                };
                let (low, high) = (told(&limit.low), told(&limit.high));
                match (&low, &high) {
                    (None, None) if limit.low.is_some() || limit.high.is_some() => {
                        format!("{what} {}", self.bound_words(&limit.low, &limit.high, kind))
                    }
                    (None, None) => format!("a known {what}"),
                    _ => format!("{what} {}", self.bound_words(&low, &high, kind)),
                }
            }
        }
    }

    fn is_implied(&self, num: &Num, value: f64) -> bool {
        match num {
            Num::Column(column) => match self.columns[*column].kind {
                Kind::Number(Measure::Share) => value == 0.0 || value == 1.0,
                Kind::Number(Measure::Orders | Measure::Days | Measure::Weeks) => value == 0.0,
                _ => false,
            },
            Num::Rank(..) => value == 1.0,
            Num::CountAbove(columns, _) => value == 0.0 || value == columns.len() as f64,
            _ => false,
        }
    }

    /// The name that a rule gives to a number, else the number in words.
    fn key_words(&self, num: &Num) -> String {
        let named = self.lets.iter().position(|own| match &own.value {
            Typed::Number(value, _) | Typed::Day(value) => value == num && !matches!(value, Num::Column(_)),
            _ => false,
        });
        named.map_or_else(|| self.num_words(num), |at| self.num_words(&Num::Let(at)))
    }

    /// What a range of scores means: "last order at most 30 days ago (R 3–5)".
    fn score_words(&self, num: &Num, slot: usize, of: &Num, limit: &Limit) -> Option<String> {
        let Some(Prepared::Cuts(cuts)) = self.prepared.get(slot) else { return None };
        let inside = |bound: &Option<Bound>, otherwise: f64, step: f64| {
            bound.as_ref().map_or(otherwise, |b| if b.inclusive { b.value } else { b.value + step })
        };
        let (low, high) = (inside(&limit.low, 1.0, 1.0).ceil(), inside(&limit.high, 5.0, -1.0).floor());
        if limit.among.is_some() || low > high || low < 1.0 || high > 5.0 {
            return None;
        }
        let (low, high) = (low as u8, high as u8);
        let letter = self.score_name(num);
        let range = if low == high { format!("{letter} {low}") } else { format!("{letter} {low}–{high}") };
        let name = |num: &Num| match num {
            Num::Column(column) => Some(self.columns[*column].name.as_str()),
            _ => None,
        };
        let known = match of {
            Num::Negative(of) if name(of) == Some("days_since_last") => Some(rfm::Measure::Recency),
            of if name(of) == Some("orders") => Some(rfm::Measure::Frequency),
            of if name(of) == Some("total_spend") => Some(rfm::Measure::Monetary),
            _ => None,
        };
        if cuts.iter().any(|cut| cut.is_nan()) {
            return Some(range);
        }
        if let Some(measure) = known {
            let cuts = if measure == rfm::Measure::Recency { cuts.map(|cut| -cut) } else { *cuts };
            let thresholds = Thresholds { measure, cuts, customers: [0; 5], words: Default::default() };
            return Some(format!("{} ({range})", thresholds.phrase(low, high)));
        }
        let cut = |at: usize, inclusive: bool| {
            Some(Bound { value: cuts[at], inclusive, literal: false, num: Num::Constant(cuts[at]) })
        };
        let below = if low > 1 { cut(usize::from(low) - 2, false) } else { None };
        let above = if high < 5 { cut(usize::from(high) - 1, true) } else { None };
        Some(match (&below, &above) {
            (None, None) => format!("any {} ({range})", self.key_words(of)),
            _ => format!(
                "{} {} ({range})",
                self.key_words(of),
                self.bound_words(&below, &above, self.kind(of))
            ),
        })
    }

    /// The name of a score: a letter as it is usual, else as it was named.
    pub(crate) fn score_name(&self, num: &Num) -> String {
        let named =
            self.lets.iter().find(|own| matches!(&own.value, Typed::Number(value, _) if value == num));
        match named {
            Some(own) if own.name.len() == 1 => own.name.to_uppercase(),
            Some(own) => label(&own.name),
            None => "score".into(),
        }
    }

    /// All that a region asks for.
    pub(crate) fn region_words(&self, region: &Region) -> String {
        if region.is_everybody() {
            return "everybody".into();
        }
        let limits = region.limits.iter().map(|(key, limit)| self.limit_words(key, limit));
        let others = region.others.iter().map(|(tri, positive)| self.other_words(tri, *positive));
        limits.chain(others).collect::<Vec<_>>().join(", ")
    }

    /// A rule as a sentence without its end.
    pub(crate) fn rule_words(&self, tri: &Tri) -> String {
        let regions = self.regions(tri, true);
        let words: Vec<String> = regions.iter().map(|region| self.region_words(region)).collect();
        if words.is_empty() { "nobody".into() } else { words.join("; or ") }
    }

    fn txt_words(&self, text: &Txt) -> String {
        match text {
            Txt::Constant(text) => format!("\"{text}\""),
            Txt::Column(column) => label(&self.columns[*column].name),
            Txt::Let(i) => label(&self.lets[*i].name),
            Txt::First(items) => {
                let items: Vec<String> = items.iter().map(|item| self.txt_words(item)).collect();
                format!("{} (if there is none, {})", items[0], joined(&items[1..], "or"))
            }
        }
    }

    fn whole_words(&self, whole: &Whole) -> String {
        match whole {
            Whole::Column(column) => label(&self.columns[*column].name),
            Whole::Constant(value) => value.to_string(),
            Whole::Number(num) => self.num_words(num),
        }
    }

    /// A condition that is no range.
    fn other_words(&self, tri: &Tri, positive: bool) -> String {
        let compared = |op: Comparison, a: String, b: String| {
            let word = match if positive { op } else { op.opposite() } {
                Comparison::Equal => "equal to",
                Comparison::NotEqual => "other than",
                Comparison::Less => "below",
                Comparison::AtMost => "of at most",
                Comparison::Greater => "above",
                Comparison::AtLeast => "of at least",
            };
            format!("{a} {word} {b}")
        };
        let not = if positive { "" } else { "not " };
        match tri {
            Tri::Compare(op, a, b) => compared(*op, self.key_words(a), self.key_words(b)),
            Tri::CompareText(op, a, b) => compared(*op, self.txt_words(a), self.txt_words(b)),
            Tri::CompareWhole(op, a, b) => compared(*op, self.whole_words(a), self.whole_words(b)),
            Tri::Text { column, test, .. } => match test {
                super::code::TextTest::Compare(op, text) => {
                    compared(*op, label(&self.columns[*column].name), format!("\"{text}\""))
                }
                super::code::TextTest::In(texts) => {
                    format!("{}{} one of {}", label(&self.columns[*column].name), not, joined(texts, "and"))
                }
            },
            Tri::InNumbers(num, list) => {
                let kind = self.kind(num);
                let values: Vec<String> = list.iter().map(|value| measured(*value, kind)).collect();
                format!("{} other than {}", self.key_words(num), joined(&values, "and"))
            }
            Tri::NullText(text) if positive => format!("no {}", self.txt_words(text)),
            Tri::NullText(text) => format!("a known {}", self.txt_words(text)),
            Tri::NullWhole(whole) if positive => format!("no {}", self.whole_words(whole)),
            Tri::NullWhole(whole) => format!("a known {}", self.whole_words(whole)),
            Tri::NullTruth(of) => format!("{not}unknown whether {}", self.rule_words(of)),
            Tri::Same(a, b) => {
                let [a, b] = [a, b].map(|tri| self.rule_words(tri));
                format!("{not}the same: whether {a}, and whether {b}")
            }
            Tri::Not(of) => self.other_words(of, !positive),
            Tri::Let(i) => match &self.lets[*i].value {
                Typed::Truth(tri) => self.other_words(tri, positive),
                _ => String::new(),
            },
            // More regions than are looked into.
            Tri::All(items) if positive => items
                .iter()
                .map(|item| format!("({})", self.rule_words(item)))
                .collect::<Vec<_>>()
                .join(" and "),
            Tri::Any(items) if positive => {
                items.iter().map(|item| self.rule_words(item)).collect::<Vec<_>>().join("; or ")
            }
            tri => format!("not ({})", self.rule_words(tri)),
        }
    }
}
