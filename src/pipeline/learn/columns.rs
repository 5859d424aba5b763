//! Columns of the two tables as plain values, and what is adjusted for.

use crate::customers::WholeFile;
use crate::customers::table::Plain;
use crate::error::{Error, Result, nearest_first};

/// What is known of customers before a contact, unless columns are named.
const RFM: [&str; 4] = ["days_since_last", "frequency", "T", "total_spend"];

fn plain(file: &WholeFile, name: &str, role: &'static str) -> Result<Plain> {
    let values = file.column(name, None)?.ok_or_else(|| Error::ColumnNotFound {
        path: file.path().to_path_buf(),
        role,
        wanted: Some(name.to_string()),
        columns: nearest_first(name, &file.columns()),
    })?;
    values.plain(name)
}

fn wrong_type(file: &WholeFile, name: &str, role: &'static str, expected: &'static str) -> Error {
    Error::ColumnType {
        path: file.path().to_path_buf(),
        role,
        column: name.to_string(),
        found: file.type_of(name).unwrap_or_default(),
        expected,
    }
}

/// Numbers, NaN where there is none; yes and no count as 1 and 0.
pub(super) fn numbers(file: &WholeFile, name: &str, role: &'static str) -> Result<Vec<f64>> {
    match plain(file, name, role)? {
        Plain::Numbers(values) => Ok(values),
        Plain::Truths(values) => Ok(values
            .into_iter()
            .map(|value| value.map_or(f64::NAN, |yes| f64::from(u8::from(yes))))
            .collect()),
        _ => Err(wrong_type(file, name, role, "numbers, or true and false")),
    }
}

/// Whether a customer was treated, by row.
pub(super) fn truths(file: &WholeFile, name: &str) -> Result<Vec<Option<bool>>> {
    match plain(file, name, "treated")? {
        Plain::Truths(values) => Ok(values),
        Plain::Numbers(values) => {
            let odd = |value: &f64| !(value.is_nan() || *value == 0.0 || *value == 1.0);
            if let Some(row) = values.iter().position(odd) {
                let problem = format!(
                    "\"{name}\" of customer {} is {}: treated is true or 1, untreated false or 0",
                    file.ids()?.text(row),
                    values[row]
                );
                let remedy = "name another column with --treated, or write 1 and 0";
                return Err(document(file, problem, remedy));
            }
            Ok(values.into_iter().map(|value| (!value.is_nan()).then_some(value == 1.0)).collect())
        }
        _ => Err(wrong_type(file, name, "treated", "true and false, or 1 and 0")),
    }
}

/// Texts: the code of every row, and the distinct texts.
pub(super) fn texts(file: &WholeFile, name: &str) -> Result<(Vec<u32>, Vec<String>)> {
    match plain(file, name, "action")? {
        Plain::Texts { codes, names } => Ok((codes, names)),
        _ => Err(wrong_type(file, name, "action", "texts")),
    }
}

/// The columns that are adjusted for: those named, or those of RFM that the table has.
pub(super) fn covariates(customers: &WholeFile, named: &[String]) -> Result<Vec<(String, Vec<f64>)>> {
    let columns = customers.columns();
    let names: Vec<String> = match named {
        [] => RFM.iter().map(|name| name.to_string()).filter(|name| columns.contains(name)).collect(),
        named => named.to_vec(),
    };
    if let Some(k) = (1..names.len()).find(|&k| names[..k].contains(&names[k])) {
        let problem = "it is named twice";
        return Err(Error::value("--covariate", &names[k], problem, "name each column once"));
    }
    names
        .into_iter()
        .map(|name| numbers(customers, &name, "covariate").map(|values| (name, values)))
        .collect()
}

/// sign(x)·ln(1 + |x|) of values, what is missing as the mean of the others, with mean 0 and deviation 1; beside it whether a value
/// is missing, where some are, and how many.
pub(super) fn adjusted(mut values: Vec<f64>) -> (Vec<f64>, Option<(Vec<f64>, u64)>) {
    values.iter_mut().for_each(|value| *value = value.abs().ln_1p().copysign(*value));
    let is_missing: Vec<f64> = values.iter().map(|value| f64::from(u8::from(value.is_nan()))).collect();
    let missing = is_missing.iter().filter(|missing| **missing == 1.0).count();
    if missing > 0 {
        let known = values.iter().filter(|value| !value.is_nan());
        let mean = known.sum::<f64>() / (values.len() - missing).max(1) as f64;
        values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = mean);
    }
    let indicator = (missing > 0).then(|| (standardised(is_missing), missing as u64));
    (standardised(values), indicator)
}

/// Mean 0 and deviation 1; all 0 where nothing varies.
fn standardised(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    // What sums leave of a column that is the same for everybody is no difference.
    let scale = if deviation > 1e-12 * (1.0 + mean.abs()) { 1.0 / deviation } else { 0.0 };
    values.iter_mut().for_each(|value| *value = (*value - mean) * scale);
    values
}

/// An error that is in a table.
pub(super) fn document(file: &WholeFile, problem: String, remedy: &str) -> Error {
    Error::Document { file: file.path().display().to_string(), problem, remedy: remedy.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covariates_keep_their_sign_and_say_what_is_missing() {
        let (values, missing) = adjusted(vec![0.0, -3.0, 3.0, f64::NAN, 0.0]);
        assert!(values[0].abs() < 1e-15 && values[3].abs() < 1e-15 && values[1] < 0.0);
        assert_eq!(values[1], -values[2]);
        let (indicator, count) = missing.unwrap();
        assert_eq!(count, 1);
        assert!((indicator[3] - 2.0).abs() < 1e-12 && (indicator[0] + 0.5).abs() < 1e-12);
        // ln(1 + 3)² twice over five customers is the variance.
        assert!((values[2] - 2.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(adjusted(vec![f64::NAN; 3]).0, [0.0; 3]);
        assert_eq!(adjusted(vec![7.0; 3]), (vec![0.0; 3], None));
    }
}
