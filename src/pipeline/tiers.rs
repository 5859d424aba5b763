//! A file of customers graded by schemes, and handed on with each one's tier, level and reason.

mod book;
mod held;
mod words;

use std::path::Path;

use serde::Serialize;

pub(super) use self::book::FIGURES;
pub use self::held::HoldingReport;
pub use self::words::{Language, open_tiers};

use self::held::{HeldTiers, hold};
use super::tier_ledger::{LedgerReport, add, check};
use crate::calendar::{Day, Unit};
use crate::customers::pseudonyms::Pseudonyms;
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::hand_over::Format;
use crate::tier::opt_out::{OptOutReport, OptOuts};
use crate::tier::overrides::{Applied, Automatic, OverrideReport, Overrides};
use crate::tier::policy::Policy;
use crate::tier::{Columns, Graded, Look, SchemeFile, Tier, Tiering};

/// Code of a row without a tier: a prospect where the scheme is about customers.
pub(super) const NO_TIER: u8 = u8::MAX;

/// What is wanted.
#[derive(Debug)]
pub struct TierRequest<'a> {
    /// The schemes, each key once.
    pub schemes: &'a [SchemeFile],
    /// Tiers set by hand.
    pub overrides: Option<&'a Overrides>,
    /// The date of the grading; the end of calibration where none is said.
    pub date: Option<Day>,
    /// The unit of recency and T where the file does not say it.
    pub unit: Option<Unit>,
    /// Columns of the file that go along, beside the usual figures.
    pub with: &'a [String],
    /// Whether everybody's reason is written.
    pub reasons: bool,
    /// The language of names and labels.
    pub language: Language,
    /// What stands for the ids, if not they themselves.
    pub pseudonyms: Option<&'a Pseudonyms>,
    /// The folder of the ledger to which the grading is added.
    pub ledger: Option<&'a Path>,
    /// How tiers follow the rules from what the ledger holds; at once, and without a word of it there, where none is given.
    pub policy: Option<Policy>,
    /// Who opted out.
    pub opt_out: Option<&'a OptOuts>,
}

/// What one scheme made of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SchemeResult {
    /// The automatic tiers with their rules, thresholds, counts and shares.
    #[serde(flatten)]
    pub tiering: Tiering,
    /// The scheme's title in the language asked for.
    #[serde(rename = "heading")]
    pub title: String,
    /// What each tier is called in the language asked for.
    pub labels: Vec<String>,
    /// Rows that the scheme is not about: prospects.
    pub without_tier: u64,
    /// Customers by effective tier, where there are overrides or a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Vec<u64>>,
    /// What became of the overrides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<OverrideReport>,
    /// How many are held above and below the tier by the rules, where there is a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holding: Option<HoldingReport>,
    /// Customers who opted out by effective tier, where there is a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_out: Option<Vec<u64>>,
}

/// Customers by the tiers of two schemes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CrossTable {
    /// The key of the scheme of the rows.
    pub rows: String,
    /// The key of the scheme of the columns.
    pub columns: String,
    /// Customers by effective tier, best first; rows without a tier in either are left out.
    pub customers: Vec<Vec<u64>>,
}

/// A file that was graded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tiered {
    /// The date of the grading.
    pub date: Day,
    /// Rows.
    pub rows: u64,
    /// Rows without an order.
    pub prospects: u64,
    /// By scheme.
    pub schemes: Vec<SchemeResult>,
    /// Every two schemes.
    pub cross: Vec<CrossTable>,
    /// What was added to the ledger, by scheme.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerReport>,
    /// What became of the list of those who opted out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<OptOutReport>,
    /// Sheets that the rows took, in a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheets: Option<usize>,
}

/// One scheme over the rows of the file.
pub(super) struct Over<'c> {
    pub(super) graded: Graded<'c>,
    /// By row of the file; [`NO_TIER`] where it is not about the row.
    pub(super) automatic: Vec<u8>,
    applied: Option<Applied>,
    /// What a policy holds.
    pub(super) held: Option<HeldTiers>,
    /// The place among the graded of each row; none where all are graded.
    place: Option<Vec<u32>>,
}

