//! A file of customers graded by schemes, and handed on with each one's tier, level and reason.

mod words;

use std::path::Path;

use serde::Serialize;

pub use self::words::Language;

use crate::calendar::{Day, Unit};
use crate::customers::pseudonyms::Pseudonyms;
use crate::customers::{Ids, Values, WholeFile};
use crate::error::{Error, Result, nearest_first};
use crate::progress::Progress;
use crate::report::hand_over::{Book, Cell, Cells, Format, HandOver, Sheet};
use crate::tier::overrides::{Applied, Automatic, OverrideReport, Overrides};
use crate::tier::{Columns, Graded, Look, SchemeFile, Tier, Tiering};

/// Code of a row without a tier: a prospect where the scheme is about customers.
const NO_TIER: u8 = u8::MAX;

/// Figures that go along if the file has them.
const FIGURES: [&str; 5] = ["orders", "total_spend", "days_since_last", "p_alive", "clv"];

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
    /// Columns of the file that go along, beside [`FIGURES`].
    pub with: &'a [String],
    /// Whether everybody's reason is written.
    pub reasons: bool,
    /// The language of names and labels.
    pub language: Language,
    /// What stands for the ids, if not they themselves.
    pub pseudonyms: Option<&'a Pseudonyms>,
}

/// What one scheme made of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SchemeResult {
    /// The automatic tiers with their rules, thresholds, counts and shares.
    #[serde(flatten)]
    pub tiering: Tiering,
    /// What each tier is called in the language asked for.
    pub labels: Vec<String>,
    /// Rows that the scheme is not about: prospects.
    pub without_tier: u64,
    /// Customers by effective tier, where there are overrides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Vec<u64>>,
    /// What became of the overrides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<OverrideReport>,
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
    /// Sheets that the rows took, in a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheets: Option<usize>,
}

/// One scheme over the rows of the file.
struct Over<'c> {
    graded: Graded<'c>,
    /// By row of the file; [`NO_TIER`] where it is not about the row.
    automatic: Vec<u8>,
    applied: Option<Applied>,
    /// The place among the graded of each row; none where all are graded.
    place: Option<Vec<u32>>,
}

impl Over<'_> {
    fn effective(&self) -> &[u8] {
        self.applied.as_ref().map_or(&self.automatic, |applied| &applied.effective)
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
    let (unit, calibration_end) = times(file, request)?;
    let date = request.date.unwrap_or(calibration_end);
    progress.phase("grading", request.schemes.len() as u64);
    let ids = file.ids()?;
    let customers = file.customers()?;
    let prospects = customers.as_ref().map_or(0, |keep| keep.iter().filter(|&&kept| !kept).count());
    let everybody = Look { file, keep: None, unit, calibration_end };
    let of_customers = Look { keep: customers.as_deref(), ..everybody };
    let (all, some) = (everybody.columns(), of_customers.columns());
    let money = numbers_or_zero(file, "total_spend", everybody)?;
    let value = match file.columns().iter().any(|name| name == "clv") {
        true => Some(everybody.numbers("clv")?),
        false => file.columns().iter().any(|name| name == "total_spend").then(|| money.clone()),
    };
    let mut found: Vec<Over<'_>> = Vec::new();
    for scheme in request.schemes {
        progress.check()?;
        let takes_prospects = scheme.tiers().contains(&"prospect");
        let keep = customers.as_deref().filter(|_| !takes_prospects);
        let columns: &Columns<'_> = if keep.is_some() { &some } else { &all };
        found.push(over(scheme, columns, keep, &ids, &money, value.as_deref(), request.overrides, date)?);
        progress.advance(1);
    }
    let mut tiered = Tiered {
        date,
        rows: file.rows() as u64,
        prospects: prospects as u64,
        schemes: found.iter().zip(request.schemes).map(|(over, scheme)| result(over, scheme, request.language)).collect(),
        cross: cross_tables(&found),
        sheets: None,
    };
    if let Some((path, format)) = out {
        let book = book(file, request, &ids, &found, &tiered)?;
        let sheets = book.write(format, path, progress)?;
        tiered.sheets = (format == Format::Xlsx).then_some(sheets);
    }
    Ok(tiered)
}

