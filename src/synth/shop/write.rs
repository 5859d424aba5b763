//! The four files as Parquet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::contact::Contact;
use super::dirt;
use super::population::{Behaviour, id};
use super::truth::Truth;
use super::{CONTACT_WEEK, Member, OUTCOME_WEEKS, Shop, WEEKS, day_of};
use crate::error::{Error, Result};

/// The orders, as a shop's export has them.
pub const ORDERS: &str = "orders.parquet";
/// The list of customers and prospects.
pub const CUSTOMERS_LIST: &str = "customers.parquet";
/// The randomised contact with its outcome.
pub const CONTACTS: &str = "contacts.parquet";
/// What is true of each.
pub const TRUTH: &str = "truth.parquet";

/// What the contact was.
const ACTION: &str = "call_back";

/// The level at which files are compressed: higher ones take longer for a hundredth of the size.
const ZSTD: i32 = 12;

type Columns = Vec<(&'static str, ArrayRef)>;

impl Shop {
    /// Writes the four files into `folder`, which must exist; each replaces an earlier one when it is whole. The same
    /// bytes at any number of threads. Returns the paths with the rows of each.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<(PathBuf, usize)>> {
        let tables = [
            (ORDERS, self.orders()),
            (CUSTOMERS_LIST, self.list()),
            (CONTACTS, self.trial()),
            (TRUTH, self.truth()),
        ];
        tables
            .into_iter()
            .map(|(name, columns)| {
                let path = folder.join(name);
                let rows = write_table(&path, folder, columns)?;
                Ok((path, rows))
            })
            .collect()
    }

    fn orders(&self) -> Columns {
        let rows = dirt::rows(self.seed, &self.members);
        let each = || rows.iter();
        vec![
            ("order_id", Arc::new(Int64Array::from_iter_values(each().map(|r| r.order)))),
            ("customer_id", Arc::new(StringArray::from_iter(each().map(|r| r.customer.map(id))))),
            ("order_date", Arc::new(Date32Array::from_iter(each().map(|r| r.day.map(|day| day.0))))),
            ("amount", money(each().map(|r| r.cents))),
            ("cost", money(each().map(|r| r.cost))),
            ("channel", Arc::new(StringArray::from_iter_values(each().map(|r| r.channel)))),
            ("items", Arc::new(Int32Array::from_iter_values(each().map(|r| r.items)))),
        ]
    }

    fn list(&self) -> Columns {
        let each = || self.members.iter();
        let words = |f: fn(&Member) -> Option<&'static str>| -> ArrayRef {
            Arc::new(StringArray::from_iter(each().map(f)))
        };
        let floats =
            |f: fn(&Member) -> Option<f64>| -> ArrayRef { Arc::new(Float64Array::from_iter(each().map(f))) };
        vec![
            ("customer_id", ids(each())),
            ("nature", words(|m| Some(m.profile.nature.name))),
            ("industry", words(|m| m.profile.industry)),
            ("region", words(|m| Some(m.profile.region.name))),
            ("source", words(|m| Some(m.profile.source.name))),
            ("signup_date", Arc::new(Date32Array::from_iter_values(each().map(|m| m.profile.signup.0)))),
            ("satisfaction", Arc::new(Int32Array::from_iter(each().map(|m| m.listing.satisfaction)))),
            ("credit_limit", floats(|m| m.listing.credit_limit)),
            ("cost_to_serve", floats(|m| m.listing.cost_to_serve)),
            ("complexity", Arc::new(Int32Array::from_iter_values(each().map(|m| m.listing.complexity)))),
            ("opted_out", Arc::new(BooleanArray::from_iter(each().map(|m| Some(m.listing.opted_out))))),
        ]
    }

    fn trial(&self) -> Columns {
        let parts: Vec<(&Member, &Contact)> =
            self.members.iter().filter_map(|m| Some((m, m.contact.as_ref()?))).collect();
        let each = || parts.iter();
        let outcomes: Vec<(i32, i64)> = each().map(|(m, _)| outcome(m)).collect();
        let day = day_of(CONTACT_WEEK).0;
        vec![
            ("customer_id", ids(each().map(|(m, _)| *m))),
            ("action", Arc::new(StringArray::from_iter_values(each().map(|_| ACTION)))),
            ("contact_date", Arc::new(Date32Array::from_iter_values(each().map(|_| day)))),
            ("stratum", Arc::new(StringArray::from_iter_values(each().map(|(_, c)| c.stratum.name)))),
            (
                "probability",
                Arc::new(Float64Array::from_iter_values(each().map(|(_, c)| c.stratum.probability))),
            ),
            ("treated", Arc::new(BooleanArray::from_iter(each().map(|(_, c)| Some(c.treated))))),
            ("orders_12w", Arc::new(Int32Array::from_iter_values(outcomes.iter().map(|o| o.0)))),
            ("spend_12w", money(outcomes.iter().map(|o| Some(o.1)))),
        ]
    }

    fn truth(&self) -> Columns {
        let each = || self.members.iter();
        let fixed =
            |f: fn(&Member) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(each().map(f))) };
        let of_rates = |f: fn(&Behaviour) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter(each().map(|m| m.profile.behaviour.as_ref().map(f))))
        };
        let of_truth = |f: fn(&Truth) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter(each().map(|m| m.truth.as_ref().map(f))))
        };
        let of_contact = |f: fn(&Contact) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter(each().map(|m| m.contact.as_ref().map(f))))
        };
        let left = |m: &Member| {
            let left = m.profile.behaviour.as_ref()?.left();
            (left < WEEKS).then(|| day_of(left).0)
        };
        let alive = |m: &Member| m.truth.as_ref().map(|t| t.alive);
        let caused = |m: &Member| m.truth.as_ref().map(|t| t.caused_orders as i32);
        vec![
            ("customer_id", ids(each())),
            ("population", Arc::new(StringArray::from_iter_values(each().map(|m| m.profile.nature.name)))),
            ("home_channel", Arc::new(StringArray::from_iter_values(each().map(|m| m.profile.channel.name)))),
            ("rate_factor", fixed(|m| m.profile.rate_factor())),
            ("dropout_factor", fixed(|m| m.profile.dropout_factor())),
            ("spend_factor", fixed(|m| m.profile.spend_factor())),
            ("lambda", of_rates(|b| b.lambda)),
            ("mu", of_rates(|b| b.mu)),
            ("nu", of_rates(|b| b.nu)),
            ("left_date", Arc::new(Date32Array::from_iter(each().map(left)))),
            ("alive_at_end", Arc::new(BooleanArray::from_iter(each().map(alive)))),
            ("p_alive", of_truth(|t| t.p_alive)),
            ("expected_orders_52w", of_truth(|t| t.expected_orders)),
            ("expected_spend_52w", of_truth(|t| t.expected_spend)),
            ("rate_multiplier", of_contact(|c| c.multiplier)),
            ("extra_orders_12w", of_contact(|c| c.extra_orders)),
            ("extra_spend_12w", of_contact(|c| c.extra_spend)),
            ("caused_orders", Arc::new(Int32Array::from_iter(each().map(caused)))),
        ]
    }
}

