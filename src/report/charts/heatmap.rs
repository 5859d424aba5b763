//! The R × F heat map: where customers are, what they spend, and where the money is.

use plotters::style::RGBColor;

use super::Chart;
use super::canvas::{Anchor, GRID, INK, MUTED, SMALL, WHITE, WIDTH, draw};
use crate::report::format::{NONE, count, money, number, percent, plural};

/// The customers who share an R and an F score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatCell {
    /// R score, 1 to 5.
    pub r: u8,
    /// F score, 1 to 5.
    pub f: u8,
    /// How many they are.
    pub customers: u64,
    /// What they spent in all.
    pub spend: f64,
}

const HEIGHT: f64 = 440.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 4.0;
const SIDE: f64 = (WIDTH - LEFT - 2.0) / 5.0;
const ROW: f64 = 64.0;
const BOTTOM: f64 = TOP + 5.0 * ROW;

/// The ramp of one hue, from nothing to the cell that holds most: lightness falls steadily.
const RAMP: [(f64, RGBColor); 4] = [
    (0.0, RGBColor(239, 246, 252)),
    (0.35, RGBColor(158, 202, 225)),
    (0.7, RGBColor(49, 130, 189)),
    (1.0, RGBColor(8, 48, 107)),
];

/// The R × F heat map: customers (bold) and their mean spend in each cell, the colour their share of all spend.
pub fn heat_map(cells: &[HeatCell]) -> Chart {
    let share = shares(cells);
    let largest = share.iter().copied().fold(0.0, f64::max);
    let caption = match cells.iter().zip(&share).max_by(|a, b| a.1.total_cmp(b.1)) {
        Some((cell, &part)) if part > 0.0 => format!(
            "Customers (bold) and what each spent on average, by how recently (up) and how often (right) they bought; \
             the darker a cell, the more of all spend it holds. Most is in R{}\u{a0}F{}: {} with {} of spend.",
            cell.r,
            cell.f,
            plural(cell.customers, "customer", "customers"),
            percent(part),
        ),
        _ => "Nobody has spent anything: all cells are empty.".to_string(),
    };
    let svg = draw(HEIGHT, "Customers and spend by recency and frequency score", &caption, |canvas| {
        for row in 0..5u8 {
            let r = 5 - row;
            let y = TOP + f64::from(row) * ROW;
            canvas.bold(&format!("R{r}"), (LEFT - 8.0, y + ROW / 2.0), Anchor::Right, 15.0, INK);
            for column in 0..5u8 {
                let f = column + 1;
                let x = LEFT + f64::from(column) * SIDE;
                let found = cells.iter().position(|cell| cell.r == r && cell.f == f && cell.customers > 0);
                let Some(i) = found else {
                    canvas.rect((x + 1.5, y + 1.5), (SIDE - 3.0, ROW - 3.0), GRID);
                    canvas.rect((x + 2.5, y + 2.5), (SIDE - 5.0, ROW - 5.0), WHITE);
                    canvas.text(NONE, (x + SIDE / 2.0, y + ROW / 2.0), Anchor::Middle, SMALL, MUTED);
                    continue;
                };
                let color = ramp(if largest > 0.0 { share[i] / largest } else { 0.0 });
                let ink = readable_on(color);
                canvas.rect((x + 1.5, y + 1.5), (SIDE - 3.0, ROW - 3.0), color);
                let middle = x + SIDE / 2.0;
                let n = cells[i].customers;
                canvas.bold(&short_count(n), (middle, y + ROW / 2.0 - 10.0), Anchor::Middle, 16.0, ink);
                let mean = short_money(cells[i].spend / n as f64);
                canvas.text(&mean, (middle, y + ROW / 2.0 + 11.0), Anchor::Middle, SMALL, ink);
            }
        }
        for f in 1..=5u8 {
            let x = LEFT + (f64::from(f) - 0.5) * SIDE;
            canvas.bold(&format!("F{f}"), (x, BOTTOM + 16.0), Anchor::Middle, 15.0, INK);
        }
        canvas.text("frequency →", (LEFT + 2.5 * SIDE, BOTTOM + 38.0), Anchor::Middle, SMALL, INK);
        canvas.upwards("recency →", (10.0, TOP + 2.5 * ROW), SMALL, INK);
        legend(canvas, HEIGHT - 36.0, "share of spend", largest);
    });
    Chart { svg, caption }
}

