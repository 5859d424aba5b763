//! The words of a rule: numbers with their units, dates, texts, names and signs, each with its place.

use std::ops::Range;

use super::problem::Problem;
use crate::calendar::{Day, Span};

/// A word of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// `1200`, `1_200`, `0.5`, `2e6`.
    Number(f64),
    /// A whole number that no floating-point number equals.
    Whole(i128),
    /// `20%`, as 20.
    Percent(f64),
    /// `90d`, `12mo`.
    Span(Span),
    /// `2024-01-31`.
    Day(Day),
    /// `"gold"` or `'gold'`.
    Text(String),
    /// A name; those between backticks are never keywords.
    Name(String),
    /// `and`, `or`, `not`, `in`, `between`, `is`, `null`, `true`, `false`.
    Keyword(&'static str),
    /// `+`, `<=`, `(` and the like; `==` and `<>` come as `=` and `!=`.
    Sign(&'static str),
}

/// Words that no name can be, unless between backticks.
pub(crate) const KEYWORDS: [&str; 9] = ["and", "or", "not", "in", "between", "is", "null", "true", "false"];

/// Longer ones come before those that they begin with.
const SIGNS: [(&str, &str); 17] = [
    ("==", "="),
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
    (",", ","),
];

/// Below this all whole numbers are floating-point numbers.
pub(crate) const EXACT: i128 = 1 << 53;

/// Whether a character may begin a name, and whether it may go on with it.
fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a name can be written without backticks.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.starts_with(begins_name) && name.chars().all(in_name) && !KEYWORDS.contains(&name)
}

/// Cuts a rule into words.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Problem> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let (token, len) = if c.is_ascii_digit()
            || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            number(rest, at)?
        } else if c == '"' || c == '\'' || c == '`' {
            let (content, len) = quoted(rest, c, at)?;
            (if c == '`' { Token::Name(content) } else { Token::Text(content) }, len)
        } else if begins_name(c) {
            let len = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
            let name = &rest[..len];
            let keyword = KEYWORDS.into_iter().find(|keyword| *keyword == name);
            (keyword.map_or_else(|| Token::Name(name.to_string()), Token::Keyword), len)
        } else if let Some((sign, meant)) = SIGNS.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            (Token::Sign(meant), sign.len())
        } else {
            let remedy = match c {
                '&' => "write \"and\"",
                '|' => "write \"or\"",
                '!' => "write \"not\"",
                '“' | '”' | '‘' | '’' => "write straight quotation marks: \"gold\" or 'gold'",
                '≥' => "write >=",
                '≤' => "write <=",
                '≠' => "write !=",
                _ => {
                    "names with other characters than letters, digits and _ stand between backticks: `my column`"
                }
            };
            return Err(Problem::new(
                at..at + c.len_utf8(),
                format!("\"{c}\" has no meaning in a rule"),
                remedy,
            ));
        };
        out.push((token, at..at + len));
        at += len;
    }
    Ok(out)
}

/// A text up to its closing mark; the mark itself is written twice in it.
fn quoted(rest: &str, mark: char, at: usize) -> Result<(String, usize), Problem> {
    let mut content = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if c != mark {
            content.push(c);
        } else if chars.peek().is_some_and(|&(_, next)| next == mark) {
            chars.next();
            content.push(mark);
        } else {
            return Ok((content, i + 1));
        }
    }
    Err(Problem::new(
        at..at + rest.len(),
        format!("the closing {mark} is missing"),
        format!("end it with {mark}"),
    ))
}

