//! Models of contracts fitted to survivors by cohort, and cohorts forecast by one.

use std::path::Path;

use serde::Serialize;

use crate::calendar::Span;
use crate::clv::contractual::{
    Bdw, BdwModel, Cohort, CohortForecast, Cohorts, Contract, ForecastOptions, GoodnessOfFit, Sbg, SbgModel,
    duration_dependence, forecast, goodness_of_fit,
};
use crate::clv::model_file::{ContractFile, ContractName, Drawn, FittedToCohorts};
use crate::clv::{Fit, FitReport, LikelihoodRatio, LogLikelihood, Parametric, PosteriorOptions};
use crate::customers::{SurvivorColumns, SurvivorRows};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::forecast::write_forecast;

/// A misfit that chance makes less often than this is said.
const MISFIT: f64 = 0.01;

/// A model of contracts fitted, and the other one beside it.
#[derive(Debug)]
pub struct FittedContract {
    /// Which was asked for.
    pub name: ContractName,
    /// Its fit.
    pub report: FitReport,
    /// The fit of the other one.
    pub other: FitReport,
    /// Whether losses depend on a customer's age: sBG against BdW; none where one of them is not usable.
    pub duration_dependence: Option<LikelihoodRatio>,
    /// The fitted model; none where it is not usable.
    pub model: Option<Contract>,
    /// Whether the cohorts fit it, beyond chance; none without a usable model or with too little to tell.
    pub goodness_of_fit: Option<GoodnessOfFit>,
    /// Draws of its parameters.
    pub drawn: Option<Drawn>,
    /// What it was fitted to.
    pub cohorts: Cohorts,
    /// Their summary.
    pub fitted_to: FittedToCohorts,
}

/// A cohort as it was observed and as the model has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FittedCohort<'a> {
    /// The cohort.
    pub cohort: &'a str,
    /// Customers at the beginning, after the first renewal, ….
    pub survivors: &'a [u64],
    /// The share left at each of these, as observed; empty without customers.
    pub observed: Vec<f64>,
    /// The share left by the model.
    pub fitted: Vec<f64>,
}

impl FittedContract {
    /// Observed and fitted survival of every cohort; none where the model is not usable.
    pub fn survival(&self) -> Vec<FittedCohort<'_>> {
        let Some(model) = &self.model else { return Vec::new() };
        self.cohorts.cohorts().iter().map(|cohort| fitted(cohort, model)).collect()
    }

    /// What a reader of the fit should know.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = self.report.warnings.clone();
        if self.name == ContractName::Sbg
            && let Some(test) = self.duration_dependence.filter(|test| test.p_value < 0.05)
        {
            out.push(format!(
                "losses depend on a customer's age (p = {:.2e}), which sBG cannot say: look at --model bdw",
                test.p_value
            ));
        }
        if let Some(test) = self.goodness_of_fit.filter(|test| test.p_value < MISFIT) {
            out.push(format!(
                "cohorts lose customers otherwise than {} has it, by more than chance (χ² = {:.1} with {} degrees of \
                 freedom, p = {:.2e}): forecasts are off and intervals too narrow; fit cohorts that differ apart",
                self.name.title(),
                test.statistic,
                test.degrees_of_freedom,
                test.p_value
            ));
        }
        out.extend(self.drawn.iter().flat_map(|drawn| drawn.warnings.iter().cloned()));
        out
    }

    /// The file to keep; `period` is how long a period is, where that was said.
    ///
    /// # Errors
    /// [`Error::Value`] where the model is not usable.
    pub fn file(&self, period: Option<Span>) -> Result<ContractFile> {
        let mut file = ContractFile::new(self.name, &self.report, self.fitted_to.clone(), period)?;
        file.comparison = Some(serde_json::json!({
            "other": self.other,
            "duration_dependence": self.duration_dependence,
            "goodness_of_fit": self.goodness_of_fit,
            "survival": self.survival(),
        }));
        file.drawn = self.drawn.clone();
        Ok(file)
    }
}

