//! Beliefs: a number that no history can show, with an interval and where it comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::{NOBODY, Purpose, Stream, hash_text};

/// Where a causal number comes from. It is shown wherever a result rests on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A randomised experiment.
    Experiment,
    /// Asked of people who should know.
    Elicited,
    /// Assumed.
    Assumption,
}

impl Source {
    /// The source as written in a strategy file.
    pub fn name(self) -> &'static str {
        match self {
            Source::Experiment => "experiment",
            Source::Elicited => "elicited",
            Source::Assumption => "assumption",
        }
    }
}

/// A number that is believed: its median and the ends of its 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Belief {
    /// The median.
    pub value: f64,
    /// 2.5 % quantile.
    pub lower: f64,
    /// 97.5 % quantile.
    pub upper: f64,
    /// Where the numbers come from.
    pub source: Source,
    /// The source in words.
    pub note: String,
}

/// The 97.5 % quantile of the standard normal.
const Z: f64 = 1.959_963_984_540_054;

impl Belief {
    /// A number that is held fixed, as an assumption.
    pub fn fixed(value: f64) -> Belief {
        Belief { value, lower: value, upper: value, source: Source::Assumption, note: String::new() }
    }

    /// The value in a world: a two-piece normal with the belief's quantiles. `key` names what is believed, so that the same
    /// belief has the same luck in every strategy and adding another changes none.
    pub fn draw(&self, key: &str, seed: u64, world: u32) -> f64 {
        let address = hash_text(key.as_bytes()).max(NOBODY + 1);
        let z = Stream::new(seed, address, world, Purpose::Responses).normal();
        let side = if z < 0.0 { self.value - self.lower } else { self.upper - self.value };
        self.value + side * z / Z
    }
}
