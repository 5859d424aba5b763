//! Tiers' share of customers against their share of value.

use super::Chart;
use super::canvas::{Anchor, BLUE, GRID, INK, MUTED, ORANGE, SMALL, WHITE, WIDTH, draw, fit, text_width};
use super::scale::Scale;
use crate::report::format::{percent, percent_round};

/// One tier (or segment).
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Its name.
    pub name: String,
    /// Its share of customers, 0 to 1.
    pub customers: f64,
    /// Its share of value, 0 to 1.
    pub value: f64,
}

const LEFT: f64 = 4.0;
/// Room at the right for a bar's number.
const RIGHT: f64 = WIDTH - 66.0;
const GROUP: f64 = 72.0;
const BAR: f64 = 18.0;
const HEAD: f64 = 34.0;

/// Two bars for each tier: its share of customers and its share of `value` ("lifetime value", "spend").
pub fn shares(rows: &[Share], scheme: &str, value: &str) -> Chart {
    let title = format!("Share of customers and of {value} by tier: {scheme}");
    let caption =
        match rows.iter().filter(|row| row.value.is_finite()).max_by(|a, b| a.value.total_cmp(&b.value)) {
            Some(most) => format!(
                "“{}” is {} of customers and holds {} of {value}, more than any other tier.",
                most.name,
                percent(most.customers),
                percent(most.value),
            ),
            None => format!("No tier has a share of {value}."),
        };
    let axis = HEAD + rows.len() as f64 * GROUP;
    let svg = draw(axis + 28.0, &title, &caption, |canvas| {
        let largest = rows.iter().flat_map(|row| [row.customers, row.value]).fold(0.0, f64::max);
        // Whole tens of percent, so that the axis ends on a tick.
        let end = ((largest * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
        let x = Scale::new((0.0, end), (LEFT, RIGHT));
        for &at in &x.ticks(4).0 {
            canvas.line((x.at(at), HEAD - 6.0), (x.at(at), axis), GRID, 1.0);
            let anchor = if at == 0.0 { Anchor::Left } else { Anchor::Middle };
            canvas.text(&percent_round(at), (x.at(at), axis + 14.0), anchor, SMALL, MUTED);
        }
        canvas.rect((LEFT, 5.0), (14.0, 14.0), ORANGE);
        canvas.text("share of customers", (LEFT + 20.0, 12.0), Anchor::Left, SMALL, INK);
        canvas.rect((LEFT + 190.0, 5.0), (14.0, 14.0), BLUE);
        let of_value = fit(&format!("share of {value}"), SMALL, WIDTH - LEFT - 210.0);
        canvas.text(&of_value, (LEFT + 210.0, 12.0), Anchor::Left, SMALL, INK);
        for (i, row) in rows.iter().enumerate() {
            let top = HEAD + i as f64 * GROUP;
            canvas.bold(&fit(&row.name, 15.0, WIDTH - 10.0), (LEFT, top + 12.0), Anchor::Left, 15.0, INK);
            for (share, color, y) in [(row.customers, ORANGE, 24.0), (row.value, BLUE, 24.0 + BAR + 2.0)] {
                let width = x.at(share) - LEFT;
                canvas.rect((LEFT, top + y), (width.max(1.0), BAR), color);
                let label = percent(share);
                // A white ground keeps the lines of the grid out of the figures.
                let ground = (text_width(&label, SMALL) + 4.0, BAR);
                canvas.rect((LEFT + width + 6.0, top + y), ground, WHITE);
                canvas.text(&label, (LEFT + width + 8.0, top + y + BAR / 2.0), Anchor::Left, SMALL, INK);
            }
        }
    });
    Chart { svg, caption }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, customers: f64, value: f64) -> Share {
        Share { name: name.to_string(), customers, value }
    }

    #[test]
    fn the_caption_names_the_tier_with_most() {
        let chart = shares(&[row("high", 0.2, 0.71), row("low", 0.8, 0.29)], "value", "lifetime value");
        assert!(chart.caption.contains("“high” is 20.0\u{a0}% of customers and holds 71.0\u{a0}%"));
        assert!(chart.svg.contains("71.0\u{a0}%"));
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        for rows in [vec![], vec![row("<b>", f64::NAN, f64::NAN)]] {
            let chart = shares(&rows, "value", "spend");
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("<b>"));
        }
    }
}
