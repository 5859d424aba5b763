//! The built-in schemes, written in the language that everybody's are written in.

use std::path::Path;

use super::cluster_scheme;
use super::scheme_file::SchemeFile;
use crate::error::{Error, Result, nearest_first};

/// The documents by key, in the order in which they are listed.
const DOCUMENTS: [(&str, &str); 15] = [
    ("value", include_str!("builtin/value.toml")),
    ("profit", include_str!("builtin/profit.toml")),
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

/// Whether a name stands for a file of somebody's own, and not for a built-in scheme: it ends in `.toml`.
pub fn is_file(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

/// The scheme that a user names: a built-in one by its key, or the file of that name.
///
/// # Errors
/// As for [`document`] and [`SchemeFile::read`].
pub fn named(name: &str) -> Result<SchemeFile> {
    if is_file(name) { SchemeFile::read(Path::new(name)) } else { scheme_file(name) }
}

/// Several schemes as a user names them, each key once: each writes a column of its own.
///
/// # Errors
/// As for [`named`]; [`Error::Value`] for a key that two of them have.
pub fn all_named(names: &[String]) -> Result<Vec<SchemeFile>> {
    let schemes: Vec<SchemeFile> = names.iter().map(|name| named(name)).collect::<Result<_>>()?;
    check_keys(&schemes)?;
    Ok(schemes)
}

/// Whether no two schemes have one key.
///
/// # Errors
/// [`Error::Value`] with the key that two have.
pub fn check_keys(schemes: &[SchemeFile]) -> Result<()> {
    let twice = |(i, scheme): &(usize, &SchemeFile)| schemes[..*i].iter().any(|own| own.key == scheme.key);
    match schemes.iter().enumerate().find(twice) {
        Some((_, scheme)) => {
            let problem = "two schemes have that key, and each writes the column of its own";
            let remedy = "leave one out, or change the key in its file";
            Err(Error::value("--scheme", &scheme.key, problem, remedy))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
