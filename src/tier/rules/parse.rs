//! A rule's text as a tree: precedence climbing (Pratt 1973), each part with its place.
//!
//! From loose to tight: `or`; `and`; `not`; comparisons, `in`, `between` and `is null`; `+ -`; `* /`; the sign `-`.

use std::ops::Range;

use super::ast::{Arithmetic, Comparison, Expr, Node};
use super::problem::Problem;
use super::token::{Token, tokens};

/// A rule has at most so many parts (those of `in [ ]` are not counted), nested so deep, so that a file cannot exhaust
/// the stack.
const MOST_PARTS: usize = 500;
const DEEPEST: usize = 60;
/// Parts that stand one within the other without brackets, as in a long sum.
const TALLEST: usize = 100;
/// Entries of `in [ ]`.
const MOST_ENTRIES: usize = 10_000;

/// How tightly operators bind.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;

/// Reads a rule.
///
/// # Errors
/// The first [`Problem`] with its place.
pub fn parse(text: &str) -> Result<Expr, Problem> {
    let mut parser = Parser { words: tokens(text)?, at: 0, end: text.len(), parts: 0, depth: 0 };
    if parser.words.is_empty() {
        return Err(Problem::new(
            0..0,
            "the rule is empty",
            "write what has to hold, as in total_spend >= 500",
        ));
    }
    let expr = parser.expr(0)?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected("an operator or the end")),
        None if height(&expr) > TALLEST => Err(Problem::new(
            expr.span,
            format!("the rule computes more than {TALLEST} steps in a row"),
            "give parts of it names under [let]",
        )),
        None => Ok(expr),
    }
}

/// How many parts stand one within the other: a + b + c is ((a + b) + c).
fn height(expr: &Expr) -> usize {
    let tallest = |all: &[Expr]| all.iter().map(height).max().unwrap_or(0);
    1 + match &expr.node {
        Node::Negative(of) | Node::Not(of) | Node::IsNull { of, .. } => height(of),
        Node::All(all) | Node::Any(all) | Node::Call(_, all) => tallest(all),
        Node::Arithmetic(_, a, b) | Node::Compare(_, a, b) => height(a).max(height(b)),
        Node::In { of, list, .. } => height(of).max(tallest(list)),
        Node::Between { of, low, high, .. } => height(of).max(height(low)).max(height(high)),
        _ => 0,
    }
}

struct Parser {
    words: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    parts: usize,
    depth: usize,
}

