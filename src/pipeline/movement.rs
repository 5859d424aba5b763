//! Two tables of tiers held against each other: who moved, what is at stake, and whether customers have changed.

use std::path::Path;

use serde::Serialize;

use super::tier_ledger::{LedgerState, ledger_state};
use super::tiers::FIGURES;
use crate::calendar::{Day, Unit};
use crate::customers::table::Plain;
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result, nearest_first};
use crate::progress::Progress;
use crate::report::hand_over::{Book, Cell, Cells, Format, HandOver, Sheet};
use crate::tier::migration::{Drift, Feature, Graded, Migration, drift};
use crate::tier::scheme_file::{MOST_TIERS, TierEntry};
use crate::tier::{Look, builtin};

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct MovementRequest {
    /// The key of the scheme: the tables have a column `tier_` and that.
    pub scheme: String,
    /// The tiers, best first; those of the built-in scheme, or by the column `level_` and the key, where none are given.
    pub tiers: Vec<String>,
    /// The column of each customer's value; `clv`, else `total_spend`, where none is given.
    pub value: Option<String>,
    /// Further columns whose distributions are compared.
    pub features: Vec<String>,
}

/// What became of the customers between two tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Movement {
    /// The key of the scheme.
    pub scheme: String,
    /// The column of value, if there is one.
    pub value: Option<String>,
    /// From which tier to which.
    #[serde(flatten)]
    pub migration: Migration,
    /// How much each figure has shifted.
    pub drift: Vec<Drift>,
}

/// One of the tables, read.
pub(super) struct Side {
    pub(super) ids: Ids,
    /// By row: the tier, or none.
    pub(super) tier: Vec<Option<u32>>,
    /// Their names.
    pub(super) names: Vec<String>,
    pub(super) value: Option<Vec<f64>>,
    reasons: Option<(Vec<u32>, Vec<String>)>,
}

/// Compares two tables by a scheme and writes the movers to `out` in `format`, if a place is given.
///
/// # Errors
/// Columns that are not there, tiers whose order nobody says, and those of the files and of writing.
pub fn movement(
    before: &WholeFile,
    after: &WholeFile,
    request: &MovementRequest,
    out: Option<(&Path, Format)>,
    progress: &dyn Progress,
) -> Result<Movement> {
    let column = format!("tier_{}", request.scheme);
    let value = value_column(before, after, request)?;
    progress.phase("reading", 2);
    let mut sides = [side(before, &column, value.as_deref())?, side(after, &column, value.as_deref())?];
    if out.is_some() {
        sides[1].reasons = texts(after, &format!("reason_{}", request.scheme))?;
    }
    one_language(&mut sides, &request.scheme);
    let tiers = order(&[before, after], &[&sides[0], &sides[1]], request)?;
    let codes = [of_tiers(before, &column, &sides[0], &tiers)?, of_tiers(after, &column, &sides[1], &tiers)?];
    // Rows without a tier are not graded by the scheme: they count as not there.
    let kept = [chosen(&sides[0], &codes[0]), chosen(&sides[1], &codes[1])];
    let graded = |k: usize| Graded {
        ids: &kept[k].ids,
        codes: &kept[k].codes,
        names: &tiers,
        value: kept[k].value.as_deref(),
    };
    let migration = Migration::new(graded(0), graded(1))?;
    let mut features: Vec<String> = FIGURES.iter().map(|name| name.to_string()).collect();
    // Somebody's column of texts that is called like one of them is no figure.
    features.retain(|name| {
        has(before, name) && has(after, name) && before.is_number(name) && after.is_number(name)
    });
    for name in &request.features {
        for file in [before, after] {
            need(file, name, "--features")?;
        }
        if !features.contains(name) {
            features.push(name.clone());
        }
    }
    let mut drifts = Vec::new();
    for name in &features {
        progress.check()?;
        let (a, b) = (numbers(before, name)?, numbers(after, name)?);
        drifts.push(drift(Feature { name, before: &a, after: &b }));
    }
    let movement = Movement { scheme: request.scheme.clone(), value, migration, drift: drifts };
    if let Some((path, format)) = out {
        book(&movement, &kept[1], after.id_name())?.write(format, path, progress)?;
    }
    Ok(movement)
}

