//! What somebody claims, held against the data.

use maud::{Markup, html};

use super::compared::Compared;
use super::parts;
use crate::report::format::{interval, percent, signed_percent};
use crate::simulate::{ClaimCheck, ClaimVerdict};

/// One line per claim, with the sum behind it in words.
pub(super) fn table(of: &Compared) -> Markup {
    if of.claims.is_empty() {
        return parts::absent("The strategy file makes no claim that could be held against the data.");
    }
    html! {
        p {
            "If one tier’s sales change by a share and nobody else’s move, all sales change by that share times the tier’s share "
            "of them. So a claim about both says how large the tier would have to be. Figures of a claim are taken as rounded to "
            "the digits that they have, at least to whole per cent."
        }
        (parts::scroll("Claims", html! {
            table {
                (parts::head(
                    &["Claim", "Tier", "Its sales", "All sales", "Share of sales it needs", "Its share so far", "Expected without action", "Gives of all sales", ""],
                    2..8,
                ))
                tbody {
                    @for claim in of.claims {
                        tr {
                            th.words scope="row" { (claim.name) small { (words(claim)) } }
                            td { (claim.tier) }
                            td.n { (signed_percent(claim.lift)) }
                            td.n { (signed_percent(claim.sales)) }
                            td.n { (percent(claim.share_needed)) }
                            td.n { (percent(claim.share_of_spend)) }
                            td.n { (percent(claim.share_expected)) }
                            td.n { (gives(claim)) }
                            td { (badge(claim.verdict)) }
                        }
                    }
                }
            }
        }))
    }
}

/// The tier's shares of sales, the smaller first; one that is not known is as the other.
fn shares(claim: &ClaimCheck) -> (f64, f64) {
    let (a, b) = (claim.share_of_spend, claim.share_expected);
    (a.min(b), a.max(b))
}

/// What the tier alone gives of all sales, by either of its shares.
fn gives(claim: &ClaimCheck) -> String {
    let (least, most) = shares(claim);
    interval(claim.lift * least, claim.lift * most, signed_percent)
}

fn badge(verdict: ClaimVerdict) -> Markup {
    let (class, words) = match verdict {
        ClaimVerdict::AddsUp => ("gains", "adds up"),
        ClaimVerdict::NeedsMore => ("loses", "does not add up"),
        ClaimVerdict::GivesMore => ("undecided", "too little"),
        ClaimVerdict::Contradictory => ("loses", "contradictory"),
    };
    html! { span class=(format!("badge {class}")) { (words) } }
}

fn words(claim: &ClaimCheck) -> String {
    match claim.verdict {
        ClaimVerdict::AddsUp => {
            "the tier is as large as it needs to be; whether it did move is for an experiment to say"
                .to_string()
        }
        ClaimVerdict::NeedsMore if claim.share_needed > 1.0 => {
            "it cannot be: the tier would have to make more than all sales".to_string()
        }
        ClaimVerdict::NeedsMore => format!(
            "the tier would have to make {} of all sales and makes {} at most",
            percent(claim.share_needed),
            percent(shares(claim).1)
        ),
        ClaimVerdict::GivesMore => format!(
            "with nobody else moving the tier alone would give {}: others must have moved the other way, or the tier moved less",
            gives(claim)
        ),
        ClaimVerdict::Contradictory if claim.lift == 0.0 => {
            "it cannot be: a tier whose sales do not change changes no sales".to_string()
        }
        ClaimVerdict::Contradictory => {
            "it cannot be with nobody else moving: the tier and all sales move in opposite directions"
                .to_string()
        }
    }
}