impl Over<'_> {
    /// With tiers set by hand laid over it, or over what a policy holds.
    fn with(
        self,
        overrides: Option<&Overrides>,
        scheme: &SchemeFile,
        ids: &Ids,
        value: Option<&[f64]>,
        date: Day,
    ) -> Self {
        let names = self.graded.tiering.names();
        let to = Automatic { scheme: &scheme.key, names: &names, ids, codes: self.followed(), value };
        let applied = overrides.map(|overrides| overrides.apply(to, date));
        Over { applied, ..self }
    }

    /// What a policy holds, or else the tier by the rules, by row.
    fn followed(&self) -> &[u8] {
        self.held.as_ref().map_or(&self.automatic, |held| &held.codes)
    }

    /// The tier that holds, by row.
    pub(super) fn effective(&self) -> &[u8] {
        self.applied.as_ref().map_or(self.followed(), |applied| &applied.effective)
    }

    /// Why the rules put the customer of a row where they do; none where the scheme is not about it.
    pub(super) fn reason(&self, row: usize) -> Option<String> {
        let place = match &self.place {
            Some(place) => *place.get(row).filter(|&&place| place != u32::MAX)? as usize,
            None => row,
        };
        Some(self.graded.reason(place).sentence)
    }

    /// Who set the tier of a row by hand, and why.
    pub(super) fn by_hand(&self, row: usize, overrides: Option<&Overrides>) -> Option<String> {
        let by_hand = &self.applied.as_ref()?.by_hand;
        let at = by_hand.binary_search_by_key(&row, |&(row, _)| row).ok()?;
        let line = overrides?.lines.get(by_hand[at].1)?;
        Some(format!("{}: {}", line.who, line.why))
    }
}

/// Grades `file` and writes the tiers to `out` in `format`, if a place is given.
///
/// # Errors
/// Those of the file, of the schemes and of writing; columns to go along that are not there.
pub fn tier_file(
    file: &WholeFile,
    request: &TierRequest<'_>,
    out: Option<(&Path, Format)>,
    progress: &dyn Progress,
) -> Result<Tiered> {
    let ids = file.ids()?;
    let known = Known::of(file, request)?;
    if let Some(folder) = request.ledger {
        check(folder, request.schemes, known.date, request.policy)?;
    }
    let opted_out = request.opt_out.map(|list| list.apply(&[&ids], known.date));
    let (is_out, opt_out) = opted_out.map(|(rows, report)| (rows.concat(), report)).unzip();
    let (all, some) = (known.everybody().columns(), known.customers().columns());
    let found = known.grade(request, &ids, [&all, &some], progress)?;
    let mut tiered = Tiered {
        date: known.date,
        rows: file.rows() as u64,
        prospects: known.keep.as_ref().map_or(0, |keep| keep.iter().filter(|&&kept| !kept).count() as u64),
        schemes: found
            .iter()
            .zip(request.schemes)
            .map(|(over, scheme)| result(over, scheme, request.language, is_out.as_deref()))
            .collect(),
        cross: cross_tables(&found),
        ledger: Vec::new(),
        opt_out,
        sheets: None,
    };
    if let Some((path, format)) = out {
        let book = book::book(file, request, &ids, &found, is_out.as_deref(), &tiered)?;
        let sheets = book.write(format, path, progress)?;
        tiered.sheets = (format == Format::Xlsx).then_some(sheets);
    }
    if let Some(folder) = request.ledger {
        for (over, scheme) in found.iter().zip(request.schemes) {
            tiered.ledger.push(add(folder, over, scheme, &ids, request, known.date, progress)?);
        }
    }
    Ok(tiered)
}

/// The date of the grading, and what `of` makes of each scheme over the rows of a file.
pub(super) fn schemes_over<T>(
    file: &WholeFile,
    request: &TierRequest<'_>,
    ids: &Ids,
    progress: &dyn Progress,
    of: impl Fn(&Over<'_>, &SchemeFile) -> T,
) -> Result<(Day, Vec<T>)> {
    let known = Known::of(file, request)?;
    let (all, some) = (known.everybody().columns(), known.customers().columns());
    let found = known.grade(request, ids, [&all, &some], progress)?;
    Ok((known.date, found.iter().zip(request.schemes).map(|(over, scheme)| of(over, scheme)).collect()))
}

/// What is known of a file before a scheme is held against it.
struct Known<'a> {
    file: &'a WholeFile,
    unit: Unit,
    calibration_end: Day,
    date: Day,
    /// Which rows are customers, where some are prospects.
    keep: Option<Vec<bool>>,
    /// Spend by row; 0 where there is none.
    money: Vec<f64>,
    /// What each is worth, for judging overrides.
    value: Option<Vec<f64>>,
}

