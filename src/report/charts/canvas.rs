//! A thin layer over plotters' SVG backend: fractional coordinates, text that fits, and a root element that a page
//! can scale and a screen reader can read.

use maud::{PreEscaped, html};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

/// Width of every chart.
pub const WIDTH: f64 = 440.0;

/// The backend counts in whole numbers; a tenth of a unit is finer than a screen shows.
const GRAIN: f64 = 10.0;

/// The backend writes sizes divided by this.
const FONT_SCALE: f64 = 1.24;

/// Size of the smallest text.
pub const SMALL: f64 = 14.0;

/// Blue of Okabe and Ito: the thing itself.
pub const BLUE: RGBColor = RGBColor(0, 114, 178);
/// Their sky blue: the same thing, less of it.
pub const SKY: RGBColor = RGBColor(86, 180, 233);
/// Their orange: what it is compared with.
pub const ORANGE: RGBColor = RGBColor(230, 159, 0);
/// Their vermillion: marks.
pub const VERMILLION: RGBColor = RGBColor(213, 94, 0);
/// Text.
pub const INK: RGBColor = RGBColor(31, 41, 51);
/// Text of less weight; 4.5 : 1 and more on white.
pub const MUTED: RGBColor = RGBColor(91, 102, 112);
/// Axes.
pub const AXIS: RGBColor = RGBColor(154, 165, 177);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(228, 231, 235);
/// Paper.
pub const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The point is its left end.
    Left,
    /// The point is its middle.
    Middle,
    /// The point is its right end.
    Right,
}

/// Where one draws.
pub struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

type Point = (f64, f64);

/// Drawing into memory cannot fail: the backend's only errors are those of files.
const IN_MEMORY: &str = "drawing into memory";

fn grains(x: f64) -> i32 {
    // `as` saturates, and takes NaN to 0.
    (x * GRAIN).round() as i32
}

fn at((x, y): Point) -> (i32, i32) {
    (grains(x), grains(y))
}

/// Draws a chart of the given height, with the title and description that screen readers speak.
pub fn draw(height: f64, title: &str, description: &str, paint: impl FnOnce(&mut Canvas)) -> String {
    let size = (grains(WIDTH) as u32, grains(height) as u32);
    let mut drawn = String::new();
    {
        let mut canvas = Canvas { backend: SVGBackend::with_string(&mut drawn, size) };
        paint(&mut canvas);
        canvas.backend.present().expect(IN_MEMORY);
    }
    // The backend's root has a fixed size and no name: ours replaces it.
    let body = drawn.split_once('>').map_or("", |(_, rest)| rest);
    let body = body.rsplit_once("</svg>").map_or(body, |(body, _)| body);
    html! {
        svg.chart viewBox=(format!("0 0 {} {}", size.0, size.1)) role="img" aria-label=(title) {
            title { (title) }
            desc { (description) }
            (PreEscaped(body))
        }
    }
    .into_string()
}