type Parsed<T = Expr> = Result<T, Problem>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.words.get(self.at).map(|(token, _)| token)
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(s)) if *s == sign)
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Keyword(k)) if *k == keyword)
    }

    /// Goes on if the next word is that keyword.
    fn take_keyword(&mut self, keyword: &str) -> bool {
        let is = self.is_keyword(keyword);
        self.at += usize::from(is);
        is
    }

    fn expect_sign(&mut self, sign: &'static str, wanted: &str) -> Parsed<Range<usize>> {
        if !self.is_sign(sign) {
            return Err(self.unexpected(wanted));
        }
        self.at += 1;
        Ok(self.words[self.at - 1].1.clone())
    }

    /// The place of the next word, or of the end.
    fn place(&self) -> Range<usize> {
        self.words.get(self.at).map_or(self.end..self.end, |(_, span)| span.clone())
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        let found = match self.peek() {
            None => {
                return Problem::new(
                    self.place(),
                    format!("the rule ends where {wanted} is expected"),
                    "complete it",
                );
            }
            Some(Token::Name(name)) => {
                let upper = super::token::KEYWORDS.into_iter().find(|k| k.eq_ignore_ascii_case(name));
                if let Some(keyword) = upper {
                    let remedy = format!("write \"{keyword}\" in small letters");
                    return Problem::new(
                        self.place(),
                        format!("\"{name}\" stands where {wanted} is expected"),
                        remedy,
                    );
                }
                format!("\"{name}\"")
            }
            Some(Token::Keyword(word) | Token::Sign(word)) => format!("\"{word}\""),
            Some(Token::Text(_)) => "a text".to_string(),
            Some(Token::Day(_)) => "a date".to_string(),
            Some(_) => "a number".to_string(),
        };
        let remedy = match self.peek() {
            Some(Token::Sign("=" | "!=" | "<" | "<=" | ">" | ">=")) => {
                "comparisons cannot be chained: write x between 1 and 5, or x > 1 and x < 5"
            }
            Some(Token::Name(_)) => "a column whose name has spaces stands between backticks: `my column`",
            _ => "see docs/rules.md for what a rule may say",
        };
        Problem::new(self.place(), format!("{found} stands where {wanted} is expected"), remedy)
    }

    fn made(&mut self, node: Node, span: Range<usize>) -> Parsed {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Problem::new(
                span,
                format!("the rule has more than {MOST_PARTS} parts"),
                "give parts of it names under [let], or write several rules",
            ));
        }
        Ok(Expr { node, span })
    }

    /// A part whose operators bind more tightly than `least`.
    fn expr(&mut self, least: u8) -> Parsed {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::new(
                self.place(),
                format!("the rule is nested more than {DEEPEST} deep"),
                "give parts of it names under [let]",
            ));
        }
        let mut left = self.prefix(least)?;
        loop {
            let next = match self.peek() {
                Some(Token::Keyword("or")) if least < OR => self.several("or", OR, left, Node::Any)?,
                Some(Token::Keyword("and")) if least < AND => self.several("and", AND, left, Node::All)?,
                Some(Token::Sign("+")) if least < SUM => self.arithmetic(Arithmetic::Plus, SUM, left)?,
                Some(Token::Sign("-")) if least < SUM => self.arithmetic(Arithmetic::Minus, SUM, left)?,
                Some(Token::Sign("*")) if least < PRODUCT => {
                    self.arithmetic(Arithmetic::Times, PRODUCT, left)?
                }
                Some(Token::Sign("/")) if least < PRODUCT => {
                    self.arithmetic(Arithmetic::Over, PRODUCT, left)?
                }
                Some(Token::Sign(sign)) if least < COMPARE => match Comparison::of_sign(sign) {
                    Some(comparison) => self.comparison(comparison, left)?,
                    None => break,
                },
                Some(Token::Keyword("in" | "between" | "is" | "not")) if least < COMPARE => {
                    self.worded(left)?
                }
                _ => break,
            };
            left = next;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// `x and y and …` as one part.
    fn several(&mut self, word: &str, grip: u8, first: Expr, node: fn(Vec<Expr>) -> Node) -> Parsed {
        let begin = first.span.start;
        let mut items = vec![first];
        while self.take_keyword(word) {
            items.push(self.expr(grip)?);
        }
        let end = items.last().map_or(begin, |last| last.span.end);
        self.made(node(items), begin..end)
    }

    fn arithmetic(&mut self, op: Arithmetic, grip: u8, left: Expr) -> Parsed {
        self.at += 1;
        let right = self.expr(grip)?;
        let span = left.span.start..right.span.end;
        self.made(Node::Arithmetic(op, Box::new(left), Box::new(right)), span)
    }

    fn comparison(&mut self, comparison: Comparison, left: Expr) -> Parsed {
        self.at += 1;
        let right = self.expr(COMPARE)?;
        let span = left.span.start..right.span.end;
        let made = self.made(Node::Compare(comparison, Box::new(left), Box::new(right)), span)?;
        self.not_chained(made)
    }

    fn not_chained(&self, made: Expr) -> Parsed {
        let chained = match self.peek() {
            Some(Token::Sign(sign)) => Comparison::of_sign(sign).is_some(),
            Some(Token::Keyword("in" | "between" | "is" | "not")) => true,
            _ => false,
        };
        if chained { Err(self.unexpected("\"and\", \"or\" or the end")) } else { Ok(made) }
    }

    /// `in`, `between` and `is null`, with or without `not`.
    fn worded(&mut self, left: Expr) -> Parsed {
        let begin = left.span.start;
        let of = Box::new(left);
        if self.take_keyword("is") {
            let negated = self.take_keyword("not");
            if !self.take_keyword("null") {
                return Err(self.unexpected("\"null\""));
            }
            let end = self.words[self.at - 1].1.end;
            let made = self.made(Node::IsNull { of, negated }, begin..end)?;
            return self.not_chained(made);
        }
        let negated = self.take_keyword("not");
        if self.take_keyword("in") {
            self.expect_sign("[", "\"[\" and a list")?;
            let before = self.parts;
            let (list, end) = self.list("]", "\",\" or \"]\"")?;
            self.parts = before;
            let made = self.made(Node::In { of, list, negated }, begin..end)?;
            return self.not_chained(made);
        }
        if self.take_keyword("between") {
            let low = Box::new(self.expr(COMPARE)?);
            if !self.take_keyword("and") {
                return Err(self.unexpected("\"and\" and the upper end"));
            }
            let high = Box::new(self.expr(COMPARE)?);
            let end = high.span.end;
            let made = self.made(Node::Between { of, low, high, negated }, begin..end)?;
            return self.not_chained(made);
        }
        Err(self.unexpected("\"in\" or \"between\""))
    }

    /// Parts with commas between them up to `close`, and where it ends.
    fn list(&mut self, close: &'static str, wanted: &str) -> Parsed<(Vec<Expr>, usize)> {
        let mut items = Vec::new();
        if self.is_sign(close) {
            return Ok((items, self.expect_sign(close, wanted)?.end));
        }
        loop {
            if items.len() == MOST_ENTRIES {
                let remedy = "join a column that tells them apart with --customers-list";
                return Err(Problem::new(
                    self.place(),
                    format!("the list has more than {MOST_ENTRIES} entries"),
                    remedy,
                ));
            }
            // Entries of a list are counted as a list's, so that a long one is no long rule.
            self.parts = if close == "]" { 0 } else { self.parts };
            items.push(self.expr(0)?);
            if self.is_sign(",") {
                self.at += 1;
            } else {
                return Ok((items, self.expect_sign(close, wanted)?.end));
            }
        }
    }

    fn prefix(&mut self, least: u8) -> Parsed {
        let Some((token, span)) = self.words.get(self.at).cloned() else {
            return Err(self.unexpected("a value"));
        };
        self.at += 1;
        match token {
            Token::Number(value) => self.made(Node::Number(value), span),
            Token::Whole(value) => self.made(Node::Whole(value), span),
            Token::Percent(value) => self.made(Node::Percent(value), span),
            Token::Span(value) => self.made(Node::Span(value), span),
            Token::Day(value) => self.made(Node::Day(value), span),
            Token::Text(value) => self.made(Node::Text(value), span),
            Token::Keyword("true") => self.made(Node::Truth(true), span),
            Token::Keyword("false") => self.made(Node::Truth(false), span),
            Token::Name(name) => {
                if !self.is_sign("(") {
                    return self.made(Node::Name(name), span);
                }
                self.at += 1;
                let (arguments, end) = self.list(")", "\",\" or \")\"")?;
                self.made(Node::Call(name, arguments), span.start..end)
            }
            Token::Sign("(") => {
                let inner = self.expr(0)?;
                let end = self.expect_sign(")", "\")\"")?.end;
                Ok(Expr { span: span.start..end, ..inner })
            }
            Token::Sign("-") => {
                let of = self.expr(PRODUCT)?;
                let span = span.start..of.span.end;
                self.made(Node::Negative(Box::new(of)), span)
            }
            Token::Keyword("not") if least < NOT => {
                let of = self.expr(AND)?;
                let span = span.start..of.span.end;
                self.made(Node::Not(Box::new(of)), span)
            }
            Token::Keyword("null") => Err(Problem::new(
                span,
                "\"null\" cannot be compared or computed with",
                "write x is null, or coalesce(x, 0) for a value in its place",
            )),
            Token::Keyword("not") => Err(Problem::new(
                span,
                "\"not\" cannot stand here without brackets",
                "put brackets around it: (not x)",
            )),
            _ => {
                self.at -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
