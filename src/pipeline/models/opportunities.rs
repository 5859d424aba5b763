//! BG/BB fitted to a purchase history cut into periods of the calendar, and its customers scored by one.
//!
//! A first reading finds the days between which the history lies, a second one counts each customer's orders in every
//! period of the calendar between them, as `summarize --periods` does: what is an order, and who is a customer, is the
//! same as everywhere.

use std::path::Path;

use serde::Serialize;

use super::contracts::drawn;
use crate::calendar::{CalendarPeriod, Day, LastPeriods, Unit};
use crate::clv::bg_bb::{
    BetaBinomialModel, Cell, CellExpectation, ExpectedTotals, OpportunityExpectations, expectations,
    last_whole_period, statistics_of_periods,
};
use crate::clv::model_file::{Drawn, FittedToHistory, OpportunitiesFile};
use crate::clv::{BgBbModel, FitReport, Opportunities, PosteriorOptions};
use crate::customers::names::orders_of_period;
use crate::customers::table::more::{counts, numbers};
use crate::customers::{CustomerTable, Reading, Values, into_record_batch, read_history};
use crate::error::{Error, Result};
use crate::history::{HistoryOptions, Source};
use crate::parallel;
use crate::progress::Progress;
use crate::report::format::count;
use crate::report::tables::write_stretches;

/// Periods that are counted apart at most; each is a column of the customer table for a while.
const MOST_PERIODS: i32 = 520;

/// Which history, and what is an opportunity.
#[derive(Debug, Clone, Copy)]
pub struct OpportunityOptions<'a> {
    /// How the history is read.
    pub history: &'a HistoryOptions,
    /// The period of the calendar that is an opportunity.
    pub opportunity: CalendarPeriod,
    /// The unit of recency and T of the table that is written.
    pub unit: Unit,
}

/// BG/BB fitted, and the beta-binomial beside it.
#[derive(Debug)]
pub struct FittedOpportunities {
    /// The fit.
    pub report: FitReport,
    /// The fit without dropout.
    pub without_dropout: FitReport,
    /// Draws of its parameters.
    pub drawn: Option<Drawn>,
    /// What it was fitted to.
    pub fitted_to: FittedToHistory,
    /// What is an opportunity.
    pub opportunity: CalendarPeriod,
    /// The most that a customer had.
    pub opportunities: u32,
    /// What a reader of the fit should know of the rows and of the draws.
    pub warnings: Vec<String>,
}

/// What scoring found in all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoredOpportunities {
    /// Totals over all customers.
    pub totals: ExpectedTotals,
    /// The last day of the last opportunity: what is expected comes after it.
    pub until: Day,
    /// Customers whose first order came after that day: they have had no opportunity, and are not scored.
    pub not_scored: u64,
    /// What a reader should know of the rows.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

impl FittedOpportunities {
    /// The file to keep.
    ///
    /// # Errors
    /// [`Error::Value`] where the model is not usable.
    pub fn file(&self) -> Result<OpportunitiesFile> {
        let mut file = OpportunitiesFile::new(&self.report, self.fitted_to.clone(), self.opportunity)?;
        file.comparison = Some(serde_json::json!({ "without_dropout": self.without_dropout }));
        file.drawn = self.drawn.clone();
        Ok(file)
    }
}

/// A history whose customers' orders are counted by period.
struct ByPeriod {
    reading: Reading,
    period: CalendarPeriod,
    /// Numbers of the period of the first order, and of the last one that had ended.
    first: i32,
    last: i32,
}

impl ByPeriod {
    fn read(sources: &[Source], options: &OpportunityOptions, progress: &dyn Progress) -> Result<ByPeriod> {
        let OpportunityOptions { history, opportunity: period, unit } = *options;
        // Nothing but orders is needed.
        let plain = HistoryOptions {
            periods: None,
            cohorts: None,
            cost: None,
            margin: None,
            keep: Vec::new(),
            ..history.clone()
        };
        let reading = read_history(sources, &plain, unit, progress)?;
        let firsts = parallel::try_map(reading.customers.stretches(), |i| {
            Ok(reading.customers.stretch(i)?.first_order.into_iter().min())
        })?;
        let end = reading.customers.window().calibration_end;
        let first = period.index(firsts.into_iter().flatten().min().unwrap_or(end));
        let periods = period.index(end) - first + 1;
        if periods > MOST_PERIODS {
            return Err(Error::value(
                "--opportunity",
                period,
                format!("the history has {periods} of them, and {MOST_PERIODS} are counted at most"),
                "take a longer period, or a model in continuous time",
            ));
        }
        drop(reading);
        let periods = LastPeriods { period, count: periods as u16 };
        let counted = HistoryOptions { periods: Some(periods), ..plain };
        let reading = read_history(sources, &counted, unit, progress)?;
        Ok(ByPeriod { reading, period, first, last: last_whole_period(period, end) })
    }

