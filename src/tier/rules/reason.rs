//! Sentences about one customer, with its values in them: "spent {total_spend:money}, at least {high:money}".

use std::ops::Range;

use super::ast::Expr;
use super::check::{Checked, Checker};
use super::code::{Kind, Measure, Program, Typed};
use super::eval::{Chunk, Values, YES};
use super::parse::parse;
use super::problem::{Problem, did_you_mean};
use super::words::{measured, plain};
use crate::customers::spend;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Money,
    Number,
    Count,
    Percent,
    Days,
    Date,
}

const FORMATS: [(&str, Format); 6] = [
    ("money", Format::Money),
    ("number", Format::Number),
    ("count", Format::Count),
    ("percent", Format::Percent),
    ("days", Format::Days),
    ("date", Format::Date),
];

#[derive(Debug, Clone, PartialEq)]
enum Part<V> {
    Text(String),
    /// A value, how it is written, and where it stands.
    Value(V, Option<Format>, Range<usize>),
}

/// A sentence as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Part<Expr>>);

/// A sentence held against the columns.
#[derive(Debug, Clone)]
pub(crate) struct Sentence(Vec<Part<Typed>>);

impl Template {
    /// Reads a sentence; `{{` and `}}` are the brackets themselves.
    ///
    /// # Errors
    /// A bracket that is not closed, a value that is none, a format that there is not.
    pub(crate) fn parse(text: &str) -> Result<Template, Problem> {
        let (mut parts, mut words) = (Vec::new(), String::new());
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at + c.len_utf8()..];
            if (c == '{' || c == '}') && rest.starts_with(c) {
                words.push(c);
                at += 2;
            } else if c == '{' {
                let end = rest.find('}').ok_or_else(|| {
                    Problem::new(
                        at..text.len(),
                        "the closing } is missing",
                        "write {column}, or {{ for the bracket itself",
                    )
                })?;
                if !words.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut words)));
                }
                parts.push(value(&rest[..end], at + 1)?);
                at += end + 2;
            } else if c == '}' {
                return Err(Problem::new(
                    at..at + 1,
                    "nothing opens this }",
                    "write }} for the bracket itself",
                ));
            } else {
                words.push(c);
                at += c.len_utf8();
            }
        }
        if !words.is_empty() {
            parts.push(Part::Text(words));
        }
        Ok(Template(parts))
    }
}

/// What stands between brackets, which begins at `at` of the sentence.
fn value(inner: &str, at: usize) -> Result<Part<Expr>, Problem> {
    let (text, format) = match inner.rsplit_once(':') {
        None => (inner, None),
        Some((text, name)) => {
            let found = FORMATS.into_iter().find(|(known, _)| *known == name.trim());
            let (_, format) = found.ok_or_else(|| {
                let known: Vec<String> = FORMATS.map(|(name, _)| name.to_string()).to_vec();
                let begin = at + text.len() + 1;
                let message = format!("there is no format \"{}\"", name.trim());
                Problem::new(begin..begin + name.len(), message, did_you_mean(name.trim(), &known))
            })?;
            (text, Some(format))
        }
    };
    let moved = |span: Range<usize>| span.start + at..span.end + at;
    let mut expr = parse(text).map_err(|problem| Problem { span: moved(problem.span.clone()), ..problem })?;
    let span = moved(expr.span.clone());
    expr.span = span.clone();
    Ok(Part::Value(expr, format, span))
}

impl Template {
    /// Whether it names a column so.
    pub(crate) fn names(&self, column: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(value, ..) if value.names(column)))
    }
}

impl Checker<'_, '_> {
    /// Holds a sentence against the columns.
    ///
    /// # Errors
    /// A value that is none, or cannot be written in the format asked for.
    pub(crate) fn sentence(&mut self, template: &Template) -> Checked<Sentence> {
        let mut parts = Vec::with_capacity(template.0.len());
        for part in &template.0 {
            parts.push(match part {
                Part::Text(text) => Part::Text(text.clone()),
                Part::Value(expr, format, span) => {
                    // Places within are those of the value alone: the whole of it is marked.
                    let typed =
                        self.typed(expr).map_err(|problem| Problem { span: span.clone(), ..problem })?;
                    let fits = match (typed.kind(), format) {
                        (_, None) | (Kind::Day, Some(Format::Date)) => true,
                        (Kind::Number(_), Some(format)) => *format != Format::Date,
                        _ => false,
                    };
                    if !fits {
                        let message =
                            format!("{expr} is {}, which cannot be written so", typed.kind().words());
                        return Err(Problem::new(
                            span.clone(),
                            message,
                            "leave the format out, or choose another",
                        ));
                    }
                    Part::Value(typed, *format, span.clone())
                }
            });
        }
        Ok(Sentence(parts))
    }
}

impl Program<'_> {
    /// The sentence about customer `row`.
    pub(crate) fn say(&self, sentence: &Sentence, row: usize) -> String {
        let chunk = Chunk::new(self, row..row + 1);
        let parts = sentence.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(value, format, _) => self.written(&chunk, value, *format, row),
        });
        parts.collect()
    }

    fn written(&self, chunk: &Chunk, value: &Typed, format: Option<Format>, row: usize) -> String {
        let unknown = || "unknown".to_string();
        match value {
            Typed::Number(num, _) | Typed::Day(num) => {
                let number = chunk.numbers(num).first().copied().unwrap_or(f64::NAN);
                match format {
                    _ if number.is_nan() => unknown(),
                    None | Some(Format::Date) => measured(number, value.kind()),
                    Some(Format::Money) => spend::money(number),
                    Some(Format::Number) => plain(number),
                    Some(Format::Count) => plain(number.round()),
                    Some(Format::Percent) => spend::percent(number),
                    Some(Format::Days) => measured(number, Kind::Number(Measure::Days)),
                }
            }
            Typed::Text(text) => self.text(text, row).map_or_else(unknown, |text| text.into_owned()),
            Typed::Truth(tri) => match chunk.truth(tri) {
                Values::One(byte) => truth_words(byte),
                Values::Many(bytes) => bytes.first().map_or_else(unknown, |byte| truth_words(*byte)),
            },
            Typed::Whole(super::code::Whole::Column(column)) => {
                self.columns[*column].values.whole(row).map_or_else(unknown, |whole| whole.to_string())
            }
            Typed::Whole(super::code::Whole::Constant(value)) => value.to_string(),
            Typed::Whole(super::code::Whole::Number(_)) => unknown(),
        }
    }
}

fn truth_words(byte: u8) -> String {
    match byte {
        YES => "yes",
        super::eval::NO => "no",
        _ => "unknown",
    }
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_read_part_by_part() {
        let template = Template::parse("spent {total_spend:money} {{net}} in {orders}").unwrap();
        assert_eq!(template.0.len(), 4);
        assert_eq!(template.0[2], Part::Text(" {net} in ".into()));
        let problem = Template::parse("spent {total_spend:mony}").unwrap_err();
        assert_eq!((problem.span, problem.remedy.starts_with("did you mean \"money\"?")), (19..23, true));
        assert!(Template::parse("spent {total_spend").unwrap_err().message.contains("closing }"));
        assert!(Template::parse("spent }").is_err());
        assert_eq!(Template::parse("客户 {a + }").unwrap_err().span, 12..12);
    }
}
