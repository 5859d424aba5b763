//! One task of a history, decoded: usable rows are handed on, the others are set aside with their reason.

use std::ops::ControlFlow;

use arrow_array::{Array, RecordBatch};
use arrow_buffer::NullBuffer;

use crate::amount::Refunds;
use crate::calendar::Day;
use crate::error::{Error, Result};
use crate::history::event::{Event, When, ZERO, amount_text, check};
use crate::history::footer::damaged_group;
use crate::history::keys::{IdBatch, IdValues, ids, order_of_day, orders};
use crate::history::scan::History;
use crate::history::split::Piece;
use crate::history::types::TimeKind;
use crate::history::values::{Fit, NOT_FINITE, amounts, days, tick_text, ticks};
use crate::history::zone::Clock;
use crate::history::{HistoryOptions, Reason, SetAsideRow};
use crate::progress::Progress;

/// Rows of a batch: its columns (24 bytes a row and the decoder's own) stay in a core's cache.
const BATCH: usize = if cfg!(test) { 16 } else { 4096 };

/// Receives the usable rows of a task.
pub trait Sink {
    /// A row of a customer with an integer id, as 64 bits.
    fn integer(&mut self, id: u64, event: Event<'_>);
    /// A row of a customer with a text id, and the text's stable hash.
    fn text(&mut self, id: &[u8], hash: u64, event: Event<'_>);
    /// Whether it needs no more rows of the task, because what is made of them will not be used.
    fn is_done(&self) -> bool {
        false
    }
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
    /// Rows of days that the state holds, and the first file that has one.
    pub closed: u64,
    /// The first file that has such a row.
    pub closed_file: Option<u32>,
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
        for piece in &self.tasks[task] {
            progress.check()?;
            let done =
                self.guarded(piece, || self.decode_piece(piece, options, progress, sink, &mut ledger))?;
            if done.is_break() {
                ledger.too_large = true;
                return Ok(ledger);
            }
            if sink.is_done() {
                break;
            }
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
        self.decode_piece(piece, self.options(), progress, sink, &mut ledger).map(|_| ())
    }

    fn decode_piece(
        &self,
        piece: &Piece,
        options: &HistoryOptions,
        progress: &dyn Progress,
        sink: &mut impl Sink,
        ledger: &mut TaskLedger,
    ) -> Result<ControlFlow<()>> {
        let file = &self.files[piece.file as usize];
        let columns = &self.columns[piece.file as usize];
        let mut wanted = vec![columns.customer.index, columns.time.index, columns.amount.index];
        wanted.extend(columns.order.as_ref().map(|order| order.index));
        let source = self.join.as_ref().and_then(|join| join.column(piece.file as usize));
        wanted.extend(source);
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
            order: columns.order.is_some().then(|| place[3]),
            source: source.map(|index| sorted.partition_point(|&other| other < index)),
            place,
            kind,
            clock: self.zone.as_ref().map(|zone| zone.clock()),
            row: 0,
            scratch: Scratch::default(),
        };
        for batch in file.reader(piece.group, Some(&sorted), piece.selection(file), BATCH)? {
            let batch = batch.map_err(|e| damaged_group(file.path(), piece.group, &e))?;
            if reader.batch(&batch, sink, ledger)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            progress.advance(batch.num_rows() as u64);
            progress.check()?;
            if sink.is_done() {
                return Ok(ControlFlow::Continue(()));
            }
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
    /// The extra words of each row, one row after the other.
    extras: Vec<u64>,
}

/// Where the columns of a batch have no value.
#[derive(Clone, Copy)]
struct Nulls<'a> {
    who: Option<&'a NullBuffer>,
    time: Option<&'a NullBuffer>,
    amount: Option<&'a NullBuffer>,
}

impl Nulls<'_> {
    fn valid(self, i: usize) -> bool {
        valid(self.who, i) && valid(self.time, i) && valid(self.amount, i)
    }
}

fn valid(nulls: Option<&NullBuffer>, i: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(i))
}

/// The earlier of two days, `Day(i32::MAX)` being none.
fn earliest(known: Option<Day>, day: Day) -> Option<Day> {
    if day.0 == i32::MAX { known } else { Some(known.map_or(day, |known| known.min(day))) }
}

