//! A strategy file before it is checked.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::strategy::StrategySet;
use crate::strategy::file::StrategyFile;
use crate::tier::SchemeFile;

/// A strategy file by name and content.
#[derive(Debug, Clone, PartialEq)]
pub struct StrategyText {
    /// What errors and the report call it.
    pub name: String,
    /// TOML.
    pub text: String,
}

impl StrategyText {
    /// The bundled strategies, which go with the bundled history.
    pub fn bundled() -> StrategyText {
        StrategyText { name: "bundled strategies".to_string(), text: crate::strategy::BUNDLED.to_string() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::NoSuchFile`] and [`Error::Io`].
    pub fn read(path: &Path) -> Result<StrategyText> {
        if !path.exists() {
            return Err(Error::NoSuchFile { path: path.to_path_buf() });
        }
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
        Ok(StrategyText { name: path.display().to_string(), text })
    }

    /// The files of its lists of customers.
    ///
    /// # Errors
    /// Those of the document as it is typed.
    pub fn list_files(&self) -> Result<Vec<PathBuf>> {
        let typed = StrategyFile::parse(&self.name, &self.text)?;
        Ok(typed
            .strategies
            .iter()
            .filter_map(|s| s.list.as_ref())
            .map(|list| self.folder().join(list))
            .collect())
    }

    /// The folder that paths in it start from.
    pub fn folder(&self) -> &Path {
        Path::new(&self.name).parent().unwrap_or(Path::new(""))
    }

    /// Reads and checks everything that can be checked without customers; `schemes` are those of the run.
    ///
    /// # Errors
    /// Those of the document, and of tiers that none of the schemes has.
    pub fn check(&self, schemes: &[SchemeFile]) -> Result<StrategySet> {
        let schemes: Vec<(String, Vec<String>)> = schemes
            .iter()
            .map(|s| (s.key.clone(), s.tiers().into_iter().map(String::from).collect()))
            .collect();
        StrategySet::new(&self.name, StrategyFile::parse(&self.name, &self.text)?, &schemes)
    }
}
