//! A batch of rows whose ids become customers.

use std::sync::PoisonError;

use arrow_array::ArrayRef;

use crate::error::{Error, Result};
use crate::history::Reason;
use crate::history::id_map::{Found, seed};
use crate::history::join::sources::SourceOf;
use crate::history::join::translated::Out;
use crate::history::join::{Join, SourceCounts, Unmatched};
use crate::history::keys::{IdBatch, Miss, id_hash};
use crate::history::source_keys::{Key, Labels, own_ids};

impl Join {
    /// The customers of a batch of file `file`, whose ids are `ids` and whose sources, if a column says them, `sources`.
    pub(crate) fn batch(&self, file: usize, ids: &ArrayRef, sources: Option<&ArrayRef>) -> Result<IdBatch> {
        let own = own_ids(ids);
        let mut batch = Batch {
            join: self,
            locals: Vec::new(),
            misses: Vec::new(),
            unmatched: Vec::new(),
            out: Out::new(self.map.kind(), ids.len()),
        };
        let sources = sources.map(own_ids);
        let mut labels = Labels::default();
        let whole = match &self.files[file] {
            SourceOf::Path(name) if sources.is_none() => Some(batch.local(name.clone())?),
            _ => None,
        };
        // Of each dictionary entry, what was found for it last.
        let mut memo: Vec<Option<(u32, Found)>> = vec![None; own.0.entries()];
        for row in 0..ids.len() {
            if !own.0.is_id(row) {
                let null = own.0.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                let blank = if null { None } else { own.0.blank(row).map(str::to_string) };
                batch.miss(row, Reason::NullCustomer, blank);
                continue;
            }
            let local = match (whole, &sources) {
                (Some(local), _) => local,
                (None, Some(sources)) if sources.0.is_id(row) => {
                    let mut failed = None;
                    let label = labels.of(sources.key(row), |name| {
                        batch.local(name).unwrap_or_else(|error| {
                            failed = Some(error);
                            0
                        })
                    });
                    if let Some(error) = failed {
                        return Err(error);
                    }
                    label
                }
                _ => {
                    batch.miss(row, Reason::NullSource, None);
                    continue;
                }
            };
            let key = own.key(row);
            let found = match own.0.entry(row) {
                None => batch.find(local, key),
                Some(entry) => match memo[entry] {
                    Some((of, found)) if of == local => found,
                    _ => {
                        let found = batch.find(local, key);
                        memo[entry] = Some((local, found));
                        found
                    }
                },
            };
            batch.take(row, local, key, found)?;
        }
        Ok(batch.finish())
    }
}

/// A source of the rows of a batch.
struct Local {
    name: String,
    seed: u64,
    code: Option<u32>,
    counts: SourceCounts,
}

/// A batch that is being translated.
struct Batch<'a> {
    join: &'a Join,
    locals: Vec<Local>,
    misses: Vec<Miss>,
    /// Source and hash of ids that the map does not have.
    unmatched: Vec<(u64, u32)>,
    out: Out,
}

impl Batch<'_> {
    fn local(&mut self, name: String) -> Result<u32> {
        if self.join.unmatched == Unmatched::Keep && name.contains(':') {
            return Err(Error::value(
                "the source",
                name,
                "kept ids would be ambiguous: they are written as source:id",
                "give the source a name without \":\", or leave unmatched rows aside",
            ));
        }
        let code = self.join.map.source(&name);
        self.locals.push(Local { seed: seed(&name), code, counts: SourceCounts::default(), name });
        Ok(self.locals.len() as u32 - 1)
    }

    #[inline]
    fn find(&self, local: u32, key: Key<'_>) -> Found {
        match self.locals[local as usize].code {
            Some(code) => self.join.map.find(code, key),
            None => Found::Nothing,
        }
    }

    fn miss(&mut self, row: usize, reason: Reason, value: Option<String>) {
        self.misses.push(Miss { row, reason, value });
        self.out.nothing();
    }

    #[inline]
    fn take(&mut self, row: usize, local: u32, key: Key<'_>, found: Found) -> Result<()> {
        let source = &mut self.locals[local as usize];
        match found {
            Found::Customer { entry, row } => {
                self.join.tally.meet(entry);
                source.counts.matched.rows += 1;
                self.out.customer(self.join.map.customers(), row);
                Ok(())
            }
            Found::Ambiguous { entry } => {
                self.join.tally.meet(entry);
                source.counts.ambiguous.rows += 1;
                let value = format!("{}:{}", source.name, key.shown());
                self.miss(row, Reason::AmbiguousId, Some(value));
                Ok(())
            }
            Found::Nothing => {
                source.counts.unmatched.rows += 1;
                self.unmatched.push((Key::mix(key.word, key.sort, source.seed), local));
                let value = format!("{}:{}", source.name, key.shown());
                if self.join.unmatched == Unmatched::Aside {
                    self.miss(row, Reason::UnmatchedId, Some(value));
                    return Ok(());
                }
                let hash = id_hash(value.as_bytes());
                if self.join.prefixed.contains(&hash) {
                    return Err(Error::value(
                        "--unmatched",
                        "keep",
                        format!("\"{value}\" would be the id of a kept customer and is one of the id map's"),
                        "rename the map's customer, or leave unmatched rows aside",
                    ));
                }
                self.out.text(value.as_bytes(), hash);
                Ok(())
            }
        }
    }

    fn finish(mut self) -> IdBatch {
        self.unmatched.sort_unstable();
        self.unmatched.dedup();
        for &(hash, local) in &self.unmatched {
            if self.join.tally.is_new(hash) {
                self.locals[local as usize].counts.unmatched.ids += 1;
            }
        }
        let mut sources = self.join.tally.sources.lock().unwrap_or_else(PoisonError::into_inner);
        for local in self.locals {
            sources.entry(local.name).or_default().add(&local.counts);
        }
        drop(sources);
        self.out.finish(self.misses)
    }
}
