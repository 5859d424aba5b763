//! Results out: tables, numbers in words, charts, and the page that holds them; written whole or not at all.

pub mod charts;
pub mod forecast;
pub mod format;
pub mod hand_over;
pub mod html;
pub mod output;
mod output_file;
pub mod scaling;
mod stale;
pub mod tables;
pub mod validation;

pub use output::OutputFolder;
pub use output_file::{CLUSTERS_KEY, FileKind, OutputFile, TOTALS_HEADING};
