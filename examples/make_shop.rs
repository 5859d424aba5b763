//! Writes the data set `datasets/shop`, or checks that it is what the generator makes.
//!
//! ```text
//! make_shop datasets/shop            # writes the four files
//! make_shop --check datasets/shop    # makes them in a temporary folder and compares the bytes
//! ```

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

use tiercast::synth::shop::{CUSTOMERS, SEED, Shop};

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["--check", folder] => check(Path::new(folder)),
        [folder] if !folder.starts_with('-') => {
            fs::create_dir_all(folder)?;
            write(Path::new(folder))
        }
        _ => Err("give the folder, such as datasets/shop, after --check or alone".into()),
    }
}

fn write(folder: &Path) -> Fallible<()> {
    let mut out = std::io::stdout().lock();
    let mut sum = 0;
    for (path, rows) in Shop::new(SEED, CUSTOMERS).write(folder)? {
        let bytes = fs::metadata(&path)?.len();
        sum += bytes;
        writeln!(out, "{:9} bytes  {rows:7} rows  {}", bytes, path.display())?;
    }
    writeln!(out, "{sum:9} bytes")?;
    Ok(())
}

fn check(folder: &Path) -> Fallible<()> {
    let scratch = tempfile::tempdir()?;
    let mut different = Vec::new();
    for (made, _) in Shop::new(SEED, CUSTOMERS).write(scratch.path())? {
        let name = made.file_name().ok_or("a file without a name")?;
        if fs::read(&made)? != fs::read(folder.join(name))? {
            different.push(name.to_string_lossy().into_owned());
        }
    }
    if different.is_empty() {
        Ok(())
    } else {
        Err(format!("not the same bytes: {}", different.join(", ")).into())
    }
}
