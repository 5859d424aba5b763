//! The built-in schemes, written in the language that everybody's are written in.

use super::cluster_scheme;
use super::scheme_file::SchemeFile;
use crate::error::{Error, Result, nearest_first};

/// The documents by key, in the order in which they are listed.
const DOCUMENTS: [(&str, &str); 14] = [
    ("value", include_str!("builtin/value.toml")),
    ("rfm", include_str!("builtin/rfm.toml")),
    ("abc", include_str!("builtin/abc.toml")),
    ("frequency", include_str!("builtin/frequency.toml")),
    ("loyalty", include_str!("builtin/loyalty.toml")),
    ("potential", include_str!("builtin/potential.toml")),
    ("stages", include_str!("builtin/stages.toml")),
    ("life_cycle", include_str!("builtin/life_cycle.toml")),
    ("segments", include_str!("builtin/segments.toml")),
    ("clv", include_str!("builtin/clv.toml")),
    ("vip", include_str!("builtin/vip.toml")),
    ("accounts", include_str!("builtin/accounts.toml")),
    ("relation", include_str!("builtin/relation.toml")),
    ("satisfaction", include_str!("builtin/satisfaction.toml")),
];

/// The keys of all built-in schemes.
pub fn keys() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().map(|(key, _)| *key)
}

/// The document of a built-in scheme, to read or to begin one's own from.
///
/// # Errors
/// [`Error::Value`] for a key that no scheme has, with the nearest, and for that of clusters, which a table makes.
pub fn document(key: &str) -> Result<&'static str> {
    if key == cluster_scheme::KEY {
        let problem = "it has no document: its tiers are the clusters of a table";
        let remedy = "grade a table that has a column \"cluster\" by it, or take another scheme";
        return Err(Error::value("the grading scheme", key, problem, remedy));
    }
    DOCUMENTS.iter().find(|(own, _)| *own == key).map(|(_, text)| *text).ok_or_else(|| {
        let keys: Vec<String> = keys().chain([cluster_scheme::KEY]).map(String::from).collect();
        let keys = nearest_first(key, &keys);
        let remedy = format!("did you mean \"{}\"? The schemes are: {}", keys[0], keys.join(", "));
        Error::value("the grading scheme", key, "there is no such scheme", remedy)
    })
}

/// The built-in scheme of that key.
///
/// # Errors
/// As for [`document`].
pub fn scheme_file(key: &str) -> Result<SchemeFile> {
    SchemeFile::parse(&format!("built-in scheme {key}"), document(key)?)
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
