//! What a killed run left beside its target: found by its name, and known for dead by its lock.
//!
//! A run holds a lock on its scratch file or folder as long as it lives, whatever ends it. So the next run with a target in
//! the same folder can tell what nobody works on any more, on the same machine and on others.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

/// What the names of scratch files and folders begin with.
pub(super) const PREFIX: &str = ".tiercast-";

/// What they end with.
pub(super) const SUFFIX: &str = ".part";

/// The place of an earlier result inside a scratch folder, while the new one takes its place.
pub(super) const EARLIER: &str = "earlier";

/// Between a scratch file's making and its lock it looks dead: younger ones are left alone.
const YOUNG: Duration = Duration::from_secs(60);

/// Locks a scratch file or folder for as long as the handle lives. Where the file system has no locks, nothing is locked
/// and nothing will be removed.
pub(super) fn lock(path: &Path) -> Option<File> {
    if !cfg!(unix) {
        // Locks of other systems keep the owner's other handles out too.
        return None;
    }
    let file = File::open(path).ok()?;
    file.try_lock().ok().map(|()| file)
}

/// Removes from `folder` what killed runs left in it. What cannot be removed is no reason to fail.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_scratch = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if !is_scratch {
            continue;
        }
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let is_old =
            metadata.modified().ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age > YOUNG);
        // An earlier result that was being replaced is somebody's only copy.
        if !is_old || metadata.is_symlink() || path.join(EARLIER).exists() {
            continue;
        }
        let Some(_lock) = lock(&path) else { continue };
        let _ = if metadata.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn age(path: &Path) {
        let long_ago = fs::FileTimes::new().set_modified(SystemTime::now() - 2 * YOUNG);
        File::open(path).unwrap().set_times(long_ago).unwrap();
    }

    #[test]
    fn only_what_nobody_works_on_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in [".tiercast-dead.part", ".tiercast-alive.part", ".tiercast-young.part", ".tiercast-notes"]
        {
            fs::write(at(name), "x").unwrap();
        }
        for name in [".tiercast-folder.part/result", ".tiercast-holder.part/earlier"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let held = lock(&at(".tiercast-alive.part"));
        assert!(held.is_some());
        for entry in fs::read_dir(root.path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with(".tiercast-young.part") {
                age(&path);
            }
        }
        sweep(root.path());
        let mut left: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [".tiercast-alive.part", ".tiercast-holder.part", ".tiercast-notes", ".tiercast-young.part"]
        );
        drop(held);
        sweep(root.path());
        assert!(!at(".tiercast-alive.part").exists());
    }
}
