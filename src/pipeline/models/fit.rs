//! Models fitted to a file of customers.

use crate::clv::gamma_gamma::frequency_spend_correlation;
use crate::clv::model_file::{Draws, FittedMoney, FittedTo};
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
    /// What that was fitted to.
    pub money: Option<FittedMoney>,
    /// Draws of their parameters, where they were asked for and the model of purchases is usable.
    pub draws: Option<Draws>,
    /// What they were fitted to.
    pub fitted_to: FittedTo,
    /// Rows without statistics.
    pub prospects: u64,
}

impl Fitted {
    /// What a reader of the fit should know.
    pub fn warnings(&self) -> Vec<String> {
        let mut out = self.purchases.report().warnings.clone();
        match &self.spend {
            None => out.push(
                "the table has no column \"monetary_value\": there is no model of spend, and predictions have no money"
                    .to_string(),
            ),
            Some(fit) => {
                out.extend(fit.report.warnings.iter().cloned());
                if fit.params.is_none() {
                    out.push(format!(
                        "there is no usable model of spend, and predictions have no money: {}",
                        fit.report.verdict.sentence()
                    ));
                }
            }
        }
        out
    }

    /// The file to keep.
    ///
    /// # Errors
    /// [`Error::Value`] where the model of purchases is not usable.
    pub fn file(&self) -> Result<ModelFile> {
        let file = ModelFile::new(
            &self.purchases,
            self.spend.as_ref().zip(self.money.as_ref()),
            self.fitted_to.clone(),
        )?;
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
    // The orders that mean values are over.
    let orders: Vec<u32> = match file.money() {
        Some(money) => statistics.frequency.iter().map(|&frequency| money.over.count(frequency)).collect(),
        None => Vec::new(),
    };
    let (spend, money) = match file.money() {
        Some(money) => {
            let correlation = frequency_spend_correlation(&orders, &statistics.monetary_value);
            let fit = GammaGammaModel.fit(&orders, &statistics.monetary_value, progress)?;
            (Some(fit), Some(FittedMoney { money: money.clone(), correlation }))
        }
        None => (None, None),
    };
    let draws = match draws {
        Some(options) => {
            progress.phase("drawing parameters", 0);
            let unit = file.unit();
            let spend = spend.as_ref().map(|fit| (fit, &orders[..], &statistics.monetary_value[..]));
            Draws::new((&purchases, &patterns, unit), spend, options, progress)?
        }
        None => None,
    };
    let customers = statistics.frequency.len() as u64;
    let fitted_to = FittedTo {
        file: file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        customers,
        calibration_end: file.about().map(|about| about.calibration_end),
    };
    Ok(Fitted { purchases, spend, money, draws, fitted_to, prospects: file.rows() - customers })
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
