//! On which assumption a gain rests most: a bar per assumption from the gain at its lower end to that at its upper.

use super::Chart;
use super::canvas::{
    AXIS, Anchor, BLUE, Canvas, GRID, INK, MUTED, SKY, SMALL, WHITE, WIDTH, draw, fit, text_width,
};
use super::scale::{Scale, largest};
use crate::report::format::{NONE, signed, tick};

/// What a strategy gains at the two ends of a belief.
#[derive(Debug, Clone, PartialEq)]
pub struct TornadoBar {
    /// The belief.
    pub name: String,
    /// The gain at the belief's lower end.
    pub at_lower: f64,
    /// The gain at its upper end.
    pub at_upper: f64,
}

impl TornadoBar {
    fn swing(&self) -> f64 {
        (self.at_upper - self.at_lower).abs()
    }
}

/// More bars than these are named, not drawn.
const MOST: usize = 12;

const LEFT: f64 = 12.0;
const RIGHT: f64 = WIDTH - 12.0;
const HEAD: f64 = 62.0;
const ROW: f64 = 44.0;
const FOOT: f64 = 46.0;

/// The bars, the widest first, around the stated `gain`. `heading` is written above, `money` says what the axis counts.
pub fn tornado(bars: &[TornadoBar], gain: f64, heading: &str, money: &str) -> Chart {
    let mut sorted: Vec<&TornadoBar> = bars.iter().collect();
    // What is not a number comes last.
    let key = |bar: &TornadoBar| if bar.swing().is_nan() { -1.0 } else { bar.swing() };
    sorted.sort_by(|a, b| key(b).total_cmp(&key(a)));
    let (drawn, rest) = sorted.split_at(sorted.len().min(MOST));
    let caption = caption(drawn, rest, gain, heading);
    let axis = HEAD + drawn.len().max(1) as f64 * ROW;
    let title = format!("{heading}: {money} at both ends of every assumption");
    let finite = || {
        let ends = drawn.iter().flat_map(|bar| [bar.at_lower, bar.at_upper]);
        ends.chain([gain]).filter(|v| v.is_finite())
    };
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    let svg = draw(axis + FOOT, &title, &caption, |canvas| {
        let x = Scale::new((low, high), (LEFT + 8.0, RIGHT - 8.0));
        canvas.bold(&fit(heading, 16.0, RIGHT - LEFT), (LEFT, 12.0), Anchor::Left, 16.0, INK);
        legend(canvas);
        ticks(canvas, x, axis);
        canvas.line((x.at(0.0), HEAD - 8.0), (x.at(0.0), axis), INK, 1.6);
        if gain.is_finite() {
            canvas.dashed((x.at(gain), HEAD - 8.0), (x.at(gain), axis), MUTED, 1.4);
        }
        canvas.text(
            &fit(&format!("{money}, expected difference from do nothing"), SMALL, RIGHT - LEFT),
            (WIDTH / 2.0, axis + FOOT - 12.0),
            Anchor::Middle,
            SMALL,
            INK,
        );
        if drawn.is_empty() {
            canvas.text("no assumption", (WIDTH / 2.0, HEAD + ROW / 2.0), Anchor::Middle, SMALL, MUTED);
        }
        for (i, bar) in drawn.iter().enumerate() {
            paint(canvas, x, bar, gain, HEAD + i as f64 * ROW);
        }
    });
    Chart { svg, caption }
}

fn legend(canvas: &mut Canvas) {
    canvas.rect((LEFT, 30.0), (22.0, 10.0), SKY);
    canvas.text("at its lower end", (LEFT + 29.0, 35.0), Anchor::Left, SMALL, INK);
    canvas.rect((164.0, 30.0), (22.0, 10.0), BLUE);
    canvas.text("at its upper end", (193.0, 35.0), Anchor::Left, SMALL, INK);
    canvas.dashed((320.0, 35.0), (344.0, 35.0), MUTED, 1.4);
    canvas.text("as stated", (351.0, 35.0), Anchor::Left, SMALL, INK);
}

