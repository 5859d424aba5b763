//! The charts of the report: plain numbers in, an SVG to be set into a page out.
//!
//! All are drawn 440 units wide with no text below 14 units: at the width of a phone (328 px inside its margins) that
//! is still 10 px, and a page shows them two in a row on a desk. Colours are those of Okabe and Ito, which people
//! with any kind of colour vision can tell apart; no chart says anything by colour alone.

mod canvas;
mod differences;
mod distribution;
mod fan;
mod heatmap;
mod lines;
mod lorenz;
mod retention;
mod scale;
mod shares;
mod tornado;

pub use differences::{Difference, common_range, differences, key};
pub use distribution::distribution;
pub use fan::{FanPoint, fan};
pub use heatmap::{HeatCell, heat_map};
pub use lines::{Line, LinesAbout, lines};
pub use lorenz::lorenz;
pub use retention::{RetentionRow, retention};
pub use shares::{Share, shares};
pub use tornado::{TornadoBar, tornado};

/// A chart and the line that says what one sees in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// An `<svg>` element with a title and a description, to be set into HTML as it is.
    pub svg: String,
    /// What one sees, key figures included, as plain text.
    pub caption: String,
}
