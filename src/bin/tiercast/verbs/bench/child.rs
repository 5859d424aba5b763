//! This binary as a child process.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::Deserialize;
use tiercast::{Error, Result};

use crate::bars::Stage;
use crate::verbs::bench::figures::Round;

/// The exit code of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// This binary, with the settings file that its children read too.
pub struct Program {
    path: PathBuf,
    settings: Option<PathBuf>,
}

/// A measured process.
pub struct Measured {
    pub customers: u64,
    pub rows: u64,
    pub round: Round,
}

/// The part of what `summarize --json` prints that is needed here.
#[derive(Deserialize)]
struct Printed {
    customers: u64,
    ledger: Ledger,
    stages: Vec<Stage>,
    peak_memory_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct Ledger {
    read: u64,
}

/// An error as `--json` prints it.
#[derive(Deserialize)]
struct Failure {
    error: String,
    hint: Option<String>,
}

impl Program {
    /// The binary that is running.
    pub fn this(settings: Option<PathBuf>) -> Result<Program> {
        let path = std::env::current_exe().map_err(|e| Error::internal("finding the program itself", e))?;
        Ok(Program { path, settings })
    }

    /// Generates a history of `customers` in the folder `out`.
    pub fn synth(&self, customers: u64, seed: u64, out: &Path) -> Result<()> {
        let mut command = self.command("synth");
        command.arg("--customers").arg(customers.to_string()).arg("--seed").arg(seed.to_string());
        command.arg("-o").arg(out);
        ran(command, "generating a history").map(drop)
    }

    /// Summarises `history` into `table` with `threads`; `name` is what errors call the history.
    pub fn summarize(
        &self,
        name: &str,
        history: &Path,
        table: &Path,
        threads: usize,
        options: &[String],
    ) -> Result<Measured> {
        let mut command = self.command("summarize");
        command.arg("-o").arg(table).arg("--threads").arg(threads.to_string()).args(options);
        command.arg("--").arg(history);
        let began = Instant::now();
        let stdout = ran(command, &format!("measuring {name}"))?;
        let seconds = began.elapsed().as_secs_f64();
        let printed: Printed =
            serde_json::from_slice(&stdout).map_err(|e| Error::internal("reading what summarize says", e))?;
        let Printed { customers, ledger, stages, peak_memory_bytes } = printed;
        Ok(Measured { customers, rows: ledger.read, round: Round { seconds, peak_memory_bytes, stages } })
    }

    fn command(&self, verb: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(&self.path);
        command.arg(verb).arg("--json").arg("-q").stdin(Stdio::null());
        if let Some(settings) = &self.settings {
            command.arg("--config").arg(settings);
        }
        command
    }
}

/// What a child printed on stdout; its error as ours.
fn ran(mut command: Command, doing: &str) -> Result<Vec<u8>> {
    let failed = |e| Error::internal(format!("{doing} in a process of its own"), e);
    let output = command.output().map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    if output.status.code() == Some(INTERRUPTED) {
        return Err(Error::Interrupted);
    }
    match serde_json::from_slice::<Failure>(&output.stderr) {
        Ok(Failure { error, hint }) => Err(Error::Document {
            file: doing.to_string(),
            problem: error,
            remedy: hint.unwrap_or_else(|| "look at the history with `tiercast inspect`".to_string()),
        }),
        Err(_) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Error::internal(doing, format!("it ended with {}: {}", output.status, said.trim())))
        }
    }
}
