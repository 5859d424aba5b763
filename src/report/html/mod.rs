//! The report as one self-contained page: no request, no script, every chart inside it.
//!
//! [`Page`] holds references to what a run has found, [`render`] writes it down, one file per section. Everything
//! that a user has named passes through maud, which escapes it.

mod assumptions;
mod built_in;
mod claims;
mod cohorts;
mod compared;
mod customers;
mod data;
mod drawn;
#[cfg(test)]
mod fixture;
mod groups;
mod headline;
mod holds;
mod lifetime;
mod notes;
mod over_time;
mod parts;
mod plans;
mod rests_on;
mod simulation;
#[cfg(test)]
pub(in crate::report) mod simulation_fixture;
#[cfg(test)]
mod simulation_tests;
mod sources;
mod strategies;
#[cfg(test)]
mod tests;
pub mod validation;

pub use drawn::Drawn;
pub use simulation::{SimulationPage, render_simulation};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::compared::Compared;
use crate::calendar::{Discount, Span};
use crate::clv::FitReport;
use crate::clv::validate::Choice;
use crate::customers::cohorts::CohortTable;
use crate::customers::concentration::Concentration;
use crate::customers::rfm::Rfm;
use crate::customers::{CustomerTable, ListReport};
use crate::history::Ledger;
use crate::segment::Segmentation;
use crate::simulate::{ClaimCheck, Comparison, Sensitivity, SplitWinner};
use crate::strategy::StrategySet;
use crate::tier::Tiering;
use crate::tier::opt_out::OptOutReport;

/// What the page is made of.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The heading; where it is empty that of the strategies stands in.
    pub title: &'a str,
    /// Version of the program.
    pub version: &'a str,
    /// Seed of every random number.
    pub seed: u64,
    /// Fingerprint of the input.
    pub fingerprint: &'a str,
    /// A label for money; may be empty.
    pub currency: &'a str,
    /// The resolved configuration: key, value.
    pub config: &'a [(String, String)],
    /// The columns that were read: what for, and which ("customer", "customer_id, int32, found by its name").
    pub columns: &'a [(String, String)],
    /// What became of every row.
    pub ledger: &'a Ledger,
    /// The customers; its window and unit are those of the run.
    pub table: &'a CustomerTable,
    /// What became of the customers list, where there was one.
    pub list: Option<&'a ListReport>,
    /// Who of them came back when; none where it was not counted.
    pub cohorts: Option<&'a CohortTable>,
    /// Their scores.
    pub rfm: &'a Rfm,
    /// How their spend is concentrated.
    pub concentration: &'a Concentration,
    /// The reports of the fits, purchases first, then spend; also those that failed. Empty when nothing was fitted.
    pub fits: &'a [&'a FitReport],
    /// Which model of purchases was used and why, as sentences; may be empty.
    pub model_reason: &'a str,
    /// What a holdout says of the models, where it was asked.
    pub model_choice: Option<&'a Choice>,
    /// What the models expect of each customer; none where a fit is not usable.
    pub lifetime: Option<Lifetime<'a>>,
    /// The clusters.
    pub segmentation: Option<&'a Segmentation>,
    /// The tiers, one entry per scheme.
    pub tierings: &'a [Tiering],
    /// What was to be compared.
    pub set: Option<&'a StrategySet>,
    /// What became of the list of those who opted out, where there was one.
    pub opt_out: Option<&'a OptOutReport>,
    /// Strategies side by side.
    pub comparison: Option<&'a Comparison>,
    /// What each strategy's gain rests on; empty where it was not asked.
    pub sensitivity: &'a [Sensitivity],
    /// The winner of each half of the contacts, valued by the other, where responses were learned with halves.
    pub split_winners: Option<&'a [SplitWinner; 2]>,
    /// Claims of the strategy file held against the data.
    pub claims: &'a [ClaimCheck],
    /// Why there is no comparison, as a sentence of its own; ignored where there is one.
    pub no_comparison: &'a str,
    /// What a reader should know: of the whole run, the fits' own warnings not included.
    pub warnings: &'a [String],
}

impl<'a> Page<'a> {
    /// The comparison with what it rests on, where there is one.
    fn compared(&self) -> Option<Compared<'a>> {
        let (set, comparison) = self.set.zip(self.comparison)?;
        Some(Compared {
            set,
            comparison,
            sensitivity: self.sensitivity,
            split_winners: self.split_winners,
            claims: self.claims,
            currency: self.currency,
            begins: self.table.window.calibration_end,
            drawn: Drawn::ALL,
        })
    }
}

/// What the models expect of every customer; each slice has one entry per customer.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime<'a> {
    /// How far ahead.
    pub horizon: Span,
    /// The rate by which later money is worth less.
    pub discount: Discount,
    /// The share of revenue that counts.
    pub margin: f64,
    /// How it is applied, as a sentence ("orders of month i count 1/(1 + rate)^i; …").
    pub convention: &'a str,
    /// Probability to be still a customer.
    pub p_alive: &'a [f64],
    /// Expected orders within the horizon.
    pub orders: &'a [f64],
    /// Lifetime value.
    pub clv: &'a [f64],
    /// The sum of all lifetime values and the 95 % interval of that expectation.
    pub total: Option<Total>,
}

/// A sum with the 95 % interval of its expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// At the fitted parameters.
    pub value: f64,
    /// 2.5 % quantile over the parameters' uncertainty.
    pub lower: f64,
    /// 97.5 % quantile.
    pub upper: f64,
}

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub fn render(page: &Page) -> String {
    let heading = heading(page);
    let content = body(page, &heading);
    document(&heading, page.version, &content)
}

/// A page that is one file.
fn document(title: &str, version: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light";
                meta name="generator" content=(format!("tiercast {version}"));
                title { (title) }
                // Without an icon of its own a browser would ask the server for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (content)
            }
        }
    }
    .into_string()
}

fn heading(page: &Page) -> String {
    let of_set = page.set.map_or("", |set| set.title.as_str());
    [page.title, of_set, "Customer tiers and strategies"]
        .into_iter()
        .find(|t| !t.is_empty())
        .unwrap_or("")
        .into()
}

fn body(page: &Page, heading: &str) -> Markup {
    let sections: [(&str, &str, Markup); 10] = [
        ("data", "Data", data::section(page)),
        ("customers", "Customers", customers::section(page)),
        ("lifetime-value", "Lifetime value", lifetime::section(page)),
        ("segments", "Segments", groups::segments(page)),
        ("tiers", "Tiers", groups::tiers(page)),
        ("strategies", "Strategies", strategies::section(page)),
        ("assumptions", "Assumptions", assumptions::section(page)),
        (
            "intervals",
            "How to read the intervals",
            notes::intervals(page.comparison.map(|of| of.worlds), Drawn::ALL),
        ),
        ("warnings", "Warnings", notes::warnings(page)),
        ("provenance", "Configuration and provenance", notes::provenance(page)),
    ];
    html! {
        header {
            h1 { (heading) }
            (headline::header(page))
            nav aria-label="Sections" {
                ul { @for (id, name, _) in &sections { li { a href=(format!("#{id}")) { (name) } } } }
            }
        }
        main {
            @for (id, name, content) in &sections {
                section id=(id) { h2 { (name) } (content) }
            }
        }
        footer { "Made by tiercast " (page.version) ". This page is one file: it needs no network and no script." }
    }
}
