//! Intervals of the holdout's transactions and spend, from the calibration alone: what each model's parameter draws,
//! its customers' own rates and luck leave open.

use super::forecast::Candidate;
use crate::calendar::{Discount, Period, Span};
use crate::clv::family::{ModelName, PurchaseFit};
use crate::clv::gamma_gamma::{GammaGamma, GammaGammaModel};
use crate::clv::model::{Fit, LogLikelihood, Parametric, PurchaseModel};
use crate::clv::pattern::Patterns;
use crate::clv::predict::{Customers, Groups, Interval, IntervalColumns, PredictOptions, Predictor, Total};
use crate::clv::uncertainty::{PosteriorOptions, Prior, Trust};
use crate::clv::{BgNbdModel, MbgNbdModel, NbdModel, ParetoNbdModel, ValueOptions};
use crate::customers::{CustomerTable, Statistics};
use crate::error::Result;
use crate::progress::Progress;

/// Tenths of the customers.
pub(super) const TENTHS: usize = 10;

/// Intervals of more customers than this are those of a sample of so many: the share that is covered is then known to
/// a quarter of a percent, and every customer costs draws × models.
pub(super) const MOST_CUSTOMERS: usize = 20_000;

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalOptions {
    /// The probability with which they claim to cover what happens, such as 0.9.
    pub level: f64,
    /// Draws of the parameters.
    pub draws: u32,
    /// The seed of every random number.
    pub seed: u64,
}

/// Intervals for the holdout, from parameters fitted to the calibration window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intervals {
    /// The probability with which they claim to cover what happens.
    pub level: f64,
    /// The customers that they are of, as rows of the table, ascending.
    pub of: Vec<u32>,
    /// The tenth of each of them by expected transactions, 0 for the highest.
    pub tenth: Vec<u8>,
    /// Of transactions.
    pub transactions: Ends,
    /// Of spend, where there is a spend model with usable draws.
    pub spend: Option<Ends>,
}

/// The ends of intervals of one quantity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ends {
    /// Lower end of each customer.
    pub lower: Vec<f64>,
    /// Upper end of each customer.
    pub upper: Vec<f64>,
    /// Both ends of all of them together.
    pub total: (f64, f64),
    /// Both ends of each tenth together.
    pub tenths: Vec<(f64, f64)>,
}

/// Fits every purchase model to the calibration window of a table, and makes intervals for its holdout from draws of
/// each one's parameters (with the default prior). Draws that are not to be trusted give none, and the candidate says so.
///
/// # Errors
/// [`crate::Error::Interrupted`], what a fit cannot begin with, and a level outside (0, 1).
pub fn candidates_with_intervals(
    patterns: &Patterns,
    table: &CustomerTable,
    spend: &Fit<GammaGamma>,
    options: &IntervalOptions,
    progress: &dyn Progress,
) -> Result<Vec<Candidate>> {
    let maker = Maker::new(patterns, table, spend, options, progress)?;
    let unit = table.unit;
    let of = |name| {
        Ok(match PurchaseFit::new(name, patterns, unit, progress)? {
            PurchaseFit::BgNbd(fit) => maker.candidate(fit, &BgNbdModel.likelihood(patterns, unit))?,
            PurchaseFit::MbgNbd(fit) => maker.candidate(fit, &MbgNbdModel.likelihood(patterns, unit))?,
            PurchaseFit::ParetoNbd(fit) => {
                maker.candidate(fit, &ParetoNbdModel.likelihood(patterns, unit))?
            }
            PurchaseFit::Nbd(fit) => maker.candidate(fit, &NbdModel.likelihood(patterns, unit))?,
        })
    };
    ModelName::ALL.into_iter().map(of).collect()
}

/// What the intervals of all models share.
struct Maker<'a> {
    options: &'a IntervalOptions,
    progress: &'a dyn Progress,
    table: &'a CustomerTable,
    horizon: Option<Span>,
    of: Vec<u32>,
    patterns: Patterns,
    hash: Vec<u64>,
    statistics: Statistics,
    spend: Option<Vec<GammaGamma>>,
    about_spend: Vec<String>,
}

