//! What was learned, as the responses of a strategy file.

use std::fmt::Write;

use super::{Basis, Learned, NoCount};
use crate::calendar::Span;
use crate::error::{Error, Result};
use crate::learn::{Effect, FEWEST, HalfLift, Lacking, Lift, Shrunk};
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
    /// Over how long the outcome looks, where it is said.
    pub over: Option<Span>,
}

/// The `[[response]]` sections, and what a reader should know of them: tiers that are left out, and an outcome that does not go with
/// the lever.
///
/// # Errors
/// [`Error::Document`] where no tier has a response.
pub fn responses_toml(learned: &Learned, options: &ResponseOptions) -> Result<(String, Vec<String>)> {
    let mut text = format!(
        "# Responses learned by tiercast: {} of {} customers by {}, in tiers by {} as of {}.\n# Whoever is contacted has the whole \
         lift of its tier.\n# halves: the lift on two halves of the customers, by lot with seed {}; what one has chosen the other can judge.\n",
        one_line(&learned.outcome),
        count(learned.joined.used),
        learned.control_words(),
        learned.scheme,
        learned.date,
        learned.seed
    );
    if options.over.is_none() {
        let _ = writeln!(
            text,
            "# The lift is that of the time over which {} looks; that it lasts longer is an assumption (--over says how long that is).",
            one_line(&learned.outcome)
        );
    }
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
                "tier \"{}\" has no response of \"{}\": {}",
                effect.tier,
                effect.action,
                why_none(effect)
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
        if let Some(over) = options.over {
            let _ = writeln!(text, "over = {}", quoted(&over.to_string()));
        }
        text += &halves(learned, effect, options.shrink && shrunk.is_some());
    }
    if left.len() == learned.effects.len() {
        return Err(none_at_all(learned, &left));
    }
    Ok((text, [no_count(learned, options.on), left].concat()))
}

/// Why a tier has no lift.
fn why_none(effect: &Effect) -> String {
    match effect.lacking {
        Some(Lacking::Customers) => format!(
            "an arm has fewer than {FEWEST} customers ({} treated, {} not)",
            count(effect.treated),
            count(effect.untreated)
        ),
        Some(Lacking::Variance) => "everybody in an arm has the same outcome".to_string(),
        None => "the mean outcome is not above 0 in both arms, and a lift is a share of it".to_string(),
    }
}

/// A strategy file cannot use what has no response in it.
fn none_at_all(learned: &Learned, left: &[String]) -> Error {
    let is = |lacking: Lacking| learned.effects.iter().any(|effect| effect.lacking == Some(lacking));
    let more = if is(Lacking::Customers) || is(Lacking::Variance) {
        "give contacts of more customers, or tiers that hold more of them (--scheme)"
    } else {
        "name an outcome whose mean is above 0 in every arm (--outcome), or give contacts of more customers"
    };
    Error::Document {
        file: format!("the responses to {}", one_line(&learned.outcome)),
        problem: format!("there is none to write: {}", left.join("; ")),
        remedy: format!("{more}; without -o the estimates are printed and nothing is written"),
    }
}

/// An outcome that does not look like a count, where it is said to be one of orders.
fn no_count(learned: &Learned, on: Lever) -> Vec<String> {
    let NoCount { negative, not_whole } = learned.no_count;
    let mut wrong = Vec::new();
    if not_whole > 0 {
        wrong.push(format!("no whole number for {}", count(not_whole)));
    }
    if negative > 0 {
        wrong.push(format!("below 0 for {}", count(negative)));
    }
    if on != Lever::PurchaseRate || wrong.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "\"{}\" is {} of {} customers: it does not look like a count of orders, which --on purchase_rate takes it for; spend after the \
         contact is no lever where orders changed",
        learned.outcome,
        wrong.join(" and "),
        count(learned.joined.used)
    )]
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
    fn control_words(&self) -> String {
        one_line(&format!("{} against {}", actions(self).join(", "), self.control))
    }
}

fn actions(learned: &Learned) -> Vec<&str> {
    learned.balance.iter().map(|balance| balance.action.as_str()).collect()
}

/// Without line breaks, since it stands in a comment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}
