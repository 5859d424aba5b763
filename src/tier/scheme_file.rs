//! A scheme as a document: names, tiers in order, their rules, labels and sentences; everything that can be checked
//! without customers is.

use std::path::Path;

use serde::Serialize;
use toml::de::DeTable;

use super::rules::{Expr, Problem, Template};
use super::scheme_reader::Reader;
use crate::error::{Error, Result};
use crate::random::hash_text;

/// A scheme has at most so many tiers: a customer's is one byte, and nobody acts on more.
pub const MOST_TIERS: usize = 100;

/// What a tier or a scheme is called in each language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Labels {
    /// English; the name where none is given.
    pub en: String,
    /// Chinese; as the English where none is given.
    pub zh: String,
}

/// A text of the document with its place in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written<T> {
    /// What it was read as.
    pub(super) read: T,
    /// As it stands there.
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: usize,
    /// What it is, as in `[[tier]] "high", when`.
    pub(super) place: String,
}

/// One of the rules by which a customer comes to a tier.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RuleEntry {
    pub(super) when: Written<Expr>,
    pub(super) about: String,
    pub(super) reason: Option<Written<Template>>,
}

/// A tier of a scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct TierEntry {
    /// Its name, which is its label in the customer table.
    pub name: String,
    /// Its names for people.
    pub label: Labels,
    pub(super) about: String,
    pub(super) reason: Option<Written<Template>>,
    pub(super) rules: Vec<RuleEntry>,
    pub(super) is_default: bool,
    pub(super) line: usize,
}

/// A scheme as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemeFile {
    /// What errors call it: the file, or the name of a built-in one.
    pub file: String,
    /// The name by which it is asked for.
    pub key: String,
    /// What it does, as a heading.
    pub title: Labels,
    /// In words, for whom it is.
    pub note: String,
    /// Stable hash of the document: another one, other rules.
    pub fingerprint: u64,
    /// The document.
    pub document: String,
    pub(super) lets: Vec<(String, Written<Expr>)>,
    /// In the order in which they are asked.
    pub(super) tiers: Vec<TierEntry>,
    /// Indices into `tiers`, from the best to the worst.
    pub(super) order: Vec<usize>,
}

impl SchemeFile {
    /// Reads the scheme at `path`.
    ///
    /// # Errors
    /// As for [`SchemeFile::parse`], and where the file cannot be read.
    pub fn read(path: &Path) -> Result<SchemeFile> {
        let text = std::fs::read_to_string(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
            _ => Error::io("read", path, e),
        })?;
        SchemeFile::parse(&path.display().to_string(), &text)
    }

    /// Reads a document; `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Document`] with the line, the key and the value of the first thing that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<SchemeFile> {
        let reader = Reader { file, text };
        let document = DeTable::parse(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            reader.error(at, e.message().to_string(), "docs/rules.md describes scheme files key by key")
        })?;
        let scheme = reader.scheme(document.get_ref())?;
        Ok(SchemeFile { fingerprint: hash_text(text.as_bytes()), document: text.to_string(), ..scheme })
    }

    /// The tiers' names, best first.
    pub fn tiers(&self) -> Vec<&str> {
        self.order.iter().map(|&tier| self.tiers[tier].name.as_str()).collect()
    }

    /// The tiers, best first.
    pub fn entries(&self) -> impl Iterator<Item = &TierEntry> {
        self.order.iter().map(|&tier| &self.tiers[tier])
    }

    /// Whether a rule, a name of `[let]` or a sentence looks at a column of that name.
    pub fn looks_at(&self, column: &str) -> bool {
        let says = |reason: &Option<Written<Template>>| {
            reason.as_ref().is_some_and(|written| written.read.names(column))
        };
        let of_rule = |rule: &RuleEntry| rule.when.read.names(column) || says(&rule.reason);
        self.lets.iter().any(|(_, written)| written.read.names(column))
            || self.tiers.iter().any(|tier| says(&tier.reason) || tier.rules.iter().any(of_rule))
    }

    /// The column that it adds to the customer table.
    pub fn column(&self) -> String {
        format!("tier_{}", self.key)
    }

    /// An error about a part of the document.
    pub(super) fn problem<T>(&self, written: &Written<T>, problem: &Problem) -> Error {
        Error::Document {
            file: self.file.clone(),
            problem: format!("line {}, {}: {}", written.line, written.place, problem.marked(&written.text)),
            remedy: problem.remedy.clone(),
        }
    }

    /// An error about the tier at a place among `tiers`.
    pub(super) fn about_tier(&self, tier: usize, problem: String, remedy: &str) -> Error {
        let TierEntry { name, line, .. } = &self.tiers[tier];
        Error::Document {
            file: self.file.clone(),
            problem: format!("line {line}, [[tier]] \"{name}\": {problem}"),
            remedy: remedy.to_string(),
        }
    }
}

#[cfg(test)]
#[path = "scheme_file_tests.rs"]
mod tests;
