//! A file of customers with its statistics and, by a model, the scores of everybody.

use std::borrow::Cow;
use std::ops::Range;

use super::models::check_money;
use crate::calendar::Unit;
use crate::clv::{ModelFile, Scorer, Scores, ValueOptions};
use crate::customers::{Ids, OrderDays, Statistics, StatisticsFile, StatisticsOptions, WholeFile};
use crate::error::{Error, Result};
use crate::parallel;
use crate::progress::Progress;
use crate::tier::columns::Loaded;
use crate::tier::rules::{Kind, Measure};
use crate::tier::{Columns, Look};

/// Customers that one thread scores at a time.
const CHUNK: usize = 65_536;

/// Scores of the file that differ by more than this from those of the model are another model's.
const SAME: f64 = 1e-9;

/// What everybody has spent so far; 0 where the table does not say.
pub(super) fn spend_so_far(look: &Look<'_>) -> Result<Vec<f64>> {
    if !look.file.columns().iter().any(|name| name == "total_spend") {
        return Ok(vec![0.0; look.rows()]);
    }
    let mut out = look.numbers("total_spend")?;
    out.iter_mut().filter(|value| !value.is_finite()).for_each(|value| *value = 0.0);
    Ok(out)
}

/// The customers of a file with what a model says of each.
pub(super) struct ScoredTable {
    pub(super) statistics: Statistics,
    /// What customers' mean values are over.
    pub(super) over: OrderDays,
    pub(super) unit: Unit,
    pub(super) scores: Scores,
}

impl ScoredTable {
    /// Reads and scores the `customers` of a file.
    ///
    /// # Errors
    /// Those of reading; money that the file has not; customers without all three statistics; none at all.
    pub(super) fn new(
        file: &WholeFile,
        model: &ModelFile,
        value: ValueOptions,
        reading: &StatisticsOptions,
        customers: usize,
        progress: &dyn Progress,
    ) -> Result<ScoredTable> {
        let wrong = |problem: String| Error::internal("a model that was checked", problem);
        let statistics_file = StatisticsFile::open_with(file.path(), reading)?;
        let purchases = model.model().map_err(wrong)?;
        let unit = purchases.time_unit();
        let mut over = OrderDays::Repeat;
        if let Some(money) = model.money() {
            check_money(&statistics_file, &money)?;
            over = money.over;
        }
        let statistics = statistics_file.statistics(0..statistics_file.stretches())?;
        if statistics.frequency.len() != customers {
            return Err(Error::Document {
                file: file.path().display().to_string(),
                problem: format!(
                    "{} customers have frequency, recency and T, and {customers} a frequency",
                    statistics.frequency.len(),
                ),
                remedy: "give every customer all three, or none of them".into(),
            });
        }
        if customers == 0 {
            return Err(Error::Document {
                file: file.path().display().to_string(),
                problem: "its rows are all prospects, without frequency, recency and T".into(),
                remedy: "give a table with customers".into(),
            });
        }
        let spend = model.spend_model().map_err(wrong)?;
        progress.phase("scoring", 0);
        let scorer = Scorer::new(purchases.as_ref(), spend.as_ref(), value).over(over);
        let parts = parallel::try_map(customers.div_ceil(CHUNK), |i| {
            let rows = i * CHUNK..((i + 1) * CHUNK).min(customers);
            scorer.score(&part(&statistics, rows), progress)
        })?;
        drop(scorer);
        Ok(ScoredTable { statistics, over, unit, scores: together(parts) })
    }

    /// The scores by the names that they have as columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, Measure, &Vec<f64>)> {
        let Scores { p_alive, expected_transactions, dert, expected_spend, clv } = &self.scores;
        [
            ("p_alive", Measure::Share, p_alive),
            ("expected_transactions", Measure::Plain, expected_transactions),
            ("dert", Measure::Plain, dert),
            ("expected_spend", Measure::Money, expected_spend),
            ("clv", Measure::Money, clv),
        ]
        .into_iter()
        .filter(|(_, _, values)| !values.is_empty())
    }

    /// Refuses a file whose scores are another model's: its tiers would be judged by figures that they do not come from.
    pub(super) fn check(&self, look: &Look<'_>, ids: &Ids, who: &[u32]) -> Result<()> {
        let names = look.file.columns();
        for (name, _, own) in self.columns().filter(|(name, ..)| names.iter().any(|other| other == name)) {
            let there = look.numbers(name)?;
            let differs =
                |(a, b): (&f64, &f64)| !((a - b).abs() <= SAME * (1.0 + a.abs().max(b.abs())) || a == b);
            if let Some(i) = own.iter().zip(&there).position(differs) {
                return Err(Error::value(
                    "--model",
                    look.file.path().display(),
                    format!(
                        "{name} of customer {} is {} by the model, and {} in that table: another model, horizon, discount or margin",
                        ids.text(who[i] as usize),
                        own[i],
                        there[i]
                    ),
                    "give --horizon, --discount and --margin as for that table, or a table of `tiercast summarize`, to \
                     which the scores are added here",
                ));
            }
        }
        Ok(())
    }

    /// Adds the scores to what rules may look at.
    pub(super) fn add_to<'s>(&'s self, columns: &mut Columns<'s>) {
        for (name, measure, values) in self.columns() {
            columns.push(name, Kind::Number(measure), Loaded::Numbers(Cow::Borrowed(values)));
        }
    }
}

/// The statistics of some customers.
fn part(of: &Statistics, rows: Range<usize>) -> Statistics {
    Statistics {
        frequency: of.frequency[rows.clone()].to_vec(),
        recency_days: of.recency_days[rows.clone()].to_vec(),
        t_days: of.t_days[rows.clone()].to_vec(),
        monetary_value: of.monetary_value.get(rows).map_or(Vec::new(), <[f64]>::to_vec),
    }
}

fn together(parts: Vec<Scores>) -> Scores {
    let mut out = Scores::default();
    for part in parts {
        out.p_alive.extend(part.p_alive);
        out.expected_transactions.extend(part.expected_transactions);
        out.dert.extend(part.dert);
        out.expected_spend.extend(part.expected_spend);
        out.clv.extend(part.clv);
    }
    out
}
