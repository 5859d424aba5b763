//! Which rows can be added to a state: with other settings or types its sums would have been others.

use std::collections::BTreeMap;

use crate::amount::AmountKind;
use crate::calendar::{CalendarPeriod, LastPeriods};
use crate::customers::names::cost_name;
use crate::customers::state::StateInfo;
use crate::error::{Error, Result};
use crate::history::composite::{joined, words as parts_in_words};
use crate::history::{CohortPeriod, History, HistoryOptions, How, IdKind, IdPart, Ledger, Role, Unmatched};

/// The error of a state that was made with something else.
fn refuse_with(file: &str, what: &str, own: String, other: String, remedy: impl Into<String>) -> Result<()> {
    let problem = format!("it was made with {what} {own}, and the new files are read with {other}");
    Err(Error::value("--append", file, problem, remedy.into()))
}

/// The columns of a history by their roles, but for costs and kept values, which have their own names in a state, and for
/// who, where it is several columns or what a map says.
pub(crate) fn columns(history: &History) -> BTreeMap<String, String> {
    let own_ids = history.mapped().is_none() && history.ids() != IdKind::Composite;
    let is_kept = |role| match role {
        Role::Customer => own_ids,
        Role::Time | Role::Amount | Role::Order | Role::Quantity | Role::Currency => true,
        _ => false,
    };
    let roles = history.inspection().columns.cast().into_iter().filter(|(role, _)| is_kept(*role));
    roles.map(|(role, column)| (role.name().to_string(), column.name.clone())).collect()
}

/// Refuses what no state can be made or added to with.
///
/// # Errors
/// [`Error::Value`] for a holdout beside a state.
pub(crate) fn check_options(options: &HistoryOptions) -> Result<()> {
    match options.calibration_end {
        Some(end) if options.state || options.append.is_some() => Err(Error::value(
            "--calibration-end",
            end,
            "a state has no holdout",
            "read the whole history to calibrate and hold out, without --state and --append",
        )),
        _ => Ok(()),
    }
}

