//! What every model file begins with, and the reading and writing of what comes after.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pretty::ListsInLines;
use crate::error::{Error, Result};

/// What a model file says it is, under the key `format`.
pub const FORMAT: &str = "tiercast-model";

/// The version of the format.
const VERSION: u64 = 1;

/// What anybody does about a file that is none of ours.
const REMEDY: &str = "give a file that `tiercast fit` wrote";

/// Which kind of model a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Purchases at any time, and spend.
    Purchases,
    /// The same, with parameters of purchases for each group.
    PurchasesByGroup,
    /// The same, with parameters of purchases that move with covariates.
    PurchasesWithCovariates,
    /// Survivors of contracts by cohort: sBG and BdW.
    Contract,
    /// Transactions at opportunities: BG/BB.
    Opportunities,
}

impl Kind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Purchases => "a model of purchases at any time",
            Kind::PurchasesByGroup => "a model of purchases by group (fit --by)",
            Kind::PurchasesWithCovariates => "a model of purchases with covariates",
            Kind::Contract => "a model of contracts",
            Kind::Opportunities => "a model of opportunities",
        }
    }

    /// Refuses a file of that name and of another kind than the one that is needed.
    ///
    /// # Errors
    /// [`Error::Document`] that names both.
    pub(super) fn expect(self, needed: Kind, name: &str) -> Result<()> {
        if self == needed {
            return Ok(());
        }
        Err(Error::Document {
            file: name.to_string(),
            problem: format!("it holds {}, and {} is needed here", self.words(), needed.words()),
            remedy: "`tiercast predict` takes models of every kind; see docs/model-files.md".to_string(),
        })
    }
}

/// A file's content with what stands before it.
#[derive(Debug, Serialize)]
pub struct Document<'a, B> {
    format: &'static str,
    version: u64,
    kind: Kind,
    made_by: &'static str,
    #[serde(flatten)]
    body: &'a B,
}

impl<'a, B: Serialize> Document<'a, B> {
    pub(super) fn new(kind: Kind, body: &'a B) -> Document<'a, B> {
        let made_by = concat!("tiercast ", env!("CARGO_PKG_VERSION"));
        Document { format: FORMAT, version: VERSION, kind, made_by, body }
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`Error::Internal`] for a defect.
    pub fn text(&self) -> Result<String> {
        let mut text = Vec::new();
        let mut out = serde_json::Serializer::with_formatter(&mut text, ListsInLines::default());
        self.serialize(&mut out).map_err(|e| Error::internal("writing a model", e))?;
        text.push(b'\n');
        String::from_utf8(text).map_err(|e| Error::internal("writing a model", e))
    }
}

/// An error about a model file.
pub(super) fn bad(name: &str, problem: String) -> Error {
    Error::Document { file: name.to_string(), problem, remedy: REMEDY.to_string() }
}

/// The text of a model file.
///
/// # Errors
/// A file that is not there or cannot be read.
pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::NoSuchFile { path: path.to_path_buf() },
        _ => Error::io("read", path, e),
    })
}

/// The kind of model in the text of a file of that name, and its content.
///
/// # Errors
/// [`Error::Document`] for what is no model of tiercast, or of another version or kind.
pub(super) fn open(name: &str, text: &str) -> Result<(Kind, Value)> {
    let mut value: Value =
        serde_json::from_str(text).map_err(|e| bad(name, format!("it is no JSON: {e}")))?;
    if value["format"] != FORMAT {
        return Err(bad(name, "it is no model of tiercast".to_string()));
    }
    match value["version"].as_u64() {
        Some(VERSION) => {}
        version => {
            let said = version.map_or("none".to_string(), |version| version.to_string());
            return Err(Error::Document {
                file: name.to_string(),
                problem: format!("its version is {said}, and this tiercast reads version {VERSION}"),
                remedy: "fit the model again with this tiercast".to_string(),
            });
        }
    }
    let kind = Kind::deserialize(&value["kind"])
        .map_err(|e| bad(name, format!("\"kind\" says no kind of model that there is: {e}")))?;
    if let Some(fields) = value.as_object_mut() {
        ["format", "version", "kind", "made_by"].iter().for_each(|key| drop(fields.remove(*key)));
    }
    Ok((kind, value))
}
