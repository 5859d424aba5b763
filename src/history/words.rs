//! The extra words of a batch's rows: order, cost, and what is kept.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::ArrowError;

use crate::amount::AmountKind;
use crate::error::{Error, Result};
use crate::history::extras::{Extras, NO_COST};
use crate::history::kept::Coder;
use crate::history::keys::{order_of_day, orders};
use crate::history::scan::History;
use crate::history::types::TimeKind;
use crate::history::values::{Fit, NOT_FINITE, amounts};

// A cost that is no number has the key that amounts give it.
const _: () = assert!(NO_COST == NOT_FINITE);

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Where the columns of the extra words are in a batch.
#[derive(Debug, Default)]
pub(crate) struct ExtraPlaces {
    pub(crate) order: Option<usize>,
    pub(crate) cost: Option<usize>,
    pub(crate) keep: Vec<usize>,
}

/// Fills the extra words of one stretch of rows.
pub(crate) struct Words<'a> {
    extras: Extras,
    places: ExtraPlaces,
    costs_as: AmountKind,
    /// Nanoseconds of a tick: all possible days (1900 to 2199) fit 64 bits of them.
    nanos: i64,
    coder: Coder<'a>,
    costs: Vec<u64>,
    /// The codes of each kept column, by row.
    codes: Vec<Vec<u32>>,
    /// The codes of one row.
    row: Vec<u32>,
}

impl<'a> Words<'a> {
    pub(crate) fn new(history: &'a History, places: ExtraPlaces, time: TimeKind) -> Result<Words<'a>> {
        Ok(Words {
            extras: history.extras(),
            costs_as: history.costs().unwrap_or(AmountKind::Float),
            nanos: match time {
                TimeKind::Date32 => NANOS_PER_DAY,
                TimeKind::Ticks { per_day } => NANOS_PER_DAY / per_day,
            },
            coder: Coder::new(history.kept())?,
            costs: Vec::new(),
            codes: vec![Vec::new(); places.keep.len()],
            row: Vec::new(),
            places,
        })
    }

    /// The words of each row of a batch, one row after the other.
    pub(crate) fn fill(
        &mut self,
        batch: &RecordBatch,
        ticks: &[i64],
        days: &[i32],
        mismatch: impl Fn(usize, ArrowError) -> Error,
        out: &mut Vec<u64>,
    ) -> Result<Fit> {
        out.clear();
        if self.extras == Extras::default() {
            return Ok(Fit::Held);
        }
        let order = self.places.order.map(|place| orders(batch.column(place)));
        let order_of = |i: usize| {
            let order = order.as_ref().map_or(Some(0), |orders| orders[i]);
            order.unwrap_or_else(|| order_of_day(days[i]))
        };
        if self.extras == (Extras { order: true, ..Extras::default() }) {
            out.extend((0..days.len()).map(order_of));
            return Ok(Fit::Held);
        }
        if let Some(place) = self.places.cost
            && costs(batch.column(place), self.costs_as, &mut self.costs) == Fit::TooLarge
        {
            return Ok(Fit::TooLarge);
        }
        for (i, &place) in self.places.keep.iter().enumerate() {
            self.coder.codes(i, batch.column(place), &mut self.codes[i]).map_err(|e| mismatch(i, e))?;
        }
        for i in 0..days.len() {
            self.row.clear();
            self.row.extend(self.codes.iter().map(|codes| codes[i]));
            let cost = self.costs.get(i).copied().unwrap_or(NO_COST);
            // The times of rows that are used cannot overflow.
            let tick = ticks[i].wrapping_mul(self.nanos);
            self.extras.push(order_of(i), cost, tick, &self.row, out);
        }
        Ok(Fit::Held)
    }
}

/// The keys of a column of costs; [`NO_COST`] where there is no number.
fn costs(array: &ArrayRef, kind: AmountKind, out: &mut Vec<u64>) -> Fit {
    if amounts(array, kind, out) == Fit::TooLarge {
        return Fit::TooLarge;
    }
    if let Some(nulls) = array.logical_nulls() {
        out.iter_mut().enumerate().filter(|(i, _)| nulls.is_null(*i)).for_each(|(_, key)| *key = NO_COST);
    }
    Fit::Held
}