/// Compares everybody's tier on two days of a ledger; there is neither value nor figures in it.
///
/// # Errors
/// A ledger without a grading by the scheme up to the earlier day; tiers whose order nobody says.
pub fn ledger_movement(
    folder: &Path,
    [from, to]: [Day; 2],
    request: &MovementRequest,
    out: Option<(&Path, Format)>,
    progress: &dyn Progress,
) -> Result<Movement> {
    let state = |day: Day| -> Result<LedgerState> {
        ledger_state(folder, &request.scheme, Some(day))?.ok_or_else(|| Error::Document {
            file: folder.display().to_string(),
            problem: format!("the ledger has no grading by {} up to {day}", request.scheme),
            remedy: "give a later day, or another scheme; `tiercast tier --ledger` adds gradings".into(),
        })
    };
    if from > to {
        let remedy = "give the earlier day as --from, and the later one as --to";
        return Err(Error::value("--from", from, format!("it is after {to}"), remedy));
    }
    progress.phase("reading", 2);
    let states = [state(from)?, state(to)?];
    let tiers = match (&request.tiers[..], builtin::scheme_file(&request.scheme)) {
        ([], Ok(scheme)) => scheme.tiers().into_iter().map(String::from).collect(),
        ([], Err(_)) => return Err(no_order(&request.scheme)),
        (tiers, _) => asked_for(tiers)?,
    };
    let kept = states.map(|state| {
        let place = |name: &String| tiers.iter().position(|tier| tier == name).map(|place| place as u8);
        let places: Vec<Option<u8>> = state.names.iter().map(place).collect();
        let code = |&code: &u8| {
            places[usize::from(code)].ok_or_else(|| Error::Document {
                file: folder.display().to_string(),
                problem: format!(
                    "it has a tier \"{}\", and the tiers are {}",
                    state.names[usize::from(code)],
                    tiers.join(", ")
                ),
                remedy: "name all tiers with --tiers, the best first".into(),
            })
        };
        let codes: Vec<u8> = state.codes.iter().map(code).collect::<Result<_>>()?;
        Ok::<_, Error>(Chosen { ids: state.ids, codes, value: None, reasons: None })
    });
    let [before, after] = kept;
    let (before, after) = (before?, after?);
    let migration = Migration::new(
        Graded { ids: &before.ids, codes: &before.codes, names: &tiers, value: None },
        Graded { ids: &after.ids, codes: &after.codes, names: &tiers, value: None },
    )?;
    let movement = Movement { scheme: request.scheme.clone(), value: None, migration, drift: Vec::new() };
    if let Some((path, format)) = out {
        book(&movement, &after, "customer_id")?.write(format, path, progress)?;
    }
    Ok(movement)
}

pub(super) fn has(file: &WholeFile, name: &str) -> bool {
    file.columns().iter().any(|own| own == name)
}

pub(super) fn need(file: &WholeFile, name: &str, option: &str) -> Result<()> {
    if has(file, name) {
        return Ok(());
    }
    let near = nearest_first(name, &file.columns());
    let remedy = format!("did you mean \"{}\"?", near.first().map_or("", String::as_str));
    Err(Error::value(option, name, format!("{} has no such column", file.path().display()), remedy))
}

/// The column of value: the one asked for, else the first that both tables have.
fn value_column(before: &WholeFile, after: &WholeFile, request: &MovementRequest) -> Result<Option<String>> {
    if let Some(name) = &request.value {
        need(before, name, "--value")?;
        need(after, name, "--value")?;
        return Ok(Some(name.clone()));
    }
    let both = |name: &&str| has(before, name) && has(after, name);
    Ok(["clv", "total_spend"].into_iter().find(both).map(String::from))
}

fn numbers(file: &WholeFile, name: &str) -> Result<Vec<f64>> {
    // Numbers have neither unit nor date here.
    Look { file, keep: None, unit: Unit::Day, calibration_end: Day(0) }.numbers(name)
}

fn texts(file: &WholeFile, name: &str) -> Result<Option<(Vec<u32>, Vec<String>)>> {
    let Some(values) = file.column(name, None)? else { return Ok(None) };
    match values.plain(name)? {
        Plain::Texts { codes, names } => Ok(Some((codes, names))),
        _ => Err(Error::ColumnType {
            path: file.path().to_path_buf(),
            role: "tier",
            column: name.to_string(),
            found: "no text".into(),
            expected: "texts",
        }),
    }
}

