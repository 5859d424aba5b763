//! Folders that name a column: `region=EU/month=01/` gives its files the columns `region` and `month`.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray, new_null_array};
use arrow_schema::{DataType, Field, FieldRef};
use percent_encoding::percent_decode_str;

use crate::history::files::ParquetFile;

/// What writers name the folder of rows without a value.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The keys of a file's folders with their values, decoded; `None` for null.
pub(crate) type Keys = BTreeMap<String, Option<String>>;

/// The keys among the folders of `path` (its last part, the file's own name, is none). Of a key that occurs twice, the
/// inner one holds.
pub(crate) fn keys_of(path: &Path) -> Keys {
    let mut keys = Keys::new();
    for part in path.parent().into_iter().flat_map(Path::components) {
        let Component::Normal(part) = part else { continue };
        let Some((key, value)) = part.to_str().and_then(|part| part.split_once('=')) else { continue };
        if !key.is_empty() {
            keys.insert(decoded(key), (value != NULL).then(|| decoded(value)));
        }
    }
    keys
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_string(), |text| text.into_owned())
}

/// A column that has one value throughout a file.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    pub(crate) field: FieldRef,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Null,
    Integer(i64),
    Text(String),
}

impl Constant {
    /// The column for `rows` rows.
    pub(crate) fn array(&self, rows: usize) -> ArrayRef {
        match &self.value {
            Value::Null => new_null_array(self.field.data_type(), rows),
            Value::Integer(value) => Arc::new(Int64Array::from_value(*value, rows)),
            Value::Text(text) => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows))),
        }
    }
}

/// Gives every file a column for each key that any of them has and that it has no column of its own for.
///
/// A key's values are integers if all of them in all files are written as such (without leading zeros), else texts.
/// Where a file's folders lack the key, the column has the type of nulls, which can play no role.
pub(crate) fn add_columns(files: &mut [ParquetFile]) {
    let mut types: BTreeMap<&str, DataType> = BTreeMap::new();
    for (key, value) in files.iter().flat_map(|file| &file.keys) {
        let of_value = match value {
            Some(value) if integer(value).is_none() => DataType::Utf8,
            Some(_) => DataType::Int64,
            None => DataType::Null,
        };
        let joined = types.entry(key).or_insert(DataType::Null);
        if *joined == DataType::Null || of_value == DataType::Utf8 {
            *joined = of_value;
        }
    }
    // Without a single value, a key holds texts as well as anything.
    let types: Vec<(String, DataType)> = (types.into_iter())
        .map(|(key, data_type)| {
            (key.to_string(), if data_type == DataType::Null { DataType::Utf8 } else { data_type })
        })
        .collect();
    for file in files {
        let constants: Vec<Constant> = (types.iter())
            .filter(|(key, _)| file.metadata.schema().column_with_name(key).is_none())
            .map(|(key, data_type)| constant(key, data_type, file.keys.get(key)))
            .collect();
        file.set_constants(constants);
    }
}

fn constant(key: &str, data_type: &DataType, value: Option<&Option<String>>) -> Constant {
    let found = match value {
        None => DataType::Null,
        Some(_) => data_type.clone(),
    };
    let value = match value.and_then(Option::as_ref) {
        None => Value::Null,
        Some(text) if *data_type == DataType::Int64 => integer(text).map_or(Value::Null, Value::Integer),
        Some(text) => Value::Text(text.clone()),
    };
    Constant { field: Arc::new(Field::new(key, found, true)), value }
}

/// A whole number that is written in the one usual way: "01", "+1" and "-0" are texts.
fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|value| value.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_folders() {
        let keys = keys_of(Path::new(
            "sales/region=E%20U/month=01/region=x/key=__HIVE_DEFAULT_PARTITION__/=1/a=b.parquet",
        ));
        let text = |value: &str| Some(value.to_string());
        let expected = [("key", None), ("month", text("01")), ("region", text("x"))];
        assert_eq!(keys, expected.map(|(key, value)| (key.to_string(), value)).into());
        assert_eq!(keys_of(Path::new("a=E%20U/b.pq"))["a"], text("E U"));
        assert_eq!(keys_of(Path::new("a=%FF/b.pq"))["a"], text("%FF"));
    }

    #[test]
    fn only_canonical_integers_are_integers() {
        assert_eq!(["0", "-7", "2026"].map(integer), [Some(0), Some(-7), Some(2026)]);
        assert_eq!(["01", "-0", "+1", "", "1.0", "9223372036854775808"].map(integer), [None; 6]);
    }
}
