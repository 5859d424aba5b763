//! When a customer's tier follows the rules: at once, only after a while, or only at the end of its term.
//!
//! The automatic tier is what the rules say on a date. The held tier is what the company acts on. Holding on saves moving
//! customers to and fro, and costs: at every date some are held in a tier that is no longer theirs ("stale").

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::calendar::{Day, Period, Span};
use crate::error::{Error, Result};

/// So many days before its mean length a term of months or years has ended.
const DAYS_OF_GRACE: f64 = 2.0;

/// How held tiers follow the automatic ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Policy {
    /// At once.
    AtOnce,
    /// After so many gradings in a row on the same side of the held tier; 1 is at once.
    Hysteresis {
        /// Gradings above the held tier before it rises.
        up: u32,
        /// Gradings below the held tier before it falls.
        down: u32,
    },
    /// Up at once, which begins a term of so many days; down only when the term has ended, to what the rules say then,
    /// which begins the next one.
    Term {
        /// Days of a term.
        days: u32,
    },
}

/// What is held of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The tier that holds; 0 is the best.
    pub tier: u8,
    /// When the term began in which it holds.
    pub since: Day,
    /// Gradings in a row on one side of it: above counts up, below counts down.
    pub run: i32,
}

/// What holding on costs, over all gradings but the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Customers × gradings.
    pub grades: u64,
    /// Those held in another tier than the automatic one.
    pub stale: u64,
    /// Those of them held above it.
    pub above: u64,
    /// Held tiers that changed.
    pub moves: u64,
    /// Automatic tiers that changed: what there would have been at once.
    pub moves_at_once: u64,
}

impl Cost {
    /// One customer at one grading: what was held and is held now, and the automatic tiers then and now.
    pub fn count(&mut self, held: Held, next: Held, before: u8, automatic: u8) {
        self.grades += 1;
        self.moves += u64::from(next.tier != held.tier);
        self.moves_at_once += u64::from(automatic != before);
        self.stale += u64::from(next.tier != automatic);
        self.above += u64::from(next.tier < automatic);
    }
}

/// `at-once`, `hysteresis:2,3` (gradings before a tier rises and falls), `term:12mo` (or `365d`).
impl FromStr for Policy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Policy> {
        let wrong = || {
            let remedy = "write at-once, hysteresis:UP,DOWN (gradings) or term:SPAN, such as hysteresis:1,3 or term:12mo";
            Error::value("the policy", text, "it is none that can be followed", remedy)
        };
        let policy = match text.split_once(':') {
            None if text == "at-once" => Policy::AtOnce,
            Some(("hysteresis", rest)) => {
                let (up, down) = rest.split_once(',').ok_or_else(wrong)?;
                let count = |text: &str| text.trim().parse().map_err(|_| wrong());
                Policy::Hysteresis { up: count(up)?, down: count(down)? }
            }
            Some(("term", span)) => {
                let span: Span = span.parse().map_err(|_| wrong())?;
                // Months are of unequal length: half a year from 31 December to 30 June is 181 days, not 182.6. A term
                // of months has ended on the same day of a later month, whichever it is.
                let grace =
                    if matches!(span.period(), Period::Month | Period::Year) { DAYS_OF_GRACE } else { 0.0 };
                // A term beyond all calendars is one that never ends.
                Policy::Term { days: (span.days() - grace).floor().clamp(0.0, f64::from(u32::MAX)) as u32 }
            }
            _ => return Err(wrong()),
        };
        policy.check().map(|()| policy)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::AtOnce => f.pad("at once"),
            Policy::Hysteresis { up, down } => write!(f, "up after {up}, down after {down} gradings"),
            Policy::Term { days } => write!(f, "up at once, down after {days} days"),
        }
    }
}

impl Policy {
    /// As it is written, and read again: `hysteresis:1,2`, `term:363d`.
    pub fn code(&self) -> String {
        match self {
            Policy::AtOnce => "at-once".to_string(),
            Policy::Hysteresis { up, down } => format!("hysteresis:{up},{down}"),
            Policy::Term { days } => format!("term:{days}d"),
        }
    }

    /// Whether it can be followed.
    ///
    /// # Errors
    /// [`Error::Value`] for a number of gradings or days of 0.
    pub fn check(&self) -> Result<()> {
        let fail = |what: &str, remedy| Err(Error::value(what, 0, "it would never be waited", remedy));
        match *self {
            Policy::Hysteresis { up: 0, .. } | Policy::Hysteresis { down: 0, .. } => {
                fail("the gradings before a tier changes", "give 1 for at once, or more")
            }
            Policy::Term { days: 0 } => {
                fail("the days of a term", "give at least 1, or choose the policy at_once")
            }
            _ => Ok(()),
        }
    }

    /// What is held of a customer who is graded for the first time.
    pub fn begin(automatic: u8, date: Day) -> Held {
        Held { tier: automatic, since: date, run: 0 }
    }

    /// What is held from `date` on, when the rules then say `automatic`.
    pub fn follow(&self, held: Held, automatic: u8, date: Day) -> Held {
        let moved = Held { tier: automatic, since: date, run: 0 };
        if automatic == held.tier && !matches!(self, Policy::Term { .. }) {
            return Held { run: 0, ..held };
        }
        // The best tier is 0.
        let rises = automatic < held.tier;
        match *self {
            Policy::AtOnce => moved,
            Policy::Hysteresis { up, down } => {
                let run = if rises { held.run.max(0) + 1 } else { held.run.min(0) - 1 };
                let enough = if rises { up } else { down };
                if run.unsigned_abs() >= enough { moved } else { Held { run, ..held } }
            }
            Policy::Term { days } => {
                let ended = i64::from(date.since(held.since)) >= i64::from(days);
                if rises || ended { moved } else { held }
            }
        }
    }

