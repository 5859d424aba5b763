//! Lines over an axis of time or of groups: what was expected against what happened.

use plotters::style::RGBColor;

use super::Chart;
use super::canvas::{
    AXIS, Anchor, BLUE, Canvas, GRID, INK, MUTED, ORANGE, SKY, SMALL, VERMILLION, WIDTH, draw, fit,
    text_width,
};
use super::scale::{Scale, largest};
use crate::report::format::tick;

/// One line, or points alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it is called.
    pub name: String,
    /// Whether it is what happened: black with dots; the others have colours and, from the second on, dashes or squares.
    pub actual: bool,
    /// Its points, from left to right; those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// What a chart of lines is about.
#[derive(Debug, Clone, PartialEq)]
pub struct LinesAbout<'a> {
    /// For screen readers.
    pub title: &'a str,
    /// What one sees.
    pub caption: String,
    /// What runs to the right.
    pub x: &'a str,
    /// What runs upwards.
    pub y: &'a str,
    /// Names of x = 0, 1, … where it counts groups; numbers stand on the axis otherwise.
    pub groups: &'a [String],
    /// A vertical line with what it says.
    pub mark: Option<(f64, &'a str)>,
}

const LEFT: f64 = 52.0;
const RIGHT: f64 = WIDTH - 12.0;
const HEIGHT: f64 = 230.0;
const LEGEND: f64 = 20.0;

/// How a line is told from the others, without its colour alone.
#[derive(Clone, Copy)]
struct Look {
    color: RGBColor,
    dashed: bool,
    dots: bool,
    squares: bool,
}

fn look(line: &Line, number: usize) -> Look {
    if line.actual {
        return Look { color: INK, dashed: false, dots: true, squares: false };
    }
    let colors = [BLUE, ORANGE, VERMILLION, SKY, MUTED];
    Look { color: colors[number % colors.len()], dashed: number % 2 == 1, dots: false, squares: number >= 2 }
}

/// A chart of lines, from 0 upwards.
pub fn lines(about: &LinesAbout, list: &[Line]) -> Chart {
    let mut others = 0;
    let looks: Vec<Look> = list
        .iter()
        .map(|line| {
            let look = look(line, others);
            others += usize::from(!line.actual);
            look
        })
        .collect();
    let finite = || list.iter().flat_map(|l| &l.points).filter(|p| p.0.is_finite() && p.1.is_finite());
    let most = finite().map(|p| p.1).fold(0.0, f64::max);
    let least = finite().map(|p| p.1).fold(0.0, f64::min);
    let (from, to) = match about.groups.len() {
        0 => (finite().map(|p| p.0).fold(0.0, f64::min), finite().map(|p| p.0).fold(1.0, f64::max)),
        n => (-0.5, n as f64 - 0.5),
    };
    let rows = legend_rows(list);
    let top = 30.0 + LEGEND * rows.last().map_or(0, |row| row.0 + 1) as f64;
    let bottom = top + HEIGHT;
    let svg = draw(bottom + 46.0, about.title, &about.caption, |canvas| {
        let x = Scale::new((from, to), (LEFT, RIGHT));
        let y = Scale::new((least, if most > least { most } else { least + 1.0 }), (bottom, top));
        for ((row, at), (line, look)) in rows.iter().zip(list.iter().zip(&looks)) {
            let middle = 12.0 + LEGEND * *row as f64;
            sample(canvas, *look, (*at, middle));
            let name = fit(&line.name, SMALL, RIGHT - at - 34.0);
            canvas.text(&name, (at + 34.0, middle), Anchor::Left, SMALL, INK);
        }
        canvas.text(about.y, (4.0, top - 13.0), Anchor::Left, SMALL, MUTED);
        axes(canvas, about, x, y, bottom);
        if let Some((at, words)) = about.mark {
            canvas.dashed((x.at(at), top), (x.at(at), bottom), MUTED, 1.4);
            canvas.text(words, (x.at(at) + 5.0, bottom - 10.0), Anchor::Left, SMALL, MUTED);
        }
        // What happened lies on top.
        let (actual, expected): (Vec<_>, Vec<_>) = list.iter().zip(&looks).partition(|(line, _)| line.actual);
        for (line, look) in expected.into_iter().chain(actual) {
            let places = line.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite());
            let places: Vec<_> = places.map(|p| (x.at(p.0), y.at(p.1))).collect();
            stroke(canvas, *look, &places);
        }
    });
    Chart { svg, caption: about.caption.clone() }
}

