//! The page of a simulation: what strategies gain and at which risk, when, and on which assumptions it rests.

use maud::{Markup, html};

use super::compared::Compared;
use super::{
    Drawn, assumptions, built_in, claims, document, headline, holds, notes, over_time, parts, plans,
    rests_on, strategies,
};
use crate::calendar::Day;
use crate::report::format::{number, plural};
use crate::simulate::{ClaimCheck, Comparison, Metric, Sensitivity, SplitWinner};
use crate::strategy::StrategySet;
use crate::tier::opt_out::OptOutReport;

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct SimulationPage<'a> {
    /// The heading; where it is empty that of the strategies stands in.
    pub title: &'a str,
    /// The version that made it.
    pub version: &'a str,
    /// Seed of every random number.
    pub seed: u64,
    /// A label for money; may be empty.
    pub currency: &'a str,
    /// What was compared.
    pub set: &'a StrategySet,
    /// Strategies side by side.
    pub comparison: &'a Comparison,
    /// What each of its worlds draws anew, and what is held.
    pub drawn: Drawn,
    /// What became of the list of those who opted out, where there was one.
    pub opt_out: Option<&'a OptOutReport>,
    /// What each strategy's gain rests on; empty where it was not asked.
    pub sensitivity: &'a [Sensitivity],
    /// The winner of each half of the contacts, valued by the other, where responses were learned with halves.
    pub split_winners: Option<&'a [SplitWinner; 2]>,
    /// Claims held against the data.
    pub claims: &'a [ClaimCheck],
    /// What a reader should know.
    pub warnings: &'a [String],
    /// The resolved configuration: key, value. Of `horizon` and `discount` the page says that lifetime value goes by them.
    pub config: &'a [(String, String)],
    /// The last day of the history: the horizon begins after it.
    pub begins: Day,
    /// Facts about the models: name, value. The first value that begins with the name of a model of purchases ("BG/NBD") says
    /// that it is this one.
    pub model: &'a [(String, String)],
}

impl<'a> SimulationPage<'a> {
    fn compared(&self) -> Compared<'a> {
        Compared {
            set: self.set,
            comparison: self.comparison,
            sensitivity: self.sensitivity,
            split_winners: self.split_winners,
            claims: self.claims,
            currency: self.currency,
            begins: self.begins,
            drawn: self.drawn,
        }
    }

    fn heading(&self) -> &'a str {
        [self.title, self.set.title.as_str(), "Simulated strategies"]
            .into_iter()
            .find(|title| !title.is_empty())
            .unwrap_or("")
    }
}

/// The whole page.
pub fn render_simulation(page: &SimulationPage) -> String {
    let of = page.compared();
    let sections: [(&str, &str, Markup); 12] = [
        ("differences", "What each strategy gains", differences(page, &of)),
        ("risk", "Risk", strategies::risk(&of)),
        ("tiers", "Tier by tier", strategies::by_tier(&of)),
        ("plans", "Who gets what", plans::tables(&of)),
        ("time", "Over the horizon", over_time::charts(&of)),
        ("sensitivity", "What the gains rest on", rests_on::by_strategy(&of)),
        ("claims", "Claims", claims::table(&of)),
        ("assumptions", "Assumptions", assumptions::sheet(page.set, page.currency, page.drawn, page.config)),
        ("model", "Built into the model", model(page)),
        (
            "intervals",
            "How to read the intervals",
            notes::intervals(Some(page.comparison.worlds), page.drawn),
        ),
        ("warnings", "Warnings", warnings(page)),
        ("provenance", "Configuration and provenance", provenance(page)),
    ];
    let content = html! {
        header {
            h1 { (page.heading()) }
            (byline(page))
            div.answer {
                p { (headline::of_comparison(&of)) }
                @for p in headline::details(&of) { p { (p) } }
                @for p in holds::in_short(&of) { p { (p) } }
            }
            nav aria-label="Sections" {
                ul { @for (id, name, _) in &sections { li { a href=(format!("#{id}")) { (name) } } } }
            }
        }
        main {
            @for (id, name, content) in &sections { section id=(id) { h2 { (name) } (content) } }
        }
        footer { "Made by tiercast " (page.version) ". This page is one file: it needs no network and no script." }
    };
    document(page.heading(), page.version, &content)
}

fn byline(page: &SimulationPage) -> Markup {
    let comparison = page.comparison;
    html! {
        p.byline {
            (number(customers(page), 0)) " customers · history to " (page.begins) " · "
            (parts::span(page.set.horizon)) " ahead · "
            (plural(comparison.worlds as u64, "world", "worlds")) " · "
            (plural(comparison.replications as u64, "replication", "replications")) " · seed\u{a0}" (page.seed)
        }
    }
}

/// Customers who are there when the horizon begins.
fn customers(page: &SimulationPage) -> f64 {
    page.compared().value(0, None, Metric::Customers)
}

fn differences(page: &SimulationPage, of: &Compared) -> Markup {
    html! {
        @if !page.set.title.is_empty() && page.set.title != page.heading() { p { (page.set.title) } }
        (strategies::question(of))
        (strategies::whole(of))
        h3 { "All customers" }
        (strategies::totals(of))
        h3 { "Does the best hold?" }
        (holds::paragraphs(of))
    }
}

fn model(page: &SimulationPage) -> Markup {
    let model = built_in::model_named(page.model.iter().map(|(_, value)| value.as_str()));
    html! {
        @if !page.model.is_empty() { (parts::pairs(page.model)) }
        ul {
            (built_in::items(Some(page.set), model, page.drawn))
            @if let Some(opt_out) = page.opt_out { (built_in::opted_out(opt_out, customers(page) as u64)) }
        }
    }
}

fn warnings(page: &SimulationPage) -> Markup {
    html! { @if page.warnings.is_empty() { p { "None." } } @else { (parts::warnings(page.warnings)) } }
}

fn provenance(page: &SimulationPage) -> Markup {
    html! {
        p {
            "The same customers, models, strategy file, seed and version give the same result to the last byte, on any number of "
            "threads."
        }
        (parts::facts(&[
            ("Version", html! { "tiercast " (page.version) }),
            ("Seed", html! { (page.seed) }),
            ("Worlds", html! { (page.comparison.worlds) }),
            ("Drawn in each", html! { (page.drawn.what()) }),
            ("Replications", html! { (page.comparison.replications) }),
        ]))
        (notes::configuration(page.config))
    }
}