    fn until(&self) -> Day {
        self.period.end(self.last)
    }

    /// Whether a customer with this first order has not had an opportunity and will not have the next one either: it
    /// came in a period that had not ended.
    fn is_late(&self, first_order: Day) -> bool {
        self.period.index(first_order) > self.last
    }

    /// What a reader should know of customers who came too late.
    fn about_late(&self, late: u64) -> Option<String> {
        (late > 0).then(|| {
            format!(
                "{} customers ordered first after {}, in a {} that had not ended: they have had no opportunity, and are \
                 left out",
                count(late),
                self.until(),
                self.period
            )
        })
    }

    /// What a reader should know of the rows, and of a period that had not ended.
    fn warnings(&self) -> Vec<String> {
        let mut out = self.reading.warnings();
        let end = self.reading.customers.window().calibration_end;
        let running = self.period.index(end);
        if running > self.last {
            out.push(format!(
                "the {} {} had not ended by {end}: what happened in it is not counted; if the history is complete to \
                 its end, give --as-of {}",
                self.period,
                self.period.label(running),
                self.period.end(running)
            ));
        }
        out
    }

    /// (x, t_x, n) of the customers of a stretch who did not come too late.
    fn statistics(&self, table: &CustomerTable) -> Result<[Vec<u32>; 3]> {
        let orders = |index: i32| {
            let name = orders_of_period(self.period, index);
            match table.column(&name).map(|column| &column.values) {
                Some(Values::Count(orders)) => Ok((index, orders)),
                _ => Err(Error::internal("counting orders by period", format!("no column {name}"))),
            }
        };
        let columns = (self.first..=self.last).map(orders).collect::<Result<Vec<_>>>()?;
        let (mut x, mut t_x, mut n) = (Vec::new(), Vec::new(), Vec::new());
        for (i, &first) in table.first_order.iter().enumerate().filter(|(_, first)| !self.is_late(**first)) {
            let with = columns.iter().filter(|(_, orders)| orders[i] > 0).map(|(index, _)| *index);
            let found = statistics_of_periods(self.period.index(first), with, self.last);
            x.push(found.0);
            t_x.push(found.1);
            n.push(found.2);
        }
        Ok([x, t_x, n])
    }

    /// The histories of the customers who did not come too late, in the order of the table; where each stretch begins;
    /// and how many came too late.
    fn opportunities(&self, progress: &dyn Progress) -> Result<(Opportunities, Vec<usize>, u64)> {
        let customers = &self.reading.customers;
        progress.phase("counting opportunities", customers.stretches() as u64);
        let parts = parallel::try_map(customers.stretches(), |i| {
            progress.check()?;
            let table = customers.stretch(i)?;
            let part = self.statistics(&table)?;
            progress.advance(1);
            Ok((table.len(), part))
        })?;
        let (mut all, mut begins) = ([Vec::new(), Vec::new(), Vec::new()], Vec::new());
        let mut late = 0;
        for (customers, part) in parts {
            begins.push(all[0].len());
            late += (customers - part[0].len()) as u64;
            all.iter_mut().zip(part).for_each(|(all, part)| all.extend(part));
        }
        let [x, t_x, n] = &all;
        Ok((Opportunities::from_statistics(x, t_x, n)?, begins, late))
    }
}

/// Fits BG/BB to a history, and the beta-binomial beside it.
///
/// # Errors
/// Those of reading; a history with too many periods. A fit that finds no optimum is none: its report says so.
pub fn fit_opportunities(
    sources: &[Source],
    options: &OpportunityOptions,
    draws: &PosteriorOptions,
    progress: &dyn Progress,
) -> Result<FittedOpportunities> {
    let history = ByPeriod::read(sources, options, progress)?;
    let (data, _, late) = history.opportunities(progress)?;
    let fit = BgBbModel.fit(&data, progress)?;
    let without_dropout = BetaBinomialModel.fit(&data, progress)?.report;
    let drawn = drawn(&fit, &BgBbModel.likelihood(&data), draws, progress)?;
    let mut warnings = history.warnings();
    warnings.extend(history.about_late(late));
    warnings.extend(fit.report.warnings.iter().cloned());
    warnings.extend(drawn.iter().flat_map(|drawn| drawn.warnings.iter().cloned()));
    let file = match sources {
        [Source::Path(path)] => path.display().to_string(),
        [Source::Bytes { name, .. }] => name.clone(),
        _ => format!("{} sources", sources.len()),
    };
    let fitted_to = FittedToHistory { file, customers: data.customers(), until: history.until() };
    let opportunities = data.cells().iter().map(|cell| cell.n).max().unwrap_or(0);
    let report = fit.report;
    let opportunity = options.opportunity;
    Ok(FittedOpportunities {
        report,
        without_dropout,
        drawn,
        fitted_to,
        opportunity,
        opportunities,
        warnings,
    })
}

