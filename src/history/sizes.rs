//! What footers say of the ids beside their type: how long texts are, and between which integers ids lie.
//!
//! Both are optional in a footer, and nothing but an estimate rests on them.

use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use crate::history::scan::History;

impl History {
    /// Mean bytes of a row's text id, where every footer says it.
    pub(crate) fn id_bytes(&self) -> Option<f64> {
        let bytes = |chunk: &ColumnChunkMetaData| {
            chunk.unencoded_byte_array_data_bytes().and_then(|bytes| u64::try_from(bytes).ok())
        };
        let total: u64 = self.id_chunks()?.iter().map(|chunk| bytes(chunk)).sum::<Option<u64>>()?;
        Some(total as f64 / self.rows() as f64)
    }

    /// How many integers there are between the smallest and the largest id, both included, where every footer says them:
    /// there cannot be more customers.
    pub(crate) fn id_span(&self) -> Option<u64> {
        let (mut low, mut high) = (i128::MAX, i128::MIN);
        for chunk in self.id_chunks()? {
            let (least, most) = match chunk.statistics()? {
                Statistics::Int32(s) => (i128::from(*s.min_opt()?), i128::from(*s.max_opt()?)),
                Statistics::Int64(s) => (i128::from(*s.min_opt()?), i128::from(*s.max_opt()?)),
                _ => return None,
            };
            // Unsigned ids are sorted as such and written as if they were signed.
            if least > most {
                return None;
            }
            (low, high) = (low.min(least), high.max(most));
        }
        u64::try_from(high.checked_sub(low)?.checked_add(1)?).ok()
    }

    /// The ids' column in every row group with rows; `None` if a file has it from its folders or in parts.
    fn id_chunks(&self) -> Option<Vec<&ColumnChunkMetaData>> {
        let mut chunks = Vec::new();
        for (file, columns) in self.files.iter().zip(&self.columns) {
            let schema = file.metadata.parquet_schema();
            let [customer] = &columns.customer[..] else { return None };
            let root = customer.index;
            let mut leaves =
                (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root);
            let leaf = leaves.next()?;
            let groups = file.metadata.metadata().row_groups();
            chunks.extend(groups.iter().filter(|group| group.num_rows() > 0).map(|group| group.column(leaf)));
        }
        Some(chunks)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Float64Array, Int32Array, StringArray};

    use crate::history::testing::{parquet, source};
    use crate::history::{History, HistoryOptions};

    fn history(ids: Vec<ArrayRef>) -> History {
        let sources: Vec<_> = ids
            .into_iter()
            .map(|ids| {
                let rows = ids.len();
                let dates = Arc::new(Date32Array::from(vec![1000; rows])) as ArrayRef;
                let amounts = Arc::new(Float64Array::from(vec![1.0; rows])) as ArrayRef;
                source("h", parquet(vec![("date", dates), ("customer_id", ids), ("amount", amounts)], 2))
            })
            .collect();
        History::open(&sources, &HistoryOptions::default()).unwrap()
    }

    #[test]
    fn integers_have_a_span() {
        let history = history(vec![
            Arc::new(Int32Array::from(vec![-3, 5, 0])) as ArrayRef,
            Arc::new(Int32Array::from(vec![7])) as ArrayRef,
        ]);
        assert_eq!((history.id_span(), history.id_bytes()), (Some(11), None));
    }

    #[test]
    fn texts_have_a_length() {
        let history = history(vec![Arc::new(StringArray::from(vec!["a", "bcd", "a"])) as ArrayRef]);
        assert_eq!(history.id_span(), None);
        assert!((history.id_bytes().unwrap() - 5.0 / 3.0).abs() < 1e-12);
    }
}
