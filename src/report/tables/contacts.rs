//! Who gets what under each strategy, customer by customer: what is handed on to those who do it.

use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};

use crate::customers::Ids;
use crate::customers::table::id_columns;
use crate::error::{Error, Result};
use crate::simulate::Comparison;
use crate::strategy::StrategySet;
use crate::tier::Tiering;

/// A row for each customer, in the order of `ids`: its id, its tier, and for each strategy but "do nothing" a column `action_` and the strategy's name,
/// with the action or null. `given` is by strategy, then customer: 0 for no contact, k + 1 for the k-th treatment of its plan.
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
        for &code in given {
            match usize::from(code).checked_sub(1) {
                Some(k) => action.append_value(&set.actions[of[k].action].name),
                None => action.append_null(),
            }
        }
        columns.push((format!("action_{}", comparison.strategies[s]), Arc::new(action.finish())));
    }
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().enumerate().map(|(i, (name, array))| (name, array, i > 0)),
    )
    .map_err(|e| Error::internal("making the table of contacts", e))
}
