//! Models fitted to a file of customers.

use crate::clv::model_file::{Draws, FittedTo};
use crate::clv::{
    Fit, GammaGamma, GammaGammaModel, ModelFile, ModelName, Patterns, PosteriorOptions, PurchaseFit,
};
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
    /// Draws of their parameters, where they were asked for and the model of purchases is usable.
    pub draws: Option<Draws>,
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
        let file = ModelFile::new(&self.purchases, self.spend.as_ref(), self.fitted_to.clone())?;
        Ok(ModelFile { draws: self.draws.clone(), ..file })
    }
}

/// Fits a model to the customers of a file, with times in the file's unit, and draws its parameters if that is asked for.
///
/// # Errors
/// Those of reading. A fit that finds no optimum is none: its report says so.
pub fn fit_customers(
    file: &StatisticsFile,
    model: ModelName,
    draws: Option<&PosteriorOptions>,
    progress: &dyn Progress,
) -> Result<Fitted> {
    progress.phase("reading", file.stretches() as u64);
    let statistics = file.statistics(0..file.stretches())?;
    progress.phase("finding patterns", 0);
    let patterns = patterns_of(&statistics)?;
    let purchases = PurchaseFit::new(model, &patterns, file.unit(), progress)?;
    let spend = match file.has_money() {
        true => Some(GammaGammaModel.fit(&statistics.frequency, &statistics.monetary_value, progress)?),
        false => None,
    };
    let draws = match draws {
        Some(options) => {
            progress.phase("drawing parameters", 0);
            let unit = file.unit();
            Draws::new(&purchases, spend.as_ref(), &patterns, unit, &statistics, options, progress)?
        }
        None => None,
    };
    let customers = statistics.frequency.len() as u64;
    let fitted_to = FittedTo {
        file: file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        customers,
        calibration_end: file.about().map(|about| about.calibration_end),
    };
    Ok(Fitted { purchases, spend, draws, fitted_to, prospects: file.rows() - customers })
}

/// The distinct histories among customers.
///
/// # Errors
/// As for [`Patterns::from_days`].
fn patterns_of(statistics: &Statistics) -> Result<Patterns> {
    let Statistics { frequency, recency_days, t_days, .. } = statistics;
    if !statistics.are_whole_days() || t_days.iter().any(|&days| days > f64::from(u32::MAX)) {
        return Patterns::from_times(frequency, recency_days, t_days);
    }
    let whole = |days: &[f64]| days.iter().map(|&days| days as u32).collect::<Vec<_>>();
    Patterns::from_days(frequency, &whole(recency_days), &whole(t_days))
}
