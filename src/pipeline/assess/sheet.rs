//! The table of everybody's probabilities: ids, tiers, and how likely each tier is.

use super::{Assessed, Found};
use crate::customers::{Ids, WholeFile};
use crate::error::{Error, Result};
use crate::report::hand_over::{Book, Cell, Cells, HandOver, Sheet};

/// Where a row is no customer.
const NOBODY: u32 = u32::MAX;

/// The rows of the file with the tiers of its customers; prospects have none.
pub(super) fn book<'a>(
    file: &WholeFile,
    ids: &'a Ids,
    keep: Option<&[bool]>,
    found: &'a Found<'a>,
    assessed: &Assessed,
) -> Result<Book<'a>> {
    let mut next = 0;
    let place: Vec<u32> = (0..ids.len())
        .map(|row| match keep.is_none_or(|keep| keep[row]) {
            true => {
                next += 1;
                next - 1
            }
            false => NOBODY,
        })
        .collect();
    let place = std::sync::Arc::new(place);
    let id = file.column(file.id_name(), None)?;
    let id = id.ok_or_else(|| Error::internal("reading a column", "the file has lost its ids"))?;
    let mut columns = vec![HandOver { name: file.id_name().to_string(), cells: Cells::Carried(id) }];
    for (k, graded) in found.graded.iter().enumerate() {
        let tiering = &graded.tiering;
        let key = &tiering.key;
        let names = tiering.names();
        let at = |codes: &dyn Fn(usize) -> u8| -> Vec<u8> {
            place.iter().map(|&i| if i == NOBODY { u8::MAX } else { codes(i as usize) }).collect()
        };
        let tier = Cells::Labels { codes: at(&|i| tiering.codes[i]).into(), names: names.clone() };
        columns.push(HandOver { name: format!("tier_{key}"), cells: tier });
        let Some(sureness) = found.sureness.as_ref().map(|all| &all[k]) else { continue };
        let mut number = |name: String, of: Box<dyn Fn(usize) -> f64 + Sync + Send + 'a>| {
            let place = std::sync::Arc::clone(&place);
            let make = move |row: usize| match place[row] {
                NOBODY => f64::NAN,
                i => of(i as usize),
            };
            columns.push(HandOver { name, cells: Cells::Computed(Box::new(make)) });
        };
        let codes = &tiering.codes;
        let own = move |i: usize| sureness.probability(i, usize::from(codes[i]));
        number(format!("p_tier_{key}"), Box::new(own));
        let above =
            move |i: usize| (0..usize::from(codes[i])).map(|tier| sureness.probability(i, tier)).sum();
        number(format!("p_above_{key}"), Box::new(above));
        for (tier, name) in names.iter().enumerate() {
            number(format!("p_{key}_{name}"), Box::new(move |i| sureness.probability(i, tier)));
        }
        let likeliest = Cells::Labels { codes: at(&|i| sureness.likeliest(i)).into(), names };
        columns.push(HandOver { name: format!("likeliest_{key}"), cells: likeliest });
    }
    let date = assessed.date.to_string();
    columns.push(HandOver { name: "date".into(), cells: Cells::Made(Box::new(move |_| Some(date.clone()))) });
    let is_known = |k: usize| columns[..k].iter().any(|own| own.name.eq_ignore_ascii_case(&columns[k].name));
    if let Some(k) = (1..columns.len()).find(|&k| is_known(k)) {
        let problem = "another column of the output is called so";
        let remedy = "change the key of the scheme, or the name of a tier, in its file";
        return Err(Error::value("a column of the output", columns[k].name.clone(), problem, remedy));
    }
    Ok(Book {
        rows: ids.len(),
        columns,
        order: None,
        summary: vec![summary(assessed)],
        sheet: "Customers".into(),
    })
}

/// One line per scheme and tier.
fn summary(assessed: &Assessed) -> Sheet {
    let heading = ["scheme", "tier", "rule", "customers", "mean_p_tier", "sure_90", "worth_by_own_rates"];
    let mut rows = Vec::new();
    for scheme in &assessed.schemes {
        for (k, tier) in scheme.tiering.tiers.iter().enumerate() {
            let own = scheme.own_rates.as_ref();
            let number = |of: Option<f64>| {
                of.filter(|value| !value.is_nan()).map_or(Cell::Text(String::new()), Cell::Number)
            };
            rows.push(vec![
                Cell::Text(scheme.tiering.key.clone()),
                Cell::Text(tier.name.clone()),
                Cell::Text(tier.rule.clone()),
                Cell::Number(tier.customers as f64),
                number(own.map(|own| own.tiers[k].probability[k])),
                number(own.map(|own| own.tiers[k].sure as f64)),
                number(own.map(|own| own.worth[k].value)),
            ]);
        }
    }
    Sheet { name: "Summary".into(), heading: heading.map(String::from).to_vec(), rows }
}