fn ids<'a>(members: impl Iterator<Item = &'a Member>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(members.map(|m| m.profile.id())))
}

/// Cents as decimal(10, 2).
fn money(cents: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let values = Decimal128Array::from_iter(cents.map(|c| c.map(i128::from)));
    Arc::new(values.with_data_type(arrow_schema::DataType::Decimal128(10, 2)))
}

/// Orders and cents of the outcome window.
fn outcome(member: &Member) -> (i32, i64) {
    let window = CONTACT_WEEK..CONTACT_WEEK + OUTCOME_WEEKS;
    let inside = member.purchases.iter().filter(|p| window.contains(&p.at));
    inside.fold((0, 0), |(orders, cents), p| (orders + 1, cents + p.cents))
}

/// Writes a table aside and puts it in its place.
fn write_table(path: &Path, folder: &Path, columns: Columns) -> Result<usize> {
    let failed = |e: parquet::errors::ParquetError| Error::io("write", path, std::io::Error::other(e));
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD).map_err(failed)?))
        // No version in it: the bytes change with the content only.
        .set_created_by("make_shop".to_string());
    for (name, column) in &columns {
        if let Some(encoding) = encoding(name, column) {
            properties = properties
                .set_column_dictionary_enabled(ColumnPath::from(*name), false)
                .set_column_encoding(ColumnPath::from(*name), encoding);
        }
    }
    let nullable =
        columns.into_iter().map(|(name, column)| (name, Arc::clone(&column), column.null_count() > 0));
    let batch = RecordBatch::try_from_iter_with_nullable(nullable)
        .map_err(|e| Error::internal("building the table", e))?;
    let mut scratch =
        tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::io("write to", folder, e))?;
    let options =
        ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let mut writer =
        ArrowWriter::try_new_with_options(scratch.as_file_mut(), batch.schema(), options).map_err(failed)?;
    writer.write(&batch).map_err(failed)?;
    writer.close().map_err(failed)?;
    scratch.persist(path).map_err(|e| Error::io("write", path, e.error))?;
    Ok(batch.num_rows())
}

/// How a column is encoded where a dictionary is not the smallest.
fn encoding(name: &str, column: &ArrayRef) -> Option<Encoding> {
    match name {
        // Ids of tables with one row per customer ascend.
        "customer_id" if column.null_count() == 0 => Some(Encoding::DELTA_BYTE_ARRAY),
        "order_id" | "amount" | "cost" | "spend_12w" => Some(Encoding::DELTA_BINARY_PACKED),
        "lambda"
        | "mu"
        | "nu"
        | "p_alive"
        | "expected_orders_52w"
        | "expected_spend_52w"
        | "extra_orders_12w"
        | "extra_spend_12w" => Some(Encoding::BYTE_STREAM_SPLIT),
        _ => None,
    }
}
