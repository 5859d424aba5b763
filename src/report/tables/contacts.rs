//! Who gets what under each strategy, customer by customer: what is handed on to those who do it.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};

use crate::customers::Ids;
use crate::customers::table::id_columns;
use crate::error::{Error, Result};
use crate::simulate::Comparison;
use crate::strategy::StrategySet;
use crate::tier::Tiering;

/// A row for each customer, in the order of `ids`: its id, its tier, and for each strategy but "do nothing" a column `action_` and the strategy's name,
/// with the action, and `money_`, with what contacting it costs; null where it is not contacted. `given` is by strategy, then customer: 0 for no contact, k + 1 for the k-th treatment of its plan.
///
/// # Errors
/// [`Error::Internal`] for lists of different lengths.
pub fn contacts(
    ids: &Ids,
    tiering: &Tiering,
    set: &StrategySet,
    comparison: &Comparison,
    given: &[Vec<u8>],
) -> Result<RecordBatch> {
    let mut columns: Vec<(String, ArrayRef)> = id_columns(ids.clone())?;
    let names = tiering.names();
    let mut tier = StringDictionaryBuilder::<Int32Type>::new();
    tiering.codes.iter().for_each(|&code| tier.append_value(&names[usize::from(code)]));
    columns.push(("tier".into(), Arc::new(tier.finish())));
    for (s, given) in given.iter().enumerate().skip(1) {
        let of = &comparison.plans[s].treatments;
        let mut action = StringDictionaryBuilder::<Int32Type>::new();
        let mut money = Vec::with_capacity(given.len());
        for &code in given {
            let treatment = usize::from(code).checked_sub(1).map(|k| &of[k]);
            match treatment {
                Some(treatment) => action.append_value(&set.actions[treatment.action].name),
                None => action.append_null(),
            }
            money.push(treatment.map(|treatment| treatment.money));
        }
        let name = &comparison.strategies[s];
        columns.push((format!("action_{name}"), Arc::new(action.finish())));
        columns.push((format!("money_{name}"), Arc::new(Float64Array::from(money))));
    }
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().enumerate().map(|(i, (name, array))| (name, array, i > 0)),
    )
    .map_err(|e| Error::internal("making the table of contacts", e))
}

/// The same as CSV: a heading and a line for each customer.
///
/// # Errors
/// [`Error::Io`].
pub fn contacts_csv(
    path: &Path,
    ids: &Ids,
    tiering: &Tiering,
    set: &StrategySet,
    comparison: &Comparison,
    given: &[Vec<u8>],
) -> Result<()> {
    let fail = |e: csv::Error| Error::io("write", path, std::io::Error::other(e));
    let mut out = csv::Writer::from_path(path).map_err(fail)?;
    let mut heading = vec!["customer_id".to_string(), "tier".to_string()];
    for name in &comparison.strategies[1..] {
        heading.extend([format!("action_{name}"), format!("money_{name}")]);
    }
    out.write_record(&heading).map_err(fail)?;
    let names = tiering.names();
    let mut cells: Vec<String> = Vec::with_capacity(heading.len());
    for (i, &tier) in tiering.codes.iter().enumerate() {
        cells.clear();
        cells.extend([ids.text(i), names[usize::from(tier)].clone()]);
        for (s, given) in given.iter().enumerate().skip(1) {
            match usize::from(given[i]).checked_sub(1).map(|k| &comparison.plans[s].treatments[k]) {
                Some(t) => cells.extend([set.actions[t.action].name.clone(), t.money.to_string()]),
                None => cells.extend([String::new(), String::new()]),
            }
        }
        out.write_record(&cells).map_err(fail)?;
    }
    out.flush().map_err(|e| Error::io("write", path, e))
}
