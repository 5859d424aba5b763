//! Progress of long work, told to whoever wants to show it. No terminal code here.

use crate::error::{Error, Result};

/// Receives the progress of a run and may ask it to stop.
///
/// Every method has a default that does nothing, so that `&()` is a progress that nobody watches.
pub trait Progress: Sync {
    /// A phase begins; `total` is its number of steps (0 when unknown).
    fn phase(&self, _name: &str, _total: u64) {}

    /// `steps` more steps of the current phase are done. Called from any thread.
    fn advance(&self, _steps: u64) {}

    /// Whether the work should stop as soon as it can.
    fn cancelled(&self) -> bool {
        false
    }

    /// [`Error::Interrupted`] when cancelled; to be called between units of work.
    fn check(&self) -> Result<()> {
        if self.cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

impl Progress for () {}
