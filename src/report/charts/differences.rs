//! Strategies side by side: what each gains over "do nothing", with both intervals.

use super::Chart;
use super::canvas::{
    AXIS, Anchor, BLUE, Canvas, GRID, INK, MUTED, SKY, SMALL, WHITE, WIDTH, draw, fit, text_width,
};
use super::scale::{Scale, largest};
use crate::report::format::{NONE, signed, tick};

/// What a strategy gains over "do nothing".
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The strategy.
    pub name: String,
    /// The mean.
    pub value: f64,
    /// The interval of the expectation; NaN where it has none.
    pub mean: (f64, f64),
    /// The interval of what will happen.
    pub range: (f64, f64),
}

impl Difference {
    fn is_finite(&self) -> bool {
        let finite = |of: &[f64]| of.iter().all(|v| v.is_finite());
        finite(&[self.value, self.range.0, self.range.1])
            && (!self.has_interval() || finite(&[self.mean.0, self.mean.1]))
    }

    /// Whether the expectation has an interval.
    fn has_interval(&self) -> bool {
        !(self.mean.0.is_nan() && self.mean.1.is_nan())
    }
}

const LEFT: f64 = 12.0;
const RIGHT: f64 = WIDTH - 12.0;
const HEAD: f64 = 34.0;
const ROW: f64 = 58.0;
const FOOT: f64 = 46.0;

/// The values from the lowest end of all intervals to the highest, 0 included: give it to charts that are to be
/// compared with each other.
pub fn common_range<'a>(rows: impl IntoIterator<Item = &'a Difference>) -> (f64, f64) {
    let (low, high) = rows
        .into_iter()
        .filter(|row| row.is_finite())
        .flat_map(|row| [row.range, row.mean])
        .fold((0.0f64, 0.0f64), |(low, high), (a, b)| (low.min(a), high.max(b)));
    if high > low { (low, high) } else { (-1.0, 1.0) }
}

/// One row per strategy on an axis that holds `range` (see [`common_range`]): a thick bar for the interval of the
/// expectation, a thin whisker for that of what will happen, a dot for the mean, a line at 0. `heading` is what is
/// written above the rows, `money` what the axis counts.
pub fn differences(rows: &[Difference], range: (f64, f64), heading: &str, money: &str) -> Chart {
    let caption = caption(rows, heading);
    let axis = HEAD + rows.len().max(1) as f64 * ROW;
    let title = format!("Difference in {money} from do nothing: {heading}");
    let svg = draw(axis + FOOT, &title, &caption, |canvas| {
        let x = Scale::new(range, (LEFT + 8.0, RIGHT - 8.0));
        canvas.bold(&fit(heading, 16.0, WIDTH - 2.0 * LEFT), (LEFT, 12.0), Anchor::Left, 16.0, INK);
        ticks(canvas, x, axis);
        canvas.line((x.at(0.0), HEAD - 8.0), (x.at(0.0), axis), INK, 1.6);
        canvas.text(
            &fit(&format!("{money}, difference from do nothing"), SMALL, RIGHT - LEFT),
            (WIDTH / 2.0, axis + FOOT - 12.0),
            Anchor::Middle,
            SMALL,
            INK,
        );
        if rows.is_empty() {
            canvas.text("no strategy", (WIDTH / 2.0, HEAD + ROW / 2.0), Anchor::Middle, SMALL, MUTED);
        }
        for (i, row) in rows.iter().enumerate() {
            paint(canvas, x, row, HEAD + i as f64 * ROW);
        }
    });
    Chart { svg, caption }
}

fn paint(canvas: &mut Canvas, x: Scale, row: &Difference, top: f64) {
    let number = if row.is_finite() { signed(row.value) } else { NONE.to_string() };
    // Bold letters are a tenth wider.
    let width = 1.1 * text_width(&number, 15.0) + 10.0;
    let room = RIGHT - LEFT - width - 8.0;
    // A white ground keeps the lines of the grid out of the letters.
    let name = fit(&row.name, 15.0, room);
    canvas.rect((LEFT, top + 1.0), (text_width(&name, 15.0) + 4.0, 20.0), WHITE);
    canvas.text(&name, (LEFT, top + 12.0), Anchor::Left, 15.0, INK);
    canvas.rect((RIGHT - width, top + 1.0), (width, 20.0), WHITE);
    canvas.bold(&number, (RIGHT, top + 12.0), Anchor::Right, 15.0, INK);
    if !row.is_finite() {
        return;
    }
    let y = top + 37.0;
    if row.has_interval() {
        let (from, to) = (x.at(row.mean.0), x.at(row.mean.1));
        canvas.rect((from, y - 6.0), ((to - from).max(2.0), 12.0), SKY);
    }
    // Over the bar: where 0 lies in it nothing is decided, and an end of the whisker can lie inside it.
    canvas.line((x.at(0.0), y - 10.0), (x.at(0.0), y + 10.0), INK, 1.6);
    let (from, to) = (x.at(row.range.0), x.at(row.range.1));
    canvas.line((from, y), (to, y), BLUE, 1.6);
    for end in [from, to] {
        canvas.line((end, y - 6.0), (end, y + 6.0), BLUE, 1.6);
    }
    canvas.circle((x.at(row.value), y), 6.0, WHITE);
    canvas.circle((x.at(row.value), y), 4.8, BLUE);
}

