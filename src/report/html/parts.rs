//! The pieces that sections are built from.

use maud::{Markup, PreEscaped, html};

use crate::calendar::{Period, Span};
use crate::report::charts::Chart;
use crate::report::format::{self, money, number};
use crate::simulate::Verdict;

/// A chart with its caption.
pub(super) fn figure(chart: &Chart) -> Markup {
    html! { figure { (PreEscaped(&chart.svg)) figcaption { (chart.caption) } } }
}

/// Money in large type, its currency in small.
pub(super) fn amount(value: f64, currency: &str) -> Markup {
    html! { (money(value)) @if value.is_finite() && !currency.is_empty() { " " span.unit { (currency) } } }
}

/// A table that scrolls by itself where it is wider than the page; `label` says what it is to a screen reader.
pub(super) fn scroll(label: &str, table: Markup) -> Markup {
    html! { div.scroll role="region" tabindex="0" aria-label=(label) { (table) } }
}

/// The head of a table; the columns in `numbers` hold numbers.
pub(super) fn head(names: &[&str], numbers: std::ops::Range<usize>) -> Markup {
    html! {
        thead { tr {
            @for (i, name) in names.iter().enumerate() {
                th scope="col" .n[numbers.contains(&i)] { (name) }
            }
        } }
    }
}

/// Facts, name and value.
pub(super) fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in pairs { dt { (name) } dd { (value) } } } }
}

/// Facts that somebody else has named.
pub(super) fn pairs(pairs: &[(String, String)]) -> Markup {
    html! { dl.facts { @for (name, value) in pairs { dt { (name) } dd { (value) } } } }
}

/// A sentence in place of what is not there.
pub(super) fn absent(why: &str) -> Markup {
    html! { p.none { (why) } }
}

/// [`format::interval`], which breaks only before the word between its ends.
pub(super) fn interval(lower: f64, upper: f64, print: impl Fn(f64) -> String) -> String {
    format::interval(lower, upper, print).replace(" to ", " to\u{a0}")
}

/// A list of warnings; nothing where there is none.
pub(super) fn warnings(list: &[String]) -> Markup {
    html! { @if !list.is_empty() { div.warn { ul { @for warning in list { li { (warning) } } } } } }
}

/// A verdict as a badge: the word says it, the colour only repeats it.
pub(super) fn verdict(verdict: Verdict) -> Markup {
    let class = match verdict {
        Verdict::Baseline => "baseline",
        Verdict::Gains => "gains",
        Verdict::Loses => "loses",
        Verdict::Undecided => "undecided",
    };
    html! { span class=(format!("badge {class}")) { (verdict.word()) } }
}

/// "12 months", "1 year".
pub(super) fn span(span: Span) -> String {
    let name = match span.period() {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Year => "year",
    };
    let count = span.count();
    let decimals = if count.fract() == 0.0 { 0 } else { 2 };
    format!("{}\u{a0}{name}{}", number(count, decimals), if count == 1.0 { "" } else { "s" })
}

/// "12-month", as before a noun.
pub(super) fn span_adjective(of: Span) -> String {
    let words = span(of).replace('\u{a0}', "-");
    words.strip_suffix('s').map_or(words.clone(), str::to_string)
}

/// Median of finite values; NaN where there is none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n => (values[(n - 1) / 2] + values[n / 2]) / 2.0,
    }
}

/// Mean of finite values; NaN where there is none.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0u64);
    for value in values.filter(|v| v.is_finite()) {
        sum += value;
        n += 1;
    }
    if n > 0 { sum / n as f64 } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_in_words() {
        let year: Span = "12mo".parse().unwrap();
        assert_eq!(span(year), "12\u{a0}months");
        assert_eq!(span_adjective(year), "12-month");
        assert_eq!(span("1yr".parse().unwrap()), "1\u{a0}year");
        assert_eq!(span_adjective("1.5w".parse().unwrap()), "1.50-week");
    }

    #[test]
    fn middles_of_nothing_do_not_exist() {
        assert!(median([f64::NAN].into_iter()).is_nan() && mean(std::iter::empty()).is_nan());
        assert_eq!(median([1.0, 3.0, f64::INFINITY].into_iter()), 2.0);
        assert_eq!(mean([1.0, 4.0].into_iter()), 2.5);
    }
}