/// Writes the customer table of a history with `x`, `t_x` and `n`, `p_alive`, `expected_transactions`, `dert` (with a
/// discount) and, where the model has draws, their intervals. Customers whose first order came after the last opportunity
/// have none of these: the horizon begins before they can have an opportunity.
///
/// # Errors
/// Those of reading and writing.
pub fn score_opportunities(
    sources: &[Source],
    history: &HistoryOptions,
    unit: Unit,
    model: &OpportunitiesFile,
    expected: &OpportunityExpectations,
    out: &Path,
    progress: &dyn Progress,
) -> Result<ScoredOpportunities> {
    let wrong = |problem: String| Error::internal("a model that was checked", problem);
    let (params, draws) = (model.model().map_err(wrong)?, model.draws().map_err(wrong)?);
    let options = OpportunityOptions { history, opportunity: model.opportunity, unit };
    let history = ByPeriod::read(sources, &options, progress)?;
    let (data, begins, late) = history.opportunities(progress)?;
    let (cells, totals) = expectations(&data, &params, &draws, expected, progress)?;
    let customers = &history.reading.customers;
    progress.phase("writing", customers.stretches() as u64);
    let stretch = |i: usize| {
        let mut table = customers.stretch(i)?;
        let mut of_rows = data.of_rows()[begins[i]..].iter().map(|&cell| cell as usize);
        let in_time = table.first_order.iter().map(|&first| !history.is_late(first));
        let rows: Vec<Option<usize>> =
            in_time.map(|in_time| in_time.then(|| of_rows.next()).flatten()).collect();
        // The periods have done their work.
        table.columns.clear();
        for (name, of) in COUNTS {
            table
                .columns
                .push(counts(name, rows.iter().map(|cell| cell.map(|cell| of(&data.cells()[cell])))));
        }
        // All histories have an expectation, or none has.
        for (name, of) in COLUMNS.iter().filter(|(_, of)| cells.iter().take(1).all(|cell| of(cell).is_some()))
        {
            table.columns.push(numbers(name, rows.iter().map(|cell| cell.and_then(|cell| of(&cells[cell])))));
        }
        into_record_batch(table)
    };
    write_stretches(out, customers.stretches(), stretch, progress)?;
    let mut warnings = history.warnings();
    warnings.extend(history.about_late(late));
    Ok(ScoredOpportunities { totals, until: history.until(), not_scored: late, warnings })
}

/// A count of each customer's history.
type CountOfCell = fn(&Cell) -> u32;

/// The columns of histories.
const COUNTS: [(&str, CountOfCell); 3] =
    [("x", |cell| cell.x), ("t_x", |cell| cell.t_x), ("n", |cell| cell.n)];

/// A number of each customer's history.
type OfCell = fn(&CellExpectation) -> Option<f64>;

/// The columns of expectations; those that no cell has are left out.
const COLUMNS: [(&str, OfCell); 11] = [
    ("p_alive", |cell| Some(cell.p_alive)),
    ("p_alive_mean_lower", |cell| cell.spread.map(|spread| spread.p_alive.0)),
    ("p_alive_mean_upper", |cell| cell.spread.map(|spread| spread.p_alive.1)),
    ("expected_transactions", |cell| Some(cell.expected)),
    ("expected_transactions_mean_lower", |cell| cell.spread.map(|spread| spread.expected.0)),
    ("expected_transactions_mean_upper", |cell| cell.spread.map(|spread| spread.expected.1)),
    ("expected_transactions_lower", |cell| cell.spread.map(|spread| spread.transactions.0)),
    ("expected_transactions_upper", |cell| cell.spread.map(|spread| spread.transactions.1)),
    ("dert", |cell| cell.dert),
    ("dert_mean_lower", |cell| cell.spread?.dert.map(|ends| ends.0)),
    ("dert_mean_upper", |cell| cell.spread?.dert.map(|ends| ends.1)),
];