    /// Held tiers over several gradings of the same customers: by grading, as `automatic` is (dates ascending, each with
    /// one code per customer).
    ///
    /// # Panics
    /// If the gradings are of unequal length.
    pub fn replay(&self, automatic: &[(Day, &[u8])]) -> (Vec<Vec<u8>>, Cost) {
        let mut cost = Cost::default();
        let Some(&(first, codes)) = automatic.first() else { return (Vec::new(), cost) };
        let mut held: Vec<Held> = codes.iter().map(|&code| Policy::begin(code, first)).collect();
        let mut out = vec![codes.to_vec()];
        for pair in automatic.windows(2) {
            let [(_, before), (date, now)] = pair else { continue };
            assert_eq!(before.len(), now.len(), "gradings of the same customers");
            for ((held, &automatic), &before) in held.iter_mut().zip(*now).zip(*before) {
                let next = self.follow(*held, automatic, *date);
                cost.count(*held, next, before, automatic);
                *held = next;
            }
            out.push(held.iter().map(|held| held.tier).collect());
        }
        (out, cost)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn held(policy: Policy, codes: &[u8], step: i32) -> (Vec<u8>, Cost) {
        let rows: Vec<[u8; 1]> = codes.iter().map(|&code| [code]).collect();
        let gradings: Vec<(Day, &[u8])> =
            rows.iter().enumerate().map(|(i, row)| (Day(i as i32 * step), &row[..])).collect();
        let (held, cost) = policy.replay(&gradings);
        (held.iter().map(|row| row[0]).collect(), cost)
    }

    #[test]
    fn up_at_once_and_down_at_the_end_of_the_term() {
        // A grading each quarter; a term of a year.
        let year = Policy::Term { days: 360 };
        let (tiers, cost) = held(year, &[2, 0, 2, 2, 2, 2, 1], 90);
        // Up at day 90, held until day 450, when the rules say 2; at 540 up at once.
        assert_eq!(tiers, [2, 0, 0, 0, 0, 2, 1]);
        assert_eq!(cost, Cost { grades: 6, stale: 3, above: 3, moves: 3, moves_at_once: 3 });
        // At the end of a term in the same tier the next term begins.
        assert_eq!(held(year, &[0, 0, 0, 0, 0, 1, 1, 1, 1], 90).0, [0, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_change_that_does_not_last_is_waited_out() {
        let slow = Policy::Hysteresis { up: 1, down: 3 };
        let (tiers, cost) = held(slow, &[1, 2, 1, 2, 2, 2, 0, 1], 30);
        assert_eq!(tiers, [1, 1, 1, 1, 1, 2, 0, 0]);
        assert_eq!((cost.moves, cost.moves_at_once, cost.stale, cost.above), (2, 5, 4, 4));
        // A run that crosses to the other side begins anew.
        assert_eq!(
            held(Policy::Hysteresis { up: 2, down: 2 }, &[1, 2, 0, 2, 0, 0], 30).0,
            [1, 1, 1, 1, 1, 0]
        );
    }

    #[test]
    fn policies_are_read() {
        let read = |text: &str| text.parse::<Policy>();
        assert_eq!(read("at-once").unwrap(), Policy::AtOnce);
        assert_eq!(read("hysteresis:1,3").unwrap(), Policy::Hysteresis { up: 1, down: 3 });
        assert_eq!(read("term:90d").unwrap(), Policy::Term { days: 90 });
        // From the end of a month to that of another: 28 days at least, 181 and 365.
        assert_eq!(read("term:1mo").unwrap(), Policy::Term { days: 28 });
        assert_eq!(read("term:6mo").unwrap(), Policy::Term { days: 180 });
        assert_eq!(read("term:1yr").unwrap(), Policy::Term { days: 363 });
        for text in ["at-once", "hysteresis:1,3", "term:363d", "term:4294967295d"] {
            assert_eq!(read(text).unwrap().code(), text);
        }
        for wrong in ["never", "hysteresis:1", "hysteresis:0,1", "term:soon", "term:0d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zeros_are_refused() {
        assert!(Policy::Term { days: 0 }.check().is_err());
        assert!(Policy::Hysteresis { up: 1, down: 0 }.check().is_err());
        assert!(Policy::Hysteresis { up: 1, down: 1 }.check().is_ok());
        assert_eq!(Policy::AtOnce.replay(&[]).0.len(), 0);
    }

    proptest! {
        /// Waiting never makes more moves than following at once, and with one grading to wait is following at once.
        #[test]
        fn holding_on_never_moves_more(codes in prop::collection::vec(0u8..4, 1..40), up in 1u32..4, down in 1u32..4, days in 1u32..400) {
            for policy in [Policy::Hysteresis { up, down }, Policy::Term { days }] {
                let (tiers, cost) = held(policy, &codes, 30);
                prop_assert!(cost.moves <= cost.moves_at_once, "{policy:?} {tiers:?}");
                prop_assert_eq!(cost.stale, tiers.iter().zip(&codes).filter(|(a, b)| a != b).count() as u64);
            }
            let (tiers, cost) = held(Policy::Hysteresis { up: 1, down: 1 }, &codes, 30);
            prop_assert_eq!(&tiers, &codes);
            prop_assert_eq!(cost.stale, 0);
            prop_assert_eq!(held(Policy::AtOnce, &codes, 30), (tiers, cost));
        }
    }
}
