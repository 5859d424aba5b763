//! The customer table as one Arrow record batch, with or without prospects.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use arrow_select::concat::concat;
use arrow_select::take::take as take_rows;

use crate::calendar::Day;
use crate::customers::table::about::TableInfo;
use crate::customers::table::list::merge;
use crate::customers::table::{Column, CustomerTable, Ids, Prospects, TextKind, Values};
use crate::error::{Error, Result};
use crate::history::composite;

/// The table as it is written to `customers.parquet`: the id in the type it came in (a composite one as its columns,
/// under their own names, with `customer_` before a name that the table has already), the statistics with recency and T
/// in the table's unit, the holdout if there is one, then the added columns.
///
/// Errors: [`Error::Internal`] for columns of unequal length or with one name, which is a defect of the caller.
pub fn to_record_batch(table: &CustomerTable) -> Result<RecordBatch> {
    into_record_batch(table.clone())
}

/// The same of a table that is not needed any more: its columns become those of the batch as they are.
///
/// Errors: as for [`to_record_batch`].
pub fn into_record_batch(table: CustomerTable) -> Result<RecordBatch> {
    // Whether there may be nulls does not depend on whether there are: all stretches of a table have one schema.
    let may_be_null = table.columns.iter().filter(|column| matches!(column.values, Values::Array(_)));
    let may_be_null: Vec<String> = may_be_null.map(|column| column.name.clone()).collect();
    let about = TableInfo::of(&table);
    let (ids, columns) = columns(table);
    let ids = id_columns(ids, &columns)?.into_iter().map(|(name, array)| (name, array, false));
    let columns = columns.into_iter().map(|(name, array)| {
        let nullable = may_be_null.contains(&name);
        (name, array, nullable)
    });
    about.put(RecordBatch::try_from_iter_with_nullable(ids.chain(columns)).map_err(failed)?)
}

/// The table with the prospects among its customers in one order of ids. Statistics and what models and tiers say are
/// null for prospects; attributes are those of the list.
///
/// Errors: [`Error::Internal`] as for [`to_record_batch`], and for ids of two kinds.
pub fn with_prospects(table: &CustomerTable, prospects: &Prospects) -> Result<RecordBatch> {
    let n = table.len();
    let order = merge(&table.ids, &prospects.ids);
    let is_customer = |row: u64| (row as usize) < n;
    let everyone = UInt64Array::from_iter_values(order.iter().copied());
    let customers: UInt64Array = order.iter().map(|&row| is_customer(row).then_some(row)).collect();
    let joined = |a: &ArrayRef, b: &ArrayRef| take(&concat(&[a, b])?, &everyone);
    let (ids_of_table, others) = columns(table.clone());
    let of_table = id_columns(ids_of_table, &others)?;
    let of_prospects = ids(prospects.ids.clone())?;
    let ids = of_table
        .iter()
        .zip(&of_prospects)
        .map(|((name, values), (_, more))| Ok((name.as_str(), joined(values, more).map_err(failed)?, false)));
    let columns = others.iter().map(|(name, values)| {
        let values = match prospects.attributes.iter().find(|attribute| attribute.name == *name) {
            Some(Column { values: Values::Array(more), .. }) => joined(values, more),
            _ => take(values, &customers),
        };
        // All stretches of a table have one schema, with or without a prospect.
        Ok((name.as_str(), values.map_err(failed)?, true))
    });
    let columns = ids.chain(columns).collect::<Result<Vec<_>>>()?;
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(failed)?;
    TableInfo::of(table).put(batch)
}

fn failed(error: arrow_schema::ArrowError) -> Error {
    Error::internal("making the customer table", error)
}

