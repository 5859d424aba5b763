//! Numbers as a report prints them: one place for separators, percent signs and digits.
//!
//! Every function takes what it is given: NaN and infinities print as a dash, and nothing rounds to "−0".

use crate::customers::spend::percentage;

/// What stands for a number that does not exist.
pub const NONE: &str = "–";

/// A space that does not break, between a number and its unit.
const NBSP: char = '\u{a0}';

/// A count: `69,659`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A number with `decimals` digits after the point and separators: `1,234.50`, `−3.1`.
pub fn number(value: f64, decimals: usize) -> String {
    match value.abs() {
        x if x < 1e15 => grouped(&format!("{value:.decimals$}")),
        // Digits beyond those that an f64 has say nothing.
        _ => significant(value, 4),
    }
}

/// Money as a table prints it: cents where they say something (`36.30`), none from 1,000 on (`−12,345`).
pub fn money(value: f64) -> String {
    number(value, if value.abs() < 1_000.0 { 2 } else { 0 })
}

/// Money with its currency, which is a label and may be empty: `12,345 USD`.
pub fn money_in(value: f64, currency: &str) -> String {
    if currency.is_empty() || !value.is_finite() {
        money(value)
    } else {
        format!("{}{NBSP}{currency}", money(value))
    }
}

/// A difference, with its sign: `+1,234`, `−56.70`, `0`.
pub fn signed(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let text = money(value);
    let positive = value > 0.0 && value.is_finite() && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    if positive { format!("+{text}") } else { text }
}

/// An interval: `1.2 to 3.4`. Two ends that print alike print once.
pub fn interval(lower: f64, upper: f64, print: impl Fn(f64) -> String) -> String {
    let (lower, upper) = (print(lower), print(upper));
    if lower == upper { lower } else { format!("{lower} to {upper}") }
}

/// A share (0 to 1) with one decimal: `63.2 %`.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{}{NBSP}%", number(100.0 * share, 1)) } else { NONE.to_string() }
}

/// A share with all the digits that somebody wrote, and none of those that arithmetic adds: `7 %`, `99.95 %`.
pub fn percent_exact(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_string();
    }
    format!("{}{NBSP}%", percentage(share))
}

/// A share (0 to 1) without decimals, for axes: `80 %`.
pub fn percent_round(share: f64) -> String {
    if share.is_finite() { format!("{}{NBSP}%", number(100.0 * share, 0)) } else { NONE.to_string() }
}

/// `digits` significant digits, for parameters: `0.2426`, `10.58`, `3.2e−12`.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NONE.to_string();
    }
    if value == 0.0 {
        return "0".to_string();
    }
    let digits = digits.max(1);
    // The exponent after rounding: 9.9996 with four digits is 10.00.
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    if !(-5..15).contains(&exponent) {
        return format!("{mantissa}e{exponent}").replace('-', "−");
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    grouped(&format!("{value:.decimals$}"))
}

/// A number on an axis, short: `0.5`, `−200`, `12k`, `1.5M`. `step` is the distance between the ticks and `largest`
/// the largest of them, so that all of an axis have one unit.
pub fn tick(value: f64, step: f64, largest: f64) -> String {
    if !value.is_finite() {
        return NONE.to_string();
    }
    let (scale, suffix) = match largest.abs().max(step.abs()) {
        x if x >= 1e12 => return significant(value, 3),
        x if x >= 1e9 => (1e9, "B"),
        x if x >= 1e6 => (1e6, "M"),
        x if x >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    // As many decimals as the step needs.
    let scaled = (step / scale).abs();
    let decimals = (0..=6).find(|&d| {
        let shifted = scaled * 10f64.powi(d);
        (shifted - shifted.round()).abs() < 1e-6 * shifted.max(1.0)
    });
    let text = number(value / scale, decimals.unwrap_or(6) as usize);
    if value == 0.0 || text == "0" { "0".to_string() } else { format!("{text}{suffix}") }
}

/// "1 customer", "2,000 customers".
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{}{NBSP}{}", count(n), if n == 1 { one } else { many })
}

/// Puts separators between the thousands of a plain decimal number, and a real minus sign before it.
fn grouped(number: &str) -> String {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let negative = digits.len() < number.len() && digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut out = String::from(if negative { "−" } else { "" });
    for (i, c) in digits.char_indices() {
        if i > 0 && i < whole && (whole - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_signs() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(money(999.5), "999.50");
        assert_eq!(money(-1_234.5), "−1,234");
        assert_eq!(money(-0.001), "0.00");
        assert_eq!(signed(0.0), "0");
        assert_eq!(signed(12.0), "+12.00");
        assert_eq!(signed(-12.0), "−12.00");
        assert_eq!(signed(1e-9), "0.00");
        assert_eq!(money_in(5.0, "USD"), "5.00\u{a0}USD");
    }

    #[test]
    fn what_does_not_exist_is_a_dash() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for text in [
                money(bad),
                signed(bad),
                percent(bad),
                significant(bad, 4),
                tick(bad, 1.0, bad),
                money_in(bad, "USD"),
                interval(bad, bad, money),
            ] {
                assert_eq!(text, NONE);
            }
        }
    }

    #[test]
    fn significant_digits() {
        assert_eq!(significant(0.2425945, 4), "0.2426");
        assert_eq!(significant(10.5776835, 4), "10.58");
        assert_eq!(significant(-9582.429207, 8), "−9,582.4292");
        assert_eq!(significant(3.21e-12, 2), "3.2e−12");
        assert_eq!(significant(9.9996, 4), "10.00");
        assert_eq!(significant(0.0, 4), "0");
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(tick(20_000.0, 10_000.0, 20_000.0), "20k");
        assert_eq!(tick(5_000.0, 5_000.0, 15_000.0), "5k");
        assert_eq!(tick(-500.0, 500.0, 500.0), "−500");
        assert_eq!(tick(1_500_000.0, 500_000.0, 2e6), "1.5M");
        assert_eq!(tick(0.0, 500_000.0, 2e6), "0");
        assert_eq!(tick(0.25, 0.25, 1.0), "0.25");
    }

    #[test]
    fn shares_as_they_were_written() {
        for (share, text) in
            [(0.07, "7\u{a0}%"), (0.9995, "99.95\u{a0}%"), (0.29, "29\u{a0}%"), (1e-9, "0.0000001\u{a0}%")]
        {
            assert_eq!(percent_exact(share), text);
        }
        assert_eq!(percent_exact(f64::NAN), NONE);
    }

    #[test]
    fn an_interval_without_width_is_one_number() {
        assert_eq!(interval(2.0, 2.0, money), "2.00");
        assert_eq!(interval(1.0, 2.0, money), "1.00 to 2.00");
    }
}
