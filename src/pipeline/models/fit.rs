//! Models fitted to a file of customers.

use crate::clv::gamma_gamma::{NO_VALUE, frequency_spend_correlation};
use crate::clv::model_file::{Draws, FittedMoney, FittedTo};
use crate::clv::{
    Fit, GammaGamma, GammaGammaModel, ModelFile, ModelName, Patterns, PosteriorOptions, PurchaseFit,
};
use crate::customers::{Statistics, StatisticsFile};
use crate::error::Result;
use crate::progress::Progress;
use crate::report::format::count;

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
        out.extend(spend_warnings(self.spend.as_ref()));
        out
    }

    /// The file to keep.
    ///
    /// # Errors
    /// [`crate::Error::Value`] where the model of purchases is not usable.
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
    let FittedSpend { spend, money, orders } = FittedSpend::new(file, &statistics, progress)?;
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
    let (fitted_to, prospects) = (fitted_to(file, customers), file.rows() - customers);
    Ok(Fitted { purchases, spend, money, draws, fitted_to, prospects })
}

/// The model of spend of a file's customers, where it has money.
pub(super) struct FittedSpend {
    /// The fit.
    pub spend: Option<Fit<GammaGamma>>,
    /// What it was fitted to.
    pub money: Option<FittedMoney>,
    /// Each customer's orders that mean values are over; empty without money.
    pub orders: Vec<u32>,
}

impl FittedSpend {
    /// Fits it to the customers' orders and their mean values.
    ///
    /// # Errors
    /// Those of [`GammaGammaModel::fit`].
    pub fn new(
        file: &StatisticsFile,
        statistics: &Statistics,
        progress: &dyn Progress,
    ) -> Result<FittedSpend> {
        let Some(money) = file.money() else {
            return Ok(FittedSpend { spend: None, money: None, orders: Vec::new() });
        };
        let orders: Vec<u32> =
            statistics.frequency.iter().map(|&frequency| money.over.count(frequency)).collect();
        let correlation = frequency_spend_correlation(&orders, &statistics.monetary_value);
        let fit = GammaGammaModel.fit(&orders, &statistics.monetary_value, progress)?;
        Ok(FittedSpend {
            spend: Some(fit),
            money: Some(FittedMoney { money: money.clone(), correlation }),
            orders,
        })
    }
}

/// What a reader should know of the model of spend, or of its absence.
pub(super) fn spend_warnings(spend: Option<&Fit<GammaGamma>>) -> Vec<String> {
    let Some(fit) = spend else {
        return vec![
            "the table has no column \"monetary_value\": there is no model of spend, and predictions have no money"
                .to_string(),
        ];
    };
    let mut out = fit.report.warnings.clone();
    let no_value = fit.report.set_aside.iter().find(|aside| aside.reason == NO_VALUE);
    out.extend(no_value.map(|aside| {
        let customers = count(aside.customers);
        format!(
            "{customers} customers with a mean value of orders not above 0 are left out of the fit of spend"
        )
    }));
    if fit.params.is_none() {
        out.push(format!(
            "there is no usable model of spend, and predictions have no money: {}",
            fit.report.verdict.sentence()
        ));
    }
    out
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
