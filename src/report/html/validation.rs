//! The page of a validation: what is won and what is not, then the figures and the charts behind it.

use maud::{Markup, html};

use super::{document, lifetime, parts};
use crate::clv::validate::{Criterion, Figure, MethodKind, Validation};
use crate::report::charts::{Line, LinesAbout, lines};
use crate::report::format::{NONE, count, money, number, percent, plural};
use crate::report::validation::{frequency, quantities};

/// What the page is made of.
#[derive(Debug, Clone)]
pub struct ValidationPage<'a> {
    /// The version that made it.
    pub version: &'a str,
    /// The fingerprint of the input.
    pub fingerprint: &'a str,
    /// The resolved configuration: key, value.
    pub config: &'a [(String, String)],
    /// What it is about.
    pub validation: &'a Validation,
    /// What a reader should know of the rows and the fits.
    pub warnings: &'a [String],
}

/// The whole page.
pub fn render(page: &ValidationPage) -> String {
    let of = page.validation;
    let sections: [(&str, &str, Markup); 8] = [
        ("criteria", "Models and baselines", criteria(of)),
        ("calibration", "Calibration by predicted tenth", deciles(of)),
        ("intervals", "Do the intervals hold?", coverage(of)),
        ("frequency", "By calibration frequency", by_frequency(of)),
        ("tracking", "Weekly tracking", tracking(of)),
        ("fits", "The fits", fits(of)),
        ("warnings", "Warnings", warnings(page)),
        ("provenance", "Configuration and provenance", provenance(page)),
    ];
    let content = html! {
        header {
            h1 { "Validation on a holdout" }
            p.byline {
                (plural(of.customers, "customer", "customers")) " · calibration to " (of.window.calibration_end)
                " · holdout to " (of.window.as_of) " (" (plural(of.holdout_days.into(), "day", "days")) ", "
                (plural(of.transactions, "transaction", "transactions")) ", spend " (money(of.spend)) ")"
            }
            div.answer { @for line in &of.conclusions { p { (line) } } }
            nav aria-label="Sections" {
                ul { @for (id, name, _) in &sections { li { a href=(format!("#{id}")) { (name) } } } }
            }
        }
        main {
            @for (id, name, content) in &sections { section id=(id) { h2 { (name) } (content) } }
        }
        footer { "Made by tiercast " (page.version) ". This page is one file: it needs no network and no script." }
    };
    document("Validation on a holdout", page.version, &content)
}

/// A criterion's value as a reader sees it.
fn show(criterion: Criterion, value: f64) -> String {
    match criterion {
        _ if criterion.is_share() => percent(value),
        Criterion::SpendMae => money(value),
        _ => number(value, 4),
    }
}

fn figure_cell(criterion: Criterion, figure: Option<Figure>) -> Markup {
    html! {
        td.n {
            @match figure {
                None => (NONE),
                Some(figure) => {
                    (show(criterion, figure.value))
                    @if let Some(error) = figure.standard_error { small { "± " (show(criterion, error)) } }
                }
            }
        }
    }
}

fn criteria(of: &Validation) -> Markup {
    let mut heads = vec!["Method"];
    heads.extend(Criterion::ALL.map(Criterion::words));
    html! {
        p {
            "Models were fitted to the calibration window alone. Under each figure stands its standard error over "
            (count(of.replications.into())) " resamples of the customers; the fits stay as they are. Customers with equal predictions count "
            "together: what lies at the edge of a tenth is shared, so no order of rows decides."
        }
        (parts::scroll("Criteria by method", html! {
            table {
                (parts::head(&heads, 1..heads.len()))
                tbody {
                    @for method in &of.methods {
                        tr {
                            th scope="row" { (method.name) small { (method.about) } }
                            @for metric in &method.metrics { (figure_cell(metric.criterion, metric.figure)) }
                        }
                    }
                }
            }
        }))
        p.muted {
            "Bias is the predicted total as a share of the actual one, less 1. The normalised Gini coefficient is 1 for the "
            "order of what happened and 0 for chance. Pairwise differences with their intervals are in "
            code { "differences.csv" } "."
        }
        @for left_out in &of.left_out {
            p { (left_out.model) " is left out: " (left_out.verdict) "." }
        }
    }
}

/// The methods whose lines a chart shows: all models and the first baseline.
fn drawn(of: &Validation) -> Vec<usize> {
    let baseline = of.methods.iter().position(|method| method.kind == MethodKind::Baseline);
    of.tracked.iter().copied().chain(baseline).collect()
}