/// A strip of the ramp with its two ends, at height `y`.
pub(super) fn legend(canvas: &mut super::canvas::Canvas, y: f64, what: &str, largest: f64) {
    let steps = 40;
    let (from, width) = (LEFT + 120.0, 180.0);
    for i in 0..steps {
        let part = f64::from(i) / f64::from(steps);
        // Half a unit more than its part, so that no seam shows.
        let size = (width / f64::from(steps) + 0.5, 12.0);
        canvas.rect((from + part * width, y), size, ramp(part));
    }
    canvas.text(what, (from - 10.0, y + 6.0), Anchor::Right, SMALL, INK);
    canvas.text("0", (from, y + 25.0), Anchor::Middle, SMALL, MUTED);
    canvas.text(&percent(largest), (from + width, y + 25.0), Anchor::Middle, SMALL, MUTED);
}

/// Each cell's share of all spend; nothing negative and nothing impossible counts.
fn shares(cells: &[HeatCell]) -> Vec<f64> {
    let spend = |cell: &HeatCell| if cell.spend.is_finite() { cell.spend.max(0.0) } else { 0.0 };
    let total: f64 = cells.iter().map(spend).sum();
    cells.iter().map(|cell| if total > 0.0 { spend(cell) / total } else { 0.0 }).collect()
}

fn short_count(n: u64) -> String {
    match n {
        0..1_000_000 => count(n),
        _ => format!("{}M", number(n as f64 / 1e6, if n < 100_000_000 { 1 } else { 0 })),
    }
}

fn short_money(value: f64) -> String {
    match value.abs() {
        x if x >= 1e6 => format!("{}M", number(value / 1e6, 1)),
        x if x >= 1e5 => format!("{}k", number(value / 1e3, 0)),
        x if x >= 100.0 => number(value, 0),
        _ => money(value),
    }
}

/// The colour at `part` (0 to 1) of the ramp.
pub(super) fn ramp(part: f64) -> RGBColor {
    let part = part.clamp(0.0, 1.0);
    let above = RAMP.iter().position(|(stop, _)| *stop >= part).unwrap_or(RAMP.len() - 1).max(1);
    let ((low, from), (high, to)) = (RAMP[above - 1], RAMP[above]);
    let within = (part - low) / (high - low);
    let mix = |a: u8, b: u8| (f64::from(a) + within * (f64::from(b) - f64::from(a))).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

/// Relative luminance as WCAG 2 defines it.
fn luminance(color: RGBColor) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(color.0) + 0.7152 * linear(color.1) + 0.0722 * linear(color.2)
}

fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Black or white, whichever can be read better on `color`.
pub(super) fn readable_on(color: RGBColor) -> RGBColor {
    const BLACK: RGBColor = RGBColor(0, 0, 0);
    if contrast(color, WHITE) > contrast(color, BLACK) { WHITE } else { BLACK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_everywhere_on_the_ramp() {
        for i in 0..=100 {
            let color = ramp(f64::from(i) / 100.0);
            assert!(contrast(color, readable_on(color)) >= 4.5, "{i}");
        }
        // Darker all the way.
        assert!(
            (0..100)
                .all(|i| luminance(ramp(f64::from(i) / 100.0)) > luminance(ramp(f64::from(i + 1) / 100.0)))
        );
    }

    #[test]
    fn the_caption_names_the_cell_with_most() {
        let cells = [
            HeatCell { r: 1, f: 1, customers: 900, spend: 9_000.0 },
            HeatCell { r: 5, f: 5, customers: 100, spend: 27_000.0 },
        ];
        let chart = heat_map(&cells);
        assert!(
            chart.caption.contains("R5\u{a0}F5: 100\u{a0}customers with 75.0\u{a0}%"),
            "{}",
            chart.caption
        );
        assert!(chart.svg.contains("\n270\n"), "{}", chart.svg);
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        let cell = HeatCell { r: 3, f: 9, customers: 1, spend: f64::NAN };
        for cells in [&[][..], &[cell], &[HeatCell { f: 2, ..cell }]] {
            let chart = heat_map(cells);
            assert!(chart.caption.contains("Nobody") && !chart.svg.contains("NaN"));
        }
    }
}