/// The unit of the file's times and the day up to which its customers are observed.
fn times(file: &WholeFile, request: &TierRequest<'_>) -> Result<(Unit, Day)> {
    let about = file.about();
    let missing = |problem: &str, remedy: &str| Error::Document {
        file: file.path().display().to_string(),
        problem: problem.into(),
        remedy: remedy.into(),
    };
    let has_times = file.columns().iter().any(|name| name == "recency" || name == "T");
    let unit = request.unit.or(about.map(|about| about.unit));
    let unit = match unit {
        Some(unit) => unit,
        None if !has_times => Unit::Day,
        None => {
            let remedy = "give --unit week or --unit day; tables of `tiercast summarize` say it themselves";
            return Err(missing("nobody says in what unit its recency and T are", remedy));
        }
    };
    let end = about.map(|about| about.calibration_end).or(request.date).ok_or_else(|| {
        let remedy = "give --date; tables of `tiercast summarize` say it themselves";
        missing("nobody says up to which day its customers are observed", remedy)
    })?;
    Ok((unit, end))
}

fn numbers_or_zero(file: &WholeFile, name: &str, look: Look<'_>) -> Result<Vec<f64>> {
    if !file.columns().iter().any(|own| own == name) {
        return Ok(vec![0.0; file.rows()]);
    }
    let mut out = look.numbers(name)?;
    out.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
    Ok(out)
}

#[allow(clippy::too_many_arguments)] // Each is one thing that a scheme is held against.
fn over<'c>(
    scheme: &'c SchemeFile,
    columns: &'c Columns<'_>,
    keep: Option<&[bool]>,
    ids: &Ids,
    money: &[f64],
    value: Option<&[f64]>,
    overrides: Option<&Overrides>,
    date: Day,
) -> Result<Over<'c>> {
    let rows: Option<Vec<usize>> = keep.map(|keep| (0..keep.len()).filter(|&row| keep[row]).collect());
    let spend: Vec<f64> = match &rows {
        Some(rows) => rows.iter().map(|&row| money[row]).collect(),
        None => money.to_vec(),
    };
    let who = |place: usize| ids.text(rows.as_ref().map_or(place, |rows| rows[place]));
    let graded = scheme.ready(columns)?.grade_rows(&spend, who)?;
    let (automatic, place) = match &rows {
        None => (graded.tiering.codes.clone(), None),
        Some(rows) => {
            let mut automatic = vec![NO_TIER; ids.len()];
            let mut place = vec![u32::MAX; ids.len()];
            for (at, &row) in rows.iter().enumerate() {
                automatic[row] = graded.tiering.codes[at];
                place[row] = at as u32;
            }
            (automatic, Some(place))
        }
    };
    let applied = overrides.map(|overrides| {
        let names = graded.tiering.names();
        let to = Automatic { scheme: &scheme.key, names: &names, ids, codes: &automatic, value };
        overrides.apply(to, date)
    });
    Ok(Over { graded, automatic, applied, place })
}

