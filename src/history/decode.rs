//! One task of a history, decoded: usable rows are handed on, the others are set aside with their reason.

use std::ops::ControlFlow;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::NullBuffer;

use crate::amount::Refunds;
use crate::calendar::Day;
use crate::error::{Error, Result};
use crate::history::event::{Event, When, ZERO, amount_text, check};
use crate::history::footer::damaged_group;
use crate::history::keys::{IdValues, ids, order_of_day, orders};
use crate::history::scan::History;
use crate::history::split::Piece;
use crate::history::types::TimeKind;
use crate::history::values::{Fit, NOT_FINITE, amounts, days, tick_text, ticks};
use crate::history::zone::Clock;
use crate::history::{HistoryOptions, Reason, SetAsideRow};
use crate::progress::Progress;

/// Rows of a batch: its columns (24 bytes a row and the decoder's own) stay in a core's cache.
const BATCH: usize = if cfg!(test) { 16 } else { 16_384 };

/// Receives the usable rows of a task.
pub trait Sink {
    /// A row of a customer with an integer id, as 64 bits.
    fn integer(&mut self, id: u64, event: Event);
    /// A row of a customer with a text id, and the text's stable hash.
    fn text(&mut self, id: &[u8], hash: u64, event: Event);
}

/// What became of the rows of a task, apart from the usable ones.
#[derive(Debug, Default)]
pub struct TaskLedger {
    /// Rows read.
    pub read: u64,
    /// Rows that cannot be used.
    pub set_aside: Vec<SetAsideRow>,
    /// First day of an order, whether or not it is after the as-of date.
    pub first_order: Option<Day>,
    /// Last day of a usable order.
    pub last_order: Option<Day>,
    /// Last day of a usable refund, whether or not its customer has an order.
    pub last_refund: Option<Day>,
    /// An exact amount was too large to be held: the task was left, and the history has to be read as floats.
    pub too_large: bool,
}

impl History {
    /// Decodes task `task`, gives its usable rows to `sink` in their order and returns what became of the others.
    ///
    /// Errors: [`Error::NotParquet`] for damage met on the way, [`Error::Incompatible`] for an id that the common type
    /// of all files cannot hold, [`Error::Interrupted`].
    pub fn decode(
        &self,
        task: usize,
        options: &HistoryOptions,
        progress: &dyn Progress,
        sink: &mut impl Sink,
    ) -> Result<TaskLedger> {
        let mut ledger = TaskLedger::default();
        let mut first = 0;
        for piece in &self.tasks[task] {
            progress.check()?;
            let done = self
                .guarded(piece, || self.decode_piece(piece, first, options, progress, sink, &mut ledger))?;
            if done.is_break() {
                ledger.too_large = true;
                return Ok(ledger);
            }
            first += piece.rows as u32;
        }
        Ok(ledger)
    }

    /// Decodes one piece as a task of its own.
    pub(crate) fn decode_alone(
        &self,
        piece: &Piece,
        progress: &dyn Progress,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let mut ledger = TaskLedger::default();
        self.decode_piece(piece, 0, self.options(), progress, sink, &mut ledger).map(|_| ())
    }

    fn decode_piece(
        &self,
        piece: &Piece,
        first: u32,
        options: &HistoryOptions,
        progress: &dyn Progress,
        sink: &mut impl Sink,
        ledger: &mut TaskLedger,
    ) -> Result<ControlFlow<()>> {
        let file = &self.files[piece.file as usize];
        let columns = &self.columns[piece.file as usize];
        let mut wanted = vec![columns.customer.index, columns.time.index, columns.amount.index];
        wanted.extend(columns.order.as_ref().map(|order| order.index));
        let mut sorted = wanted.clone();
        sorted.sort_unstable();
        sorted.dedup();
        // Position in the batch of each role: batches hold the chosen columns in file order.
        let place: Vec<usize> = wanted.iter().map(|w| sorted.partition_point(|s| s < w)).collect();
        let data_type = file.schema().field(columns.time.index).data_type();
        let kind = TimeKind::of(data_type)
            .ok_or_else(|| damaged_group(file.path(), piece.group, &"its time column changed"))?;
        let mut reader = Reader {
            history: self,
            options,
            piece: *piece,
            place,
            kind,
            clock: self.zone.as_ref().map(|zone| zone.clock()),
            row: 0,
            first,
            scratch: Scratch::default(),
        };
        for batch in file.reader(piece.group, Some(&sorted), piece.selection(file), BATCH)? {
            let batch = batch.map_err(|e| damaged_group(file.path(), piece.group, &e))?;
            if reader.batch(&batch, sink, ledger)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            progress.advance(batch.num_rows() as u64);
            progress.check()?;
        }
        if reader.row != piece.rows {
            let problem = format!("it has {} rows where its footer says {}", reader.row, piece.rows);
            return Err(damaged_group(file.path(), piece.group, &problem));
        }
        ledger.read += reader.row;
        Ok(ControlFlow::Continue(()))
    }
}

#[derive(Default)]
struct Scratch {
    ticks: Vec<i64>,
    days: Vec<i32>,
    amounts: Vec<u64>,
}

