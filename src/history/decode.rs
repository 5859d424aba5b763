//! One task of a history, decoded: usable rows are handed on, the others are set aside with their reason.

use std::ops::ControlFlow;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use parquet::arrow::arrow_reader::RowSelection;

use crate::amount::Refunds;
use crate::calendar::Day;
use crate::error::{Error, Result};
use crate::history::composite::{Composites, Refused};
use crate::history::currency::{Currencies, CurrencyBatch, no_currencies};
use crate::history::event::{Event, When, ZERO, amount_text, check};
use crate::history::extras::NO_COST;
use crate::history::footer::damaged_group;
use crate::history::keys::{IdBatch, IdValues, TextId, ids};
use crate::history::scan::History;
use crate::history::schema::ColumnRef;
use crate::history::split::Piece;
use crate::history::types::{IdKind, TimeKind};
use crate::history::values::{Fit, NOT_FINITE, amounts, days, products, tick_text, ticks};
use crate::history::words::{ExtraPlaces, Words};
use crate::history::zone::Clock;
use crate::history::{HistoryOptions, Reason, SetAsideRow};
use crate::progress::Progress;

/// Rows of a batch: its columns (24 bytes a row and the decoder's own) stay in a core's cache.
const BATCH: usize = if cfg!(test) { 16 } else { 4096 };

/// Text ids that are handed on together.
const TEXTS: usize = if cfg!(test) { 3 } else { 128 };

