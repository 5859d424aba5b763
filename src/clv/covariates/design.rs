//! Covariates as numbers: named columns, standardised and checked, with the distinct rows apart from the customers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clv::dense::Matrix;
use crate::error::{Error, Result};

/// A column whose square of the part that others do not explain is below this share is explained by them.
const EXPLAINED: f64 = 1e-8;

/// Differences from the mean below this share of the values have lost most of their digits.
const LOST: f64 = 4.0 * f64::EPSILON;

/// Columns with less than this, in standard deviations, have no part in explaining another one.
const NO_PART: f64 = 1e-5;

/// One covariate of all customers.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariate {
    /// Its name.
    pub name: String,
    /// Its values, one per customer.
    pub values: Values,
}

/// The values of a covariate.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers.
    Numeric(Vec<f64>),
    /// Names of levels, and the place of each customer's level among them; none where it is missing.
    Categorical {
        /// The levels' names.
        levels: Vec<String>,
        /// The level of each customer.
        codes: Vec<Option<u32>>,
    },
}

/// One value of a covariate, for predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Of a numeric covariate.
    Number(f64),
    /// Of a categorical one.
    Level(&'a str),
}

/// How a covariate becomes columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Coding {
    /// One column, less its mean and over its standard deviation.
    Numeric { mean: f64, deviation: f64, lowest: f64, highest: f64 },
    /// One column of 0 and 1 for each level but the reference, the most frequent (of equals, the first by name).
    Categorical { reference: String, levels: Vec<String> },
}

/// How values of covariates become a row of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    covariates: Vec<(String, Coding)>,
}

/// Which column of a design a coefficient belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub covariate: String,
    pub level: Option<String>,
    /// The column is divided by this: a coefficient on the covariate's own scale is smaller by it.
    pub scale: f64,
    /// The mean and standard deviation of the values, or of having the level.
    pub mean: f64,
    pub deviation: f64,
}

/// Covariates of all customers as numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignMatrix {
    encoding: Arc<Encoding>,
    columns: Vec<Column>,
    customers: usize,
    /// The distinct rows, ascending, one after the other.
    rows: Vec<f64>,
    of_customer: Vec<u32>,
}

impl Covariate {
    /// A numeric covariate.
    pub fn numeric(name: impl Into<String>, values: Vec<f64>) -> Covariate {
        Covariate { name: name.into(), values: Values::Numeric(values) }
    }

    /// A categorical covariate from each customer's level; none where it is missing.
    pub fn categorical<S: AsRef<str>>(
        name: impl Into<String>,
        values: impl IntoIterator<Item = Option<S>>,
    ) -> Covariate {
        let (mut levels, mut places): (Vec<String>, HashMap<String, u32>) = Default::default();
        let codes = values
            .into_iter()
            .map(|value| {
                let value = value?;
                Some(*places.entry(value.as_ref().to_string()).or_insert_with_key(|level| {
                    levels.push(level.clone());
                    levels.len() as u32 - 1
                }))
            })
            .collect();
        Covariate { name: name.into(), values: Values::Categorical { levels, codes } }
    }
}

fn refused(name: &str, value: impl ToString, problem: impl Into<String>, remedy: &str) -> Error {
    Error::value(format!("the covariate \"{name}\""), value, problem, remedy)
}

const MISSING: &str = "leave those customers out, or give missing values a level or a value of their own";
const CONSTANT: &str = "leave it out: a covariate without differences explains none";

