//! What differs between worlds, and what follows for everything that a page says of intervals.

use crate::report::format::count;
use crate::simulate::FEWEST_FOR_A_VERDICT;

/// What each world draws anew; the rest is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// The models' parameters; held at their estimates otherwise.
    pub parameters: bool,
    /// All that is believed (responses, breakage, cannibalisation, new customers); held as stated otherwise.
    pub responses: bool,
}

impl Drawn {
    /// Everything, as a run does.
    pub const ALL: Drawn = Drawn { parameters: true, responses: true };

    /// Whether worlds differ at all.
    pub fn any(self) -> bool {
        self.parameters || self.responses
    }

    /// What is drawn, as after "over" or "a draw of".
    pub(super) fn what(self) -> &'static str {
        match (self.parameters, self.responses) {
            (true, true) => "the models’ parameters and all that is believed",
            (true, false) => "the models’ parameters",
            (false, true) => "all that is believed",
            (false, false) => "nothing",
        }
    }

    /// What is held, as a sentence; `None` where nothing is.
    pub(super) fn held(self) -> Option<&'static str> {
        match (self.parameters, self.responses) {
            (true, true) => None,
            (true, false) => Some(
                "All that is believed is held as stated: doubt about it is in no interval of this comparison.",
            ),
            (false, true) => Some(
                "The models’ parameters are held at their estimates: doubt about them is in no interval of this comparison.",
            ),
            (false, false) => Some(
                "The models’ parameters are held at their estimates and all that is believed as stated: expectations are exact \
                 values at these and have no interval, and what will happen is luck alone.",
            ),
        }
    }

    /// Why expectations have no interval, as a sentence; `None` where they have one.
    pub(super) fn without_interval(self, worlds: usize) -> Option<String> {
        match (self.any(), worlds) {
            (false, _) => self.held().map(str::to_string),
            (true, 0 | 1) => Some(format!(
                "There is one world only: expectations are those of a single draw of {} and have no interval. More replications \
                 make more worlds.",
                self.what()
            )),
            _ => None,
        }
    }

    /// Why there is no verdict on any strategy where worlds are too few, as the beginning of a sentence.
    pub(super) fn too_few(self, worlds: usize) -> Option<String> {
        (self.any() && worlds < FEWEST_FOR_A_VERDICT as usize).then(|| {
            let verb = if worlds == 1 { "world is" } else { "worlds are" };
            format!(
                "{} {verb} too few for a verdict on any strategy ({FEWEST_FOR_A_VERDICT} are needed)",
                count(worlds as u64)
            )
        })
    }
}
