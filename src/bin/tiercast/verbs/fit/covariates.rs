//! What a fit with covariates shows.

use tiercast::clv::covariates::{Coefficient, Side};
use tiercast::pipeline::FittedCovariates;
use tiercast::report::format::significant;

use super::{Outcome, money, reports_table, title};
use crate::render::Grid;

pub(super) fn outcome(fitted: &FittedCovariates) -> Outcome {
    Outcome {
        warnings: fitted.warnings(),
        tables: tables(fitted),
        document: fitted.file().and_then(|file| file.document().text()),
    }
}

fn tables(fitted: &FittedCovariates) -> String {
    let report = &fitted.report;
    let heading = title(fitted.fitted_to.customers, fitted.prospects, report.fit.unit);
    let heading = format!("{heading}; at the means of numeric covariates and at reference levels");
    let spend = fitted.spend.as_ref().map(|fit| &fit.report);
    let reports = [Some(&report.fit), spend].into_iter().flatten();
    let mut out = reports_table(heading, reports) + &money(fitted.money.as_ref());

    let columns = ["of", "covariate", ">coefficient", ">standard error", ">z", ">factor e^coefficient"];
    let mut coefficients = Grid::new("Coefficients, for one unit or against the reference level", &columns);
    let mut last = None;
    for coefficient in &report.coefficients {
        coefficients.row(row(coefficient, last != Some(coefficient.side), report.penalty));
        last = Some(coefficient.side);
    }
    out += &coefficients.text();

    let mut fits = Grid::new("With and without covariates", &["", ">log-likelihood", ">AIC"]);
    let number = |value: Option<f64>| value.map_or("none".to_string(), |v| format!("{v:.3}"));
    let natural = report.fit.parameters.len() as f64;
    let plain = report.plain_log_likelihood;
    fits.row(vec!["without".into(), number(plain), number(plain.map(|ll| 2.0 * (natural - ll)))]);
    fits.row(vec!["with".into(), number(report.fit.log_likelihood), number(report.aic)]);
    if report.penalty > 0.0 {
        let name = format!("with, less the penalty at {}", report.penalty);
        fits.row(vec![name, number(report.penalised_objective), "none".into()]);
    }
    out += &fits.text();
    out + &match &report.against_plain {
        Some(test) => format!(
            "All coefficients against none: likelihood ratio {} on {} degrees of freedom, p = {}\n",
            significant(test.statistic, 6),
            test.degrees_of_freedom,
            probability(test.p_value)
        ),
        None => "No likelihood-ratio test: see the warnings\n".to_string(),
    }
}

fn row(coefficient: &Coefficient, first: bool, penalty: f64) -> Vec<String> {
    let side = match (first, coefficient.side) {
        (false, _) => "",
        (true, Side::Purchase) => "purchases",
        (true, Side::Dropout) => "dropout",
    };
    let name = match (&coefficient.level, &coefficient.reference) {
        (Some(level), Some(reference)) => {
            format!("{} = {level}, against {reference}", coefficient.covariate)
        }
        _ => coefficient.covariate.clone(),
    };
    let error = coefficient.standard_error;
    // Shrunken coefficients are not tested by their errors.
    let z = error.filter(|_| penalty == 0.0).map(|error| format!("{:.2}", coefficient.estimate / error));
    vec![
        side.into(),
        name,
        significant(coefficient.estimate, 4),
        error.map_or("unknown".into(), |error| significant(error, 2)),
        z.unwrap_or("none".into()),
        significant(coefficient.estimate.exp(), 3),
    ]
}

fn probability(p: f64) -> String {
    if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") }
}