impl Canvas<'_> {
    /// A straight line.
    pub fn line(&mut self, from: Point, to: Point, color: RGBColor, width: f64) {
        let style = ShapeStyle::from(&color).stroke_width(grains(width) as u32);
        self.backend.draw_line(at(from), at(to), &style).expect(IN_MEMORY);
    }

    /// A dashed straight line.
    pub fn dashed(&mut self, from: Point, to: Point, color: RGBColor, width: f64) {
        const DASH: f64 = 4.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if !length.is_finite() || length <= 0.0 {
            return;
        }
        let mut begin = 0.0;
        while begin < length {
            let point = |along: f64| {
                let part = along.min(length) / length;
                (from.0 + part * dx, from.1 + part * dy)
            };
            self.line(point(begin), point(begin + DASH), color, width);
            begin += 2.0 * DASH;
        }
    }

    /// A line through points.
    pub fn path(&mut self, points: impl IntoIterator<Item = Point>, color: RGBColor, width: f64) {
        let style = ShapeStyle::from(&color).stroke_width(grains(width) as u32);
        self.backend.draw_path(points.into_iter().map(at), &style).expect(IN_MEMORY);
    }

    /// A filled area.
    pub fn area(&mut self, points: impl IntoIterator<Item = Point>, color: RGBColor, opacity: f64) {
        self.backend.fill_polygon(points.into_iter().map(at), &color.mix(opacity)).expect(IN_MEMORY);
    }

    /// A filled rectangle from its left upper corner.
    pub fn rect(&mut self, corner: Point, size: Point, color: RGBColor) {
        let end = (corner.0 + size.0.max(0.0), corner.1 + size.1.max(0.0));
        self.backend.draw_rect(at(corner), at(end), &color, true).expect(IN_MEMORY);
    }

    /// A filled circle.
    pub fn circle(&mut self, center: Point, radius: f64, color: RGBColor) {
        self.backend.draw_circle(at(center), grains(radius) as u32, &color, true).expect(IN_MEMORY);
    }

    /// Text, vertically centred on its point.
    pub fn text(&mut self, text: &str, point: Point, anchor: Anchor, size: f64, color: RGBColor) {
        self.write(text, point, anchor, size, color, (FontStyle::Normal, FontTransform::None));
    }

    /// The same in bold.
    pub fn bold(&mut self, text: &str, point: Point, anchor: Anchor, size: f64, color: RGBColor) {
        self.write(text, point, anchor, size, color, (FontStyle::Bold, FontTransform::None));
    }

    /// Text that runs upwards, centred on its point.
    pub fn upwards(&mut self, text: &str, point: Point, size: f64, color: RGBColor) {
        self.write(text, point, Anchor::Middle, size, color, (FontStyle::Normal, FontTransform::Rotate270));
    }

    fn write(
        &mut self,
        text: &str,
        point: Point,
        anchor: Anchor,
        size: f64,
        color: RGBColor,
        (style, transform): (FontStyle, FontTransform),
    ) {
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let font = ("sans-serif", size * GRAIN * FONT_SCALE).into_font().style(style).transform(transform);
        let style = TextStyle::from(font).color(&color).pos(Pos::new(horizontal, VPos::Center));
        self.backend.draw_text(text, &style, at(point)).expect(IN_MEMORY);
    }
}

/// About how wide a text is in a sans-serif face: such faces differ by a few percent, so leave room.
pub fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.26,
        'f' | 't' | 'r' | 'I' | ' ' | '\u{a0}' | '(' | ')' | '[' | ']' | '-' | '/' => 0.34,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.87,
        'A'..='Z' | '&' | '+' | '−' => 0.68,
        c if (c as u32) < 0x2000 => 0.56,
        // Signs and scripts that are as wide as they are high.
        _ => 1.0,
    };
    size * text.chars().map(em).sum::<f64>()
}

/// The text, cut with an ellipsis where it is wider than `width`.
pub fn fit(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_string();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&kept, size) > width - size * 0.9 {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_named_and_scales() {
        let svg = draw(100.0, "A <b>", "what & how", |c| c.line((0.0, 0.0), (1.05, f64::NAN), INK, 1.0));
        assert!(svg.starts_with("<svg class=\"chart\" viewBox=\"0 0 4400 1000\" role=\"img\""), "{svg}");
        assert!(svg.contains("<title>A &lt;b&gt;</title>") && svg.contains("what &amp; how"), "{svg}");
        assert!(svg.contains("x2=\"11\" y2=\"0\"") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert_eq!(svg.matches("<svg").count(), 1);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(fit("short", 14.0, 200.0), "short");
        let cut = fit("an exceedingly long name of a strategy", 14.0, 100.0);
        assert!(cut.ends_with('…') && text_width(&cut, 14.0) <= 105.0, "{cut}");
        assert_eq!(fit("x", 14.0, 0.0), "…");
    }
}
