//! Progress on stderr, for eyes only: nothing with `-q`, `-v` or when stderr is not a terminal.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
            let template =
                if total > 0 { "{msg:>12} {bar:30} {percent}% {eta}" } else { "{msg:>12} {spinner}" };
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(
                Some(total).filter(|&t| t > 0),
                ProgressDrawTarget::stderr_with_hz(8),
            );
            state.bar = bar.with_style(style).with_message(name.to_string());
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
