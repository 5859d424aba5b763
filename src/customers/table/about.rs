//! What a customer table's file says of itself: without its unit, a recency of 30 is days to one reader and weeks to the
//! next.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Day, Unit, Window};
use crate::customers::table::CustomerTable;
use crate::error::{Error, Result};

/// Under which key of the schema's metadata it stands, as JSON.
pub(crate) const KEY: &str = "tiercast:customers";

/// The version of what is said.
const VERSION: u32 = 1;

/// What a customer table's file says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableInfo {
    /// The version of this description.
    pub version: u32,
    /// The unit of recency and T.
    pub unit: Unit,
    /// The last day of calibration: T counts up to it.
    pub calibration_end: Day,
    /// The last day that was looked at; the same where there is no holdout.
    pub as_of: Day,
}

impl TableInfo {
    /// Of a table.
    pub fn of(table: &CustomerTable) -> TableInfo {
        let Window { calibration_end, as_of } = table.window;
        TableInfo { version: VERSION, unit: table.unit, calibration_end, as_of }
    }

    /// Puts it into the schema of the table's batch.
    pub(super) fn put(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let text =
            serde_json::to_string(self).map_err(|e| Error::internal("describing a customer table", e))?;
        let metadata = HashMap::from([(KEY.to_string(), text)]);
        let schema = Schema::new_with_metadata(batch.schema().fields().clone(), metadata);
        batch.with_schema(Arc::new(schema)).map_err(|e| Error::internal("describing a customer table", e))
    }

    /// What a schema says; `None` if it is of no customer table.
    ///
    /// # Errors
    /// In words, what is said by another version of tiercast: it must not count as nothing.
    pub(super) fn find(schema: &Schema) -> Result<Option<TableInfo>, String> {
        let Some(text) = schema.metadata().get(KEY) else { return Ok(None) };
        let damaged = |e| format!("what its metadata say under \"{KEY}\" is damaged: {e}");
        let said: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
        match said["version"].as_u64() {
            Some(version) if version > u64::from(VERSION) => Err(format!(
                "a later tiercast made it: its description is of version {version}, not {VERSION}"
            )),
            _ => {
                let info: TableInfo = serde_json::from_value(said).map_err(damaged)?;
                match info.version {
                    VERSION => Ok(Some(info)),
                    version => Err(format!("its description is of version {version}, not {VERSION}")),
                }
            }
        }
    }
}