pub(super) fn side(file: &WholeFile, column: &str, value: Option<&str>) -> Result<Side> {
    let Some((codes, names)) = texts(file, column)? else {
        let near = nearest_first(column, &file.columns());
        return Err(Error::ColumnNotFound {
            path: file.path().to_path_buf(),
            role: "tier",
            wanted: Some(column.to_string()),
            columns: near,
        });
    };
    let tier = codes.into_iter().map(|code| ((code as usize) < names.len()).then_some(code)).collect();
    Ok(Side {
        ids: file.ids()?,
        tier,
        names,
        value: value.map(|name| numbers(file, name)).transpose()?,
        reasons: None,
    })
}

/// The ways in which the tiers of a built-in scheme may be written, each with the best first.
fn written(scheme: &str) -> Vec<Vec<String>> {
    let Ok(scheme) = builtin::scheme_file(scheme) else { return Vec::new() };
    let of = |text: &dyn Fn(&TierEntry) -> String| scheme.entries().map(text).collect();
    vec![of(&|tier| tier.name.clone()), of(&|tier| tier.label.en.clone()), of(&|tier| tier.label.zh.clone())]
}

/// Where tables have the tiers of a built-in scheme in several languages, all get that of the first.
pub(super) fn one_language(sides: &mut [Side], scheme: &str) {
    let ways = written(scheme);
    let fits = |way: &&Vec<String>, side: &Side| side.names.iter().all(|name| way.contains(name));
    if ways.iter().any(|way| sides.iter().all(|side| fits(&way, side))) {
        return;
    }
    let Some(first) = sides.first().and_then(|first| ways.iter().find(|way| fits(way, first))) else {
        return;
    };
    for side in &mut sides[1..] {
        let Some(own) = ways.iter().find(|way| fits(way, side)) else { continue };
        for name in &mut side.names {
            if let Some(place) = own.iter().position(|known| known == name) {
                name.clone_from(&first[place]);
            }
        }
    }
}