/// As many ticks as have room for their labels.
fn ticks(canvas: &mut Canvas, x: Scale, axis: f64) {
    let mut wanted = 6;
    let (ticks, step) = loop {
        let (ticks, step) = x.ticks(wanted);
        let widest =
            ticks.iter().map(|&at| text_width(&tick(at, step, largest(&ticks)), SMALL)).fold(0.0, f64::max);
        let apart = match ticks.as_slice() {
            [first, second, ..] => x.at(*second) - x.at(*first),
            _ => f64::INFINITY,
        };
        if widest + 12.0 <= apart || wanted == 1 {
            break (ticks, step);
        }
        wanted -= 1;
    };
    for &at in &ticks {
        canvas.line((x.at(at), HEAD - 8.0), (x.at(at), axis), GRID, 1.0);
        let label = tick(at, step, largest(&ticks));
        let half = text_width(&label, SMALL) / 2.0;
        let middle = x.at(at).clamp(half, (WIDTH - half).max(half));
        canvas.text(&label, (middle, axis + 13.0), Anchor::Middle, SMALL, MUTED);
    }
    canvas.line((LEFT, axis), (RIGHT, axis), AXIS, 1.2);
}

fn caption(rows: &[Difference], heading: &str) -> String {
    let best = rows.iter().filter(|row| row.is_finite()).max_by(|a, b| a.value.total_cmp(&b.value));
    match best {
        Some(row) => format!(
            "{heading}: {} “{}” with {} ({}what will happen {} to {}).",
            if row.value >= 0.0 {
                "highest on average is"
            } else {
                "highest on average is doing nothing, after it"
            },
            row.name,
            signed(row.value),
            match row.has_interval() {
                true => format!("expectation {} to {}; ", signed(row.mean.0), signed(row.mean.1)),
                false => String::new(),
            },
            signed(row.range.0),
            signed(row.range.1),
        ),
        None => format!("{heading}: there is no difference to show."),
    }
}

/// The key to the marks, as a small drawing of its own. `interval` says whether expectations have one.
pub fn key(interval: bool) -> Chart {
    let caption = format!(
        "Dot: mean. {}Thin whisker: 95\u{a0}% interval of what will happen.",
        if interval { "Thick bar: 95\u{a0}% interval of the expectation. " } else { "" }
    );
    let last = if interval { 74.0 } else { 44.0 };
    let svg = draw(last + 18.0, "How to read the marks", &caption, |canvas| {
        canvas.circle((40.0, 14.0), 4.8, BLUE);
        canvas.text("mean difference", (90.0, 14.0), Anchor::Left, SMALL, INK);
        if interval {
            canvas.rect((16.0, 38.0), (48.0, 12.0), SKY);
            canvas.text("expectation, 95 % interval", (90.0, 44.0), Anchor::Left, SMALL, INK);
        }
        canvas.line((6.0, last), (74.0, last), BLUE, 1.6);
        for end in [6.0, 74.0] {
            canvas.line((end, last - 6.0), (end, last + 6.0), BLUE, 1.6);
        }
        canvas.text("what will happen, 95 % interval", (90.0, last), Anchor::Left, SMALL, INK);
    });
    Chart { svg, caption }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, value: f64) -> Difference {
        let name = name.to_string();
        Difference { name, value, mean: (value - 5.0, value + 5.0), range: (value - 50.0, value + 40.0) }
    }

    #[test]
    fn the_axis_holds_everything_and_zero() {
        let rows = [row("a", 100.0), row("b", 300.0)];
        assert_eq!(common_range(&rows), (0.0, 340.0));
        assert_eq!(common_range(&[]), (-1.0, 1.0));
        let chart = differences(&rows, common_range(&rows), "All customers", "profit");
        assert!(
            chart.caption.contains("“b” with +300.00 (expectation +295.00 to +305.00"),
            "{}",
            chart.caption
        );
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        for rows in
            [vec![], vec![row("<b>", f64::NAN)], vec![Difference { range: (0.0, 0.0), ..row("x", 0.0) }]]
        {
            let chart = differences(&rows, common_range(&rows), "All", "profit");
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("<b>"));
        }
        assert!(differences(&[row("far", 1e13)], (f64::NAN, 1.0), "All", "profit").svg.contains("far"));
    }
}
