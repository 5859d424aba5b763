//! What a fit by group shows.

use tiercast::clv::Verdict;
use tiercast::clv::grouped::GroupReport;
use tiercast::pipeline::FittedGroups;
use tiercast::report::format::{count, significant};

use super::{Outcome, money, reports_table, title};
use crate::render::Grid;

pub(super) fn outcome(fitted: &FittedGroups) -> Outcome {
    Outcome {
        warnings: fitted.warnings(),
        tables: tables(fitted),
        document: fitted.file().and_then(|file| file.document().text()),
    }
}

fn tables(fitted: &FittedGroups) -> String {
    let whole = fitted.purchases.report();
    let groups = &fitted.groups;
    let heading = title(fitted.fitted_to.customers, fitted.prospects, whole.unit);
    let spend = fitted.spend.as_ref().map(|fit| &fit.report);
    let reports = [Some(whole), spend].into_iter().flatten();
    let mut out = reports_table(format!("{heading}: all together"), reports) + &money(fitted.money.as_ref());

    let heading = format!("Between groups by {}: {}", fitted.column, groups.verdict.sentence());
    let mut spread = Grid::new(
        heading,
        &["on the scale of pooling", ">mean", ">standard error", ">deviation between groups"],
    );
    for row in &groups.population {
        spread.row(vec![
            row.name.into(),
            significant(row.mean, 4),
            significant(row.standard_error, 2),
            if row.deviation == 0.0 { "0 (common to all)".into() } else { significant(row.deviation, 3) },
        ]);
    }
    out += &spread.text();

    let names: Vec<&str> = groups.mean.iter().map(|p| p.name).collect();
    let scales: Vec<&str> = groups.population.iter().map(|s| s.name).collect();
    let shrinkage = format!("shrinkage to the mean of {}", scales.join(" / "));
    let mut columns = vec!["group".to_string(), ">customers".to_string(), "own estimates".to_string()];
    columns.extend(names.iter().map(|name| format!(">{name} (s.e.)")));
    columns.extend([shrinkage, "pooled estimates".to_string()]);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Grid::new(format!("{} groups, pooled parameters", groups.groups.len()), &columns);
    for group in &groups.groups {
        table.row(row(group, names.len()));
    }
    let mut mean = vec!["(mean of groups)".to_string(), String::new(), String::new()];
    mean.extend(groups.mean.iter().map(|p| with_error(p.estimate, p.standard_error)));
    mean.extend([String::new(), "for groups not seen here".to_string()]);
    table.row(mean);
    out + &table.text()
}

fn row(group: &GroupReport, parameters: usize) -> Vec<String> {
    let mut row = vec![group.name.clone(), count(group.customers), short(&group.own.verdict)];
    let found = group.parameters.iter().map(|p| with_error(p.estimate, p.standard_error));
    row.extend(found.chain(std::iter::repeat("none".to_string())).take(parameters));
    let shrinkage: Vec<String> =
        group.scale_free.iter().map(|s| format!("{:.0} %", 100.0 * s.shrinkage)).collect();
    row.extend([shrinkage.join(" / "), short(&group.verdict)]);
    row
}

fn with_error(estimate: f64, error: Option<f64>) -> String {
    let error = error.map_or("unknown".to_string(), |error| significant(error, 2));
    format!("{} ({error})", significant(estimate, 4))
}

/// A verdict's name.
fn short(verdict: &Verdict) -> String {
    match verdict {
        Verdict::VerifiedOptimum => "verified optimum".to_string(),
        Verdict::Boundary { name, .. } => (*name).to_string(),
        Verdict::Failed { reason, .. } => format!("failed: {reason}"),
    }
}