/// The tiers of some tables, best first: those asked for, those of the built-in scheme by name or label, or by the tables'
/// columns of levels.
///
/// # Errors
/// Tiers whose order nobody says, or of which the tables say different things.
pub(super) fn order(files: &[&WholeFile], sides: &[&Side], request: &MovementRequest) -> Result<Vec<String>> {
    if !request.tiers.is_empty() {
        return asked_for(&request.tiers);
    }
    let mut names: Vec<&String> = sides.iter().flat_map(|side| &side.names).collect();
    names.sort_unstable();
    names.dedup();
    let way = written(&request.scheme).into_iter().find(|way| names.iter().all(|name| way.contains(name)));
    if let Some(way) = way {
        return Ok(way);
    }
    // Levels are those of the tiers that hold, whichever tiers are compared.
    let (tier, level) = (format!("tier_{}", request.scheme), format!("level_{}", request.scheme));
    let mut ranked: Vec<(f64, String)> = Vec::new();
    for file in files.iter().filter(|file| has(file, &level)) {
        let levels = numbers(file, &level)?;
        let Some((codes, names)) = texts(file, &tier)? else { continue };
        let mut seen = vec![false; names.len()];
        for (&code, &level) in codes.iter().zip(&levels) {
            let code = code as usize;
            if seen.get(code).is_none_or(|&seen| seen) {
                continue;
            }
            seen[code] = true;
            match ranked.iter().find(|(_, known)| *known == names[code]) {
                None => ranked.push((level, names[code].clone())),
                Some(&(other, _)) if other == level => {}
                Some(_) => return Err(no_order(&request.scheme)),
            }
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let is_ranked = |name: &&String| ranked.iter().any(|(_, known)| known == *name);
    let is_clear = ranked.windows(2).all(|pair| pair[0].0 > pair[1].0);
    if ranked.is_empty() || !is_clear || !names.iter().all(is_ranked) {
        return Err(no_order(&request.scheme));
    }
    asked_for(&ranked.into_iter().map(|(_, name)| name).collect::<Vec<_>>())
}

/// Tiers that were named: each once, and no more than a code can hold.
fn asked_for(tiers: &[String]) -> Result<Vec<String>> {
    let wrong = |value: &str, problem: &str| {
        Err(Error::value("--tiers", value, problem, format!("name each tier once, at most {MOST_TIERS}")))
    };
    match (1..tiers.len()).find(|&k| tiers[..k].contains(&tiers[k])) {
        Some(twice) => wrong(&tiers[twice], "it is named twice"),
        None if tiers.len() > MOST_TIERS => wrong(&tiers.len().to_string(), "there are too many"),
        None => Ok(tiers.to_vec()),
    }
}

pub(super) fn no_order(scheme: &str) -> Error {
    Error::value(
        "--scheme",
        scheme,
        format!("nobody says in which order the tiers of \"tier_{scheme}\" stand"),
        "give --tiers with commas between them, the best first; tables of `tiercast tier` say it by a column of levels",
    )
}

/// Each row's place among the tiers.
pub(super) fn of_tiers(
    file: &WholeFile,
    column: &str,
    side: &Side,
    tiers: &[String],
) -> Result<Vec<Option<u8>>> {
    let mut places = Vec::with_capacity(side.names.len());
    for name in &side.names {
        let place = tiers.iter().position(|tier| tier == name);
        places.push(place.ok_or_else(|| {
            Error::Document {
                file: file.path().display().to_string(),
                problem: format!(
                    "column \"{column}\" has a tier \"{name}\", and the tiers are {}",
                    tiers.join(", ")
                ),
                remedy:
                    "name all tiers with --tiers, the best first; give tables of one scheme in one language"
                        .into(),
            }
        })? as u8);
    }
    Ok(side.tier.iter().map(|tier| tier.map(|tier| places[tier as usize])).collect())
}

/// The rows with a tier.
struct Chosen {
    ids: Ids,
    codes: Vec<u8>,
    value: Option<Vec<f64>>,
    reasons: Option<Vec<Option<String>>>,
}

fn chosen(side: &Side, codes: &[Option<u8>]) -> Chosen {
    let rows: Vec<usize> = (0..codes.len()).filter(|&row| codes[row].is_some()).collect();
    let reason = |codes: &[u32], names: &[String], row: usize| names.get(codes[row] as usize).cloned();
    Chosen {
        ids: side.ids.select(&rows),
        codes: codes.iter().copied().flatten().collect(),
        value: side.value.as_ref().map(|value| rows.iter().map(|&row| value[row]).collect()),
        reasons: side
            .reasons
            .as_ref()
            .map(|(codes, names)| rows.iter().map(|&row| reason(codes, names, row)).collect()),
    }
}

/// The movers, those with the most at stake first.
fn book<'a>(movement: &'a Movement, after: &'a Chosen, id: &str) -> Result<Book<'a>> {
    let migration = &movement.migration;
    let movers = &migration.movers;
    let column = |name: &str, cells| HandOver { name: name.to_string(), cells };
    let labels = |codes: Vec<u8>| Cells::Labels { codes: codes.into(), names: migration.tiers.clone() };
    let mut columns = vec![
        column(
            id,
            Cells::Carried(
                after
                    .ids
                    .select(&movers.iter().map(|mover| mover.after).collect::<Vec<_>>())
                    .into_column()?,
            ),
        ),
        column("from", labels(movers.iter().map(|mover| mover.from).collect())),
        column("to", labels(movers.iter().map(|mover| mover.to).collect())),
        column("value", Cells::Numbers(movers.iter().map(|mover| mover.value).collect())),
    ];
    if let Some(reasons) = &after.reasons {
        columns.push(column("reason", Cells::Made(Box::new(move |k| reasons[movers[k].after].clone()))));
    }
    let mut heading = vec!["from".to_string()];
    heading.extend(migration.tiers.iter().cloned());
    heading.push("(gone)".to_string());
    let rows = migration.customers.iter().enumerate().map(|(i, row)| {
        let name = migration.tiers.get(i).cloned().unwrap_or_else(|| "(new)".to_string());
        let cells = row.iter().map(|&n| Cell::Number(n as f64));
        std::iter::once(Cell::Text(name)).chain(cells).collect()
    });
    let matrix = Sheet { name: "Movement".into(), heading, rows: rows.collect() };
    Ok(Book { rows: movers.len(), columns, summary: vec![matrix], sheet: "Movers".into(), order: None })
}
