//! Whether a file is still the one whose footer was read.

use std::fs::Metadata;
use std::time::SystemTime;

/// What tells one state of a file from another without reading it: length, time of the last change, and the file that
/// the name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    identity: (u64, u64),
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        Stamp { bytes: metadata.len(), modified: metadata.modified().ok(), identity: identity(metadata) }
    }
}

/// Device and inode: a file put in the place of another has the same name, and perhaps the same length.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
