//! The customer table as a file, with the customers list joined to it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::RunConfig;
use crate::customers::names::further;
use crate::customers::{
    CustomerList, Customers, ListCounts, ListReport, Reading, into_record_batch, with_prospects,
};
use crate::error::{Error, Result};
use crate::history::Inspection;
use crate::progress::Progress;
use crate::report::tables::write_stretches;
use crate::tier::SchemeFile;

/// Columns of the scores that a run adds.
const OF_SCORES: [&str; 4] = ["r_score", "f_score", "m_score", "rfm_code"];

/// Columns of models and clusters that a run adds.
pub(super) const OF_MODELS: [&str; 7] = [
    "p_alive",
    "expected_transactions",
    "expected_spend",
    "clv",
    "clv_mean_lower",
    "clv_mean_upper",
    "cluster",
];

/// Every column that a run by those schemes may add.
fn added(schemes: &[SchemeFile]) -> Vec<String> {
    let own = OF_SCORES.into_iter().chain(OF_MODELS).map(String::from);
    own.chain(schemes.iter().map(SchemeFile::column)).collect()
}

/// Refuses to keep a column under a name that a run gives to one of its own.
pub(super) fn check_kept(config: &RunConfig, schemes: &[SchemeFile]) -> Result<()> {
    let added = added(schemes);
    let mut kept = config.history.keep.iter();
    let clash = kept.find(|name| added.iter().any(|own| own.eq_ignore_ascii_case(name)));
    match clash {
        Some(name) => Err(Error::value(
            "--keep",
            name,
            "a run has a column of that name",
            "rename the column in its file, or leave it out",
        )),
        None => Ok(()),
    }
}

/// The customers list of the settings, read for a history; `None` where there is none.
///
/// # Errors
/// As for [`CustomerList::read`]; no attribute may have the name of a column of the `customers.parquet` of a run by those
/// schemes.
pub fn customer_list(
    config: &RunConfig,
    schemes: &[SchemeFile],
    history: &Inspection,
) -> Result<Option<CustomerList>> {
    let Some(path) = &config.customers_list else { return Ok(None) };
    let added = added(schemes);
    let mut taken: Vec<&str> = added.iter().map(String::as_str).collect();
    taken.extend(further(history, &config.history));
    CustomerList::read(path, config.list_id.as_deref(), history, &taken).map(Some)
}

/// Writes the customer table stretch by stretch; with a list, those who never ordered stand among the customers in one
/// order of ids.
///
/// # Errors
/// Those of [`Customers::stretch`], [`CustomerList::join`] and of writing.
pub fn write_customers(
    path: &Path,
    reading: &Reading,
    list: Option<&CustomerList>,
    progress: &dyn Progress,
) -> Result<Option<ListReport>> {
    let customers: &Customers = &reading.customers;
    let stretches = customers.stretches();
    let Some(list) = list else {
        let stretch = |i| into_record_batch(customers.stretch(i)?);
        return write_stretches(path, stretches, stretch, progress).map(|()| None);
    };
    let places = customers.places_in(list)?;
    let sum = Mutex::new(ListCounts::default());
    let stretch = |i: usize| {
        let mut table = customers.stretch(i)?;
        let (prospects, counts) = list.join(&mut table, places[i]..places[i + 1])?;
        sum.lock().unwrap_or_else(PoisonError::into_inner).add(counts);
        with_prospects(&table, &prospects)
    };
    write_stretches(path, stretches, stretch, progress)?;
    let counts = *sum.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Some(list.report(counts)))
}
