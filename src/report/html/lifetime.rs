//! Lifetime value: how the models were fitted, whether they can be trusted, and what they expect.

use maud::{Markup, html};

use super::parts::interval;
use super::{Lifetime, Page, parts};
use crate::clv::validate::Figure;
use crate::clv::{BgNbd, FitReport, Nbd, Parametric, Verdict};
use crate::report::charts::distribution;
use crate::report::format::{count, money, money_in, number, percent, plural, significant};

impl Lifetime<'_> {
    /// The sum of all finite lifetime values, or the total that came with its interval.
    pub(super) fn sum(&self) -> f64 {
        self.total.map_or_else(|| self.clv.iter().filter(|v| v.is_finite()).sum(), |total| total.value)
    }

    /// "as revenue", or of which share of it.
    pub(super) fn of_what(&self) -> String {
        if self.margin == 1.0 { "as revenue".into() } else { format!("{} of revenue", percent(self.margin)) }
    }
}

pub(super) fn section(page: &Page) -> Markup {
    html! {
        @match &page.lifetime {
            Some(lifetime) if !lifetime.clv.is_empty() => (expected(page, lifetime)),
            _ => (parts::absent("No lifetime values: there is no usable fit to expect anything from. The fits below say why.")),
        }
        (choice(page))
        h3 { "The fits" }
        @if page.fits.is_empty() {
            (parts::absent("No model was fitted: there is nobody who bought again."))
        }
        div.pair { @for fit in page.fits { div { (report(fit)) } } }
    }
}

/// Which model of purchases was used, and what a holdout says of all.
fn choice(page: &Page) -> Markup {
    let show = |value: f64| number(value, 4);
    let ends = |figure: Figure| match (figure.lower, figure.upper) {
        (Some(lower), Some(upper)) => interval(lower, upper, show),
        _ => "–".to_string(),
    };
    html! {
        @if !page.model_reason.is_empty() {
            h3 { "The model of purchases" }
            p { (page.model_reason) }
        }
        @if let Some(of) = page.model_choice.filter(|of| !of.models.is_empty()) {
            p.muted {
                "Calibration to " (of.window.calibration_end) ", holdout to " (of.window.as_of) ", "
                (count(of.judged)) " of " (count(of.customers)) " customers judged; 95\u{a0}% intervals over "
                (of.replications) " bootstrap replications of the customers."
            }
            (parts::scroll("Errors of the models in the holdout", html! {
                table.narrow {
                    (parts::head(&["Model", "RMSE", "95\u{a0}%", "Difference", "95\u{a0}%"], 1..5))
                    tbody {
                        @for judged in &of.models {
                            tr {
                                th scope="row" { (judged.model.title()) }
                                td.n { (show(judged.rmse.value)) }
                                td.n { (ends(judged.rmse)) }
                                td.n { (judged.difference.map_or(String::new(), |figure| show(figure.value))) }
                                td.n { (judged.difference.map_or(String::new(), ends)) }
                            }
                        }
                    }
                }
            }))
            @for left_out in &of.left_out { p.muted { (left_out.model) " is left out: " (left_out.verdict) } }
        }
    }
}

