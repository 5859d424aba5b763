//! Results out: numbers in words, charts, and the page that holds them.

pub mod charts;
pub mod format;
pub mod html;
