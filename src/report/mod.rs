//! Results as files: tables, the manifest and the page, written whole or not at all.

pub mod format;
pub mod output;
pub mod tables;

pub use output::{OutputFile, OutputFolder};
