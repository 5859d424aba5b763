//! Assumptions: everything that the result rests on and that no purchase history can show.

use maud::{Markup, html};

use super::parts::interval;
use super::{Page, parts};
use crate::report::format::{money, money_in, percent, plural, significant};
use crate::strategy::{Curve, Lever, Response, Source, StrategySet};

pub(super) fn section(page: &Page) -> Markup {
    html! {
        @match page.set {
            Some(set) => (stated(page, set)),
            None => (parts::absent("No strategy file: nothing is assumed about what a company could do.")),
        }
        h3 { "Built into the models" }
        ul {
            li {
                "Customers buy at a steady rate of their own until they leave for good; both differ between customers "
                "as the fitted distributions say. Seasons, trends and competitors are not in the model."
            }
            li { "What an order is worth does not depend on how often the customer buys." }
            li {
                "An order of the models is a day on which a customer buys: several orders of one day are one. What a "
                "customer without a repeat purchase will spend is taken from the population, whatever the first "
                "purchase was worth."
            }
            li {
                "BG/NBD takes every customer without a repeat purchase for alive. What an action brings among them is "
                "an upper bound where many have left for good."
            }
            li {
                "The responses of a tier are drawn independently of those of other tiers. Where one error would hit all "
                "tiers at once, the interval of the total is too narrow."
            }
            @if let Some(opt_out) = page.opt_out {
                li {
                    (plural(opt_out.customers, "customer has", "customers have"))
                    " opted out by " (opt_out.date) " ("
                    (percent(opt_out.customers as f64 / page.table.len().max(1) as f64))
                    " of all) and " (if opt_out.customers == 1 { "is" } else { "are" })
                    " contacted by no strategy: they cost nothing, no action changes what they do, and budgets are spread "
                    "over the others. Their futures are in every total."
                }
            }
            li { "Only the customers of this history are simulated: no new ones, and nobody’s word of mouth." }
            @if let Some(lifetime) = &page.lifetime {
                li {
                    "Lifetime values look " (parts::span(lifetime.horizon)) " ahead and are discounted at "
                    (lifetime.discount) ", " (lifetime.of_what()) ". " (lifetime.convention)
                    " A budget in proportion to lifetime value goes by these values."
                }
            }
        }
    }
}

fn stated(page: &Page, set: &StrategySet) -> Markup {
    let assumed = set.responses.iter().filter(|r| r.source != Source::Experiment).count();
    html! {
        @if assumed > 0 {
            div.warn { p {
                (assumed) " of " (plural(set.responses.len() as u64, "response", "responses"))
                " below were not measured in an experiment. The differences between strategies can be no better than "
                "these beliefs."
            } }
        }
        (parts::facts(&[
            ("Margin", html! { (percent(set.margin)) " of revenue" }),
            ("Horizon", html! { (parts::span(set.horizon)) }),
            ("Tiers", html! { (set.scheme) ": " (set.tiers.join(", ")) }),
            ("Discount", html! { "none within the comparison of strategies" }),
        ]))
        h3 { "Responses: what an action is believed to change" }
        @if set.responses.is_empty() { (parts::absent("None is stated.")) } @else { (responses(page, set)) }
        h3 { "Actions and budgets" }
        (parts::scroll("Actions", html! {
            table {
                (parts::head(&["Action", "What it is", "Fixed cost", "At most per customer"], 2..4))
                tbody {
                    @for action in &set.actions {
                        tr {
                            th scope="row" { (action.name) }
                            td.words { (action.description) }
                            td.n { (money(action.fixed_cost)) }
                            td.n { (action.max_per_customer.map_or("no limit".into(), money)) }
                        }
                    }
                }
            }
        }))
        (parts::scroll("Budgets", html! {
            table.narrow {
                (parts::head(&["Strategy", "Budget"], 1..2))
                tbody {
                    @for strategy in &set.strategies {
                        tr { th scope="row" { (strategy.name) } td.n { (money_in(strategy.budget, page.currency)) } }
                    }
                }
            }
        }))
    }
}

fn responses(page: &Page, set: &StrategySet) -> Markup {
    parts::scroll(
        "Responses",
        html! {
            table {
                caption { "Effects are medians with their 95\u{a0}% interval; each replication draws its own." }
                (parts::head(&["Action", "Tier", "Changes", "Effect", "Curve over money per customer", "Source"], 3..4))
                tbody {
                    @for r in &set.responses {
                        tr {
                            th scope="row" { (r.action) }
                            td { (r.tier) }
                            td.nowrap { (match r.on { Lever::PurchaseRate => "purchase rate", Lever::Spend => "spend per order" }) }
                            td.n { (lift(r.effect)) small { (interval(r.lower, r.upper, lift)) } }
                            td.words { (curve(r, page.currency)) }
                            td.words {
                                span.badge.(if r.source == Source::Experiment { "gains" } else { "undecided" }) { (r.source.name()) }
                                small { (r.note) }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// "+8.0 %".
fn lift(effect: f64) -> String {
    let text = percent(effect);
    if effect > 0.0 { format!("+{text}") } else { text }
}

fn curve(response: &Response, currency: &str) -> String {
    match response.curve {
        Curve::Saturating { scale } => {
            format!("saturating: the effect is the ceiling, 63\u{a0}% of it at {}", money_in(scale, currency))
        }
        Curve::Log { scale } => format!(
            "logarithmic: the effect at {}, and again with every factor of 2.72 beyond",
            money_in(scale * 1f64.exp_m1(), currency)
        ),
        Curve::Power { scale, exponent } => {
            format!("power {}: the effect at {}", significant(exponent, 3), money_in(scale, currency))
        }
    }
}
