//! Who gets what under each strategy, what it costs, and what limited it.

use maud::{Markup, html};

use super::compared::Compared;
use super::parts;
use crate::report::format::{NONE, count, money, number};
use crate::strategy::plan::Limit;
use crate::strategy::{Plan, StrategySet};

/// The contacts of each tier, then what the plan as a whole costs and uses.
pub(super) fn tables(of: &Compared) -> Markup {
    html! { (contacts(of)) (whole(of)) }
}

fn contacts(of: &Compared) -> Markup {
    // New customers are contacted by no strategy.
    let tiers = &of.set.tiers;
    let names: Vec<&str> =
        ["Strategy", "Action"].into_iter().chain(tiers.iter().map(String::as_str)).collect();
    parts::scroll(
        "Customers contacted by strategy, action and tier",
        html! {
            table {
                caption { "Customers contacted × money for each of them, on average over the tier." }
                (parts::head(&names, 2..names.len()))
                tbody {
                    @for (s, plan) in of.comparison.plans.iter().enumerate() {
                        @let actions = actions(plan);
                        @if actions.is_empty() {
                            tr {
                                th scope="row" { (of.name(s)) }
                                td { (NONE) }
                                @for _ in tiers { td.n { (NONE) } }
                            }
                        }
                        @for (i, &action) in actions.iter().enumerate() {
                            tr {
                                th scope="row" { @if i == 0 { (of.name(s)) } }
                                td { (action_name(of.set, action)) }
                                @for k in 0..tiers.len() { td.n { (contacted(plan, action, k)) } }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// The actions that somebody gets, in the order of the plan's treatments.
fn actions(plan: &Plan) -> Vec<usize> {
    let mut found = Vec::new();
    for (i, treatment) in plan.treatments.iter().enumerate() {
        let is_given = plan.contacts.iter().any(|of| of.get(i).is_some_and(|&n| n > 0));
        if is_given && !found.contains(&treatment.action) {
            found.push(treatment.action);
        }
    }
    found
}

fn action_name(set: &StrategySet, action: usize) -> &str {
    set.actions.get(action).map_or(NONE, |of| of.name.as_str())
}

/// How many of a tier get an action, and with how much money each on average.
fn contacted(plan: &Plan, action: usize, tier: usize) -> String {
    let Some(contacts) = plan.contacts.get(tier) else { return NONE.to_string() };
    let own = contacts.iter().zip(&plan.treatments).filter(|(_, treatment)| treatment.action == action);
    let (n, spent) = own
        .fold((0, 0.0), |(n, spent), (&more, treatment)| (n + more, spent + more as f64 * treatment.money));
    if n == 0 { NONE.to_string() } else { format!("{} × {}", count(n), money(spent / n as f64)) }
}

fn whole(of: &Compared) -> Markup {
    let plans = &of.comparison.plans;
    let minutes = plans.iter().any(|plan| plan.minutes > 0.0);
    let stock = plans.iter().any(|plan| plan.stock > 0.0);
    let mut names = vec!["Strategy", "Contacted", "Budget", "Fixed cost", "Contacts’ cost"];
    names.extend(minutes.then_some("Minutes"));
    names.extend(stock.then_some("Stock"));
    names.extend(["Unspent", "Limited by"]);
    let numbers = 1..names.len() - 1;
    parts::scroll(
        "Plans as a whole",
        html! {
            table {
                caption { "What is paid and used before anybody orders; what orders cost on response comes on top." }
                (parts::head(&names, numbers))
                tbody {
                    @for (s, plan) in plans.iter().enumerate().skip(1) {
                        @let budget = of.set.strategies.get(s).and_then(|own| own.budget);
                        tr {
                            th.words scope="row" {
                                (of.name(s))
                                @if let Some(own) = of.set.strategies.get(s) { small { (own.rule.words(of.set)) } }
                            }
                            td.n { (count(plan.contacts.iter().flatten().sum())) }
                            td.n { (budget.map_or("no limit".into(), money)) }
                            td.n { (money(plan.fixed_cost)) }
                            td.n { (money(plan.cost - plan.fixed_cost)) }
                            @if minutes { td.n { (number(plan.minutes, 0)) } }
                            @if stock { td.n { (number(plan.stock, 0)) } }
                            td.n { (if budget.is_some() { money(plan.unspent) } else { NONE.into() }) }
                            td.words { (limited_by(plan.limited_by)) }
                        }
                    }
                }
            }
        },
    )
}

fn limited_by(limit: Limit) -> String {
    let name = match limit {
        Limit::Budget => "the budget",
        Limit::Action => "the action",
        Limit::Minutes => "minutes",
        Limit::Stock => "stock",
        Limit::Customers => "customers",
        Limit::Asked => "as many as asked for",
        Limit::Share => "the tier’s share",
    };
    format!("{name}: {}", limit.words())
}