fn deciles(of: &Validation) -> Markup {
    let shown =
        of.preferred.as_ref().map(|preferred| preferred.method).or_else(|| drawn(of).first().copied());
    let Some(method) = shown.map(|m| &of.methods[m]) else {
        return parts::absent("Nothing was predicted.");
    };
    let groups: Vec<String> = method.deciles.iter().map(|decile| decile.decile.to_string()).collect();
    let line = |name: &str, actual, value: &dyn Fn(usize) -> f64| Line {
        name: name.to_string(),
        actual,
        points: (0..method.deciles.len()).map(|i| (i as f64, value(i))).collect(),
    };
    let chart = lines(
        &LinesAbout {
            title: "Mean transactions by predicted tenth",
            caption: format!(
                "Customers in tenths by what {} predicts, the highest first: mean predicted and mean actual transactions in \
                 the holdout.",
                method.name
            ),
            x: "tenth by prediction",
            y: "transactions per customer",
            groups: &groups,
            mark: None,
        },
        &[
            line("actual", true, &|i| method.deciles[i].actual.value),
            line(&method.name, false, &|i| method.deciles[i].predicted.value),
        ],
    );
    html! {
        div.pair {
            (parts::figure(&chart))
            (parts::scroll("Tenths by prediction", html! {
                table.narrow {
                    (parts::head(&["Tenth", "Customers", "Predicted", "Actual", "95 % interval"], 0..5))
                    tbody {
                        @for decile in &method.deciles {
                            tr {
                                td.n { (decile.decile) }
                                td.n { (number(decile.customers, 0)) }
                                td.n { (number(decile.predicted.value, 3)) }
                                td.n { (number(decile.actual.value, 3)) }
                                td.n { @if let (Some(lower), Some(upper)) = (decile.actual.lower, decile.actual.upper) {
                                    (parts::interval(lower, upper, |v| number(v, 3)))
                                } }
                            }
                        }
                    }
                }
            }))
        }
        p.muted { "Every method’s tenths are in " code { "deciles.csv" } "." }
    }
}

fn coverage(of: &Validation) -> Markup {
    let judged: Vec<_> = of.methods.iter().filter_map(|m| Some((m, m.coverage.as_ref()?))).collect();
    let Some((_, first)) = judged.first() else {
        return parts::absent("No model has parameter draws that intervals could rest on.");
    };
    let heads = ["Model", "Of", "Customers in their interval", "Tenths", "Total: interval", "Actual", "Held"];
    html! {
        p {
            "How often intervals that claim " (percent(first.level)) " hold what happened, for "
            (plural(first.customers, "customer", "customers")) ". They carry what is open about the parameters (draws from \
             the calibration’s likelihood), each customer’s own rates, and luck. A customer’s transactions are whole \
             numbers, so that more than " (percent(first.level)) " is right for them. One holdout has one total: what many worlds say \
             of the intervals is in the project’s studies."
        }
        (parts::scroll("Coverage of intervals", html! {
            table {
                (parts::head(&heads, 2..heads.len()))
                tbody {
                    @for (method, coverage) in &judged {
                        @for (quantity, covered) in quantities(coverage) {
                            tr {
                                th scope="row" { (method.name) }
                                td { (quantity) }
                                (share_cell(covered.customers))
                                td.n {
                                    (covered.tenths.iter().filter(|tenth| tenth.covered).count())
                                    " of " (covered.tenths.len())
                                }
                                td.n { (parts::interval(covered.total.lower, covered.total.upper, |v| number(v, 0))) }
                                td.n { (number(covered.total.actual, 0)) }
                                td.n { @if covered.total.covered { "yes" } @else { "no" } }
                            }
                        }
                    }
                }
            }
        }))
        p.muted { "Every tenth’s interval is in " code { "coverage.csv" } "." }
    }
}

fn share_cell(figure: Option<Figure>) -> Markup {
    html! {
        td.n {
            @match figure {
                None => (NONE),
                Some(figure) => {
                    (percent(figure.value))
                    @if let Some(error) = figure.standard_error { small { "± " (percent(error)) } }
                }
            }
        }
    }
}

