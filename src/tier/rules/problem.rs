//! What is wrong with a rule, and where in its text.

use std::ops::Range;

use crate::error::nearest_first;

/// A problem with its place in the text of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Problem {
    /// A problem with the bytes `span` of a rule.
    pub fn new(span: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { span, message: message.into(), remedy: remedy.into() }
    }

    /// The message, the line of `text` that it is about, and marks below the place.
    pub fn marked(&self, text: &str) -> String {
        let begin = self.span.start.min(text.len());
        let line_begin = text[..begin].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[begin..].find('\n').map_or(text.len(), |at| begin + at);
        let end = self.span.end.clamp(begin, line_end);
        let marks = "^".repeat(width(&text[begin..end]).max(1));
        let before = " ".repeat(width(&text[line_begin..begin]));
        format!("{}\n  {}\n  {before}{marks}", self.message, &text[line_begin..line_end])
    }
}

/// Columns of a terminal that a text takes: letters of the Far East are twice as wide.
fn width(text: &str) -> usize {
    text.chars().map(|c| if ('\u{1100}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
}

/// "did you mean …? There are: …", with at most a dozen names.
pub(crate) fn did_you_mean(wanted: &str, known: &[String]) -> String {
    const MOST: usize = 12;
    let near = nearest_first(wanted, known);
    match near.as_slice() {
        [] => "there is none".into(),
        [one] => format!("the only one is \"{one}\""),
        all if all.len() <= MOST => format!("did you mean \"{}\"? There are: {}", all[0], known.join(", ")),
        all => format!(
            "did you mean \"{}\"? There are: {} and {} more",
            all[0],
            all[..MOST].join(", "),
            all.len() - MOST
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked() {
        let text = "clv > 5\n and 客户 = 1";
        let at = text.find('客').unwrap();
        let problem = Problem::new(at..at + 6, "no such column", "");
        assert_eq!(problem.marked(text), "no such column\n   and 客户 = 1\n       ^^^^");
        // A place at the end still has a mark.
        assert_eq!(Problem::new(3..3, "it ends", "").marked("a >"), "it ends\n  a >\n     ^");
    }

    #[test]
    fn many_names_are_cut_short() {
        let names: Vec<String> = (0..20).map(|i| format!("column_{i}")).collect();
        assert!(
            did_you_mean("colum_3", &names).starts_with("did you mean \"column_3\"? There are: column_3, ")
        );
        assert!(did_you_mean("x", &names).ends_with("and 8 more"));
    }
}
