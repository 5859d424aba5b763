//! The rows of one customer: found by the ids alone, and then a history of their own.

use arrow_array::ArrayRef;
use arrow_cast::display::{ArrayFormatter, FormatOptions};

use crate::calendar::Day;
use crate::error::{Error, Result};
use crate::history::decode::Sink;
use crate::history::event::{Event, amount_text};
use crate::history::footer::damaged_group;
use crate::history::keys::{IdBatch, IdValues, TextId, ids};
use crate::history::scan::History;
use crate::history::schema::ColumnRef;
use crate::history::split::{Piece, Task};
use crate::history::types::IdKind;
use crate::history::{Ledger, SetAsideRow};
use crate::parallel;
use crate::progress::Progress;

/// Ids decoded at a time.
const BATCH: usize = if cfg!(test) { 16 } else { 1 << 14 };

/// A row of a customer that can be used as far as the row itself says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// Its file, as an index into the inspection's files.
    pub file: u32,
    /// Its place in the file, from 0.
    pub row: u64,
    /// Its day.
    pub day: Day,
    /// What it is worth, to the last digit.
    pub amount: String,
    /// The order that it belongs to and the kept values, as [`History::shown_columns`] names them; none where there is none.
    pub shown: Vec<Option<String>>,
}

/// A customer's id in the type of a history's.
enum Wanted {
    Integer(u64),
    Text(Vec<u8>),
    /// No id of the history is written so.
    Nobody,
}

impl Wanted {
    fn new(kind: IdKind, customer: &str) -> Wanted {
        let found = match kind {
            IdKind::Signed { .. } => customer.parse::<i64>().map(|id| (id as u64, id.to_string())),
            IdKind::Unsigned { .. } => customer.parse::<u64>().map(|id| (id, id.to_string())),
            IdKind::Text { .. } | IdKind::Composite => return Wanted::Text(customer.as_bytes().to_vec()),
        };
        match found {
            Ok((id, written)) if written == customer => Wanted::Integer(id),
            _ => Wanted::Nobody,
        }
    }

    fn is(&self, batch: &IdBatch, row: usize) -> bool {
        batch.is_id(row)
            && match (self, &batch.values) {
                (Wanted::Integer(id), IdValues::Integers(ids)) => ids[row] == *id,
                (Wanted::Text(id), IdValues::Texts(texts)) => texts.id(row).bytes == id.as_slice(),
                _ => false,
            }
    }
}

/// Collects the usable rows: number, day and amount.
#[derive(Default)]
struct Rows(Vec<(u64, Day, u64)>);

impl Sink for Rows {
    fn integer(&mut self, _: u64, event: Event<'_>) {
        self.0.push((event.when.row(), event.when.day(), event.amount));
    }

    fn text(&mut self, _: TextId<'_>, event: Event<'_>) {
        self.integer(0, event);
    }
}

impl History {
    /// The rows of the customer with that id, as a history of their own that is read like any other; `None` where there is
    /// no such row. Only ids are decoded, and of every other customer nothing is kept.
    ///
    /// # Errors
    /// [`Error::Value`] for ids of several columns; damage; [`Error::Interrupted`].
    pub fn of_customer(&self, customer: &str, progress: &dyn Progress) -> Result<Option<History>> {
        if self.ids() == IdKind::Composite {
            let columns: Vec<String> = self.id_parts().iter().map(|part| part.name.clone()).collect();
            return Err(Error::value(
                "--customer",
                columns.join(","),
                "one customer is looked for by one column",
                "give a history whose ids are in one column",
            ));
        }
        let wanted = Wanted::new(self.ids(), customer);
        progress.phase("looking for the customer", self.rows());
        let found = parallel::try_map(self.tasks.len(), |task| {
            let mut found = Task::new();
            for piece in &self.tasks[task] {
                progress.check()?;
                self.guarded(piece, || self.find_in(piece, &wanted, &mut found))?;
                progress.advance(piece.rows);
            }
            Ok(found)
        })?;
        let mut base = 0;
        let mut tasks: Vec<Task> = found.into_iter().filter(|task| !task.is_empty()).collect();
        for piece in tasks.iter_mut().flatten() {
            piece.base = base;
            base += piece.rows;
        }
        Ok((base > 0).then(|| self.with_tasks(tasks, base)))
    }

