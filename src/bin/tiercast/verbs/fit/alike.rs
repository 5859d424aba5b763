//! What a fit of one model for all customers shows.

use tiercast::clv::{PosteriorReport, Trust};
use tiercast::pipeline::Fitted;
use tiercast::report::format::{count, number, significant};

use super::{Outcome, money, reports_table, title};
use crate::render::Grid;

pub(super) fn outcome(fitted: &Fitted) -> Outcome {
    let mut warnings = fitted.warnings();
    warnings.extend(fitted.draws.iter().flat_map(|draws| draws.warnings()));
    Outcome {
        warnings,
        tables: tables(fitted),
        document: fitted.file().and_then(|file| file.document().text()),
    }
}

fn tables(fitted: &Fitted) -> String {
    let purchases = fitted.purchases.report();
    let title = title(fitted.fitted_to.customers, fitted.prospects, purchases.unit);
    let reports = [Some(purchases), fitted.spend.as_ref().map(|fit| &fit.report)];
    let draws: Vec<&PosteriorReport> = fitted.draws.iter().flat_map(|draws| draws.reports()).collect();
    reports_table(title, reports.into_iter().flatten()) + &money(fitted.money.as_ref()) + &drawn(&draws)
}

/// What the draws say of the parameters, and how far they can be trusted.
fn drawn(reports: &[&PosteriorReport]) -> String {
    let Some(first) = reports.first() else { return String::new() };
    let prior = first.prior;
    let title = format!("{} draws of the parameters, prior {}", count(first.draws.into()), prior.sentence());
    let mut parameters = Grid::new(title, &["model", "parameter", ">median", ">2.5 %", ">97.5 %"]);
    let heads = ["model", ">k̂", ">proposals", ">worth draws", "draws are"];
    let mut trust = Grid::new("Trust in the draws", &heads);
    for report in reports {
        for (i, parameter) in report.parameters.iter().enumerate() {
            parameters.row(vec![
                if i == 0 { report.model.to_string() } else { String::new() },
                parameter.name.to_string(),
                significant(parameter.median, 6),
                significant(parameter.lower, 6),
                significant(parameter.upper, 6),
            ]);
        }
        trust.row(vec![
            report.model.to_string(),
            report.k_hat.map_or("none".into(), |k| number(k, 2)),
            count(report.proposals.into()),
            number(report.effective, 0),
            match report.trust {
                Trust::Good => "reliable".into(),
                Trust::Fair => "usable".into(),
                Trust::Poor => "not to be trusted".into(),
            },
        ]);
    }
    parameters.text() + &trust.text()
}