fn paint(canvas: &mut Canvas, x: Scale, bar: &TornadoBar, gain: f64, top: f64) {
    // Wider faces than the estimate's are a tenth wider. A white ground keeps the lines of the grid out of the letters.
    let name = fit(&bar.name, 1.1 * SMALL, RIGHT - LEFT - 30.0);
    canvas.rect((LEFT, top), (1.1 * text_width(&name, SMALL) + 4.0, 19.0), WHITE);
    canvas.text(&name, (LEFT, top + 10.0), Anchor::Left, SMALL, INK);
    if !(bar.at_lower.is_finite() && bar.at_upper.is_finite() && gain.is_finite()) {
        canvas.text(NONE, (RIGHT, top + 10.0), Anchor::Right, SMALL, INK);
        return;
    }
    let (y, height) = (top + 21.0, 14.0);
    let mut halves = [(bar.at_lower, SKY), (bar.at_upper, BLUE)];
    // Where both ends lie on one side of what is stated the longer one is below.
    halves.sort_by(|a, b| (b.0 - gain).abs().total_cmp(&(a.0 - gain).abs()));
    for (i, (end, color)) in halves.into_iter().enumerate() {
        let (from, to) = (x.at(end.min(gain)), x.at(end.max(gain)));
        let inset = if i == 1 && (bar.at_lower - gain) * (bar.at_upper - gain) > 0.0 { 4.0 } else { 0.0 };
        canvas.rect((from, y + inset), ((to - from).max(1.0), height - 2.0 * inset), color);
    }
    canvas.line((x.at(0.0), y - 2.0), (x.at(0.0), y + height + 2.0), INK, 1.6);
    canvas.dashed((x.at(gain), y - 2.0), (x.at(gain), y + height + 2.0), WHITE, 1.4);
}

/// As many ticks as have room for their labels.
fn ticks(canvas: &mut Canvas, x: Scale, axis: f64) {
    let fits = |wanted: &usize| {
        let (ticks, step) = x.ticks(*wanted);
        let wide = |at: &f64| text_width(&tick(*at, step, largest(&ticks)), SMALL);
        let widest = ticks.iter().map(wide).fold(0.0, f64::max);
        ticks.windows(2).all(|pair| x.at(pair[1]) - x.at(pair[0]) >= widest + 12.0)
    };
    let wanted = (1..=6).rev().find(fits).unwrap_or(1);
    let (ticks, step) = x.ticks(wanted);
    for &at in &ticks {
        canvas.line((x.at(at), HEAD - 8.0), (x.at(at), axis), GRID, 1.0);
        let label = tick(at, step, largest(&ticks));
        let half = text_width(&label, SMALL) / 2.0;
        let middle = x.at(at).clamp(half, (WIDTH - half).max(half));
        canvas.text(&label, (middle, axis + 13.0), Anchor::Middle, SMALL, MUTED);
    }
    canvas.line((LEFT, axis), (RIGHT, axis), AXIS, 1.2);
}

fn caption(drawn: &[&TornadoBar], rest: &[&TornadoBar], gain: f64, heading: &str) -> String {
    let Some(first) = drawn.first() else {
        return format!("{heading}: no assumption changes what it gains.");
    };
    let mut text = format!(
        "{heading}: {} with everything as stated, at the models’ estimates. “{}” moves it most: {} at the lower end of its \
         95\u{a0}% interval, {} at the upper.",
        signed(gain),
        first.name,
        signed(first.at_lower),
        signed(first.at_upper),
    );
    if !rest.is_empty() {
        let names: Vec<String> = rest.iter().map(|bar| format!("“{}”", bar.name)).collect();
        text += &format!(" Not drawn, since they move it less: {}.", names.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, at_lower: f64, at_upper: f64) -> TornadoBar {
        TornadoBar { name: name.to_string(), at_lower, at_upper }
    }

    #[test]
    fn the_widest_is_first_and_those_beyond_twelve_are_named() {
        let mut bars: Vec<TornadoBar> = (0..14)
            .map(|i| bar(&format!("belief <{i}>"), 10.0 - f64::from(i), 10.0 + f64::from(i)))
            .collect();
        bars.push(bar("unknown", f64::NAN, 1.0));
        let chart = tornado(&bars, 10.0, "even", "profit");
        assert!(chart.caption.starts_with("even: +10.00 with everything as stated"), "{}", chart.caption);
        assert!(chart.caption.contains("“belief <13>” moves it most: −3.00"), "{}", chart.caption);
        let rest = "Not drawn, since they move it less: “belief <1>”, “belief <0>”, “unknown”.";
        assert!(chart.caption.ends_with(rest), "{}", chart.caption);
        assert!(chart.svg.contains("belief &lt;13&gt;") && !chart.svg.contains("\nbelief &lt;1&gt;\n"));
        assert!(!chart.svg.contains("NaN"));
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        let odd = vec![bar("x", f64::NAN, f64::INFINITY)];
        for (bars, gain) in [(vec![], 0.0), (odd, f64::NAN), (vec![bar("one side", 5.0, 9.0)], 3.0)] {
            let chart = tornado(&bars, gain, "s", "profit");
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf\""), "{}", chart.svg);
        }
    }
}
