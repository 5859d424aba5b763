//! What somebody claims, held against the data.

use maud::{Markup, html};

use super::compared::Compared;
use super::parts;
use crate::report::format::{percent, percent_exact};
use crate::simulate::ClaimCheck;

/// One line per claim, with the sum behind it in words.
pub(super) fn table(of: &Compared) -> Markup {
    if of.claims.is_empty() {
        return parts::absent("The strategy file makes no claim that could be held against the data.");
    }
    html! {
        p {
            "If one tier’s sales rise by a share and nobody else’s move, all sales rise by that share times the tier’s share "
            "of them. So a claim about both says how large the tier would have to be."
        }
        (parts::scroll("Claims", html! {
            table {
                (parts::head(
                    &["Claim", "Tier", "Its sales", "All sales", "Share of sales it needs", "Its share so far", "Expected without action", "Gives at most of all sales", ""],
                    2..8,
                ))
                tbody {
                    @for claim in of.claims {
                        tr {
                            th.words scope="row" { (claim.name) small { (words(claim)) } }
                            td { (claim.tier) }
                            td.n { "+" (percent_exact(claim.lift)) }
                            td.n { "+" (percent_exact(claim.sales)) }
                            td.n { (percent(claim.share_needed)) }
                            td.n { (percent(claim.share_of_spend)) }
                            td.n { (percent(claim.share_expected)) }
                            td.n { "+" (percent(claim.sales_possible)) }
                            td {
                                @if (claim.verdict == crate::simulate::ClaimVerdict::AddsUp) { span.badge.gains { "adds up" } } @else { span.badge.loses { "does not add up" } }
                            }
                        }
                    }
                }
            }
        }))
    }
}

fn words(claim: &ClaimCheck) -> String {
    if (claim.verdict == crate::simulate::ClaimVerdict::AddsUp) {
        return "the tier is large enough; whether it did rise is for an experiment to say".to_string();
    }
    if claim.share_needed > 1.0 {
        return "it cannot be: the tier would have to make more than all sales".to_string();
    }
    format!(
        "the tier would have to make {} of all sales and makes {} at most",
        percent(claim.share_needed),
        percent(claim.share_of_spend.max(claim.share_expected))
    )
}