fn expected(page: &Page, lifetime: &Lifetime) -> Markup {
    let what = format!("{} lifetime value", parts::span_adjective(lifetime.horizon));
    let orders: f64 = lifetime.orders.iter().filter(|v| v.is_finite()).sum();
    html! {
        div.pair {
            (parts::figure(&distribution(lifetime.clv, &what, page.currency)))
            div {
                (parts::facts(&[
                    ("All customers", html! {
                        (money_in(lifetime.sum(), page.currency))
                        @if let Some(total) = lifetime.total {
                            " (95\u{a0}% interval of the expectation " (interval(total.lower, total.upper, money)) ")"
                        }
                    }),
                    ("Mean", html! { (money_in(parts::mean(lifetime.clv.iter().copied()), page.currency)) }),
                    ("Median", html! { (money_in(parts::median(lifetime.clv.iter().copied()), page.currency)) }),
                    ("Orders expected", html! { (number(orders, 0)) " in " (parts::span(lifetime.horizon)) }),
                    ("Mean P(alive)", html! { (percent(parts::mean(lifetime.p_alive.iter().copied()))) }),
                    ("Discount", html! { (lifetime.discount) }),
                ]))
                p.muted { (lifetime.convention) }
                p.muted {
                    "P(alive) is a model’s belief about a silent customer, not an observation."
                    @if page.fits.iter().any(|fit| fit.model == BgNbd::MODEL) {
                        " BG/NBD gives 1 to everybody who bought only once, so no label for churn should be built on it."
                    }
                    @if page.fits.iter().any(|fit| fit.model == Nbd::MODEL) {
                        " NBD gives 1 to everybody, so no label for churn should be built on it."
                    }
                }
            }
        }
    }
}

/// A fit's verdict, parameters and facts.
pub(super) fn report(fit: &FitReport) -> Markup {
    let (class, word) = match &fit.verdict {
        Verdict::VerifiedOptimum => ("gains", "verified optimum".to_string()),
        Verdict::Boundary { name, usable: true, .. } => ("undecided", format!("at a boundary: {name}")),
        Verdict::Boundary { name, .. } => ("loses", format!("not usable: {name}")),
        Verdict::Failed { .. } => ("loses", "no result".to_string()),
    };
    let unit = fit.unit.map_or(String::new(), |unit| format!(", in {}s", unit.name()));
    html! {
        h3 { (fit.model) (unit) " " span class=(format!("badge {class}")) { (word) } }
        @if fit.verdict != Verdict::VerifiedOptimum { p { (fit.verdict.sentence()) } }
        @if !fit.parameters.is_empty() {
            (parts::scroll(&format!("Parameters of {}", fit.model), html! {
                table.narrow {
                    (parts::head(&["Parameter", "Estimate", "Standard error"], 1..3))
                    tbody {
                        @for p in &fit.parameters {
                            tr {
                                th scope="row" { (p.name) }
                                td.n { (significant(p.estimate, 6)) }
                                td.n { (p.standard_error.map_or("not determined".into(), |e| significant(e, 4))) }
                            }
                        }
                    }
                }
            }))
        }
        (parts::facts(&facts(fit)))
        (parts::warnings(&fit.warnings))
    }
}

fn facts(fit: &FitReport) -> Vec<(&'static str, Markup)> {
    let mut facts =
        vec![("Log-likelihood", html! { (fit.log_likelihood.map_or("–".into(), |value| number(value, 3))) })];
    facts.push((
        "Customers used",
        html! { (count(fit.customers)) ", " (plural(fit.patterns, "distinct history", "distinct histories")) },
    ));
    for aside in &fit.set_aside {
        facts.push(("Not used", html! { (count(aside.customers)) ": " (aside.reason) }));
    }
    if fit.evaluations > 0 {
        facts.push(("Gradient norm", html! { (significant(fit.gradient_norm, 2)) }));
    }
    if let (Some(low), Some(high)) = (fit.hessian_eigenvalues.first(), fit.hessian_eigenvalues.last()) {
        facts.push((
            "Eigenvalues of the information",
            html! { (interval(*low, *high, |v| significant(v, 3))) },
        ));
    }
    if !fit.starts.is_empty() {
        let best = fit.starts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A thousandth of a unit of log-likelihood is no difference.
        let agree = fit.starts.iter().filter(|&&value| best - value < 1e-3).count() as u64;
        facts.push((
            "Search",
            html! {
                (count(agree)) " of " (plural(fit.starts.len() as u64, "start", "starts")) " reached this value, "
                (plural(fit.evaluations.into(), "evaluation", "evaluations"))
            },
        ));
    }
    facts
}
