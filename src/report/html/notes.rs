//! How to read the intervals, what to beware of, and how to make the same result again.

use maud::{Markup, html};

use super::{Drawn, Page, parts};

/// What each kind of interval means, and which of them the verdict rests on.
pub(super) fn intervals(worlds: Option<usize>, drawn: Drawn) -> Markup {
    let without = worlds.and_then(|worlds| drawn.without_interval(worlds));
    let held = if without.is_some() { None } else { drawn.held() };
    html! {
        p { "An interval means one thing on the whole page and in every file of the result:" }
        dl.facts {
            dt { "Expectation" br; code { "mean_lower" } ", " code { "mean_upper" } }
            dd {
                @match &without {
                    Some(why) => { "None here. " (why) " In the files both ends are the expected value itself." }
                    None => {
                        "95\u{a0}% interval of the expected value. It reflects what is not known: " (drawn.what())
                        ". With more data, or an experiment, it shrinks."
                        @if let Some(held) = held { " " (held) }
                    }
                }
            }
            dt { "Joint" br; code { "joint_lower" } ", " code { "joint_upper" } }
            dd {
                "The same, wide enough to hold with 95\u{a0}% for all strategies together: the more are compared, the better the "
                "best looks by chance. The numerical error of its ends is in it, so that more worlds make it narrower. The verdict "
                "rests on it: a strategy gains or loses where its whole joint interval lies on one side of 0, and is undecided "
                "otherwise, as it is where the draws of the models’ parameters are too few or not to be trusted (a warning says so)."
            }
            dt { "What will happen" br; code { "lower" } ", " code { "upper" } }
            dd {
                "95\u{a0}% of the futures of these very customers. "
                @if without.is_some() { "It holds luck alone: each " } @else { "On top of what is not known it holds luck: each " }
                "customer’s own rates, and when and how much each buys. No data make luck go away."
                @if without.is_none() && drawn.responses {
                    " Where responses are the main doubt both intervals are nearly the same."
                }
            }
            dt { "Numerical error" br; code { "mc_error" } }
            dd {
                "How far a printed mean may be off because the number of worlds is finite, everywhere as one standard error: twice "
                "that is seldom exceeded. It is no interval, says nothing about "
                "customers, and more worlds make it as small as one likes. The ends of the intervals are quantiles over the "
                "same worlds and replications and are less exact than the mean."
            }
            dt { "P(best), P(gain)" }
            dd {
                @if without.is_some() { "Shares of worlds, which do not exist where there is one. " }
                "Share of the " @if let Some(worlds) = worlds.filter(|_| without.is_none()) { (worlds) " " }
                "worlds (draws of " (drawn.what()) ") in whose expectation a strategy has the highest profit "
                "of all, doing nothing included; and of those in which its profit is above that of doing nothing."
            }
        }
    }
}

pub(super) fn warnings(page: &Page) -> Markup {
    let of_fits: Vec<String> =
        page.fits.iter().flat_map(|fit| fit.warnings.iter().map(|w| named(fit.model, w))).collect();
    let of_segments = page.segmentation.map_or(&[][..], |s| &s.warnings);
    let mut all: Vec<String> = page.warnings.to_vec();
    // The run may have collected those of its stages already.
    for warning in of_fits.iter().chain(of_segments) {
        if !all.iter().any(|known| known.ends_with(warning.as_str())) {
            all.push(warning.clone());
        }
    }
    html! { @if all.is_empty() { p { "None." } } @else { (parts::warnings(&all)) } }
}

/// A fit's warning with the model's name before it, unless it begins with it.
fn named(model: &str, warning: &str) -> String {
    if warning.starts_with(model) { warning.to_string() } else { format!("{model}: {warning}") }
}

pub(super) fn provenance(page: &Page) -> Markup {
    let replications = page.comparison.map_or("–".to_string(), |c| c.replications.to_string());
    html! {
        p {
            "The same input, configuration, seed and version give the same result to the last byte, on any number of "
            "threads."
        }
        (parts::facts(&[
            ("Version", html! { "tiercast " (page.version) }),
            ("Seed", html! { (page.seed) }),
            ("Replications", html! { (replications) }),
            ("Input fingerprint", html! { code { (page.fingerprint) } }),
        ]))
        (configuration(page.config))
    }
}

/// The resolved configuration as a table; nothing where there is none.
pub(super) fn configuration(config: &[(String, String)]) -> Markup {
    html! {
        @if !config.is_empty() {
            (parts::scroll("Configuration", html! {
                table.narrow {
                    (parts::head(&["Key", "Value"], 0..0))
                    tbody { @for (key, value) in config { tr { td { code { (key) } } td { code { (value) } } } } }
                }
            }))
        }
    }
}