impl<'a> Known<'a> {
    fn of(file: &'a WholeFile, request: &TierRequest<'_>) -> Result<Known<'a>> {
        let (unit, calibration_end) = times(file, request.unit, request.date)?;
        let look = Look { file, keep: None, unit, calibration_end };
        let has = |name: &str| file.columns().iter().any(|own| own == name);
        let mut money =
            if has("total_spend") { look.numbers("total_spend")? } else { vec![0.0; file.rows()] };
        money.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
        let value = match has("clv") {
            true => Some(look.numbers("clv")?),
            false => has("total_spend").then(|| money.clone()),
        };
        let date = request.date.unwrap_or(calibration_end);
        Ok(Known { file, unit, calibration_end, date, keep: file.customers()?, money, value })
    }

    fn everybody(&self) -> Look<'_> {
        Look { file: self.file, keep: None, unit: self.unit, calibration_end: self.calibration_end }
    }

    fn customers(&self) -> Look<'_> {
        Look { keep: self.keep.as_deref(), ..self.everybody() }
    }

    /// Holds every scheme against all rows, or against the customers where it has no tier for prospects.
    fn grade<'c>(
        &self,
        request: &TierRequest<'c>,
        ids: &Ids,
        [all, some]: [&'c Columns<'_>; 2],
        progress: &dyn Progress,
    ) -> Result<Vec<Over<'c>>> {
        progress.phase("grading", request.schemes.len() as u64);
        let mut found = Vec::new();
        for scheme in request.schemes {
            progress.check()?;
            let takes_prospects = scheme.tiers().contains(&"prospect");
            let rows: Option<Vec<usize>> = match &self.keep {
                Some(keep) if !takes_prospects => Some((0..keep.len()).filter(|&row| keep[row]).collect()),
                _ => None,
            };
            let mut graded =
                self.over(scheme, if rows.is_some() { some } else { all }, rows.as_deref(), ids)?;
            if let (Some(folder), Some(policy)) = (request.ledger, request.policy) {
                graded.held = Some(hold(folder, policy, &graded, &scheme.key, ids, self.date)?);
            }
            found.push(graded.with(request.overrides, scheme, ids, self.value.as_deref(), self.date));
            progress.advance(1);
        }
        Ok(found)
    }

    fn over<'c>(
        &self,
        scheme: &'c SchemeFile,
        columns: &'c Columns<'_>,
        rows: Option<&[usize]>,
        ids: &Ids,
    ) -> Result<Over<'c>> {
        let spend: Vec<f64> = match rows {
            Some(rows) => rows.iter().map(|&row| self.money[row]).collect(),
            None => self.money.clone(),
        };
        let who = |place: usize| ids.text(rows.map_or(place, |rows| rows[place]));
        let graded = scheme.ready(columns)?.grade_rows(&spend, who)?;
        let Some(rows) = rows else {
            let automatic = graded.tiering.codes.clone();
            return Ok(Over { automatic, graded, applied: None, held: None, place: None });
        };
        let (mut automatic, mut place) = (vec![NO_TIER; ids.len()], vec![u32::MAX; ids.len()]);
        for (at, &row) in rows.iter().enumerate() {
            automatic[row] = graded.tiering.codes[at];
            place[row] = at as u32;
        }
        Ok(Over { graded, automatic, applied: None, held: None, place: Some(place) })
    }
}