fn result(over: &Over<'_>, scheme: &SchemeFile, language: Language) -> SchemeResult {
    let tiering = over.graded.tiering.clone();
    let effective = over.applied.as_ref().map(|applied| {
        let mut counts = vec![0; tiering.tiers.len()];
        applied.effective.iter().filter(|&&code| code != NO_TIER).for_each(|&code| counts[usize::from(code)] += 1);
        counts
    });
    SchemeResult {
        labels: labels(scheme, &tiering.tiers, language),
        without_tier: over.automatic.iter().filter(|&&code| code == NO_TIER).count() as u64,
        effective,
        overrides: over.applied.as_ref().map(|applied| applied.report.clone()),
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

fn book<'a>(
    file: &WholeFile,
    request: &TierRequest<'a>,
    ids: &'a Ids,
    found: &'a [Over<'a>],
    tiered: &Tiered,
) -> Result<Book<'a>> {
    let language = request.language;
    let known = file.columns();
    if let Some(missing) = request.with.iter().find(|name| !known.contains(name)) {
        let near = nearest_first(missing, &known);
        let remedy = format!("did you mean \"{}\"?", near.first().map_or("", String::as_str));
        return Err(Error::value("--with", missing, format!("{} has no such column", file.path().display()), remedy));
    }
    let mut columns: Vec<HandOver<'a>> = Vec::new();
    let id = match request.pseudonyms {
        Some(pseudonyms) => Cells::Made(Box::new(move |row| Some(pseudonyms.of(&ids.text(row))))),
        None => Cells::Carried(carried(file, file.id_name())?),
    };
    columns.push(HandOver { name: language.column(file.id_name()), cells: id });
    for (over, scheme) in found.iter().zip(&tiered.schemes) {
        let tiering = &scheme.tiering;
        let count = tiering.tiers.len() as u32;
        let key = tiering.column_name.trim_start_matches("tier_").to_string();
        let mut push = |what: &str, cells: Cells<'a>| {
            columns.push(HandOver { name: language.of_scheme(what, &key), cells });
        };
        let labels = |codes: &[u8]| Cells::Labels { codes: codes.to_vec(), names: scheme.labels.clone() };
        push("tier", labels(over.effective()));
        // The best tier has the highest level: a number that a CRM can sort by.
        push("level", Cells::Levels { codes: over.effective().to_vec(), levels: (1..=count).rev().collect() });
        if over.applied.is_some() {
            push("automatic", labels(&over.automatic));
        }
        if let (Some(applied), Some(overrides)) = (&over.applied, request.overrides) {
            push("by_hand", Cells::Made(Box::new(move |row| {
                let at = applied.by_hand.binary_search_by_key(&row, |&(row, _)| row).ok()?;
                let line = &overrides.lines[applied.by_hand[at].1];
                Some(format!("{}: {}", line.who, line.why))
            })));
        }
        if request.reasons {
            push("reason", Cells::Made(Box::new(move |row| {
                let place = match &over.place {
                    Some(place) => *place.get(row).filter(|&&place| place != u32::MAX)? as usize,
                    None => row,
                };
                Some(over.graded.reason(place).sentence)
            })));
        }
    }
    let date = tiered.date.to_string();
    columns.push(HandOver { name: language.column("date"), cells: Cells::Made(Box::new(move |_| Some(date.clone()))) });
    let figures = FIGURES.iter().map(|name| name.to_string()).filter(|name| known.contains(name));
    let with = figures.chain(request.with.iter().cloned());
    let mut seen = Vec::new();
    for name in with {
        if !seen.contains(&name) {
            columns.push(HandOver { name: language.column(&name), cells: Cells::Carried(carried(file, &name)?) });
            seen.push(name);
        }
    }
    Ok(Book { rows: ids.len(), columns, summary: vec![summary(tiered, language)], sheet: language.word("customers").into() })
}

fn carried(file: &WholeFile, name: &str) -> Result<Values> {
    let missing = || Error::internal("reading a column", format!("the file has lost \"{name}\""));
    file.column(name, None)?.ok_or_else(missing)
}

/// One line per scheme and tier.
fn summary(tiered: &Tiered, language: Language) -> Sheet {
    let heading = ["scheme", "tier", "rule", "customers", "share_of_customers", "total_spend", "share_of_spend", "effective"];
    let mut rows = Vec::new();
    for scheme in &tiered.schemes {
        for (k, (tier, label)) in scheme.tiering.tiers.iter().zip(&scheme.labels).enumerate() {
            let effective = scheme.effective.as_ref().map_or(tier.customers, |counts| counts[k]);
            rows.push(vec![
                Cell::Text(scheme.tiering.title.clone()),
                Cell::Text(label.clone()),
                Cell::Text(tier.rule.clone()),
                Cell::Number(tier.customers as f64),
                Cell::Number(tier.share_of_customers),
                Cell::Number(tier.spend),
                Cell::Number(tier.share_of_spend),
                Cell::Number(effective as f64),
            ]);
        }
    }
    Sheet {
        name: language.word("summary").into(),
        heading: heading.iter().map(|name| language.column(name)).collect(),
        rows,
    }
}