/// Receives the usable rows of a task.
pub trait Sink {
    /// A row of a customer with an integer id, as 64 bits.
    fn integer(&mut self, id: u64, event: Event<'_>);
    /// Rows of customers with integer ids in their order, each with its [`When`] and its amount, and without extras.
    fn integers(&mut self, ids: &[u64], whens: &[u64], amounts: &[u64]) {
        for ((&id, &when), &amount) in ids.iter().zip(whens).zip(amounts) {
            self.integer(id, Event { when: When(when), amount, extras: &[] });
        }
    }
    /// A row of a customer with a text or composite id.
    fn text(&mut self, id: TextId<'_>, event: Event<'_>);
    /// Rows of customers with text ids, in the same way.
    fn texts(&mut self, ids: &[TextId<'_>], whens: &[u64], amounts: &[u64]) {
        for ((&id, &when), &amount) in ids.iter().zip(whens).zip(amounts) {
            self.text(id, Event { when: When(when), amount, extras: &[] });
        }
    }
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
    /// Rows handed on whose cost (or margin) is not known, where a column says it.
    pub without_cost: u64,
    /// Rows by currency, where a column says it.
    pub currencies: Currencies,
    /// An exact amount or cost was too large to be held: the task was left, and the history has to be read as floats.
    pub too_large: bool,
}

impl TaskLedger {
    /// The first day of an order and the last of refunds and of orders, the extreme days standing for none.
    fn note_days(&mut self, first_order: Day, last: [Day; 2]) {
        self.first_order = earliest(self.first_order, first_order);
        let [refund, order] = last.map(|day| (day.0 != i32::MIN).then_some(day));
        self.last_refund = self.last_refund.max(refund);
        self.last_order = self.last_order.max(order);
    }
}

impl History {
    /// Decodes task `task`, gives its usable rows to `sink` in their order and returns what became of the others.
    ///
    /// Errors: [`Error::NotParquet`] for damage met on the way, [`Error::Incompatible`] for an id or a kept value that
    /// the common type of all files cannot hold, [`Error::Value`] for a column of currencies that are none,
    /// [`Error::Interrupted`].
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
                self.guarded(piece, || self.decode_piece(piece, None, options, progress, sink, &mut ledger))?;
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
        self.decode_piece(piece, None, self.options(), progress, sink, &mut ledger).map(|_| ())
    }

    /// Decodes some rows of a row group: as many as `piece` says. Their numbers mean nothing.
    pub(crate) fn decode_some(&self, piece: &Piece, some: RowSelection, sink: &mut impl Sink) -> Result<()> {
        let mut ledger = TaskLedger::default();
        self.decode_piece(piece, Some(some), self.options(), &(), sink, &mut ledger).map(|_| ())
    }

    fn decode_piece(
        &self,
        piece: &Piece,
        some: Option<RowSelection>,
        options: &HistoryOptions,
        progress: &dyn Progress,
        sink: &mut impl Sink,
        ledger: &mut TaskLedger,
    ) -> Result<ControlFlow<()>> {
        let file = &self.files[piece.file as usize];
        let columns = &self.columns[piece.file as usize];
        let mut sorted: Vec<usize> = columns.cast().into_iter().map(|(_, column)| column.index).collect();
        let source = self.join.as_ref().and_then(|join| join.column(piece.file as usize));
        sorted.extend(source);
        sorted.sort_unstable();
        sorted.dedup();
        // Batches hold the chosen columns in file order.
        let at = |column: &ColumnRef| sorted.partition_point(|&index| index < column.index);
        let places = Places {
            customer: columns.customer.iter().map(at).collect(),
            time: at(&columns.time),
            amount: at(&columns.amount),
            quantity: columns.quantity.as_ref().map(at),
            currency: columns.currency.as_ref().map(at),
        };
        let extras = ExtraPlaces {
            order: columns.order.as_ref().map(at),
            cost: columns.cost_or_margin().map(at),
            keep: columns.keep.iter().map(at).collect(),
        };
        let data_type = file.schema().field(columns.time.index).data_type();
        let kind = TimeKind::of(data_type)
            .ok_or_else(|| damaged_group(file.path(), piece.group, &"its time column changed"))?;
        let mut reader = Reader {
            history: self,
            options,
            piece: *piece,
            places,
            words: Words::new(self, extras, kind)?,
            source: source.map(|index| sorted.partition_point(|&other| other < index)),
            kind,
            clock: self.zone.as_ref().map(|zone| zone.clock()),
            row: 0,
            scratch: Scratch::default(),
        };
        let rows = some.or_else(|| piece.selection(file));
        for batch in file.reader(piece.group, Some(&sorted), rows, BATCH)? {
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
    whens: Vec<u64>,
    /// The extra words of each row, one row after the other.
    extras: Vec<u64>,
}

/// Where the columns of a row are in a batch, but for its extras.
struct Places {
    customer: Vec<usize>,
    time: usize,
    amount: usize,
    quantity: Option<usize>,
    currency: Option<usize>,
}

/// Where the columns of a batch have no value, or one that cannot be used.
#[derive(Clone, Copy)]
struct Nulls<'a> {
    who: Option<&'a NullBuffer>,
    time: Option<&'a NullBuffer>,
    amount: Option<&'a NullBuffer>,
    quantity: Option<&'a NullBuffer>,
    currency: Option<&'a CurrencyBatch>,
}

impl<'a> Nulls<'a> {
    fn usable(self) -> Option<&'a NullBuffer> {
        self.currency.and_then(|currency| currency.usable.as_ref())
    }

    fn none(self) -> bool {
        [self.who, self.time, self.amount, self.quantity, self.usable()].iter().all(Option::is_none)
    }

    fn valid(self, i: usize) -> bool {
        [self.who, self.time, self.amount, self.quantity, self.usable()].iter().all(|nulls| valid(*nulls, i))
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
    places: Places,
    words: Words<'a>,
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
        let base = self.piece.base + self.row;
        let who = self.who(batch)?;
        let (time, amount) = (batch.column(self.places.time), batch.column(self.places.amount));
        let quantity = self.places.quantity.map(|place| batch.column(place));
        let currency = self.places.currency.map(|place| self.currency(batch.column(place), base, ledger));
        let currency = currency.transpose()?;
        let Scratch { ticks: tick, days: day, amounts: key, extras: extra, .. } = &mut self.scratch;
        ticks(time, tick);
        days(tick, self.kind, self.clock.as_mut(), day);
        let amount_kind = self.history.amounts();
        let fit = match quantity {
            Some(quantity) => products(amount, quantity, amount_kind, key),
            None => amounts(amount, amount_kind, key),
        };
        let (history, file) = (self.history, self.piece.file as usize);
        let mismatch = |k: usize, e| unkept(history, file, k, &e);
        if fit == Fit::TooLarge || self.words.fill(batch, tick, day, mismatch, extra)? == Fit::TooLarge {
            return Ok(ControlFlow::Break(()));
        }
        let words = self.history.extras();
        let (extras, has_order, has_cost) = (words.words(), words.order, words.cost);

        let nulls = Nulls {
            who: who.nulls.as_ref(),
            time: time.nulls(),
            amount: amount.nulls(),
            quantity: quantity.and_then(|quantity| quantity.nulls()),
            currency: currency.as_ref(),
        };
        let none = nulls.none();
        let as_of = self.options.as_of.unwrap_or(Day::LATEST).min(Day::LATEST);
        let after = self.options.closed.map_or(Day::EARLIEST, |closed| Day(closed.0 + 1));
        let least = if self.options.refunds == Refunds::Aside { ZERO } else { 0 };
        let finer = self.kind != TimeKind::Date32;
        if none && extras == 0 && who.is_simple() && self.all_fit(after, as_of, least) {
            self.whens(base, finer);
            let (whens, amounts) = (&self.scratch.whens, &self.scratch.amounts);
            match &who.values {
                IdValues::Integers(ids) => sink.integers(ids, whens, amounts),
                IdValues::Texts(texts) => {
                    let chunks = whens.chunks(TEXTS).zip(amounts.chunks(TEXTS)).enumerate();
                    for (chunk, (whens, amounts)) in chunks {
                        let id = |i: usize| texts.id(chunk * TEXTS + i.min(whens.len() - 1));
                        let ids: [TextId<'_>; TEXTS] = std::array::from_fn(id);
                        sink.texts(&ids[..whens.len()], whens, amounts);
                    }
                }
                IdValues::Composites(_) => {}
            }
            self.note_days(ledger);
            self.row += batch.num_rows() as u64;
            return Ok(ControlFlow::Continue(()));
        }
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
            if has_cost && words.cost_of(extras) == NO_COST {
                ledger.without_cost += 1;
            }
            let check = if finer || has_order {
                let order = words.order_of(extras);
                check(if finer { self.scratch.ticks[i] } else { 0 }, order)
            } else {
                0
            };
            let event = Event { when: When::new(day, check, base + i as u64), amount, extras };
            match &who.values {
                IdValues::Integers(values) => sink.integer(values[i], event),
                IdValues::Texts(texts) => sink.text(texts.id(i), event),
                IdValues::Composites(ids) => sink.text(ids.id(i), event),
            }
        }
        ledger.note_days(first_order, last);
        self.row += batch.num_rows() as u64;
        Ok(ControlFlow::Continue(()))
    }

    /// Whether no row of the batch is set aside for its day or its amount.
    fn all_fit(&self, after: Day, as_of: Day, least: u64) -> bool {
        let Scratch { days, amounts, .. } = &self.scratch;
        let days = days.iter().fold((i32::MAX, i32::MIN), |(low, high), &day| (low.min(day), high.max(day)));
        let amounts = amounts.iter().fold((u64::MAX, 0), |(low, high), &key| (low.min(key), high.max(key)));
        days.0 >= after.0 && days.1 <= as_of.0 && amounts.0 >= least && amounts.1 < NOT_FINITE
    }

    /// Packs day, check and number of all rows of the batch, the first of which has number `base`.
    fn whens(&mut self, base: u64, finer: bool) {
        let Scratch { ticks, days, whens, .. } = &mut self.scratch;
        whens.clear();
        let rows = days.iter().zip(ticks.iter()).zip(base..);
        if finer {
            whens.extend(rows.map(|((&day, &tick), row)| When::new(Day(day), check(tick, 0), row).0));
        } else {
            whens.extend(rows.map(|((&day, _), row)| When::new(Day(day), 0, row).0));
        }
    }

    /// Notes the days of a batch whose rows are all used.
    fn note_days(&self, ledger: &mut TaskLedger) {
        let Scratch { days, amounts, .. } = &self.scratch;
        let mut first_order = Day(i32::MAX);
        let mut last = [Day(i32::MIN); 2];
        for (&day, &amount) in days.iter().zip(amounts) {
            let is_order = amount >= ZERO;
            first_order = first_order.min(Day(if is_order { day } else { i32::MAX }));
            last[0] = last[0].max(Day(if is_order { i32::MIN } else { day }));
            last[1] = last[1].max(Day(if is_order { day } else { i32::MIN }));
        }
        ledger.note_days(first_order, last);
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
        if valid(nulls.time, i) && day.is_possible() && Some(day) <= self.options.closed {
            ledger.closed += 1;
            ledger.closed_file = ledger.closed_file.or(Some(self.piece.file));
            // One such row is an error, so that it is not listed.
            return;
        }
        let (priced, counted) = (valid(nulls.amount, i), valid(nulls.quantity, i));
        let (reason, value) = if !valid(nulls.who, i) {
            who.why(i)
        } else if let Some(blank) = who.blank(i) {
            (Reason::NullCustomer, Some(blank.to_string()))
        } else if !valid(nulls.usable(), i) {
            match nulls.currency.map(|currency| currency.at(i)) {
                Some(Ok(code)) => (Reason::OtherCurrency, Some(code)),
                Some(Err(blank)) => (Reason::NullCurrency, blank),
                None => (Reason::NullCurrency, None),
            }
        } else if !valid(nulls.time, i) {
            (Reason::NullTime, None)
        } else if !day.is_possible() {
            (Reason::ImpossibleDate, Some(tick_text(self.scratch.ticks[i], self.kind)))
        } else if day > self.options.as_of.unwrap_or(Day::LATEST) {
            if priced && counted && amount != NOT_FINITE && amount >= ZERO {
                ledger.first_order = earliest(ledger.first_order, day);
            }
            (Reason::AfterAsOf, Some(day.to_string()))
        } else if !priced {
            (Reason::NullAmount, None)
        } else if !counted {
            (Reason::NullQuantity, None)
        } else if amount == NOT_FINITE {
            (Reason::NotFiniteAmount, Some(self.not_finite(batch, i)))
        } else {
            debug_assert!(amount < least);
            (Reason::Refund, Some(amount_text(amount, self.history.amounts())))
        };
        let row = self.piece.first_row + self.row + i as u64;
        ledger.set_aside.push(SetAsideRow { file: self.piece.file, row, reason, value });
    }

    /// The ids of a batch.
    fn who(&self, batch: &RecordBatch) -> Result<IdBatch> {
        if let Some(join) = &self.history.join {
            let (customer, source) = (self.places.customer[0], self.source.map(|place| batch.column(place)));
            return join.batch(self.piece.file as usize, batch.column(customer), source);
        }
        if self.history.ids() != IdKind::Composite {
            let column = batch.column(self.places.customer[0]);
            return ids(column, self.history.ids()).map_err(|_| self.unrepresentable(0));
        }
        let columns: Vec<&ArrayRef> = self.places.customer.iter().map(|&place| batch.column(place)).collect();
        let kinds: Vec<IdKind> = self.history.id_parts().iter().map(|part| part.kind).collect();
        let (ids, nulls) = Composites::of(&columns, &kinds).map_err(|refused| match refused {
            Refused::Unrepresentable(part) => self.unrepresentable(part),
            Refused::Arrow(error) => Error::internal("encoding composite ids", error),
        })?;
        Ok(IdBatch { nulls, values: IdValues::Composites(ids), misses: Vec::new() })
    }

    fn currency(&self, column: &ArrayRef, base: u64, ledger: &mut TaskLedger) -> Result<CurrencyBatch> {
        let chosen = self.options.only_currency.as_deref();
        let file = &self.history.files[self.piece.file as usize].name;
        ledger.currencies.batch(column, base, chosen).ok_or_else(|| no_currencies(file, self.options))
    }

    fn not_finite(&self, batch: &RecordBatch, row: usize) -> String {
        let text = |place: usize| {
            arrow_cast::display::array_value_to_string(batch.column(place), row)
                .unwrap_or_else(|_| "NaN".to_string())
        };
        let price = text(self.places.amount);
        self.places.quantity.map_or(price.clone(), |quantity| format!("{} × {price}", text(quantity)))
    }

    fn unrepresentable(&self, part: usize) -> Error {
        let path = |file: usize| self.history.files[file].path().to_path_buf();
        let columns = &self.history.columns;
        let signed = columns.iter().position(|columns| !columns.customer[part].type_text.starts_with('U'));
        // Where no file has signed ids, a state has.
        let signed = signed.map(path).or_else(|| self.options.append.clone());
        Error::Incompatible {
            role: "customer",
            left_path: path(self.piece.file as usize),
            left: "beyond 63 bits".into(),
            right_path: signed.unwrap_or_else(|| path(self.piece.file as usize)),
            right: "signed integers".into(),
            remedy: "write all files with the same type of id, or read them apart".into(),
        }
    }
}

/// A value of kept column `column` that the common type of all files cannot hold.
fn unkept(history: &History, file: usize, column: usize, error: &arrow_schema::ArrowError) -> Error {
    let kept = &history.columns[file].keep[column];
    Error::value(
        format!("the kept value of {}", history.files[file].name),
        &kept.name,
        format!("a value of type {} does not fit the type of all files: {error}", kept.type_text),
        format!("write \"{}\" with the same type in all files, or leave it out of --keep", kept.name),
    )
}
