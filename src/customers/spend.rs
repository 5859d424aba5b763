//! Spend as scores and tiers compare it, and numbers in words.
//!
//! Amounts that arrive as floating point are added up with rounding errors: 0.1 + 0.2 is not 0.3. Two customers who
//! spent the same would then fall on two sides of a threshold that is printed as one number. Scores, shares and
//! tiers therefore compare spend rounded to a millionth, where equal decimals are equal numbers.

use super::CustomerTable;
use crate::parallel;

/// Graded amounts are whole multiples of 1/1,000,000: finer than any currency, coarser than the rounding errors of
/// sums below [`GRADED_BELOW`].
const MILLIONTHS: f64 = 1e6;

/// Above 2^53 millionths an f64 has no finer steps left that could be rounded away.
const GRADED_BELOW: f64 = 9_007_199_254.0;

/// `amount` rounded to a millionth; amounts from 9,007,199,254 on are kept as they are. Never -0.
pub fn graded(amount: f64) -> f64 {
    let rounded =
        if amount.abs() < GRADED_BELOW { (amount * MILLIONTHS).round() / MILLIONTHS } else { amount };
    rounded + 0.0
}

/// The total spend of every customer, [`graded`].
pub fn graded_spend(table: &CustomerTable) -> Vec<f64> {
    parallel::collect(table.len(), |i| graded(table.total_spend[i]))
}

/// `amount` as a whole number of millionths, so that shares of a total can be added and compared exactly.
pub fn millionths(amount: f64) -> i128 {
    (amount * MILLIONTHS).round() as i128
}

/// Values in ascending order.
pub fn ascending(mut values: Vec<f64>) -> Vec<f64> {
    parallel::sort_by(&mut values, f64::total_cmp);
    values
}

/// Money in words: two decimals and separators, `1,234.50`. The currency is a label that others add.
pub fn money(amount: f64) -> String {
    grouped(&format!("{amount:.2}"))
}

/// A threshold in words: like [`money`], with up to six decimals where two would name another number.
pub fn threshold(amount: f64) -> String {
    if !amount.is_finite() {
        return amount.to_string();
    }
    let text = format!("{amount:.6}");
    let point = text.len() - 7;
    let decimals = text[point + 1..].trim_end_matches('0').len().max(2);
    grouped(&text[..point + 1 + decimals])
}

/// A share as percent without the digits that arithmetic adds: 0.07 is 7, where 100 × 0.07 is 7.000000000000001.
///
/// Fifteen digits are what a number holds of what was written.
pub fn percentage(share: f64) -> f64 {
    format!("{:.14e}", 100.0 * share).parse().unwrap_or(100.0 * share)
}

/// A count in words: `69,659`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A share (0 to 1) in words: `63.2 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Puts separators between the thousands of a plain decimal number.
fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        // What rounds to zero has no sign.
        Some(digits) if digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", number),
    };
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut out = String::from(sign);
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
    fn equal_decimals_are_equal() {
        assert_ne!(0.1 + 0.2, 0.3);
        assert_eq!(graded(0.1 + 0.2), 0.3);
        assert_eq!(graded(11.77 + 12.96), 24.73);
        assert_eq!(graded(-0.000_000_01).to_bits(), 0.0f64.to_bits());
        assert_eq!(graded(1e300), 1e300);
    }

    #[test]
    fn money_reads_well() {
        for (amount, words) in [
            (0.0, "0.00"),
            (1234.5, "1,234.50"),
            (-1_234_567.891, "-1,234,567.89"),
            (999.996, "1,000.00"),
            (100.0, "100.00"),
            (-0.001, "0.00"),
        ] {
            assert_eq!(money(amount), words);
        }
        assert_eq!(threshold(1234.5), "1,234.50");
        assert_eq!(threshold(0.1234), "0.1234");
        assert_eq!([f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(threshold), ["inf", "-inf", "NaN"]);
        assert_eq!(threshold(7.000_001), "7.000001");
        assert_eq!(count(69_659), "69,659");
        assert_eq!(count(12), "12");
        assert_eq!(percent(0.6321), "63.2 %");
    }
}
