//! The tiers of a run: its schemes held against the table, most of them before any model is fitted.

use super::customers_file::OF_MODELS;
use crate::customers::{CustomerTable, Prospects};
use crate::error::Result;
use crate::tier::{Columns, SchemeFile, Tiering};

/// The tiers of a run, as they are found.
pub(super) struct Grading<'s> {
    schemes: &'s [SchemeFile],
    /// In the order of the schemes; none where the scheme waits for the models.
    found: Vec<Option<Tiering>>,
}

impl<'s> Grading<'s> {
    /// Grades by the schemes that look at nothing that models and clusters add, so that what is wrong with them is said
    /// before anything is fitted.
    ///
    /// # Errors
    /// As for [`SchemeFile::grade`].
    pub(super) fn begin(schemes: &'s [SchemeFile], table: &CustomerTable) -> Result<Grading<'s>> {
        // A scheme of scores sorts again what `customers::rfm` has sorted: 0.4 s for a million customers on two busy cores,
        // little beside their futures, and tiers then come from one place.
        let columns = Columns::of_table(table);
        let grade = |scheme: &SchemeFile| match of_models(scheme).next() {
            Some(_) => Ok(None),
            None => scheme.grade(table, &columns).map(|graded| Some(graded.tiering)),
        };
        Ok(Grading { schemes, found: schemes.iter().map(grade).collect::<Result<_>>()? })
    }

    /// Grades by the others, with what models and clusters have added to the table. A scheme that cannot do without a
    /// column that the models could not give is left out, with a warning.
    ///
    /// # Errors
    /// As for [`SchemeFile::grade`].
    pub(super) fn finish(self, table: &CustomerTable, warnings: &mut Vec<String>) -> Result<Vec<Tiering>> {
        let columns = Columns::of_table(table);
        let mut out = Vec::with_capacity(self.schemes.len());
        for (scheme, found) in self.schemes.iter().zip(self.found) {
            if let Some(tiering) = found {
                out.push(tiering);
                continue;
            }
            match scheme.grade(table, &columns) {
                Ok(graded) => out.push(graded.tiering),
                Err(error) => {
                    let missing: Vec<&str> = of_models(scheme).filter(|name| !columns.has(name)).collect();
                    // Whatever else is wrong with it has nothing to do with the models.
                    let words = error.to_string();
                    if !missing.iter().any(|name| words.contains(&format!("there is no column \"{name}\""))) {
                        return Err(error);
                    }
                    warnings.push(format!(
                        "nobody is graded by {}: it looks at {}, which models that could not be fitted do not give",
                        scheme.key,
                        missing.join(", ")
                    ));
                }
            }
        }
        Ok(out)
    }
}

/// The columns of models and clusters that a scheme looks at.
fn of_models(scheme: &SchemeFile) -> impl Iterator<Item = &'static str> {
    OF_MODELS.into_iter().filter(|name| scheme.looks_at(name))
}

/// What the reader of a scheme with a tier for prospects has to know: a run grades customers only.
pub(super) fn without_prospects(schemes: &[SchemeFile], prospects: &Prospects) -> Vec<String> {
    let n = prospects.ids.len();
    let has = |scheme: &&SchemeFile| n > 0 && scheme.tiers().contains(&"prospect");
    let words = |scheme: &SchemeFile| {
        format!(
            "{}: the {n} prospects of the customers list have no tier, because a run grades who has ordered; `tiercast tier` \
             grades them too, from the run's customers.parquet",
            scheme.key
        )
    };
    schemes.iter().filter(has).map(words).collect()
}
