//! Progress on stderr, for eyes only: nothing with `-q`, `-v` or when stderr is not a terminal.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::{Deserialize, Serialize};
use tiercast::progress::Progress;
use tiercast::{Error, Result};

use crate::args::Global;
use crate::terminal;

/// A phase that is over, and what it took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Wall time.
    pub seconds: f64,
}

/// Shows phases as bars, or with `-v` as lines with their seconds, keeps what each took, and stops the work on Ctrl-C.
pub struct Bars {
    state: Mutex<State>,
    verbose: bool,
    interrupted: Arc<AtomicBool>,
}

struct State {
    bar: ProgressBar,
    phase: Option<(String, Instant)>,
    ended: Vec<Stage>,
    visible: bool,
}

impl Bars {
    /// Watches for Ctrl-C from here on; once per process.
    pub fn new(global: &Global) -> Result<Bars> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
            .map_err(|e| Error::internal("watching for Ctrl-C", e))?;
        let visible = !global.quiet && !global.verbose && std::io::stderr().is_terminal();
        let state = State { bar: ProgressBar::hidden(), phase: None, ended: Vec::new(), visible };
        Ok(Bars { state: Mutex::new(state), verbose: global.verbose, interrupted })
    }

    /// Ends the last phase; the phases in the order in which they ended.
    pub fn finish(&self) -> Vec<Stage> {
        let mut state = self.state.lock().expect("no panic while drawing");
        state.end(self.verbose);
        state.ended.clone()
    }
}

impl State {
    fn end(&mut self, verbose: bool) {
        self.bar.finish_and_clear();
        if let Some((name, began)) = self.phase.take() {
            let seconds = began.elapsed().as_secs_f64();
            if verbose {
                terminal::note(&format!("{name}: {seconds:.2} s"));
            }
            self.ended.push(Stage { name, seconds });
        }
    }
}

impl Progress for Bars {
    fn phase(&self, name: &str, total: u64) {
        let mut state = self.state.lock().expect("no panic while drawing");
        state.end(self.verbose);
        state.phase = Some((name.to_string(), Instant::now()));
        if state.visible {
            let style = if total > 0 { counted(unit_of(name)) } else { uncounted() };
            let bar = ProgressBar::with_draw_target(
                Some(total).filter(|&t| t > 0),
                ProgressDrawTarget::stderr_with_hz(8),
            );
            state.bar = bar.with_style(style).with_message(name.to_string());
            state.bar.tick();
        }
    }

    fn advance(&self, steps: u64) {
        // Cloned out of the lock: the bar itself is shared and has its own.
        let bar = self.state.lock().expect("no panic while drawing").bar.clone();
        bar.inc(steps);
    }

    fn cancelled(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// What the steps of a phase are.
fn unit_of(phase: &str) -> &'static str {
    match phase {
        "reading" | "looking for bad files" | "comparing" => "rows",
        "folding" => "partitions",
        "writing" => "row groups",
        "writing files" => "files",
        "looking" | "converting" => "bytes",
        "drawing" => "customers",
        "simulating" => "replications",
        _ => "steps",
    }
}

/// A bar with what is done of all, the rate, the time so far and what is left.
fn counted(unit: &'static str) -> ProgressStyle {
    let done = move |state: &ProgressState, out: &mut dyn Write| {
        let all = short(state.len().unwrap_or(0) as f64);
        let _ = write!(out, "{}/{all} {unit}", short(state.pos() as f64));
    };
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{}/s", short(state.per_sec()));
    };
    let times = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{}", clock(state.elapsed().as_secs()));
        if state.pos() > 0 {
            let _ = write!(out, ", {} left", clock(state.eta().as_secs()));
        }
    };
    style("{msg:>12} {bar:16} {percent:>3}% {done}, {rate}, {times}")
        .with_key("done", done)
        .with_key("rate", rate)
        .with_key("times", times)
}

/// For a phase of which nobody knows how long it is.
fn uncounted() -> ProgressStyle {
    style("{msg:>12} {spinner} {elapsed}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A number in few digits: 950, 7654, 76.7k, 76.7M.
fn short(n: f64) -> String {
    let units = [(1e9, 0.9995e9, "G"), (1e6, 0.9995e6, "M"), (1e3, 9_999.5, "k")];
    let (unit, _, name) = units.into_iter().find(|&(_, from, _)| n >= from).unwrap_or((1.0, 0.0, ""));
    let n = n / unit;
    let decimals = usize::from(n < 99.95 && (unit > 1.0 || n < 9.95 && n.fract() != 0.0));
    format!("{n:.decimals$}{name}")
}

/// Seconds as 9s, 2m05s or 1h02m.
fn clock(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        // Nobody waits for days; an estimate from the first steps may say so.
        _ if seconds >= 100 * 3600 => "more than 100h".to_string(),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (4.0, "4"),
            (0.4, "0.4"),
            (950.0, "950"),
            (7_654.0, "7654"),
            (76_540.0, "76.5k"),
            (999_700.0, "1.0M"),
        ];
        for (n, text) in cases.into_iter().chain([(76_700_000.0, "76.7M"), (123_456_789.0, "123M")]) {
            assert_eq!(short(n), text);
        }
        let times = [9, 125, 3720, u64::MAX].map(clock);
        assert_eq!(times, ["9s", "2m05s", "1h02m", "more than 100h"]);
    }
}
