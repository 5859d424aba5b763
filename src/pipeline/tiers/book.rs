//! The table of tiers that is handed on: ids, tiers with their levels and reasons, figures, and a sheet that sums up.

use super::{Language, Over, TierRequest, Tiered};
use crate::customers::{Ids, Values, WholeFile};
use crate::error::{Error, Result, nearest_first};
use crate::parallel;
use crate::report::hand_over::{Book, Cell, Cells, HandOver, Sheet};
use std::borrow::Cow;

/// Figures that a table of customers may have: they go along, and their distributions are compared.
pub(in crate::pipeline) const FIGURES: [&str; 5] =
    ["orders", "total_spend", "days_since_last", "p_alive", "clv"];

pub(super) fn book<'a>(
    file: &WholeFile,
    request: &TierRequest<'a>,
    ids: &'a Ids,
    found: &'a [Over<'a>],
    opted_out: Option<&[bool]>,
    tiered: &Tiered,
) -> Result<Book<'a>> {
    let language = request.language;
    let known = file.columns();
    if let Some(missing) = request.with.iter().find(|name| !known.contains(name)) {
        let near = nearest_first(missing, &known);
        let remedy = format!("did you mean \"{}\"?", near.first().map_or("", String::as_str));
        return Err(Error::value(
            "--with",
            missing,
            format!("{} has no such column", file.path().display()),
            remedy,
        ));
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
        let key = tiering.key.clone();
        let mut push = |what: &str, cells: Cells<'a>| {
            columns.push(HandOver { name: language.of_scheme(what, &key), cells });
        };
        let labels =
            |codes: &'a [u8]| Cells::Labels { codes: Cow::Borrowed(codes), names: scheme.labels.clone() };
        push("tier", labels(over.effective()));
        // The best tier has the highest level: a number that a CRM can sort by.
        push(
            "level",
            Cells::Levels { codes: Cow::Borrowed(over.effective()), levels: (1..=count).rev().collect() },
        );
        if over.applied.is_some() || over.held.is_some() {
            push("automatic", labels(&over.automatic));
        }
        if over.applied.is_some() {
            let overrides = request.overrides;
            push("by_hand", Cells::Made(Box::new(move |row| over.by_hand(row, overrides))));
        }
        if request.reasons {
            push("reason", Cells::Made(Box::new(move |row| over.reason(row))));
        }
    }
    let date = tiered.date.to_string();
    columns.push(HandOver {
        name: language.column("date"),
        cells: Cells::Made(Box::new(move |_| Some(date.clone()))),
    });
    if let Some(opted_out) = opted_out {
        columns
            .push(HandOver { name: language.column("opted_out"), cells: Cells::Truths(opted_out.to_vec()) });
    }
    let figures = FIGURES.iter().map(|name| name.to_string()).filter(|name| known.contains(name));
    let with = figures.chain(request.with.iter().cloned());
    let mut seen = Vec::new();
    for name in with {
        if !seen.contains(&name) {
            columns.push(HandOver {
                name: language.column(&name),
                cells: Cells::Carried(carried(file, &name)?),
            });
            seen.push(name);
        }
    }
    let is_known = |k: usize| columns[..k].iter().any(|own| own.name.eq_ignore_ascii_case(&columns[k].name));
    if let Some(k) = (1..columns.len()).find(|&k| is_known(k)) {
        let problem = "another column of the output is called so";
        let remedy = "leave it out of --with, or rename the column in the table";
        return Err(Error::value("a column of the output", columns[k].name.clone(), problem, remedy));
    }
    // In the order of the ids whoever has a list of them would know whose pseudonym is which.
    let order = request.pseudonyms.map(|pseudonyms| {
        let mut by_pseudonym =
            parallel::collect(ids.len(), |row| (pseudonyms.of(&ids.text(row)), row as u32));
        parallel::sort_by(&mut by_pseudonym, |a, b| a.cmp(b));
        by_pseudonym.into_iter().map(|(_, row)| row).collect()
    });
    Ok(Book {
        rows: ids.len(),
        columns,
        order,
        summary: vec![summary(tiered, language)],
        sheet: language.word("customers").into(),
    })
}

fn carried(file: &WholeFile, name: &str) -> Result<Values> {
    let missing = || Error::internal("reading a column", format!("the file has lost \"{name}\""));
    file.column(name, None)?.ok_or_else(missing)
}

/// One line per scheme and tier.
fn summary(tiered: &Tiered, language: Language) -> Sheet {
    let heading = [
        "scheme",
        "tier",
        "rule",
        "customers",
        "share_of_customers",
        "total_spend",
        "share_of_spend",
        "effective",
    ];
    let mut rows = Vec::new();
    for scheme in &tiered.schemes {
        for (k, (tier, label)) in scheme.tiering.tiers.iter().zip(&scheme.labels).enumerate() {
            let effective = scheme.effective.as_ref().map_or(tier.customers, |counts| counts[k]);
            rows.push(vec![
                Cell::Text(scheme.title.clone()),
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
