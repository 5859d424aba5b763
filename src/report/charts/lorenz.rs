//! The Lorenz curve: how unevenly spend is spread over customers.

use super::Chart;
use super::canvas::{
    AXIS, Anchor, BLUE, Canvas, GRID, INK, MUTED, SKY, SMALL, VERMILLION, WHITE, WIDTH, draw,
};
use super::scale::Scale;
use crate::report::format::{NONE, number, percent, percent_round};

const HEIGHT: f64 = 440.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 32.0;
const RIGHT: f64 = WIDTH - 14.0;
const BOTTOM: f64 = HEIGHT - 54.0;

/// The Lorenz curve through `points` (share of customers, smallest spenders first; their share of spend; both 0 to 1
/// and ascending), with the diagonal of equal spend, the Gini coefficient and what the top 20 % make.
pub fn lorenz(points: &[(f64, f64)], gini: f64, top_fifth: f64) -> Chart {
    let caption = format!(
        "Customers from the smallest spender to the biggest against their share of all spend: the top 20\u{a0}% make \
         {}. Gini coefficient {}: 0 where everybody spends the same (the dashed line), near 1 where one customer \
         spends everything.",
        percent(top_fifth),
        gini_text(gini),
    );
    let svg = draw(HEIGHT, "Lorenz curve of spend", &caption, |canvas| {
        let x = Scale::new((0.0, 1.0), (LEFT, RIGHT));
        let y = Scale::new((0.0, 1.0), (BOTTOM, TOP));
        axes(canvas, x, y);
        let places: Vec<(f64, f64)> = points
            .iter()
            .filter(|p| p.0.is_finite() && p.1.is_finite())
            .map(|p| (x.at(p.0), y.at(p.1)))
            .collect();
        if places.len() >= 2 {
            // The last point lies on the diagonal: the way back to the first is the diagonal itself.
            canvas.area(places.iter().copied(), SKY, 0.25);
        }
        canvas.dashed((x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0)), MUTED, 1.2);
        canvas.path(places.iter().copied(), BLUE, 2.6);
        if top_fifth.is_finite() && !places.is_empty() {
            mark(canvas, x, y, top_fifth);
        }
        canvas.bold(&format!("Gini {}", gini_text(gini)), (LEFT + 14.0, TOP + 22.0), Anchor::Left, 20.0, INK);
        let words = format!("top 20 % make {}", percent(top_fifth));
        canvas.text(&words, (LEFT + 14.0, TOP + 48.0), Anchor::Left, 15.0, VERMILLION);
    });
    Chart { svg, caption }
}

fn gini_text(gini: f64) -> String {
    if gini.is_finite() { number(gini, 3) } else { NONE.to_string() }
}

fn axes(canvas: &mut Canvas, x: Scale, y: Scale) {
    for share in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        canvas.line((x.at(share), TOP), (x.at(share), BOTTOM), GRID, 1.0);
        canvas.line((LEFT, y.at(share)), (RIGHT, y.at(share)), GRID, 1.0);
        let label = percent_round(share);
        let anchor = if share == 1.0 { Anchor::Right } else { Anchor::Middle };
        let place = if share == 1.0 { WIDTH - 2.0 } else { x.at(share) };
        canvas.text(&label, (place, BOTTOM + 16.0), anchor, SMALL, MUTED);
        canvas.text(&label, (LEFT - 6.0, y.at(share)), Anchor::Right, SMALL, MUTED);
    }
    canvas.line((LEFT, BOTTOM), (RIGHT, BOTTOM), AXIS, 1.2);
    canvas.line((LEFT, TOP), (LEFT, BOTTOM), AXIS, 1.2);
    let middle = (LEFT + RIGHT) / 2.0;
    canvas.text("customers, smallest spenders first", (middle, HEIGHT - 14.0), Anchor::Middle, SMALL, INK);
    canvas.text("share of spend", (4.0, 9.0), Anchor::Left, SMALL, INK);
}

/// Where the top fifth begins: the bracket at the right is what they make.
fn mark(canvas: &mut Canvas, x: Scale, y: Scale, top_fifth: f64) {
    let point = (x.at(0.8), y.at(1.0 - top_fifth));
    canvas.dashed(point, (point.0, BOTTOM), VERMILLION, 1.4);
    canvas.dashed(point, (RIGHT, point.1), VERMILLION, 1.4);
    canvas.line((RIGHT, point.1), (RIGHT, y.at(1.0)), VERMILLION, 4.0);
    canvas.circle(point, 6.0, WHITE);
    canvas.circle(point, 4.5, VERMILLION);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_figures_are_in_the_caption_and_the_drawing() {
        let chart = lorenz(&[(0.0, 0.0), (0.8, 0.37), (1.0, 1.0)], 0.5934, 0.632);
        assert!(chart.caption.contains("63.2\u{a0}%") && chart.caption.contains("0.593"));
        assert!(chart.svg.contains("Gini 0.593") && chart.svg.contains("<polyline"));
    }

    #[test]
    fn nothing_and_nonsense_still_draw() {
        for chart in [lorenz(&[], f64::NAN, f64::NAN), lorenz(&[(f64::NAN, 0.0)], 2.0, f64::INFINITY)] {
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf"));
        }
    }
}