fn axes(canvas: &mut Canvas, about: &LinesAbout, x: Scale, y: Scale, bottom: f64) {
    let (ticks, step) = y.ticks(4);
    for &at in &ticks {
        canvas.line((LEFT, y.at(at)), (RIGHT, y.at(at)), GRID, 1.0);
        canvas.text(&tick(at, step, largest(&ticks)), (LEFT - 6.0, y.at(at)), Anchor::Right, SMALL, MUTED);
    }
    canvas.line((LEFT, bottom), (RIGHT, bottom), AXIS, 1.2);
    if about.groups.is_empty() {
        let (ticks, step) = x.ticks(6);
        for &at in &ticks {
            let text = tick(at, step, largest(&ticks));
            canvas.text(&text, (x.at(at), bottom + 14.0), Anchor::Middle, SMALL, MUTED);
        }
    }
    for (i, name) in about.groups.iter().enumerate() {
        canvas.text(name, (x.at(i as f64), bottom + 14.0), Anchor::Middle, SMALL, MUTED);
    }
    canvas.text(about.x, ((LEFT + RIGHT) / 2.0, bottom + 34.0), Anchor::Middle, SMALL, INK);
}

/// Row and left end of each name.
fn legend_rows(list: &[Line]) -> Vec<(usize, f64)> {
    let (mut row, mut at) = (0, 4.0);
    let mut out = Vec::new();
    for line in list {
        let wide = 34.0 + text_width(&line.name, SMALL) + 16.0;
        if at > 4.0 && at + wide > WIDTH {
            (row, at) = (row + 1, 4.0);
        }
        out.push((row, at));
        at += wide;
    }
    out
}

fn sample(canvas: &mut Canvas, look: Look, (left, middle): (f64, f64)) {
    stroke(canvas, look, &[(left, middle), (left + 28.0, middle)]);
}

fn stroke(canvas: &mut Canvas, look: Look, places: &[(f64, f64)]) {
    if look.dashed {
        places.windows(2).for_each(|pair| canvas.dashed(pair[0], pair[1], look.color, 2.2));
    } else if places.len() > 1 {
        canvas.path(places.iter().copied(), look.color, if look.dots { 1.4 } else { 2.2 });
    }
    // Dots that touch are a thick line.
    if look.dots && places.len() <= 120 {
        places.iter().for_each(|&place| canvas.circle(place, 2.6, look.color));
    }
    if look.squares && places.len() <= 40 {
        places.iter().for_each(|p| canvas.rect((p.0 - 3.0, p.1 - 3.0), (6.0, 6.0), look.color));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, actual: bool, points: &[(f64, f64)]) -> Line {
        Line { name: name.to_string(), actual, points: points.to_vec() }
    }

    fn about(groups: &[String]) -> LinesAbout<'_> {
        let mark = Some((1.0, "holdout"));
        LinesAbout { title: "t", caption: "what one sees".into(), x: "week", y: "orders", groups, mark }
    }

    #[test]
    fn names_axes_and_mark_are_drawn() {
        let points = [(0.0, 1.0), (1.0, 3.0), (2.0, f64::NAN)];
        let list = [line("actual", true, &points), line("A model <1>", false, &points)];
        let chart = lines(&about(&[]), &list);
        for word in ["actual", "A model &lt;1&gt;", "holdout", "week", "orders", "<circle", "<polyline"] {
            assert!(chart.svg.contains(word), "{word}: {}", chart.svg);
        }
        assert!(!chart.svg.contains("NaN"));
        let groups = ["0".to_string(), "7+".to_string()];
        assert!(lines(&about(&groups), &list).svg.contains("\n7+\n"));
    }

    #[test]
    fn nothing_and_many_still_draw() {
        let many: Vec<Line> =
            (0..9).map(|i| line(&format!("model number {i}"), false, &[(0.0, -1.0)])).collect();
        for list in [&many[..], &[], &[line("x", true, &[(f64::INFINITY, 1.0)])]] {
            let chart = lines(&about(&[]), list);
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf"), "{}", chart.svg);
        }
        assert!(legend_rows(&many).last().unwrap().0 >= 2);
    }
}