struct Reader<'a> {
    history: &'a History,
    options: &'a HistoryOptions,
    piece: Piece,
    place: Vec<usize>,
    order: Option<usize>,
    /// Where the source of a row is in a batch.
    source: Option<usize>,
    kind: TimeKind,
    clock: Option<Clock<'a>>,
    /// Rows of the piece so far.
    row: u64,
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
        let who = match &self.history.join {
            Some(join) => {
                let source = self.source.map(|place| batch.column(place));
                join.batch(self.piece.file as usize, customer, source)?
            }
            None => ids(customer, self.history.ids()).map_err(|_| self.unrepresentable())?,
        };
        let Scratch { ticks: tick, days: day, amounts: key, extras: extra } = &mut self.scratch;
        ticks(time, tick);
        days(tick, self.kind, self.clock.as_mut(), day);
        let amount_kind = self.history.amounts();
        if amounts(amount, amount_kind, key) == Fit::TooLarge {
            return Ok(ControlFlow::Break(()));
        }
        let order = self.order.map(|place| orders(batch.column(place)));
        let extras = self.history.extras().words();
        extra.clear();
        if let Some(order) = &order {
            extra.extend(
                order.iter().zip(day.iter()).map(|(id, &day)| id.unwrap_or_else(|| order_of_day(day))),
            );
        }

        let nulls = Nulls { who: who.nulls.as_ref(), time: time.nulls(), amount: amount.nulls() };
        let none = nulls.who.is_none() && nulls.time.is_none() && nulls.amount.is_none();
        let as_of = self.options.as_of.unwrap_or(Day::LATEST).min(Day::LATEST);
        let after = self.options.closed.map_or(Day::EARLIEST, |closed| Day(closed.0 + 1));
        let least = if self.options.refunds == Refunds::Aside { ZERO } else { 0 };
        let finer = self.kind != TimeKind::Date32;
        let base = self.piece.base + self.row;
        // Of refunds and of orders.
        let (mut first_order, mut last) = (Day(i32::MAX), [Day(i32::MIN); 2]);
        for i in 0..batch.num_rows() {
            let (day, amount) = (Day(self.scratch.days[i]), self.scratch.amounts[i]);
            let fits = day >= after && day <= as_of && amount >= least && amount != NOT_FINITE;
            if !(fits && (none || nulls.valid(i)) && who.blank(i).is_none()) {
                self.set_aside(batch, &who, nulls, i, least, ledger);
                continue;
            }
            let is_order = amount >= ZERO;
            if is_order {
                first_order = first_order.min(day);
            }
            last[usize::from(is_order)] = day.max(last[usize::from(is_order)]);
            let extras = &self.scratch.extras[i * extras..(i + 1) * extras];
            let check = if finer || order.is_some() {
                let order = self.history.extras().order_of(extras);
                check(if finer { self.scratch.ticks[i] } else { 0 }, order)
            } else {
                0
            };
            let event = Event { when: When::new(day, check, base + i as u64), amount, extras };
            match &who.values {
                IdValues::Integers(values) => sink.integer(values[i], event),
                IdValues::Texts(texts) => {
                    let (text, hash) = texts.get(i);
                    sink.text(text, hash, event);
                }
            }
        }
        ledger.first_order = earliest(ledger.first_order, first_order);
        let [refund, order] = last.map(|day| (day.0 != i32::MIN).then_some(day));
        ledger.last_refund = ledger.last_refund.max(refund);
        ledger.last_order = ledger.last_order.max(order);
        self.row += batch.num_rows() as u64;
        Ok(ControlFlow::Continue(()))
    }

    /// Sets row `i` of a batch aside, for the first of its reasons.
    #[cold]
    fn set_aside(
        &self,
        batch: &RecordBatch,
        who: &IdBatch,
        nulls: Nulls<'_>,
        i: usize,
        least: u64,
        ledger: &mut TaskLedger,
    ) {
        let (day, amount) = (Day(self.scratch.days[i]), self.scratch.amounts[i]);
        let has_amount = valid(nulls.amount, i);
        if valid(nulls.time, i) && day.is_possible() && Some(day) <= self.options.closed {
            ledger.closed += 1;
            ledger.closed_file = ledger.closed_file.or(Some(self.piece.file));
            // One such row is an error, so that it is not listed.
            return;
        }
        let (reason, value) = if !valid(nulls.who, i) {
            who.why(i)
        } else if let Some(blank) = who.blank(i) {
            (Reason::NullCustomer, Some(blank.to_string()))
        } else if !valid(nulls.time, i) {
            (Reason::NullTime, None)
        } else if !day.is_possible() {
            (Reason::ImpossibleDate, Some(tick_text(self.scratch.ticks[i], self.kind)))
        } else if day > self.options.as_of.unwrap_or(Day::LATEST) {
            if has_amount && amount != NOT_FINITE && amount >= ZERO {
                ledger.first_order = earliest(ledger.first_order, day);
            }
            (Reason::AfterAsOf, Some(day.to_string()))
        } else if !has_amount {
            (Reason::NullAmount, None)
        } else if amount == NOT_FINITE {
            (Reason::NotFiniteAmount, Some(self.not_finite(batch, i)))
        } else {
            debug_assert!(amount < least);
            (Reason::Refund, Some(amount_text(amount, self.history.amounts())))
        };
        let row = self.piece.first_row + self.row + i as u64;
        ledger.set_aside.push(SetAsideRow { file: self.piece.file, row, reason, value });
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