/// The ids, and the columns beside them.
fn columns(table: CustomerTable) -> (Ids, Vec<(String, ArrayRef)>) {
    let n = table.len();
    let unit = |values: &dyn Fn(usize) -> f64| numbers((0..n).map(values).collect());
    let (recency, t) = (unit(&|i| table.recency(i)), unit(&|i| table.t(i)));
    let since: Vec<u32> = (0..n).map(|i| table.days_since_last(i)).collect();
    let span = table.unit.of_days(table.window.holdout_days());
    let mut columns = vec![
        ("frequency", counts(table.frequency)),
        ("recency", recency),
        ("T", t),
        ("monetary_value", numbers(table.monetary_value)),
        ("first_order", dates(table.first_order)),
        ("last_order", dates(table.last_order)),
        ("orders", counts(table.orders)),
        ("transactions", counts(table.transactions)),
        ("total_spend", numbers(table.total_spend)),
        ("days_since_last", counts(since)),
    ];
    if let Some(holdout) = table.holdout {
        columns.push(("frequency_holdout", counts(holdout.frequency)));
        columns.push(("spend_holdout", numbers(holdout.spend)));
        columns.push(("T_holdout", numbers(vec![span; n])));
    }
    let added = table.columns.into_iter().map(|Column { name, values }| {
        let values: ArrayRef = match values {
            Values::Float(values) => numbers(values),
            Values::Count(values) => counts(values),
            Values::Label { codes, names } => Arc::new(StringArray::from_iter_values(
                codes.iter().map(|&code| names[usize::from(code)].as_str()),
            )),
            Values::Array(array) => array,
        };
        (name, values)
    });
    (table.ids, columns.into_iter().map(|(name, values)| (name.to_string(), values)).chain(added).collect())
}

/// The columns of ids, each under a name that none of `others` has, whatever its case.
fn id_columns(list: Ids, others: &[(String, ArrayRef)]) -> Result<Vec<(String, ArrayRef)>> {
    let mut out: Vec<(String, ArrayRef)> = Vec::new();
    for (mut name, array) in ids(list)? {
        let is_taken = |name: &str, out: &[(String, ArrayRef)]| {
            let mut taken =
                others.iter().map(|(other, _)| &other[..]).chain(out.iter().map(|(other, _)| &other[..]));
            taken.any(|other| other.eq_ignore_ascii_case(name))
        };
        while is_taken(&name, &out) {
            name.insert_str(0, "customer_");
        }
        out.push((name, array));
    }
    Ok(out)
}

fn take(values: &ArrayRef, rows: &UInt64Array) -> Result<ArrayRef, arrow_schema::ArrowError> {
    take_rows(values, rows, None)
}

fn counts(values: Vec<u32>) -> ArrayRef {
    Arc::new(UInt32Array::from(values))
}

