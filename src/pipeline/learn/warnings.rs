//! What a reader of effects should know.

use super::Basis;
use crate::learn::{Balance, Effect, Lacking};
use crate::report::format::percent;

/// A customer with more of an arm's weight than this is named.
const HEAVY: f64 = 0.1;

pub(super) fn of(balance: &[Balance], effects: &[Effect], basis: Basis, doubtful: bool) -> Vec<String> {
    let mut out = Vec::new();
    match (basis, doubtful) {
        (Basis::Observational, true) => out.push(
            "the arms are too different for a lottery: effects are as good as the columns adjusted for".to_string(),
        ),
        (Basis::Observational, false) => {
            out.push("it was not by lot: effects are as good as the columns adjusted for".to_string());
        }
        (Basis::AlikeBefore, _) => out.push(
            "nobody says that it was by lot: customers were alike in the columns adjusted for, and may differ in others; say \
             --randomised if it was, or name --probability"
                .to_string(),
        ),
        _ => {}
    }
    for balance in balance.iter().filter(|balance| !balance.skipped.is_empty()) {
        out.push(format!(
            "everybody or nobody got \"{}\" in {}: nothing can be compared there",
            balance.action,
            balance.skipped.join(", ")
        ));
    }
    for effect in effects {
        let of = format!("\"{}\" in {}", effect.action, effect.tier);
        if effect.lacking == Some(Lacking::Variance) {
            out.push(format!("{of}: everybody in an arm has the same outcome, so nothing is estimated"));
        }
        let Some(overlap) = &effect.overlap else { continue };
        if overlap.largest_weight > HEAVY {
            out.push(format!(
                "{of}: one customer makes {} of its arm's weight; weights are worth {:.0} treated and {:.0} others",
                percent(overlap.largest_weight),
                overlap.effective_treated,
                overlap.effective_untreated
            ));
        }
        if overlap.clipped > 0 {
            out.push(format!(
                "{of}: {} customers were nearly sure to be treated, or not to be; their probabilities were set to 1 % or 99 %",
                overlap.clipped
            ));
        }
    }
    out
}
