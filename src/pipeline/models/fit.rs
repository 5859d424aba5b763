//! Models fitted to a file of customers.

use crate::clv::model_file::FittedTo;
use crate::clv::{Fit, GammaGamma, GammaGammaModel, ModelFile, ModelName, Patterns, PurchaseFit};
use crate::customers::{Statistics, StatisticsFile};
use crate::error::Result;
use crate::progress::Progress;

/// Fits to a file of customers.
#[derive(Debug)]
pub struct Fitted {
    /// The model of purchases.
    pub purchases: PurchaseFit,
    /// The model of spend, where the file has money.
    pub spend: Option<Fit<GammaGamma>>,
    /// What they were fitted to.
    pub fitted_to: FittedTo,
    /// Rows without statistics.
    pub prospects: u64,
}

impl Fitted {
    /// The file to keep.
    ///
    /// # Errors
    /// [`Error::Value`] where the model of purchases is not usable.
    pub fn file(&self) -> Result<ModelFile> {
        ModelFile::new(&self.purchases, self.spend.as_ref(), self.fitted_to.clone())
    }
}

/// Fits a model to the customers of a file, with times in the file's unit.
///
/// # Errors
/// Those of reading. A fit that finds no optimum is none: its report says so.
pub fn fit_customers(file: &StatisticsFile, model: ModelName, progress: &dyn Progress) -> Result<Fitted> {
    progress.phase("reading", file.stretches() as u64);
    let statistics = file.statistics(0..file.stretches())?;
    progress.phase("finding patterns", 0);
    let patterns = patterns_of(&statistics)?;
    let purchases = PurchaseFit::new(model, &patterns, file.unit(), progress)?;
    let spend = spend_of(file, &statistics, progress)?;
    let customers = statistics.frequency.len() as u64;
    Ok(Fitted { purchases, spend, fitted_to: fitted_to(file, customers), prospects: file.rows() - customers })
}

/// The model of spend of a file's customers, where it has money.
pub(super) fn spend_of(
    file: &StatisticsFile,
    statistics: &Statistics,
    progress: &dyn Progress,
) -> Result<Option<Fit<GammaGamma>>> {
    Ok(match file.has_money() {
        true => Some(GammaGammaModel.fit(&statistics.frequency, &statistics.monetary_value, progress)?),
        false => None,
    })
}

/// What a model of so many customers of a file was fitted to.
pub(super) fn fitted_to(file: &StatisticsFile, customers: u64) -> FittedTo {
    FittedTo {
        file: file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        customers,
        calibration_end: file.about().map(|about| about.calibration_end),
    }
}

/// The distinct histories among customers.
///
/// # Errors
/// As for [`Patterns::from_days`].
pub(super) fn patterns_of(statistics: &Statistics) -> Result<Patterns> {
    let Statistics { frequency, recency_days, t_days, .. } = statistics;
    if !statistics.are_whole_days() || t_days.iter().any(|&days| days > f64::from(u32::MAX)) {
        return Patterns::from_times(frequency, recency_days, t_days);
    }
    let whole = |days: &[f64]| days.iter().map(|&days| days as u32).collect::<Vec<_>>();
    Patterns::from_days(frequency, &whole(recency_days), &whole(t_days))
}