struct Reader<'a> {
    history: &'a History,
    options: &'a HistoryOptions,
    piece: Piece,
    place: Vec<usize>,
    kind: TimeKind,
    clock: Option<Clock<'a>>,
    /// Rows of the piece so far.
    row: u64,
    /// Row of the task at which the piece begins.
    first: u32,
    scratch: Scratch,
}

impl Reader<'_> {
    fn batch(
        &mut self,
        batch: &RecordBatch,
        sink: &mut impl Sink,
        ledger: &mut TaskLedger,
    ) -> Result<ControlFlow<()>> {
        let (customer, time, amount) =
            (batch.column(self.place[0]), batch.column(self.place[1]), batch.column(self.place[2]));
        let Scratch { ticks: tick, days: day, amounts: key } = &mut self.scratch;
        ticks(time, tick);
        days(tick, self.kind, self.clock.as_mut(), day);
        let amount_kind = self.history.amounts();
        if amounts(amount, amount_kind, key) == Fit::TooLarge {
            return Ok(ControlFlow::Break(()));
        }
        let who = ids(customer, self.history.ids()).map_err(|_| self.unrepresentable())?;
        let order = self.place.get(3).map(|&place| orders(batch.column(place)));

        let is_null = |nulls: Option<&NullBuffer>, i: usize| nulls.is_some_and(|nulls| nulls.is_null(i));
        let (time_nulls, amount_nulls) = (time.nulls(), amount.nulls());
        let as_of = self.options.as_of.unwrap_or(Day::LATEST);
        let aside = self.options.refunds == Refunds::Aside;
        let finer = self.kind != TimeKind::Date32;
        let mut first_order = Day(i32::MAX);
        // Of refunds and of orders.
        let mut last = [Day(i32::MIN); 2];
        for i in 0..batch.num_rows() {
            let (day, amount) = (Day(self.scratch.days[i]), self.scratch.amounts[i]);
            let usable_amount = !is_null(amount_nulls, i) && amount != NOT_FINITE;
            let (reason, value) = if is_null(who.nulls.as_ref(), i) {
                (Reason::NullCustomer, None)
            } else if let Some(blank) = who.blank(i) {
                (Reason::NullCustomer, Some(blank.to_string()))
            } else if is_null(time_nulls, i) {
                (Reason::NullTime, None)
            } else if !day.is_possible() {
                (Reason::ImpossibleDate, Some(tick_text(self.scratch.ticks[i], self.kind)))
            } else if day > as_of {
                if usable_amount && amount >= ZERO {
                    first_order = first_order.min(day);
                }
                (Reason::AfterAsOf, Some(day.to_string()))
            } else if is_null(amount_nulls, i) {
                (Reason::NullAmount, None)
            } else if amount == NOT_FINITE {
                (Reason::NotFiniteAmount, Some(self.not_finite(batch, i)))
            } else if amount < ZERO && aside {
                (Reason::Refund, Some(amount_text(amount, amount_kind)))
            } else {
                if amount >= ZERO {
                    first_order = first_order.min(day);
                }
                let last = &mut last[usize::from(amount >= ZERO)];
                *last = day.max(*last);
                let order_id =
                    order.as_ref().map_or(0, |order| order[i].unwrap_or_else(|| order_of_day(day.0)));
                let tick = if finer { self.scratch.ticks[i] } else { 0 };
                let check = if finer || order.is_some() { check(tick, order_id) } else { 0 };
                let row = self.first + self.row as u32 + i as u32;
                let event = Event { when: When::new(day, check), amount, order: order_id, row };
                match &who.values {
                    IdValues::Integers(values) => sink.integer(values[i], event),
                    IdValues::Texts(texts) => {
                        let (text, hash) = texts.get(i);
                        sink.text(text, hash, event);
                    }
                }
                continue;
            };
            let row = self.piece.first_row + self.row + i as u64;
            ledger.set_aside.push(SetAsideRow { file: self.piece.file, row, reason, value });
        }
        if first_order.0 != i32::MAX {
            ledger.first_order = Some(ledger.first_order.map_or(first_order, |day| day.min(first_order)));
        }
        let [refund, order] = last.map(|day| (day.0 != i32::MIN).then_some(day));
        ledger.last_refund = ledger.last_refund.max(refund);
        ledger.last_order = ledger.last_order.max(order);
        self.row += batch.num_rows() as u64;
        Ok(ControlFlow::Continue(()))
    }

    fn not_finite(&self, batch: &RecordBatch, row: usize) -> String {
        arrow_cast::display::array_value_to_string(batch.column(self.place[2]), row)
            .unwrap_or_else(|_| "NaN".to_string())
    }

    fn unrepresentable(&self) -> Error {
        let path = |file: usize| self.history.files[file].path().to_path_buf();
        let other = self.history.columns.len().saturating_sub(1);
        let signed = (0..=other)
            .find(|&i| !self.history.columns[i].customer.type_text.starts_with('U'))
            .unwrap_or(other);
        Error::Incompatible {
            role: "customer",
            left_path: path(self.piece.file as usize),
            left: "beyond 63 bits".into(),
            right_path: path(signed),
            right: "signed integers".into(),
            remedy: "write all files with the same type of id, or read them apart".into(),
        }
    }
}