    /// Adds the stretches of the wanted customer's rows in a piece.
    fn find_in(&self, piece: &Piece, wanted: &Wanted, out: &mut Task) -> Result<()> {
        let file = &self.files[piece.file as usize];
        let customer = self.columns[piece.file as usize].customer[0].index;
        let source = self.join.as_ref().and_then(|join| join.column(piece.file as usize));
        let mut columns: Vec<usize> = std::iter::once(customer).chain(source).collect();
        columns.sort_unstable();
        columns.dedup();
        let at = |column: usize| columns.partition_point(|&own| own < column);
        let mut row = 0;
        for batch in file.reader(piece.group, Some(&columns), piece.selection(file), BATCH)? {
            let batch = batch.map_err(|e| damaged_group(file.path(), piece.group, &e))?;
            let of = batch.column(at(customer));
            let sources = source.map(|column| batch.column(at(column)));
            let who = match &self.join {
                Some(join) => join.batch(piece.file as usize, of, sources)?,
                None => ids(of, self.ids()).map_err(|_| {
                    damaged_group(file.path(), piece.group, &"its ids are not those of the other files")
                })?,
            };
            for i in 0..batch.num_rows() {
                if wanted.is(&who, i) {
                    add_row(piece, row + i as u64, out);
                }
            }
            row += batch.num_rows() as u64;
        }
        Ok(())
    }

    /// The names of what is shown of a row beside day and amount: the order, and the kept columns.
    pub fn shown_columns(&self) -> Vec<String> {
        self.shown_of(0).map(|column| column.name.clone()).collect()
    }

    fn shown_of(&self, file: usize) -> impl Iterator<Item = &ColumnRef> {
        self.columns[file].order.iter().chain(&self.columns[file].keep)
    }

    /// All rows that can be used as far as they themselves say, in reading order, and those that are set aside. For a
    /// history of few rows, such as that of one customer.
    ///
    /// # Errors
    /// Those of [`History::decode`].
    pub fn rows_in_full(&mut self, progress: &dyn Progress) -> Result<(Vec<CustomerRow>, Vec<SetAsideRow>)> {
        let (mut rows, mut set_aside) = (Rows::default(), Vec::new());
        for task in 0..self.tasks.len() {
            let ledger = self.decode(task, &self.options().clone(), progress, &mut rows)?;
            if ledger.too_large {
                // Amounts that cannot be held exactly: once more as floating point.
                self.use_floats();
                return self.rows_in_full(progress);
            }
            set_aside.extend(ledger.set_aside);
        }
        let mut shown: Vec<Vec<Option<String>>> = Vec::new();
        for piece in self.tasks.iter().flatten() {
            self.guarded(piece, || self.shown_in(piece, &mut shown))?;
        }
        let kind = self.amounts();
        let of = |(number, day, amount): (u64, Day, u64)| {
            let (file, row) = self.locate(number);
            let shown = shown.get_mut(number as usize).map(std::mem::take).unwrap_or_default();
            CustomerRow { file, row, day, amount: amount_text(amount, kind), shown }
        };
        Ok((rows.0.into_iter().map(of).collect(), set_aside))
    }

    /// Adds what is shown of the rows of a piece.
    fn shown_in(&self, piece: &Piece, out: &mut Vec<Vec<Option<String>>>) -> Result<()> {
        let file = &self.files[piece.file as usize];
        let wanted: Vec<usize> = self.shown_of(piece.file as usize).map(|column| column.index).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut columns = wanted.clone();
        columns.sort_unstable();
        columns.dedup();
        let fail = |e: &dyn std::fmt::Display| damaged_group(file.path(), piece.group, e);
        let options = FormatOptions::default();
        for batch in file.reader(piece.group, Some(&columns), piece.selection(file), BATCH)? {
            let batch = batch.map_err(|e| fail(&e))?;
            let array =
                |column: &usize| -> &ArrayRef { batch.column(columns.partition_point(|own| own < column)) };
            let arrays: Vec<&ArrayRef> = wanted.iter().map(array).collect();
            let texts = arrays.iter().map(|array| ArrayFormatter::try_new(array.as_ref(), &options));
            let texts: Vec<ArrayFormatter<'_>> = texts.collect::<Result<_, _>>().map_err(|e| fail(&e))?;
            for row in 0..batch.num_rows() {
                let text = |(array, text): (&&ArrayRef, &ArrayFormatter<'_>)| {
                    use arrow_array::Array;
                    array.is_valid(row).then(|| text.value(row).to_string())
                };
                out.push(arrays.iter().zip(&texts).map(text).collect());
            }
        }
        Ok(())
    }
}

/// Adds a row of a piece, counted from the piece's first, to the stretch before it, or as a stretch of its own.
fn add_row(piece: &Piece, row: u64, out: &mut Task) {
    let (start, first_row) = (piece.start + row, piece.first_row + row);
    match out.last_mut() {
        Some(last)
            if last.file == piece.file && last.group == piece.group && last.start + last.rows == start =>
        {
            last.rows += 1;
        }
        _ => out.push(Piece { start, first_row, base: 0, rows: 1, ..*piece }),
    }
}

impl Ledger {
    /// Whether a row of a file is set aside.
    pub fn is_set_aside(&self, file: u32, row: u64) -> bool {
        self.set_aside.iter().any(|aside| aside.file == file && aside.row == row)
    }
}