/// A number with what stands right behind it: `%`, a unit of time, or the rest of a date.
fn number(rest: &str, at: usize) -> Result<(Token, usize), Problem> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    if let Some(date) = rest.get(..10)
        && digits(0) == 4
        && bytes[4] == b'-'
        && digits(5) == 2
        && bytes[7] == b'-'
        && digits(8) == 2
    {
        let day = date.parse().map_err(|_| {
            Problem::new(at..at + 10, format!("{date} is not a calendar date"), "write dates as 2024-01-31")
        })?;
        return Ok((Token::Day(day), 10));
    }
    let of_number = |b: &&u8| b.is_ascii_digit() || **b == b'_';
    let mut len = bytes.iter().take_while(of_number).count();
    let mut is_whole = true;
    if bytes.get(len) == Some(&b'.') && bytes.get(len + 1).is_some_and(u8::is_ascii_digit) {
        is_whole = false;
        len += 1 + bytes[len + 1..].iter().take_while(of_number).count();
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let exponent = bytes
            .get(len + 1 + sign..)
            .map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        if exponent > 0 {
            is_whole = false;
            len += 1 + sign + exponent;
        }
    }
    let written: String = rest[..len].chars().filter(|c| *c != '_').collect();
    let fail = |len: usize, problem: String, remedy: &str| Err(Problem::new(at..at + len, problem, remedy));
    let Some(value) = written.parse::<f64>().ok().filter(|value| value.is_finite()) else {
        return fail(
            len,
            format!("{} is not a number", &rest[..len]),
            "write numbers as 1200, 1_200, 0.5 or 2e6",
        );
    };
    if rest[len..].starts_with('%') {
        return Ok((Token::Percent(value), len + 1));
    }
    let unit = rest[len..].find(|c| !in_name(c)).unwrap_or(rest.len() - len);
    if unit > 0 {
        let whole = &rest[..len + unit];
        return match format!("{written}{}", &rest[len..len + unit]).parse::<Span>() {
            Ok(span) => Ok((Token::Span(span), len + unit)),
            Err(_) => fail(
                len + unit,
                format!("{whole} is neither a number nor a length of time"),
                "lengths of time are a number above 0 and a unit: 90d, 39w, 12mo or 1yr; a name cannot begin with a digit, unless between backticks: `2024`",
            ),
        };
    }
    let whole = written.parse::<i128>().ok().filter(|whole| is_whole && *whole > EXACT);
    Ok((whole.map_or(Token::Number(value), Token::Whole), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Token {
        let mut tokens = tokens(text).unwrap();
        assert_eq!(tokens.len(), 1, "{text}: {tokens:?}");
        assert_eq!(tokens[0].1, 0..text.len());
        tokens.remove(0).0
    }

    #[test]
    fn numbers_and_units() {
        assert_eq!(only("1_200"), Token::Number(1200.0));
        assert_eq!(only(".5"), Token::Number(0.5));
        assert_eq!(only("2e6"), Token::Number(2e6));
        assert_eq!(only("12.5%"), Token::Percent(12.5));
        assert_eq!(only("12mo"), Token::Span("12mo".parse().unwrap()));
        assert_eq!(only("2024-02-29"), Token::Day("2024-02-29".parse().unwrap()));
        assert_eq!(only("9007199254740992"), Token::Number(9007199254740992.0));
        assert_eq!(only("9007199254740993"), Token::Whole(9007199254740993));
        for bad in ["2024-02-30", "3parsecs", "0d", "1e999", "2024er"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_and_texts() {
        assert_eq!(only("客户_等级"), Token::Name("客户_等级".into()));
        assert_eq!(only("`my ``own`` column`"), Token::Name("my `own` column".into()));
        assert_eq!(only("'it''s'"), Token::Text("it's".into()));
        assert_eq!(only("between"), Token::Keyword("between"));
        assert_eq!(only("`in`"), Token::Name("in".into()));
        assert!(
            is_plain_name("p_alive") && !is_plain_name("in") && !is_plain_name("2x") && !is_plain_name("")
        );
    }

    #[test]
    fn signs_and_what_is_none() {
        let signs: Vec<Token> = tokens("a<=1==b<>c").unwrap().into_iter().map(|(token, _)| token).collect();
        assert_eq!(signs[1], Token::Sign("<="));
        assert_eq!(signs[3], Token::Sign("="));
        assert_eq!(signs[5], Token::Sign("!="));
        let problem = tokens("a >= 1 && b").unwrap_err();
        assert_eq!((problem.span, problem.remedy.as_str()), (7..8, "write \"and\""));
        assert!(tokens("'open").unwrap_err().message.contains("closing ' is missing"));
        assert!(tokens("a ≥ 1").unwrap_err().remedy.contains(">="));
    }
}