fn fitted<'a>(cohort: &'a Cohort, model: &Contract) -> FittedCohort<'a> {
    let survivors = cohort.survivors();
    let all = survivors[0] as f64;
    let observed = survivors.iter().filter(|_| all > 0.0).map(|&left| left as f64 / all).collect();
    let fitted = (0..survivors.len() as u64).map(|t| model.survival(t)).collect();
    FittedCohort { cohort: cohort.name(), survivors, observed, fitted }
}

/// Reads survivors from a file.
///
/// # Errors
/// Those of [`SurvivorRows::read`] and [`Cohorts::from_rows`], with the file.
pub fn read_cohorts(path: &Path, columns: &SurvivorColumns, progress: &dyn Progress) -> Result<Cohorts> {
    progress.phase("reading", 0);
    let SurvivorRows { cohort, period, survivors } = SurvivorRows::read(path, columns, progress)?;
    Cohorts::from_rows(&cohort, &period, &survivors).map_err(|error| match error {
        Error::Value { what, value, problem, remedy } => {
            Error::Value { what: format!("{}: {what}", path.display()), value, problem, remedy }
        }
        other => other,
    })
}

/// Fits a model of contracts to the cohorts of a file, and the other one beside it.
///
/// # Errors
/// Those of reading. A fit that finds no optimum is none: its report says so.
pub fn fit_cohorts(
    path: &Path,
    columns: &SurvivorColumns,
    name: ContractName,
    options: &PosteriorOptions,
    progress: &dyn Progress,
) -> Result<FittedContract> {
    let cohorts = read_cohorts(path, columns, progress)?;
    let sbg = SbgModel.fit(&cohorts, progress)?;
    let bdw = BdwModel.fit(&cohorts, progress)?;
    let duration_dependence = duration_dependence(&sbg, &bdw);
    let (model, drawn) = match name {
        ContractName::Sbg => (
            sbg.params.map(Contract::Sbg),
            drawn::<Sbg>(&sbg, &SbgModel.likelihood(&cohorts), options, progress)?,
        ),
        ContractName::Bdw => (
            bdw.params.map(Contract::Bdw),
            drawn::<Bdw>(&bdw, &BdwModel.likelihood(&cohorts), options, progress)?,
        ),
    };
    let (report, other) = match name {
        ContractName::Sbg => (sbg.report, bdw.report),
        ContractName::Bdw => (bdw.report, sbg.report),
    };
    let goodness_of_fit =
        model.as_ref().and_then(|model| goodness_of_fit(&cohorts, model, report.parameters.len() as u32));
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fitted_to = FittedToCohorts::of(file, &cohorts);
    Ok(FittedContract {
        name,
        report,
        other,
        duration_dependence,
        model,
        goodness_of_fit,
        drawn,
        cohorts,
        fitted_to,
    })
}

/// Draws of a fit's parameters; none where it is not usable or none are asked for.
pub(super) fn drawn<P: Parametric>(
    fit: &Fit<P>,
    likelihood: &impl LogLikelihood,
    options: &PosteriorOptions,
    progress: &dyn Progress,
) -> Result<Option<Drawn>> {
    if options.draws == 0 {
        return Ok(None);
    }
    progress.phase("drawing parameters", 0);
    let posterior = fit.posterior(likelihood, options, progress)?;
    posterior.map(|posterior| Drawn::new(&posterior, options.seed)).transpose()
}

/// Writes a forecast of every cohort of a file: a line for its last period and each after it.
///
/// # Errors
/// Those of reading, writing and [`forecast`].
pub fn forecast_cohorts(
    path: &Path,
    columns: &SurvivorColumns,
    model: &ContractFile,
    options: &ForecastOptions,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Vec<CohortForecast>> {
    let wrong = |problem: String| Error::internal("a model that was checked", problem);
    let (contract, draws) = (model.model().map_err(wrong)?, model.draws().map_err(wrong)?);
    let cohorts = read_cohorts(path, columns, progress)?;
    let forecasts = forecast(&cohorts, &contract, &draws, options, progress)?;
    progress.phase("writing", 0);
    write_forecast(out, &forecasts)?;
    Ok(forecasts)
}