fn by_frequency(of: &Validation) -> Markup {
    let groups: Vec<String> = of.by_frequency.iter().map(frequency).collect();
    let line = |name: &str, actual, value: &dyn Fn(usize) -> Option<f64>| Line {
        name: name.to_string(),
        actual,
        points: (0..groups.len()).filter_map(|i| Some((i as f64, value(i)?))).collect(),
    };
    let mut expectations =
        vec![line("actual", true, &|i| of.by_frequency[i].actual.map(|figure| figure.value))];
    let mut histogram = vec![line("actual", true, &|i| Some(of.by_frequency[i].customers.value))];
    for m in drawn(of) {
        let name = &of.methods[m].name;
        expectations.push(line(name, false, &|i| of.by_frequency[i].predicted[m].map(|figure| figure.value)));
        if of.methods[m].kind == MethodKind::Model {
            histogram.push(line(name, false, &|i| of.by_frequency[i].expected_customers[m]));
        }
    }
    let about = |title, caption: &str, y| LinesAbout {
        title,
        caption: caption.to_string(),
        x: "repeat purchases in calibration",
        y,
        groups: &groups,
        mark: None,
    };
    html! {
        div.pair {
            (parts::figure(&lines(&about(
                "Holdout transactions by calibration frequency",
                "Mean transactions in the holdout of customers with so many repeat purchases in calibration: conditional \
                 expectations against what they did.",
                "transactions per customer",
            ), &expectations)))
            (parts::figure(&lines(&about(
                "Customers by calibration frequency",
                "How many customers made so many repeat purchases in calibration, and how many each fitted model expects, \
                 given how long each was observed.",
                "customers",
            ), &histogram)))
        }
        p.muted { "The figures are in " code { "by_frequency.csv" } "." }
    }
}

fn tracking(of: &Validation) -> Markup {
    if of.tracking.is_empty() {
        return parts::absent("Orders were not counted by day.");
    }
    let weeks = &of.tracking;
    let line = |name: &str, actual, value: &dyn Fn(usize) -> f64| Line {
        name: name.to_string(),
        actual,
        points: (0..weeks.len()).map(|i| ((i + 1) as f64, value(i))).collect(),
    };
    // A part of a week would look like a fall.
    let whole = |i: usize, value: f64| if weeks[i].days == 7 { value } else { f64::NAN };
    let mut each = vec![line("actual", true, &|i| whole(i, weeks[i].actual as f64))];
    let mut sum = vec![line("actual", true, &|i| weeks[i].cumulative_actual as f64)];
    for (k, &m) in of.tracked.iter().enumerate() {
        let name = &of.methods[m].name;
        each.push(line(name, false, &|i| whole(i, weeks[i].expected[k])));
        sum.push(line(name, false, &|i| weeks[i].cumulative_expected[k]));
    }
    let calibrated = weeks.iter().filter(|week| !week.holdout).count();
    let about = |title, caption: &str| LinesAbout {
        title,
        caption: caption.to_string(),
        x: "week",
        y: "repeat purchases",
        groups: &[],
        mark: Some((calibrated as f64 + 0.5, "holdout")),
    };
    html! {
        div.pair {
            (parts::figure(&lines(&about(
                "Repeat purchases by week",
                "Repeat purchases made in each week, and those that the models expect from the days of first orders alone. \
                 Weeks are counted from the end of calibration both ways; shorter ones at the ends are left out here.",
            ), &each)))
            (parts::figure(&lines(&about("Cumulative repeat purchases", "The same from the first order on."), &sum)))
        }
        p.muted { "Every week is in " code { "tracking.csv" } "." }
    }
}

fn fits(of: &Validation) -> Markup {
    html! { div.pair { @for fit in of.fits.iter().chain([&of.spend_fit]) { div { (lifetime::report(fit)) } } } }
}

fn warnings(page: &ValidationPage) -> Markup {
    html! { @if page.warnings.is_empty() { p { "None." } } @else { (parts::warnings(page.warnings)) } }
}

fn provenance(page: &ValidationPage) -> Markup {
    let of = page.validation;
    html! {
        p { "The same input, configuration, seed and version give the same result to the last byte, on any number of threads." }
        (parts::facts(&[
            ("Version", html! { "tiercast " (page.version) }),
            ("Seed", html! { (of.seed) }),
            ("Replications of the bootstrap", html! { (of.replications) }),
            ("Input fingerprint", html! { code { (page.fingerprint) } }),
        ]))
        dl.facts { @for (key, value) in page.config { dt { (key) } dd { (value) } } }
    }
}
