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
use crate::tier;

/// Columns that a run adds beside those of the tier schemes.
const ADDED: [&str; 11] = [
    "r_score",
    "f_score",
    "m_score",
    "rfm_code",
    "p_alive",
    "expected_transactions",
    "expected_spend",
    "clv",
    "clv_mean_lower",
    "clv_mean_upper",
    "cluster",
];

/// Every column that a run may add.
fn added() -> Vec<&'static str> {
    ADDED.into_iter().chain(tier::schemes().iter().map(|scheme| scheme.column())).collect()
}

/// Refuses to keep a column under a name that a run gives to one of its own.
pub(super) fn check_kept(config: &RunConfig) -> Result<()> {
    let mut kept = config.history.keep.iter();
    let clash = kept.find(|name| added().iter().any(|own| own.eq_ignore_ascii_case(name)));
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
/// As for [`CustomerList::read`]; no attribute may have the name of a column of a run's `customers.parquet`.
pub fn customer_list(config: &RunConfig, history: &Inspection) -> Result<Option<CustomerList>> {
    let Some(path) = &config.customers_list else { return Ok(None) };
    let mut taken = added();
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
