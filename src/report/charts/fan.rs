//! A line over the periods of the horizon with its two intervals.

use super::Chart;
use super::canvas::{AXIS, Anchor, BLUE, Canvas, GRID, INK, MUTED, SKY, SMALL, WHITE, WIDTH, draw, fit};
use super::scale::{Scale, largest, round_step};
use crate::report::format::tick;

/// A value at the end of a period, with what is known about it; NaN in an interval that is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FanPoint {
    /// Periods since the beginning.
    pub at: f64,
    /// The mean.
    pub value: f64,
    /// The interval of the expectation.
    pub mean: (f64, f64),
    /// The interval of what will happen.
    pub range: (f64, f64),
}

const LEFT: f64 = 58.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 258.0;

/// The line through the points, over a pale area for what will happen and a darker one for the expectation; an interval
/// that stands alone is a bar. Points that are not finite are left out. `heading` is written above, `y` says what is counted.
pub fn fan(points: &[FanPoint], heading: &str, y: &str, caption: String) -> Chart {
    let points: Vec<FanPoint> =
        points.iter().copied().filter(|p| p.at.is_finite() && p.value.is_finite()).collect();
    let ends = |p: &FanPoint| [p.value, p.mean.0, p.mean.1, p.range.0, p.range.1];
    let finite = || points.iter().flat_map(ends).filter(|v| v.is_finite());
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    // A little air on the sides that have something.
    let air = 0.04 * (high - low);
    let (low, high) = (if low < 0.0 { low - air } else { low }, if high > 0.0 { high + air } else { high });
    let from = points.iter().map(|p| p.at).fold(f64::INFINITY, f64::min);
    let to = points.iter().map(|p| p.at).fold(f64::NEG_INFINITY, f64::max);
    let title = format!("{heading}: {y} by period");
    let svg = draw(BOTTOM + 44.0, &title, &caption, |canvas| {
        let x = Scale::new((from, to), (LEFT + 14.0, RIGHT - 14.0));
        let scale = Scale::new((low, if high > low { high } else { low + 1.0 }), (BOTTOM, TOP));
        canvas.bold(&fit(heading, 16.0, WIDTH - 8.0), (4.0, 12.0), Anchor::Left, 16.0, INK);
        canvas.text(&fit(y, SMALL, WIDTH - 8.0), (4.0, 32.0), Anchor::Left, SMALL, MUTED);
        let (ticks, step) = scale.ticks(5);
        for &at in &ticks {
            canvas.line((LEFT, scale.at(at)), (RIGHT, scale.at(at)), GRID, 1.0);
            let label = tick(at, step, largest(&ticks));
            canvas.text(&label, (LEFT - 6.0, scale.at(at)), Anchor::Right, SMALL, MUTED);
        }
        if points.is_empty() {
            canvas.text("nothing to show", (WIDTH / 2.0, 150.0), Anchor::Middle, SMALL, MUTED);
        }
        band(canvas, &points, x, scale, |p| p.range, false);
        band(canvas, &points, x, scale, |p| p.mean, true);
        canvas.line((LEFT, scale.at(0.0)), (RIGHT, scale.at(0.0)), INK, 1.4);
        canvas.line((LEFT, BOTTOM), (RIGHT, BOTTOM), AXIS, 1.2);
        let places: Vec<_> = points.iter().map(|p| (x.at(p.at), scale.at(p.value))).collect();
        if places.len() > 1 {
            canvas.path(places.iter().copied(), BLUE, 2.2);
        }
        if places.len() <= 40 {
            for &place in &places {
                canvas.circle(place, 4.0, WHITE);
                canvas.circle(place, 2.8, BLUE);
            }
        }
        periods(canvas, &points, x);
    });
    Chart { svg, caption }
}

/// Numbers of periods, as many as have room.
fn periods(canvas: &mut Canvas, points: &[FanPoint], x: Scale) {
    let last = points.iter().map(|p| p.at).fold(0.0, f64::max);
    let step = round_step(last / 12.0).max(1.0).ceil() as usize;
    for point in points.iter().filter(|p| (p.at as usize).is_multiple_of(step)) {
        let label = tick(point.at, 1.0, last);
        canvas.text(&label, (x.at(point.at), BOTTOM + 14.0), Anchor::Middle, SMALL, MUTED);
    }
    canvas.text("period", ((LEFT + RIGHT) / 2.0, BOTTOM + 33.0), Anchor::Middle, SMALL, INK);
}

/// The intervals of neighbouring points as an area, one that has no neighbour as a bar.
fn band(
    canvas: &mut Canvas,
    points: &[FanPoint],
    x: Scale,
    y: Scale,
    of: impl Fn(&FanPoint) -> (f64, f64),
    thick: bool,
) {
    let known = |p: &FanPoint| of(p).0.is_finite() && of(p).1.is_finite();
    for run in points.split(|p| !known(p)).filter(|run| !run.is_empty()) {
        match run {
            [alone] => {
                let (from, to) = (y.at(of(alone).1), y.at(of(alone).0));
                let (at, half) = (x.at(alone.at), if thick { 5.0 } else { 1.0 });
                canvas.rect(
                    (at - half, from),
                    (2.0 * half, (to - from).max(2.0)),
                    if thick { SKY } else { BLUE },
                );
                if !thick {
                    for end in [from, to] {
                        canvas.line((at - 7.0, end), (at + 7.0, end), BLUE, 1.6);
                    }
                }
            }
            _ => {
                let upper = run.iter().map(|p| (x.at(p.at), y.at(of(p).1)));
                let lower = run.iter().rev().map(|p| (x.at(p.at), y.at(of(p).0)));
                canvas.area(upper.chain(lower), SKY, if thick { 1.0 } else { 0.3 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: f64, value: f64) -> FanPoint {
        FanPoint { at, value, mean: (value - 1.0, value + 1.0), range: (value - 3.0, value + 4.0) }
    }

    #[test]
    fn areas_for_neighbours_and_bars_for_one() {
        let points: Vec<_> = (1..=12).map(|i| point(f64::from(i), f64::from(i))).collect();
        let chart = fan(&points, "Plan <1>", "orders", "what one sees".into());
        assert_eq!(chart.svg.matches("<polygon").count(), 2, "{}", chart.svg);
        assert!(chart.svg.contains("Plan &lt;1&gt;") && chart.svg.contains("\n12\n"), "{}", chart.svg);
        let mut alone = points.clone();
        for p in &mut alone[..11] {
            (p.mean, p.range) = ((f64::NAN, f64::NAN), (f64::NAN, f64::NAN));
        }
        let chart = fan(&alone, "Plan", "orders", String::new());
        assert!(!chart.svg.contains("<polygon") && !chart.svg.contains("NaN"), "{}", chart.svg);
        assert!(chart.svg.matches("<rect").count() >= 2);
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        let nan = FanPoint { at: 1.0, value: f64::NAN, ..point(1.0, 0.0) };
        for points in [vec![], vec![nan], vec![point(1.0, 0.0)], vec![point(0.0, f64::INFINITY)]] {
            let chart = fan(&points, "x", "y", String::new());
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf"), "{}", chart.svg);
        }
    }
}