fn numbers(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

fn dates(days: Vec<Day>) -> ArrayRef {
    Arc::new(Date32Array::from(days.into_iter().map(|day| day.0).collect::<Vec<i32>>()))
}

/// The columns of ids. Those of a width came from a column of that width (or a narrower one), so that they fit.
pub(crate) fn ids(ids: Ids) -> Result<Vec<(String, ArrayRef)>> {
    macro_rules! narrow {
        ($array:ty, $int:ty, $values:expr) => {
            Arc::new(<$array>::from_iter_values($values.into_iter().map(|v| v as $int))) as ArrayRef
        };
    }
    let array = match ids {
        Ids::Signed { values, bits: 8 } => narrow!(Int8Array, i8, values),
        Ids::Signed { values, bits: 16 } => narrow!(Int16Array, i16, values),
        Ids::Signed { values, bits: 32 } => narrow!(Int32Array, i32, values),
        Ids::Signed { values, .. } => Arc::new(Int64Array::from(values)),
        Ids::Unsigned { values, bits: 8 } => narrow!(UInt8Array, u8, values),
        Ids::Unsigned { values, bits: 16 } => narrow!(UInt16Array, u16, values),
        Ids::Unsigned { values, bits: 32 } => narrow!(UInt32Array, u32, values),
        Ids::Unsigned { values, .. } => Arc::new(UInt64Array::from(values)),
        Ids::Text { ends, bytes, kind } => texts(&ends, bytes, kind)?,
        Ids::Composite { ends, bytes, parts } => {
            let begins = std::iter::once(&0).chain(&ends);
            return composite::columns(&parts, begins.zip(&ends).map(|(&begin, &end)| &bytes[begin..end]));
        }
    };
    Ok(vec![("customer_id".to_string(), array)])
}

fn texts(ends: &[usize], bytes: Vec<u8>, kind: TextKind) -> Result<ArrayRef> {
    let failed = |e| Error::internal("writing text ids", e);
    let small = i32::try_from(bytes.len()).is_ok();
    Ok(match kind {
        TextKind::Utf8View => {
            let text = |i: usize| &bytes[if i == 0 { 0 } else { ends[i - 1] }..ends[i]];
            let text = |i| std::str::from_utf8(text(i)).map_err(|e| Error::internal("writing text ids", e));
            let texts = (0..ends.len()).map(text).collect::<Result<Vec<&str>>>()?;
            Arc::new(StringViewArray::from_iter_values(texts))
        }
        // 32-bit offsets end at 2 GiB; beyond it the large type holds the same texts.
        TextKind::Utf8 if small => {
            let offsets: ScalarBuffer<i32> =
                std::iter::once(0).chain(ends.iter().map(|&e| e as i32)).collect();
            let values = Buffer::from_vec(bytes);
            Arc::new(StringArray::try_new(OffsetBuffer::new(offsets), values, None).map_err(failed)?)
        }
        TextKind::Utf8 | TextKind::LargeUtf8 => {
            let offsets: ScalarBuffer<i64> =
                std::iter::once(0).chain(ends.iter().map(|&e| e as i64)).collect();
            let values = Buffer::from_vec(bytes);
            Arc::new(LargeStringArray::try_new(OffsetBuffer::new(offsets), values, None).map_err(failed)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Unit, Window};
    use arrow_schema::DataType;

    fn table(ids: Ids) -> CustomerTable {
        CustomerTable {
            ids,
            window: Window { calibration_end: Day(70), as_of: Day(84) },
            unit: Unit::Week,
            frequency: vec![1, 0],
            recency_days: vec![14, 0],
            t_days: vec![70, 7],
            monetary_value: vec![2.5, 0.0],
            first_order: vec![Day(0), Day(63)],
            last_order: vec![Day(14), Day(63)],
            orders: vec![2, 1],
            transactions: vec![3, 1],
            total_spend: vec![4.5, 1.0],
            holdout: Some(crate::customers::Holdout { frequency: vec![1, 0], spend: vec![3.0, 0.0] }),
            columns: Vec::new(),
        }
    }

    #[test]
    fn columns_keep_their_order_and_unit() {
        let mut table = table(Ids::Signed { values: vec![-1, 7], bits: 16 });
        table.push("tier", Values::Label { codes: vec![1, 0], names: vec!["low".into(), "high".into()] });
        let batch = to_record_batch(&table).unwrap();
        let schema = batch.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(
            names.join(" "),
            "customer_id frequency recency T monetary_value first_order last_order orders transactions \
             total_spend days_since_last frequency_holdout spend_holdout T_holdout tier"
        );
        assert_eq!(batch.column(0).as_ref(), &Int16Array::from(vec![-1, 7]));
        assert_eq!(batch.column(2).as_ref(), &Float64Array::from(vec![2.0, 0.0]));
        assert_eq!(batch.column(3).as_ref(), &Float64Array::from(vec![10.0, 1.0]));
        assert_eq!(batch.column(10).as_ref(), &UInt32Array::from(vec![56, 7]));
        assert_eq!(batch.column(13).as_ref(), &Float64Array::from(vec![2.0, 2.0]));
        assert_eq!(batch.column(14).as_ref(), &StringArray::from(vec!["high", "low"]));
    }

    #[test]
    fn ids_keep_their_type() {
        let text = |kind| Ids::Text { ends: vec![1, 3], bytes: b"abc".to_vec(), kind };
        for (ids, data_type) in [
            (Ids::Signed { values: vec![1, 2], bits: 8 }, DataType::Int8),
            (Ids::Signed { values: vec![1, 2], bits: 64 }, DataType::Int64),
            (Ids::Unsigned { values: vec![1, 2], bits: 32 }, DataType::UInt32),
            (Ids::Unsigned { values: vec![1, u64::MAX], bits: 64 }, DataType::UInt64),
            (text(TextKind::Utf8), DataType::Utf8),
            (text(TextKind::LargeUtf8), DataType::LargeUtf8),
            (text(TextKind::Utf8View), DataType::Utf8View),
        ] {
            let batch = to_record_batch(&table(ids)).unwrap();
            assert_eq!(batch.schema().field(0).data_type(), &data_type);
        }
    }
}
