//! What the models and the simulation take for granted.

use maud::{Markup, html};

use super::drawn::Drawn;
use super::parts::interval;
use crate::report::format::{percent, plural, significant};
use crate::strategy::{Lever, StrategySet};
use crate::tier::opt_out::OptOutReport;

/// The models of purchases, as pages and reports call them. None begins with another.
const MODELS: [&str; 4] = ["Pareto/NBD", "BG/NBD", "MBG/NBD", "NBD"];

/// The model of purchases that some text begins with; empty where there is none.
pub(super) fn model_named<'a>(texts: impl IntoIterator<Item = &'a str>) -> &'static str {
    let named = |text: &str| MODELS.into_iter().find(|name| text.starts_with(name));
    texts.into_iter().find_map(named).unwrap_or("")
}

/// As items of a list. `model` is the name of that of purchases.
pub(super) fn items(set: Option<&StrategySet>, model: &str, drawn: Drawn) -> Markup {
    let has = |lever| set.is_some_and(|set| set.responses.iter().any(|r| r.on == lever));
    let back = has(Lever::Reactivation);
    html! {
        li { (leaving(model, back)) " Seasons, trends and competitors are not in the model." }
        li { "What an order is worth does not depend on how often the customer buys." }
        li {
            "An order of the models is a day on which a customer buys: several orders of one day are one. What a "
            "customer without a repeat purchase will spend is taken from the population, whatever the first "
            "purchase was worth."
        }
        @if model == "BG/NBD" {
            li {
                "BG/NBD takes every customer without a repeat purchase for alive. Where many of them have left for good, what an "
                "action brings among them through more orders or more spend may be too high"
                @if back { "; and since none of them counts as having left, winning them back brings nothing" }
                "."
            }
        }
        @if model == "NBD" && (back || has(Lever::Dropout)) {
            li {
                "Since under NBD nobody leaves, responses on leaving (dropout) and on coming back (reactivation) change nothing "
                "here, whatever their actions cost."
            }
        }
        @if back && model != "NBD" {
            li {
                "Who is brought back comes back when the horizon begins, buys at the rate that the customer had, and may leave "
                "again."
            }
        }
        @if set.is_some() { (drawing(drawn)) }
        @match set.and_then(|set| set.new_customers.as_ref().map(|belief| (set, belief))) {
            Some((set, belief)) => li {
                "New customers come at a steady rate: " (significant(belief.value, 4)) " " (per_period(set)) " ("
                (interval(belief.lower, belief.upper, |x| significant(x, 4))) "), each with an order when it "
                "comes and then as the models say of new ones. No strategy contacts them, so they are in every total and in no "
                "difference. Nobody’s word of mouth is simulated."
            },
            None => li {
                "Only the customers of this history are simulated: no new ones, and nobody’s word of mouth."
            },
        }
    }
}

/// How customers buy and leave.
fn leaving(model: &str, back: bool) -> String {
    let unless = if back { ", unless an action brings them back" } else { "" };
    let (leave, differ) = match model {
        "NBD" => (
            "and never leave (NBD knows no leaving)".to_string(),
            "the rate differs between customers as the fitted distribution says",
        ),
        "BG/NBD" => (
            format!("and may leave for good after any repeat purchase{unless}"),
            "the rate and the inclination to leave differ between customers as the fitted distributions say",
        ),
        "MBG/NBD" => (
            format!("and may leave for good after any purchase, the first included{unless}"),
            "the rate and the inclination to leave differ between customers as the fitted distributions say",
        ),
        _ => (
            format!("until they leave for good{unless}"),
            "both differ between customers as the fitted distributions say",
        ),
    };
    format!("Customers buy at a steady rate of their own {leave}; {differ}.")
}

/// What worlds draw, and what that leaves out.
fn drawing(drawn: Drawn) -> Markup {
    html! {
        @if drawn.responses {
            li {
                "Each assumption is drawn on its own, the same in all strategies. Where one error would hit several at once, "
                "all tiers of an action for instance, the interval of the total is too narrow."
            }
        }
        @if let Some(held) = drawn.held() { li { (held) } }
    }
}

/// "per period of 30.44 days".
pub(super) fn per_period(set: &StrategySet) -> String {
    let days = set.horizon.days() / set.periods.max(1) as f64;
    format!("per period of {}\u{a0}days", significant(days, 4))
}

/// What became of the list of those who opted out, as an item of a list.
pub(super) fn opted_out(opt_out: &OptOutReport, customers: u64) -> Markup {
    html! {
        li {
            (plural(opt_out.customers, "customer has", "customers have"))
            " opted out by " (opt_out.date) " ("
            (percent(opt_out.customers as f64 / customers.max(1) as f64))
            " of all) and " (if opt_out.customers == 1 { "is" } else { "are" })
            " contacted by no strategy: they cost nothing, no action changes what they do, and budgets are spread "
            "over the others. Their futures are in every total."
        }
    }
}

/// How far ahead lifetime value looks where strategies go by it: a command's own setting, not the strategy file's.
pub(super) fn clv_line(config: &[(String, String)]) -> Markup {
    let of = |key: &str| config.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let said = [("horizon", of("horizon")), ("discount", of("discount"))];
    html! {
        p.muted {
            "Where customers are ranked or money is spread by lifetime value (clv), it is that over the horizon and the discount of the "
            "command"
            @if said.iter().any(|(_, value)| value.is_some()) {
                " ("
                @for (i, (name, value)) in said.iter().filter_map(|(n, v)| v.map(|v| (n, v))).enumerate() {
                    @if i > 0 { ", " }
                    (name) " " (value)
                }
                ")"
            }
            ", not those of the strategy file."
        }
    }
}
