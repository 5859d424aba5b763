//! What the integration tests share: a folder, the binary, and small histories written as Parquet.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

/// A scratch folder with the binary to run in it.
pub struct Scratch {
    folder: tempfile::TempDir,
}

/// What a run of the binary gave.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Scratch {
    pub fn new() -> Scratch {
        Scratch { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Names in the folder, hidden ones included.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn write_batch(&self, name: &str, columns: &[(&str, ArrayRef)]) -> PathBuf {
        let path = self.path(name);
        let batch = RecordBatch::try_from_iter(columns.iter().map(|(n, c)| (*n, Arc::clone(c)))).unwrap();
        write_parquet(&path, &batch);
        path
    }

    /// A history of (customer, day, amount) with the column names customer_id, date, amount.
    pub fn write_history(&self, name: &str, rows: &[(i64, &str, f64)]) -> PathBuf {
        let (ids, days, amounts) = columns_of(rows);
        self.write_batch(name, &[("customer_id", ids), ("date", days), ("amount", amounts)])
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[])
    }

    pub fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = assert_cmd::Command::cargo_bin("tiercast").unwrap();
        command.current_dir(self.root()).args(words);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TIERCAST_")) {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        let Output { status, stdout, stderr } = command.output().unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// What a run that has to succeed prints.
pub fn ok(scratch: &Scratch, words: &[&str]) -> String {
    let ran = scratch.run(words);
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
    ran.stdout
}

/// The JSON that a run prints.
pub fn json(scratch: &Scratch, words: &[&str]) -> Value {
    serde_json::from_str(&ok(scratch, &[words, &["--json", "-q"]].concat())).unwrap()
}

/// A run that has to fail and say all of these.
pub fn refused(scratch: &Scratch, words: &[&str], parts: &[&str]) {
    let ran = scratch.run(words);
    assert_ne!(ran.code, 0, "{words:?}");
    for part in parts {
        assert!(ran.stderr.contains(part), "{words:?}: {part}: {}", ran.stderr);
    }
}

pub fn write_parquet(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

pub fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

pub fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub fn amounts(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

pub fn days(values: &[&str]) -> ArrayRef {
    let days: Vec<i32> = values.iter().map(|d| d.parse::<tiercast::calendar::Day>().unwrap().0).collect();
    Arc::new(Date32Array::from(days))
}

fn columns_of(rows: &[(i64, &str, f64)]) -> (ArrayRef, ArrayRef, ArrayRef) {
    (
        ids(&rows.iter().map(|r| r.0).collect::<Vec<_>>()),
        days(&rows.iter().map(|r| r.1).collect::<Vec<_>>()),
        amounts(&rows.iter().map(|r| r.2).collect::<Vec<_>>()),
    )
}

/// A bundled data set.
pub fn dataset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets").join(name)
}
