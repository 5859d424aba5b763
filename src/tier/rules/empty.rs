//! Rules that nobody can ever match: limits that contradict each other, and what an earlier rule has taken already.

use super::code::{Program, Tri};
use super::region::Region;

/// Why a rule can never match.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Never {
    /// What it asks for contradicts itself, in words.
    Contradiction(String),
    /// Everybody it asks for is taken by an earlier rule.
    Taken {
        /// Which of the rules.
        by: usize,
        /// Whether that one takes everybody.
        everybody: bool,
        /// What both ask for, in words.
        words: [String; 2],
    },
}

/// For the first of the rules (in the order in which they are asked) that can never match, which it is and why.
///
/// Ends of ranges that customers set (quantiles and the like) may be equal by chance, where many customers are: that
/// is no contradiction. Crossed ones are.
pub(crate) fn first_empty(program: &Program, rules: &[Tri]) -> Option<(usize, Never)> {
    let mut earlier: Vec<(usize, Region)> = Vec::new();
    for (i, rule) in rules.iter().enumerate() {
        let regions = program.regions(rule, true);
        let possible: Vec<&Region> =
            regions.iter().filter(|region| region.contradiction().is_none()).collect();
        if possible.is_empty() {
            let words = match regions.first().and_then(Region::contradiction) {
                Some((key, limit)) => program.limit_words(key, limit),
                None => "it is always false".to_string(),
            };
            return Some((i, Never::Contradiction(words)));
        }
        let taken_by = |region: &&Region| earlier.iter().find(|(_, other)| region.is_within(other));
        let taken: Option<Vec<&(usize, Region)>> = possible.iter().map(taken_by).collect();
        if let Some((by, other)) = taken.as_ref().and_then(|taken| taken.first()) {
            let words = [program.region_words(other), program.region_words(possible[0])];
            return Some((i, Never::Taken { by: *by, everybody: other.is_everybody(), words }));
        }
        earlier.extend(possible.into_iter().map(|region| (i, region.clone())));
    }
    None
}

/// Whether one of the rules takes everybody, and which.
pub(crate) fn takes_everybody(program: &Program, rules: &[Tri]) -> Option<usize> {
    rules.iter().position(|rule| program.regions(rule, true).iter().any(Region::is_everybody))
}