impl<'a> Maker<'a> {
    fn new(
        patterns: &Patterns,
        table: &'a CustomerTable,
        spend: &Fit<GammaGamma>,
        options: &'a IntervalOptions,
        progress: &'a dyn Progress,
    ) -> Result<Maker<'a>> {
        let of = sample(table);
        let row = |&i: &u32| i as usize;
        let days = f64::from(table.window.holdout_days());
        let (spend, about_spend) = spend_draws(table, spend, options, progress)?;
        Ok(Maker {
            options,
            progress,
            table,
            // Without a holdout there is nothing to predict, which the validation itself refuses.
            horizon: if days > 0.0 { Some(Span::new(days, Period::Day)?) } else { None },
            patterns: patterns.of_customers(&of),
            hash: of.iter().map(row).map(|i| table.ids.hash(i)).collect(),
            statistics: Statistics {
                frequency: of.iter().map(row).map(|i| table.frequency[i]).collect(),
                recency_days: of.iter().map(row).map(|i| f64::from(table.recency_days[i])).collect(),
                t_days: of.iter().map(row).map(|i| f64::from(table.t_days[i])).collect(),
                monetary_value: of.iter().map(row).map(|i| table.monetary_value[i]).collect(),
            },
            of,
            spend,
            about_spend,
        })
    }

    fn candidate<P: Parametric + PurchaseModel + 'static>(
        &self,
        fit: Fit<P>,
        likelihood: &impl LogLikelihood,
    ) -> Result<Candidate> {
        let (intervals, about_intervals) = self.intervals(&fit, likelihood)?;
        Ok(Candidate { intervals, about_intervals, ..Candidate::of(fit) })
    }

    fn intervals<P: Parametric + PurchaseModel + 'static>(
        &self,
        fit: &Fit<P>,
        likelihood: &impl LogLikelihood,
    ) -> Result<(Option<Intervals>, Vec<String>)> {
        let Some((params, horizon)) = fit.params.as_ref().zip(self.horizon) else {
            return Ok((None, Vec::new()));
        };
        let IntervalOptions { level, draws, seed } = *self.options;
        let asked = PosteriorOptions { prior: Prior::default(), draws, seed };
        let Some(drawn) = fit.posterior(likelihood, &asked, self.progress)? else {
            return Ok((None, Vec::new()));
        };
        let mut about = drawn.report.warnings();
        if drawn.report.trust == Trust::Poor {
            about.push(format!(
                "{}: its intervals are not judged, because its draws are not to be trusted",
                P::MODEL
            ));
            return Ok((None, about));
        }
        about.extend(self.about_spend.iter().cloned());
        let tenth = self.tenths(params, horizon);
        let codes: Vec<u32> = tenth.iter().map(|&d| u32::from(d)).collect();
        let groups = Some(Groups { codes: &codes, count: TENTHS });
        let customers = Customers { statistics: &self.statistics, hash: &self.hash, groups };
        let models: Vec<Box<dyn PurchaseModel>> =
            drawn.draws.into_iter().map(|draw| Box::new(draw) as Box<dyn PurchaseModel>).collect();
        // What is held against the holdout is revenue as it comes in: neither discounted nor a margin.
        let value = ValueOptions { horizon, discount: Discount::new(0.0, Period::Year)?, margin: 1.0 };
        let predictor =
            Predictor::new(&models, self.spend.as_deref(), PredictOptions { value, level, seed })?;
        let found = predictor.predict(&customers, self.progress)?;
        let totals: Vec<Total> =
            std::iter::once(&found.sums).chain(&found.groups).map(|sums| sums.total(level)).collect();
        if self.of.len() < self.table.len() {
            about.push(format!(
                "intervals are judged on a sample of {} of the {} customers, drawn by their ids",
                self.of.len(),
                self.table.len()
            ));
        }
        let spend = found.clv.map(|columns| ends(columns, &totals, |total| total.clv));
        let transactions = ends(found.orders, &totals, |total| Some(total.orders));
        Ok((Some(Intervals { level, of: self.of.clone(), tenth, transactions, spend }), about))
    }

    /// Tenths by expected transactions, the tied by the hashes of their ids.
    fn tenths<P: PurchaseModel>(&self, params: &P, horizon: Span) -> Vec<u8> {
        let unit = params.time_unit();
        let (days, horizon, patterns) = (unit.days(), horizon.in_unit(unit), &self.patterns);
        let expected = |k: usize| {
            let (t_x, t) = (patterns.recency_days(k) / days, patterns.t_days(k) / days);
            params.conditional_expected(patterns.frequency(k), t_x, t, horizon)
        };
        let by_pattern: Vec<f64> = (0..patterns.len()).map(expected).collect();
        let value = |k: usize| by_pattern[patterns.of_customer(k)];
        let mut order: Vec<usize> = (0..self.of.len()).collect();
        order.sort_by(|&a, &b| value(b).total_cmp(&value(a)).then(self.hash[a].cmp(&self.hash[b])));
        let mut out = vec![0; order.len()];
        for (rank, &k) in order.iter().enumerate() {
            out[k] = (rank * TENTHS / order.len()) as u8;
        }
        out
    }
}

/// The rows whose intervals are judged: all, or those with the smallest hashes.
fn sample(table: &CustomerTable) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..table.len() as u32).collect();
    if rows.len() > MOST_CUSTOMERS {
        rows.sort_by_key(|&i| (table.ids.hash(i as usize), i));
        rows.truncate(MOST_CUSTOMERS);
        rows.sort_unstable();
    }
    rows
}

fn spend_draws(
    table: &CustomerTable,
    fit: &Fit<GammaGamma>,
    options: &IntervalOptions,
    progress: &dyn Progress,
) -> Result<(Option<Vec<GammaGamma>>, Vec<String>)> {
    let likelihood = GammaGammaModel.likelihood(&table.frequency, &table.monetary_value)?;
    let asked = PosteriorOptions { prior: Prior::default(), draws: options.draws, seed: options.seed };
    let Some(drawn) = fit.posterior(&likelihood, &asked, progress)? else { return Ok((None, Vec::new())) };
    let mut about = drawn.report.warnings();
    if drawn.report.trust == Trust::Poor {
        about.push(
            "intervals of spend are not judged, because Gamma-Gamma's draws are not to be trusted"
                .to_string(),
        );
        return Ok((None, about));
    }
    Ok((Some(drawn.draws), about))
}

fn ends(columns: IntervalColumns, totals: &[Total], of: impl Fn(&Total) -> Option<Interval>) -> Ends {
    // All customers first, then the tenths; a quantity that is predicted is in each of them.
    let mut both = totals.iter().filter_map(of).map(|interval| (interval.lower, interval.upper));
    let total = both.next().unwrap_or((f64::NAN, f64::NAN));
    Ends { lower: columns.lower, upper: columns.upper, total, tenths: both.collect() }
}