/// The unit of the file's times and the day up to which its customers are observed.
pub(super) fn times(file: &WholeFile, typed: Option<Unit>, date: Option<Day>) -> Result<(Unit, Day)> {
    let about = file.about();
    let missing = |problem: &str, remedy: &str| Error::Document {
        file: file.path().display().to_string(),
        problem: problem.into(),
        remedy: remedy.into(),
    };
    let has_times = file.columns().iter().any(|name| name == "recency" || name == "T");
    let said = about.map(|about| about.unit);
    if let (Some(typed), Some(said)) = (typed, said)
        && typed != said
    {
        let problem = format!("{} says itself that its times are in {}s", file.path().display(), said.name());
        return Err(Error::value("--unit", typed.name(), problem, "leave it out"));
    }
    let unit = said.or(typed);
    let unit = match unit {
        Some(unit) => unit,
        None if !has_times => Unit::Day,
        None => {
            let remedy = "give --unit week or --unit day; tables of `tiercast summarize` say it themselves";
            return Err(missing("nobody says in what unit its recency and T are", remedy));
        }
    };
    let end = about.map(|about| about.calibration_end).or(date).ok_or_else(|| {
        let remedy = "give --date; tables of `tiercast summarize` say it themselves";
        missing("nobody says up to which day its customers are observed", remedy)
    })?;
    Ok((unit, end))
}

/// [`times`] where `date` only fills in what the table does not say.
pub(super) fn stated_times(file: &WholeFile, typed: Option<Unit>, date: Option<Day>) -> Result<(Unit, Day)> {
    let (unit, end) = times(file, typed, date)?;
    if let Some(date) = date.filter(|date| *date != end) {
        let problem =
            format!("{} says itself that its customers are observed up to {end}", file.path().display());
        return Err(Error::value("--date", date, problem, "leave it out, or give the table as of that day"));
    }
    Ok((unit, end))
}

fn result(over: &Over<'_>, scheme: &SchemeFile, language: Language, is_out: Option<&[bool]>) -> SchemeResult {
    // Everybody's codes stay where they are.
    let own = &over.graded.tiering;
    let tiering = Tiering {
        codes: Vec::new(),
        tiers: own.tiers.clone(),
        thresholds: own.thresholds.clone(),
        key: own.key.clone(),
        title: own.title.clone(),
        column_name: own.column_name.clone(),
    };
    let count = |is_counted: &dyn Fn(usize) -> bool| {
        let mut counts = vec![0; tiering.tiers.len()];
        let codes = over.effective().iter().enumerate();
        codes
            .filter(|&(row, &code)| code != NO_TIER && is_counted(row))
            .for_each(|(_, &code)| counts[usize::from(code)] += 1);
        counts
    };
    let effective = (over.applied.is_some() || over.held.is_some()).then(|| count(&|_| true));
    let opted_out = is_out.map(|is_out| count(&|row| is_out[row]));
    SchemeResult {
        title: language.label(&scheme.title).to_string(),
        labels: labels(scheme, &tiering.tiers, language),
        without_tier: over.automatic.iter().filter(|&&code| code == NO_TIER).count() as u64,
        effective,
        overrides: over.applied.as_ref().map(|applied| applied.report.clone()),
        holding: over.held.as_ref().map(|held| held.report.clone()),
        opted_out,
        tiering,
    }
}

/// What the tiers are called; their names where the scheme has no label.
fn labels(scheme: &SchemeFile, tiers: &[Tier], language: Language) -> Vec<String> {
    let of = |tier: &Tier| {
        let entry = scheme.entries().find(|entry| entry.name == tier.name);
        entry.map_or_else(|| tier.name.clone(), |entry| language.label(&entry.label).to_string())
    };
    tiers.iter().map(of).collect()
}

fn cross_tables(found: &[Over<'_>]) -> Vec<CrossTable> {
    let mut out = Vec::new();
    for (i, rows) in found.iter().enumerate() {
        for columns in &found[i + 1..] {
            let width = columns.graded.tiering.tiers.len();
            let mut customers = vec![vec![0; width]; rows.graded.tiering.tiers.len()];
            for (&a, &b) in rows.effective().iter().zip(columns.effective()) {
                if a != NO_TIER && b != NO_TIER {
                    customers[usize::from(a)][usize::from(b)] += 1;
                }
            }
            let key = |over: &Over<'_>| over.graded.tiering.key.clone();
            out.push(CrossTable { rows: key(rows), columns: key(columns), customers });
        }
    }
    out
}
