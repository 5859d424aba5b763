//! The distribution of a very skewed amount: bins of equal ratio, and one for nearly nothing.

use super::Chart;
use super::canvas::{
    AXIS, Anchor, BLUE, Canvas, GRID, INK, MUTED, ORANGE, SKY, SMALL, VERMILLION, WIDTH, draw, text_width,
};
use super::scale::{Scale, largest};
use crate::report::format::{count, money, money_in, percent, plural, significant, tick};

const HEIGHT: f64 = 380.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = WIDTH - 10.0;
/// Room above the bars for the axis' name and the two marks' labels.
const TOP: f64 = 74.0;
const BOTTOM: f64 = HEIGHT - 56.0;

/// At most this many decades: what lies below is nearly nothing beside the largest.
const DECADES: i32 = 5;
/// The share of positive values that may fall below the first decade shown.
const LOW_TAIL: f64 = 0.01;

/// What is drawn.
struct Bins {
    /// Customers with nothing, or less than the first edge.
    nearly_nothing: u64,
    /// Customers by bin.
    counts: Vec<u64>,
    /// log10 of the first edge and of the last.
    decades: (i32, i32),
}

/// The distribution of `values` (one per customer; NaN and infinities are left out and counted in the caption), with
/// median and mean marked. `what` names the amount ("12-month lifetime value"), `currency` may be empty.
pub fn distribution(values: &[f64], what: &str, currency: &str) -> Chart {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let title = format!("Distribution of {what}");
    if sorted.is_empty() {
        let caption = format!("No customer has a {what}.");
        let svg = draw(80.0, &title, &caption, |canvas| {
            canvas.text("no values", (WIDTH / 2.0, 40.0), Anchor::Middle, SMALL, MUTED);
        });
        return Chart { svg, caption };
    }
    let n = sorted.len();
    let total: f64 = sorted.iter().sum();
    let mean = total / n as f64;
    let median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
    let tenth = n.div_ceil(10);
    let top: f64 = sorted[n - tenth..].iter().sum();
    let mut caption = format!(
        "Half of the {} customers are worth less than {} (median {what}); the mean is {}. Each step to the right is a \
         constant ratio.",
        count(n as u64),
        money_in(median, currency),
        money_in(mean, currency),
    );
    if total > 0.0 && n >= 10 {
        caption += &format!(" The top 10\u{a0}% hold {} of the total.", percent(top / total));
    }
    if n < values.len() {
        caption += &format!(
            " Left out: {} without a value.",
            plural((values.len() - n) as u64, "customer", "customers"),
        );
    }
    let bins = bins(&sorted);
    if bins.nearly_nothing > 0 {
        caption += &format!(
            " The bar that stands apart: {} below {}.",
            plural(bins.nearly_nothing, "customer", "customers"),
            edge_text(bins.decades.0),
        );
    }
    let svg = draw(HEIGHT, &title, &caption, |canvas| paint(canvas, &bins, (median, mean), currency, what));
    Chart { svg, caption }
}

/// Sorts ascending finite values into bins.
fn bins(sorted: &[f64]) -> Bins {
    let positive = &sorted[sorted.partition_point(|&v| v <= 0.0)..];
    let Some(&largest) = positive.last() else {
        return Bins { nearly_nothing: sorted.len() as u64, counts: vec![0; 4], decades: (0, 1) };
    };
    // f64::MIN_POSITIVE: below it logarithms lose their meaning.
    let decade = |v: f64| v.max(f64::MIN_POSITIVE).log10().floor() as i32;
    let high = decade(largest) + 1;
    let tail = positive[(LOW_TAIL * positive.len() as f64) as usize];
    let low = decade(tail).clamp(high - DECADES, high - 1);
    let per_decade = match high - low {
        1 => 12,
        2 => 8,
        3 => 6,
        _ => 5,
    };
    let mut counts = vec![0; (high - low) as usize * per_decade];
    let mut nearly_nothing = 0;
    for &v in sorted {
        let place = if v > 0.0 { (v.log10() - f64::from(low)) * per_decade as f64 } else { -1.0 };
        if place < 0.0 {
            nearly_nothing += 1;
        } else {
            let last = counts.len() - 1;
            counts[(place as usize).min(last)] += 1;
        }
    }
    Bins { nearly_nothing, counts, decades: (low, high) }
}