impl DesignMatrix {
    /// The design of `customers` customers; without covariates nothing moves.
    ///
    /// # Errors
    /// A covariate given twice, of another length, with missing or infinite values, with one value only, or explained
    /// by others (which are named).
    pub fn new(covariates: &[Covariate], customers: usize) -> Result<DesignMatrix> {
        let mut encoding = Encoding { covariates: Vec::new() };
        let mut columns = Vec::new();
        let mut data: Vec<Vec<f64>> = Vec::new();
        for Covariate { name, values } in covariates {
            if encoding.covariates.iter().any(|(other, _)| other == name) {
                return Err(refused(name, name, "it is given twice", "give each covariate once"));
            }
            let length = match values {
                Values::Numeric(values) => values.len(),
                Values::Categorical { codes, .. } => codes.len(),
            };
            if length != customers {
                let problem = format!("there are {customers} customers");
                return Err(refused(
                    name,
                    format!("{length} values"),
                    problem,
                    "give one value per customer",
                ));
            }
            let coding = match values {
                Values::Numeric(values) => {
                    let (coding, column) = numeric(name, values)?;
                    data.push(column);
                    coding
                }
                Values::Categorical { levels, codes } => {
                    let (coding, dummies) = categorical(name, levels, codes)?;
                    data.extend(dummies);
                    coding
                }
            };
            columns.extend(coding.columns(name, &data[columns.len()..]));
            encoding.covariates.push((name.clone(), coding));
        }
        collinear(&columns, &data)?;
        let width = columns.len();
        let row = |i: usize| data.iter().map(move |column| column[i]);
        let mut order: Vec<u32> = (0..customers as u32).collect();
        let compare = |&i: &u32, &j: &u32| {
            let pairs = row(i as usize).zip(row(j as usize));
            pairs.map(|(a, b)| a.total_cmp(&b)).find(|o| o.is_ne()).unwrap_or(i.cmp(&j))
        };
        crate::parallel::sort_by(&mut order, compare);
        let mut rows: Vec<f64> = Vec::new();
        let mut of_customer = vec![0; customers];
        let mut distinct = 0;
        for &i in &order {
            let same = distinct > 0 && row(i as usize).eq(rows[rows.len() - width..].iter().copied());
            if !same {
                rows.extend(row(i as usize));
                distinct += 1;
            }
            of_customer[i as usize] = distinct - 1;
        }
        Ok(DesignMatrix { encoding: Arc::new(encoding), columns, customers, rows, of_customer })
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Number of customers.
    pub fn customers(&self) -> usize {
        self.customers
    }

    /// How values become rows.
    pub fn encoding(&self) -> &Arc<Encoding> {
        &self.encoding
    }

    /// The row of customer `i` among the distinct ones.
    pub(super) fn row_of(&self, i: usize) -> u32 {
        self.of_customer[i]
    }

    /// A distinct row.
    pub(super) fn row(&self, row: u32) -> &[f64] {
        &self.rows[row as usize * self.width()..][..self.width()]
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }
}

fn numeric(name: &str, values: &[f64]) -> Result<(Coding, Vec<f64>)> {
    if let Some(i) = values.iter().position(|v| !v.is_finite()) {
        let missing = values.iter().filter(|v| !v.is_finite()).count();
        let problem = format!("{missing} values are missing or infinite, the first that of customer {i}");
        return Err(refused(name, values[i], problem, MISSING));
    }
    // In halves and shares, so that no value overflows; twice, so that a large mean leaves no error.
    let n = values.len() as f64;
    let rough: f64 = values.iter().map(|v| v / n).sum();
    let mean = rough + values.iter().map(|v| (v - rough) / n).sum::<f64>();
    let largest = values.iter().fold(0.0f64, |max, v| max.max((v - mean).abs()));
    let size = values.iter().fold(0.0f64, |max, v| max.max(v.abs()));
    let Some(&value) = values.first() else {
        return Err(refused(name, "no values", "there are no customers", "give customers"));
    };
    if values.iter().all(|other| *other == value) {
        return Err(refused(name, value, "all customers have this value", CONSTANT));
    }
    if largest <= LOST * size {
        let problem = "the values differ by little more than the last digit that numbers of their size have";
        return Err(refused(name, value, problem, "give it as the difference from a value in their middle"));
    }
    let deviation = largest * values.iter().map(|v| ((v - mean) / largest).powi(2) / n).sum::<f64>().sqrt();
    if !deviation.is_finite() {
        return Err(refused(name, largest, "values are too large to be compared", "give it in another unit"));
    }
    let column = values.iter().map(|v| (v - mean) / deviation).collect();
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok((Coding::Numeric { mean, deviation, lowest, highest }, column))
}

fn categorical(name: &str, levels: &[String], codes: &[Option<u32>]) -> Result<(Coding, Vec<Vec<f64>>)> {
    let mut counts = vec![0usize; levels.len()];
    for (i, code) in codes.iter().enumerate() {
        match code.map(|code| code as usize) {
            Some(code) if code < levels.len() => counts[code] += 1,
            Some(code) => {
                return Err(refused(name, code, "there is no such level", "give levels by their places"));
            }
            None => {
                let missing = codes.iter().filter(|code| code.is_none()).count();
                let problem = format!("{missing} values are missing, the first that of customer {i}");
                return Err(refused(name, "missing", problem, MISSING));
            }
        }
    }
    let mut present: Vec<usize> = (0..levels.len()).filter(|&level| counts[level] > 0).collect();
    present.sort_by(|&i, &j| levels[i].cmp(&levels[j]));
    if let Some(twice) = present.windows(2).find(|pair| levels[pair[0]] == levels[pair[1]]) {
        return Err(refused(name, &levels[twice[0]], "the level is given twice", "give each level once"));
    }
    // The first of the most frequent: max_by_key would give the last.
    let most = present.iter().map(|&level| counts[level]).max().unwrap_or(0);
    let reference = present.iter().copied().find(|&level| counts[level] == most);
    let (Some(reference), true) = (reference, present.len() > 1) else {
        let level = present.first().map_or("", |&level| levels[level].as_str());
        return Err(refused(name, level, "all customers have this level", CONSTANT));
    };
    let others: Vec<usize> = present.into_iter().filter(|&level| level != reference).collect();
    let columns = others
        .iter()
        .map(|&level| codes.iter().map(|code| f64::from(u8::from(*code == Some(level as u32)))).collect())
        .collect();
    let levels_of_columns = others.iter().map(|&level| levels[level].clone()).collect();
    Ok((Coding::Categorical { reference: levels[reference].clone(), levels: levels_of_columns }, columns))
}

impl Coding {
    /// The columns of a covariate, of which `data` are the values.
    fn columns(&self, name: &str, data: &[Vec<f64>]) -> Vec<Column> {
        let covariate = name.to_string();
        match self {
            &Coding::Numeric { mean, deviation, .. } => {
                vec![Column { covariate, level: None, scale: deviation, mean, deviation }]
            }
            Coding::Categorical { levels, .. } => (levels.iter().zip(data))
                .map(|(level, data)| {
                    let share = data.iter().sum::<f64>() / data.len() as f64;
                    Column {
                        covariate: covariate.clone(),
                        level: Some(level.clone()),
                        scale: 1.0,
                        mean: share,
                        deviation: (share * (1.0 - share)).sqrt(),
                    }
                })
                .collect(),
        }
    }
}

impl Column {
    /// Its name in messages: that of the covariate, with the level's.
    pub fn name(&self) -> String {
        match &self.level {
            Some(level) => format!("{}={level}", self.covariate),
            None => self.covariate.clone(),
        }
    }
}

impl Encoding {
    /// The row of a customer with these values, in the order of the covariates.
    ///
    /// # Errors
    /// Another number of values, a number for a level or the reverse, a level that no fitted customer had.
    pub fn row(&self, values: &[Value<'_>]) -> Result<Vec<f64>> {
        let remedy = "give the covariates of the fit, in their order";
        if values.len() != self.covariates.len() {
            let problem = format!("the fit has {}", self.covariates.len());
            return Err(Error::value("the number of covariates", values.len(), problem, remedy));
        }
        let mut out = Vec::new();
        for ((name, coding), value) in self.covariates.iter().zip(values) {
            match (coding, value) {
                (Coding::Numeric { mean, deviation, .. }, Value::Number(value)) if value.is_finite() => {
                    out.push((value - mean) / deviation);
                }
                (Coding::Categorical { reference, levels }, Value::Level(level)) => {
                    if level != reference && !levels.iter().any(|other| other == level) {
                        let problem = "no customer of the fit had this level";
                        return Err(refused(name, level, problem, "give one of the fit's levels"));
                    }
                    out.extend(levels.iter().map(|other| f64::from(u8::from(other == level))));
                }
                (Coding::Numeric { .. }, value) => {
                    return Err(refused(name, format!("{value:?}"), "it is numeric", remedy));
                }
                (Coding::Categorical { .. }, value) => {
                    return Err(refused(name, format!("{value:?}"), "it has levels", remedy));
                }
            }
        }
        Ok(out)
    }

    /// The covariates by name, with how each becomes columns.
    pub(super) fn covariates(&self) -> &[(String, Coding)] {
        &self.covariates
    }

    /// The reference level of a categorical covariate.
    pub fn reference(&self, name: &str) -> Option<&str> {
        self.covariates.iter().find(|(other, _)| other == name).and_then(|(_, coding)| match coding {
            Coding::Numeric { .. } => None,
            Coding::Categorical { reference, .. } => Some(reference.as_str()),
        })
    }
}

/// Refuses a column that earlier ones and a constant explain, by Gram-Schmidt on correlations.
fn collinear(columns: &[Column], data: &[Vec<f64>]) -> Result<()> {
    let k = columns.len();
    let unit: Vec<Vec<f64>> = data
        .iter()
        .map(|column| {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            let norm = column.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>().sqrt();
            column.iter().map(|v| (v - mean) / norm).collect()
        })
        .collect();
    let mut correlation = Matrix::zeros(k);
    for i in 0..k {
        for j in 0..=i {
            correlation[(i, j)] = crate::clv::dense::dot(&unit[i], &unit[j]);
            correlation[(j, i)] = correlation[(i, j)];
        }
    }
    for j in 1..k {
        // Earlier columns are independent: their correlations can be inverted.
        let before: Vec<usize> = (0..j).collect();
        let inverse = correlation.restricted(&before).map_eigenvalues(|v| 1.0 / v);
        let with: Vec<f64> = before.iter().map(|&i| correlation[(i, j)]).collect();
        let parts = inverse.times(&with);
        if 1.0 - crate::clv::dense::dot(&parts, &with) < EXPLAINED {
            let others: Vec<String> = before
                .iter()
                .filter(|&&i| parts[i].abs() > NO_PART)
                .map(|&i| format!("\"{}\"", columns[i].name()))
                .collect();
            let problem = format!("it follows from {}", others.join(", "));
            let remedy = "leave one of them out: the data cannot tell their effects apart";
            return Err(refused(&columns[j].covariate, columns[j].name(), problem, remedy));
        }
    }
    Ok(())
}
