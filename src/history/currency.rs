//! The currencies of a history: amounts of different ones cannot be added, so that a mixture has to be noticed.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use crate::error::{Error, Result, nearest_first, quoted};
use crate::history::composite::{flat, text_at};
use crate::history::{History, HistoryOptions};

/// There are fewer than 200 currencies; a column with more different texts than this says something else.
const MOST: usize = 300;

/// Currencies that an error lists.
const LISTED: usize = 10;

/// How many rows of each currency there are, whatever else becomes of them.
#[derive(Debug, Clone, Default)]
pub struct Currencies(Vec<Currency>);

#[derive(Debug, Clone)]
struct Currency {
    code: String,
    rows: u64,
    /// The lowest number in the history of one of its rows.
    first: u64,
}

/// The currencies of one batch: of each row, and which rows can be used.
pub(crate) struct CurrencyBatch {
    texts: ArrayRef,
    pub(crate) usable: Option<NullBuffer>,
}

impl CurrencyBatch {
    /// What a row that cannot be used has for a currency: `Err` for none at all (null, or a blank text).
    pub(crate) fn at(&self, row: usize) -> Result<String, Option<String>> {
        if self.texts.is_null(row) {
            return Err(None);
        }
        let text = text_at(&self.texts, row);
        if text.trim().is_empty() { Err(Some(text.to_string())) } else { Ok(text.to_string()) }
    }
}

impl Currencies {
    /// Counts the currencies of a batch whose first row has number `base`; rows of others than `chosen` cannot be used.
    /// `None` for a column with so many texts that they are no currencies.
    pub(crate) fn batch(
        &mut self,
        column: &ArrayRef,
        base: u64,
        chosen: Option<&str>,
    ) -> Option<CurrencyBatch> {
        let texts = flat(column).ok()?;
        let mut usable = vec![true; texts.len()];
        let mut last = 0;
        for (i, usable) in usable.iter_mut().enumerate() {
            let text = if texts.is_null(i) { "" } else { text_at(&texts, i) };
            if text.trim_start().is_empty() {
                *usable = false;
                continue;
            }
            // Rows of one currency mostly follow each other.
            if self.0.get(last).is_none_or(|known| known.code != text) {
                last = self.place(text, base + i as u64)?;
            }
            self.0[last].rows += 1;
            *usable = chosen.is_none_or(|chosen| chosen == text);
        }
        let all = usable.iter().all(|&usable| usable);
        Some(CurrencyBatch { texts, usable: (!all).then(|| NullBuffer::from(usable)) })
    }

    fn place(&mut self, code: &str, first: u64) -> Option<usize> {
        if let Some(place) = self.0.iter().position(|known| known.code == code) {
            return Some(place);
        }
        self.0.push(Currency { code: code.to_string(), rows: 0, first });
        (self.0.len() <= MOST).then(|| self.0.len() - 1)
    }

    /// Adds the counts of other rows.
    pub fn add(&mut self, other: &Currencies) {
        for more in &other.0 {
            let full = self.0.len() > MOST;
            match self.0.iter_mut().find(|known| known.code == more.code) {
                Some(known) => {
                    known.rows += more.rows;
                    known.first = known.first.min(more.first);
                }
                // It is a mixture anyway.
                None if full => {}
                None => self.0.push(more.clone()),
            }
        }
    }
}

/// The error of a column that holds too many texts for currencies.
pub(crate) fn no_currencies(file: &str, options: &HistoryOptions) -> Error {
    Error::value(
        format!("the currency column of {file}"),
        options.currency.as_deref().unwrap_or_default(),
        "it holds more different texts than there are currencies",
        "name the column that says the currency with --currency",
    )
}

impl History {
    /// The currency of the rows that were read, if a column says it: the only one, or the one chosen, which is among theirs.
    ///
    /// # Errors
    /// [`Error::Value`] for a mixture, and for a choice that no row has.
    pub fn check_currencies(&self, found: &Currencies, options: &HistoryOptions) -> Result<Option<String>> {
        if found.0.len() > MOST {
            return Err(no_currencies(&self.files[0].name, options));
        }
        let mut found = found.0.clone();
        // The most frequent first: it is the likeliest to be chosen.
        found.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.code.cmp(&b.code)));
        let listed: Vec<String> = found.iter().take(LISTED).map(|c| self.describe(c)).collect();
        let more = found.len().saturating_sub(LISTED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let list = format!("{}{more}", listed.join("; "));
        let codes: Vec<String> = found.iter().map(|c| c.code.clone()).collect();
        match (&options.only_currency, &codes[..]) {
            (Some(chosen), [_, ..]) if !codes.contains(chosen) => Err(Error::value(
                "--only-currency",
                chosen,
                format!("no row has it: {list}"),
                format!("did you mean {}?", nearest_first(chosen, &codes)[0]),
            )),
            (None, [first, _, ..]) => Err(Error::value(
                format!("the currency column \"{}\"", options.currency.as_deref().unwrap_or_default()),
                codes.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", "),
                format!("amounts of different currencies cannot be added: {list}"),
                format!(
                    "choose one, as in --only-currency {}; the rows of the others are then set aside",
                    quoted(first)
                ),
            )),
            (Some(chosen), [_, ..]) => Ok(Some(chosen.clone())),
            (_, codes) => Ok(codes.first().cloned()),
        }
    }

    fn describe(&self, currency: &Currency) -> String {
        let (file, row) = self.locate(currency.first);
        let rows = if currency.rows == 1 { "1 row".to_string() } else { format!("{} rows", currency.rows) };
        format!("{} in {rows}, first in row {row} of {}", currency.code, self.files[file as usize].name)
    }
}