fn paint(canvas: &mut Canvas, bins: &Bins, (median, mean): (f64, f64), currency: &str, what: &str) {
    // The bar of nearly nothing stands apart, where there is one.
    let apart = if bins.nearly_nothing > 0 { 46.0 } else { 0.0 };
    let begin = LEFT + apart;
    let (low, high) = bins.decades;
    let x = Scale::new((f64::from(low), f64::from(high)), (begin, RIGHT));
    let most = bins.counts.iter().copied().max().unwrap_or(0).max(bins.nearly_nothing).max(1);
    let y = Scale::new((0.0, most as f64), (BOTTOM, TOP));

    let (ticks, step) = y.ticks(4);
    for &at in &ticks {
        canvas.line((LEFT, y.at(at)), (RIGHT, y.at(at)), GRID, 1.0);
        if step >= 1.0 || at.fract() == 0.0 {
            canvas.text(
                &tick(at, step, largest(&ticks)),
                (LEFT - 6.0, y.at(at)),
                Anchor::Right,
                SMALL,
                MUTED,
            );
        }
    }
    if apart > 0.0 {
        let top = y.at(bins.nearly_nothing as f64);
        canvas.rect((LEFT + 6.0, top), (26.0, BOTTOM - top), ORANGE);
        let edge = format!("<{}", edge_text(low));
        canvas.text(&edge, (LEFT + 19.0, BOTTOM + 16.0), Anchor::Middle, SMALL, MUTED);
    }
    let width = (RIGHT - begin) / bins.counts.len() as f64;
    for (i, &n) in bins.counts.iter().enumerate() {
        let top = y.at(n as f64);
        canvas.rect((begin + i as f64 * width + 0.75, top), (width - 1.5, BOTTOM - top), SKY);
    }
    for decade in low..=high {
        let at = x.at(f64::from(decade));
        canvas.line((at, BOTTOM), (at, BOTTOM + 5.0), AXIS, 1.2);
        // The label of the first edge would run into that of the bar beside it, which says the same.
        if decade > low || apart == 0.0 {
            let anchor = if decade == high { Anchor::Right } else { Anchor::Middle };
            let place = if decade == high { WIDTH - 1.0 } else { at };
            canvas.text(&edge_text(decade), (place, BOTTOM + 16.0), anchor, SMALL, MUTED);
        }
    }
    canvas.line((LEFT, BOTTOM), (RIGHT, BOTTOM), AXIS, 1.2);
    let unit = if currency.is_empty() { String::new() } else { format!(", {currency}") };
    let label = super::canvas::fit(&format!("{what}{unit} (logarithmic)"), SMALL, RIGHT - LEFT);
    canvas.text(&label, ((LEFT + RIGHT) / 2.0, HEIGHT - 14.0), Anchor::Middle, SMALL, INK);
    canvas.text("customers", (4.0, 9.0), Anchor::Left, SMALL, INK);

    let place = |v: f64| {
        if v > 0.0 && v.log10() >= f64::from(low) { x.at(v.log10()) } else { LEFT + 19.0 }
    };
    // Two rows of labels: they never touch, wherever the two values lie.
    for (value, name, color, row) in [(median, "median", BLUE, 31.0), (mean, "mean", VERMILLION, 52.0)] {
        let at = place(value);
        canvas.line((at, row + 10.0), (at, BOTTOM), color, 2.0);
        let label = format!("{name} {}", money(value));
        let half = text_width(&label, SMALL) / 2.0 + 4.0;
        let middle = at.clamp(half, (WIDTH - half).max(half));
        canvas.bold(&label, (middle, row), Anchor::Middle, SMALL, color);
    }
}

/// 10^decade in few characters.
fn edge_text(decade: i32) -> String {
    match decade {
        -4..0 => format!("{:.*}", decade.unsigned_abs() as usize, 10f64.powi(decade)),
        0..12 => tick(10f64.powi(decade), 10f64.powi(decade), 10f64.powi(decade)),
        _ => significant(10f64.powi(decade), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bin() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i).powi(3) / 1e4).collect();
        values.sort_by(f64::total_cmp);
        let b = bins(&values);
        assert_eq!(b.nearly_nothing + b.counts.iter().sum::<u64>(), 1000);
        assert_eq!(b.decades.1, 5);
        // Exact powers of ten begin a bin, and the largest value is in the last.
        let b = bins(&[1.0, 10.0, 100.0]);
        assert_eq!((b.nearly_nothing, b.decades), (0, (0, 3)));
        assert_eq!(b.counts.iter().sum::<u64>(), 3);
    }

    #[test]
    fn the_caption_has_the_key_figures() {
        let chart = distribution(&[1.0, 2.0, 9.0, f64::NAN], "value", "EUR");
        assert!(chart.caption.contains("less than 2.00\u{a0}EUR"), "{}", chart.caption);
        assert!(
            chart.caption.contains("mean is 4.00\u{a0}EUR")
                && chart.caption.contains("1\u{a0}customer without")
        );
        assert!(chart.svg.contains("median 2.00") && chart.svg.contains("mean 4.00"));
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        let cases: [&[f64]; 6] =
            [&[], &[f64::NAN, f64::INFINITY], &[0.0, 0.0], &[-3.0, 5.0], &[1e-320, 1e300], &[7.0]];
        for values in cases {
            let chart = distribution(values, "value", "");
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf"), "{values:?}");
        }
    }
}
