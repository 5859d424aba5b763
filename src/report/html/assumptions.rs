//! Assumptions: everything that the result rests on and that no purchase history can show.

use maud::{Markup, html};

use super::compared::printer;
use super::parts::interval;
use super::{Drawn, Page, built_in, parts, rests_on};
use crate::report::format::{money, money_in, number, percent, plural, significant};
use crate::strategy::{Assumed, Curve, Lever, Response, Rule, Source, StrategySet};

pub(super) fn section(page: &Page) -> Markup {
    let model = built_in::model_named(page.fits.iter().map(|fit| fit.model));
    html! {
        @match page.set {
            Some(set) => (sheet(set, page.currency, Drawn::ALL, page.config)),
            None => (parts::absent("No strategy file: nothing is assumed about what a company could do.")),
        }
        h3 { "Built into the models" }
        ul {
            (built_in::items(page.set, model, Drawn::ALL))
            @if let Some(opt_out) = page.opt_out { (built_in::opted_out(opt_out, page.table.len() as u64)) }
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

/// Everything that the strategy file states.
/// `config` is the command's: it says over which horizon lifetime value is.
pub(super) fn sheet(set: &StrategySet, currency: &str, drawn: Drawn, config: &[(String, String)]) -> Markup {
    let assumed = set.responses.iter().filter(|r| r.effect.source != Source::Experiment).count();
    html! {
        @if assumed > 0 {
            div.warn { p {
                (assumed) " of " (plural(set.responses.len() as u64, "response", "responses"))
                " below were not measured in an experiment. The differences between strategies can be no better than "
                "these beliefs."
            } }
        }
        (parts::facts(&facts(set, currency)))
        h3 { "Responses: what an action is believed to change" }
        @if set.responses.is_empty() { (parts::absent("None is stated.")) } @else { (responses(set, currency, drawn)) }
        (beliefs(set))
        h3 { "Actions and budgets" }
        (actions(set))
        (budgets(set, currency))
        @if goes_by_clv(set) { (built_in::clv_line(config)) }
    }
}

fn facts(set: &StrategySet, currency: &str) -> Vec<(&'static str, Markup)> {
    let mut facts = vec![
        ("Margin", html! { (percent(set.margin)) " of revenue" }),
        (
            "Horizon",
            html! { (parts::span(set.horizon)) ", in " (plural(set.periods as u64, "period", "periods")) },
        ),
        ("Tiers", html! { (set.scheme) ": " (set.tiers.join(", ")) }),
        (
            "Discount",
            match set.discount {
                None => html! { "none within the comparison of strategies" },
                Some(discount) => html! {
                    (discount) ": money is worth less by the end of the period that it falls in; what is paid upfront is not "
                    "discounted"
                },
            },
        ),
    ];
    let uses = &set.resources;
    let resource = |limit: Option<f64>, cost: f64, one: &str| {
        let limit = limit.map_or("no limit".to_string(), |most| format!("at most {}", number(most, 0)));
        html! { (limit) ", " (money_in(cost, currency)) " per " (one) }
    };
    let any = |pick: fn(&crate::strategy::Action) -> bool| set.actions.iter().any(pick);
    if uses.minutes.is_some() || any(|a| a.minutes_on_contact > 0.0 || a.minutes_on_response > 0.0) {
        facts.push(("Staff minutes", resource(uses.minutes, uses.minute_cost, "minute")));
    }
    if uses.stock.is_some() || any(|a| a.stock_on_contact > 0.0 || a.stock_on_response > 0.0) {
        facts.push(("Stock", resource(uses.stock, uses.stock_cost, "unit")));
    }
    facts
}

/// What is believed beside responses; nothing where all of it is held at 0.
fn beliefs(set: &StrategySet) -> Markup {
    let others: Vec<_> = set
        .assumed()
        .into_iter()
        .filter(|of| !matches!(of, Assumed::Effect(_)))
        .filter_map(|of| set.belief(of).map(|belief| (of, belief)))
        .filter(|(_, belief)| [belief.value, belief.lower, belief.upper].iter().any(|&x| x != 0.0))
        .collect();
    if others.is_empty() {
        return html! {};
    }
    html! {
        h3 { "Other assumptions" }
        (parts::scroll("Other assumptions", html! {
            table {
                (parts::head(&["Assumption", "Value", "Source"], 1..2))
                tbody {
                    @for (of, belief) in others {
                        @let print = printer(set, of);
                        tr {
                            th scope="row" {
                                (set.assumed_name(of))
                                @if matches!(of, Assumed::Arrivals) { ", " (built_in::per_period(set)) }
                            }
                            td.n { (print(belief.value)) small { (interval(belief.lower, belief.upper, print)) } }
                            td.words { (rests_on::source(belief.source)) small { (belief.note) } }
                        }
                    }
                }
            }
        }))
    }
}

/// Only columns in which some action has something.
fn actions(set: &StrategySet) -> Markup {
    use crate::strategy::Action;
    /// Its name, whether an action has something there, and how it is printed.
    type Column = (&'static str, fn(&Action) -> bool, fn(&Action) -> String);
    let columns: [Column; 11] = [
        ("Fixed cost", |a| a.fixed_cost != 0.0, |a| money(a.fixed_cost)),
        (
            "Per contact",
            |a| a.cost_on_contact.is_some(),
            |a| a.cost_on_contact.map_or("as planned".into(), money),
        ),
        ("Per order", |a| a.cost_on_response != 0.0, |a| money(a.cost_on_response)),
        ("Price cut", |a| a.price_cut != 0.0, |a| percent(a.price_cut)),
        ("Points", |a| a.points != 0.0, |a| percent(a.points)),
        ("Minutes per contact", |a| a.minutes_on_contact != 0.0, |a| significant(a.minutes_on_contact, 4)),
        ("Minutes per order", |a| a.minutes_on_response != 0.0, |a| significant(a.minutes_on_response, 4)),
        ("Stock per contact", |a| a.stock_on_contact != 0.0, |a| significant(a.stock_on_contact, 4)),
        ("Stock per order", |a| a.stock_on_response != 0.0, |a| significant(a.stock_on_response, 4)),
        (
            "At most per customer",
            |a| a.max_per_customer.is_some(),
            |a| a.max_per_customer.map_or("no limit".into(), money),
        ),
        (
            "At most customers",
            |a| a.max_customers.is_some(),
            |a| a.max_customers.map_or("no limit".into(), crate::report::format::count),
        ),
    ];
    let shown: Vec<_> = columns.into_iter().filter(|(_, has, _)| set.actions.iter().any(has)).collect();
    let names: Vec<&str> =
        ["Action", "What it is"].into_iter().chain(shown.iter().map(|column| column.0)).collect();
    html! {
        (parts::scroll("Actions", html! {
            table {
                caption {
                    "Money per customer or order. Costs per order, price cuts and points fall on every order of who was "
                    "contacted, also on those that would have been made anyway; what has no column here is 0 or has no limit."
                }
                (parts::head(&names, 2..names.len()))
                tbody {
                    @for action in &set.actions {
                        tr {
                            th scope="row" { (action.name) small { (kind(action.kind)) } }
                            td.words { (action.description) }
                            @for (_, _, print) in &shown { td.n { (print(action)) } }
                        }
                    }
                }
            }
        }))
    }
}

fn kind(kind: crate::strategy::action::Kind) -> &'static str {
    use crate::strategy::action::Kind;
    match kind {
        Kind::DedicatedManager => "dedicated manager",
        Kind::CallBack => "regular call",
        Kind::Promotion => "promotion",
        Kind::Points => "points",
        Kind::Gift => "gift",
        Kind::EarlyAccess => "early access",
        Kind::WinBackCoupon => "win-back coupon",
        Kind::FreeTrial => "free trial",
        Kind::BatchService => "service in batches",
        Kind::Own => "",
    }
}

fn budgets(set: &StrategySet, currency: &str) -> Markup {
    let budget = |of: Option<f64>| of.map_or("no limit".into(), |budget| money_in(budget, currency));
    parts::scroll(
        "Budgets",
        html! {
            table {
                (parts::head(&["Strategy", "What it is", "Who gets it", "Budget"], 3..4))
                tbody {
                    @for strategy in &set.strategies {
                        tr {
                            th scope="row" { (strategy.name) }
                            td.words { (strategy.description) }
                            td.words { (strategy.rule.words(set)) }
                            td.n { (budget(strategy.budget)) }
                        }
                    }
                }
            }
        },
    )
}

fn responses(set: &StrategySet, currency: &str, drawn: Drawn) -> Markup {
    parts::scroll(
        "Responses",
        html! {
            table {
                caption {
                    "Effects are medians with their 95\u{a0}% interval; "
                    @if drawn.responses { "each world draws its own." } @else { "they are held at the medians." }
                }
                (parts::head(&["Action", "Tier", "Changes", "Effect", "Curve over the dose", "Source"], 3..4))
                tbody {
                    @for (i, r) in set.responses.iter().enumerate() {
                        @let print = printer(set, Assumed::Effect(i));
                        tr {
                            th scope="row" { (set.actions[r.action].name) }
                            td { (set.tiers[r.tier]) }
                            td.nowrap { (lever(r.on)) }
                            td.n {
                                (print(r.effect.value)) small { (interval(r.effect.lower, r.effect.upper, print)) }
                                @for half in r.halves.iter().flatten() {
                                    small { "half: " (print(half.effect)) " (" (interval(half.lower, half.upper, print)) ")" }
                                }
                            }
                            td.words { (curve(set, r, currency)) }
                            td.words {
                                (rests_on::source(r.effect.source))
                                @if let Some(over) = r.over { ", measured over " (parts::span(over)) }
                                small { (r.effect.note) }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// What a response changes, in words.
fn lever(lever: Lever) -> &'static str {
    match lever {
        Lever::PurchaseRate => "purchase rate",
        Lever::Dropout => "inclination to leave",
        Lever::Reactivation => "who left comes back",
        Lever::Spend => "spend per order",
    }
}

/// The shape of a response in words; the dose is money per customer, or the depth of the action's price cut.
fn curve(set: &StrategySet, response: &Response, currency: &str) -> String {
    let is_cut = set.actions[response.action].price_cut > 0.0;
    let dose =
        |dose: f64| if is_cut { format!("a cut of {}", percent(dose)) } else { money_in(dose, currency) };
    match response.curve.clone() {
        Curve::Constant => "constant: the effect for everybody who is contacted".to_string(),
        Curve::Hill { scale, exponent } => {
            format!(
                "Hill {}: the effect is the ceiling, half of it at {}",
                significant(exponent, 3),
                dose(scale)
            )
        }
        Curve::Adbudg { d, exponent } => format!(
            "ADBUDG {}: the effect is the ceiling, half of it at {}",
            significant(exponent, 3),
            dose(d.powf(1.0 / exponent))
        ),
        Curve::Logit { base } => format!(
            "logit: log-odds of a choice made with {} rise by the effect times the depth of the price cut",
            percent(base)
        ),
        Curve::Table { points } => {
            let each: Vec<String> =
                points.iter().map(|(at, share)| format!("{} at {}", percent(*share), dose(*at))).collect();
            format!("table: of the effect {}", each.join(", "))
        }
        Curve::Saturating { scale } => {
            format!("saturating: the effect is the ceiling, 63\u{a0}% of it at {}", dose(scale))
        }
        Curve::Log { scale } => format!(
            "logarithmic: the effect at {}, and again with every factor of 2.72 beyond",
            dose(scale * 1f64.exp_m1())
        ),
        Curve::Power { scale, exponent } => {
            format!("power {}: the effect at {}", significant(exponent, 3), dose(scale))
        }
    }
}

/// Whether somebody is chosen, or money spread, by lifetime value.
fn goes_by_clv(set: &StrategySet) -> bool {
    set.strategies.iter().any(|strategy| match &strategy.rule {
        Rule::ProportionalToClv { .. } => true,
        Rule::TopN { by, .. } => by == "clv",
        Rule::Rules(give) => {
            give.iter().filter_map(|give| give.when.as_ref()).any(|when| when.contains("clv"))
        }
        _ => false,
    })
}
