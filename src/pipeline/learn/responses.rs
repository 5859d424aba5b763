//! What was learned, as the responses of a strategy file.

use std::fmt::Write;

use super::{Basis, Learned};
use crate::learn::{Effect, HalfLift, Lift, Shrunk};
use crate::report::format::{count, significant};
use crate::strategy::Lever;

/// A lift whose interval ends beyond this says nothing: a thousandfold.
const MOST: f64 = 1000.0;

/// How responses are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseOptions {
    /// What a contact costs, for the action that the responses ask for.
    pub cost: f64,
    /// What the outcome counts.
    pub on: Lever,
    /// Whether lifts are drawn towards those of the other tiers.
    pub shrink: bool,
}

/// The `[[response]]` sections, and what they leave out in words.
pub fn responses_toml(learned: &Learned, options: &ResponseOptions) -> (String, Vec<String>) {
    let mut text = format!(
        "# Responses learned by tiercast: {} of {} customers by {}, in tiers by {} as of {}.\n# Whoever is contacted has the whole \
         lift of its tier.\n# halves: the lift on two halves of the customers, by lot with seed {}; what one has chosen the other can judge.\n",
        learned.outcome.replace(['\n', '\r'], " "),
        count(learned.joined.used),
        learned.control_words(),
        learned.scheme,
        learned.date,
        learned.seed
    );
    for action in actions(learned) {
        let _ = write!(
            text,
            "# The action, unless it stands elsewhere in the file:\n# [[action]]\n# name = {}\n# cost_on_contact = {:?}\n",
            quoted(action).replace('\n', "\n# "),
            options.cost
        );
    }
    let mut left = Vec::new();
    for effect in &learned.effects {
        let own = effect.lift.map(|Lift { lift, lower, upper, .. }| (lift, lower, upper));
        let shrunk = learned
            .shrunk
            .iter()
            .find(|shrunk| shrunk.action == effect.action && shrunk.tier == effect.tier)
            .map(|shrunk| (shrunk.lift, shrunk.lower, shrunk.upper));
        let Some((lift, lower, upper)) = shrunk.filter(|_| options.shrink).or(own) else {
            left.push(format!(
                "tier \"{}\" has no response of \"{}\": too few customers, or nothing to be a share of",
                effect.tier, effect.action
            ));
            continue;
        };
        if !(lower.is_finite() && upper.is_finite() && upper < MOST) {
            left.push(format!(
                "tier \"{}\" has no response of \"{}\": its interval ends at {}, which says nothing",
                effect.tier,
                effect.action,
                significant(upper, 3)
            ));
            continue;
        }
        // What is no lottery is no experiment.
        let source = if learned.basis.is_experiment() { "experiment" } else { "assumption" };
        let how = if options.shrink && shrunk.is_some() {
            "doubly robust, drawn towards the other tiers"
        } else {
            "doubly robust"
        };
        let doubt = match learned.basis {
            Basis::Probabilities => "",
            Basis::SaidByLot => "; said to be by lot",
            Basis::AlikeBefore => "; alike before, not known to be by lot",
            Basis::Observational => "; not by lot",
        };
        let note = format!(
            "{} treated, {} not: {} and {} {}; {how}{doubt}",
            count(effect.treated),
            count(effect.untreated),
            significant(effect.mean_treated, 4),
            significant(effect.mean_untreated, 4),
            learned.outcome
        );
        let _ = write!(
            text,
            "\n[[response]]\naction = {}\ntier = {}\non = \"{}\"\neffect = {lift:.6}\nlower = \
             {lower:.6}\nupper = {upper:.6}\nsource = \"{source}\"\nnote = {}\n",
            quoted(&effect.action),
            quoted(&effect.tier),
            options.on.name(),
            quoted(&note),
        );
        text += &halves(learned, effect, options.shrink && shrunk.is_some());
    }
    (text, left)
}

/// The line of the halves, or why there is none; `pooled` as the lift itself is.
fn halves(learned: &Learned, effect: &Effect, pooled: bool) -> String {
    let found = learned.halves.iter().find(|of| of.action == effect.action && of.tier == effect.tier);
    let estimate = |half: &HalfLift| {
        let own = half.lift.as_ref().map(|Lift { unbiased, lower, upper, .. }| (*unbiased, *lower, *upper));
        let shrunk = half.shrunk.as_ref().map(|Shrunk { lift, lower, upper, .. }| (*lift, *lower, *upper));
        let found = if pooled { shrunk } else { own };
        found.filter(|(_, lower, upper)| lower.is_finite() && upper.is_finite() && *upper < MOST)
    };
    let both = found.and_then(|of| estimate(&of.halves[0]).zip(estimate(&of.halves[1])));
    let Some((first, second)) = both else {
        return "# No halves: one of them has too few customers for a lift.\n".to_string();
    };
    let entry = |(lift, lower, upper): (f64, f64, f64)| {
        format!("{{ effect = {lift:.6}, lower = {lower:.6}, upper = {upper:.6} }}")
    };
    format!("halves = [{}, {}]\n", entry(first), entry(second))
}

impl Learned {
    /// On one line, since it stands in a comment.
    fn control_words(&self) -> String {
        format!("{} against {}", actions(self).join(", "), self.control).replace(['\n', '\r'], " ")
    }
}

fn actions(learned: &Learned) -> Vec<&str> {
    learned.balance.iter().map(|balance| balance.action.as_str()).collect()
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}