impl StateInfo {
    /// Refuses rows that cannot be added to this state: with other settings or types its sums would have been others.
    pub(crate) fn check(&self, file: &str, history: &History, options: &HistoryOptions) -> Result<()> {
        let refuse = |what: &str, own: String, other: String| {
            let remedy = "read the whole history again, or give the option that the state was made with";
            refuse_with(file, what, own, other, remedy)
        };
        let words = |amounts: AmountKind| match amounts {
            AmountKind::Float => "floating point".to_string(),
            AmountKind::Scaled { scale } => format!("exact numbers of {scale} decimals"),
        };
        let yes = |is: bool| if is { "yes" } else { "no" }.to_string();
        let zone = |zone: &Option<String>| zone.clone().unwrap_or_else(|| "local times".to_string());
        self.check_map(file, history)?;
        self.check_ids(file, history)?;
        if self.amounts != history.amounts() {
            return refuse("amounts as", words(self.amounts), words(history.amounts()));
        }
        let inspection = history.inspection();
        let new = columns(history);
        for role in [Role::Order, Role::Quantity, Role::Currency].map(Role::name) {
            let [own, new] = [&self.columns, &new].map(|columns| columns.contains_key(role));
            if own != new {
                return refuse(&format!("a column of the {role}:"), yes(own), yes(new));
            }
        }
        self.check_names(file, history)?;
        let costs = history.costs().map(|kind| (cost_name(&inspection.columns).to_string(), kind));
        if self.costs != costs {
            let words = |costs: &Option<(String, AmountKind)>| match costs {
                Some((name, kind)) => format!("{name} as {}", words(*kind)),
                None => "no costs".to_string(),
            };
            return refuse("costs:", words(&self.costs), words(&costs));
        }
        let kept: Vec<String> = inspection.columns.keep.iter().map(|column| column.name.clone()).collect();
        if self.kept != kept {
            let list = |names: &[String]| if names.is_empty() { "none".into() } else { names.join(", ") };
            return refuse("kept columns:", list(&self.kept), list(&kept));
        }
        if self.refunds != options.refunds {
            return refuse(
                "refunds",
                format!("{:?}", self.refunds).to_lowercase(),
                format!("{:?}", options.refunds).to_lowercase(),
            );
        }
        if self.drop_duplicates != options.drop_duplicates {
            return refuse("duplicates dropped:", yes(self.drop_duplicates), yes(options.drop_duplicates));
        }
        if self.zone != inspection.zone {
            return refuse("the zone", zone(&self.zone), zone(&inspection.zone));
        }
        let periods = |periods: Option<LastPeriods>| periods.map_or("none".to_string(), |p| p.to_string());
        if self.periods.map(|(periods, _)| periods) != options.periods {
            let own = periods(self.periods.map(|(periods, _)| periods));
            return refuse("periods", own, periods(options.periods));
        }
        check_options(options)?;
        self.check_cohorts(file, options.cohorts)?;
        match options.as_of {
            Some(as_of) if as_of < self.closed => Err(Error::value(
                "--as-of",
                as_of,
                format!("the state {file} holds what happened up to {}", self.closed),
                format!("give a date from {} on, or read the whole history", self.closed),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses rows of days that the state holds.
    pub(crate) fn refuse_closed(&self, file: &str, rows: u64, first: &str) -> Error {
        Error::value(
            "--append",
            file,
            format!(
                "{rows} rows of the new files are dated on or before {}, the last day of the state; the first file \
                 with such rows is {first}",
                self.closed
            ),
            format!(
                "give only files with rows after {}; if rows came late, read the whole history again",
                self.closed
            ),
        )
    }

    /// Customers that a map made of ids are others than the ids.
    fn check_map(&self, file: &str, history: &History) -> Result<()> {
        let (problem, remedy) = match (self.id_map, history.mapped()) {
            (Some(own), Some(new)) if own.unmatched != new.unmatched => {
                let word = |unmatched| if unmatched == Unmatched::Keep { "keep" } else { "aside" };
                return refuse_with(
                    file,
                    "--unmatched",
                    word(own.unmatched).into(),
                    word(new.unmatched).into(),
                    format!("give --unmatched {}, or read the whole history again", word(own.unmatched)),
                );
            }
            (Some(own), Some(new)) if own.spelling != new.spelling => (
                "its customers come of an id map, by rules of spelling ids that are others now",
                "read the whole history again with the id map",
            ),
            (Some(_), None) => (
                "its customers come of an id map, and the new files are read without one",
                "give the map with --id-map, or read the whole history again without it",
            ),
            (None, Some(_)) => (
                "its customers are the files' own ids, and the new files are read with an id map",
                "leave --id-map out, or read the whole history again with it",
            ),
            _ => return Ok(()),
        };
        Err(Error::value("--append", file, problem, remedy))
    }

    /// A column of another name that happened to look right may say something else; named by the user it does not.
    fn check_names(&self, file: &str, history: &History) -> Result<()> {
        let kept = columns(history);
        for (role, column) in history.inspection().columns.cast() {
            let own = self.columns.get(role.name()).filter(|_| kept.contains_key(role.name()));
            if let Some(own) = own
                && column.how != How::Named
                && !column.is_called(own)
            {
                let remedy = format!(
                    "name the column of the new files with --{}, if it says what \"{own}\" said",
                    role.option()
                );
                let what = format!("the {} in", role.name());
                return refuse_with(
                    file,
                    &what,
                    format!("\"{own}\""),
                    format!("\"{}\"", column.name),
                    remedy,
                );
            }
        }
        Ok(())
    }

    /// Amounts of two currencies cannot be added.
    pub(crate) fn check_currency(&self, file: &str, ledger: &Ledger) -> Result<()> {
        match (&self.currency, &ledger.currency) {
            (Some(own), Some(new)) if own != new => refuse_with(
                file,
                "amounts in",
                own.clone(),
                new.clone(),
                format!("give --only-currency {own}, or keep a state for each currency"),
            ),
            _ => Ok(()),
        }
    }

    /// Ids go together as they would in files that are read at once.
    fn check_ids(&self, file: &str, history: &History) -> Result<()> {
        let parts = history.id_parts();
        let (own, new) = (self.ids, history.ids());
        let same = match (own, new) {
            (IdKind::Composite, IdKind::Composite) => joined(&self.id_parts, parts).as_deref() == Some(parts),
            _ => own.join(new) == Some(new),
        };
        if same {
            return Ok(());
        }
        let words = |kind: IdKind, parts: &[IdPart]| match kind {
            IdKind::Composite => format!("the columns {}", parts_in_words(parts)),
            kind => kind.words(),
        };
        let names: Vec<&str> = self.id_parts.iter().map(|part| part.name.as_str()).collect();
        let remedy = match own {
            IdKind::Composite => format!(
                "name the state's columns in their order, --customer {}, and write them with its types, or read the \
                 whole history again",
                names.join(",")
            ),
            _ => "name the column of the state's ids with --customer, or read the whole history again"
                .to_string(),
        };
        refuse_with(file, "ids as", words(own, &self.id_parts), words(new, parts), remedy)
    }

    /// Cohorts that are asked for must be there, by the period that is asked for.
    fn check_cohorts(&self, file: &str, wanted: Option<CohortPeriod>) -> Result<()> {
        match (wanted, &self.cohorts) {
            (Some(_), None) => Err(Error::value(
                "--append",
                file,
                "the state does not hold the cohorts of its rows",
                "read the whole history again with --cohorts and --state, or leave --cohorts out",
            )),
            (Some(CohortPeriod::By(period)), Some(own)) => self.check_period(file, own.period, period),
            _ => Ok(()),
        }
    }

    /// Refuses cohorts by another period than that of the state, which cannot be told from its counts: who ordered in two
    /// months ordered once in their quarter.
    pub(crate) fn check_cohort_period(&self, file: &str, period: Option<CalendarPeriod>) -> Result<()> {
        match (period, &self.cohorts) {
            (Some(period), Some(own)) => self.check_period(file, own.period, period),
            _ => Ok(()),
        }
    }

    fn check_period(&self, file: &str, own: CalendarPeriod, new: CalendarPeriod) -> Result<()> {
        if own == new {
            return Ok(());
        }
        let remedy = format!("give --cohort-period {own}, or read the whole history again");
        refuse_with(file, "cohorts by", own.to_string(), format!("cohorts by {new}"), remedy)
    }
}
