//! Values of columns that are kept, one code each.

use arrow_array::ArrayRef;

/// A kept column with its distinct values.
#[derive(Debug, Clone)]
pub struct KeptColumn {
    /// Its name in the files.
    pub name: String,
    /// The rank of each code: greater values have greater ranks. Code 0 is no value, and its rank means nothing.
    pub ranks: Vec<u32>,
    /// The distinct values in ascending order: that of rank r is at place r.
    pub values: ArrayRef,
}
