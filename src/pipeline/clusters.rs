//! The customers of a file in clusters, and the file with everybody's cluster.

mod features;
mod write;

use std::path::Path;

use serde::Serialize;

use self::features::Table;
use crate::customers::WholeFile;
use crate::error::Result;
use crate::progress::Progress;
use crate::report::hand_over::Format;
use crate::segment::grouping::group;
use crate::segment::portrait::{Known, portraits};
use crate::segment::transform::SourceReport;
use crate::segment::{Feature, Grouping, GroupingOptions, Order, Portrait};

/// What customers are called who are in no cluster because nobody like them is near.
pub const NOISE: &str = "(noise)";

/// What is wanted.
#[derive(Debug, Clone)]
pub struct ClusterRequest {
    /// By what customers are compared.
    pub features: Vec<Feature>,
    /// How they are grouped.
    pub options: GroupingOptions,
}

/// A file whose customers were grouped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clustered {
    /// Rows of the file.
    pub rows: u64,
    /// Rows without an order, which are in no cluster.
    pub prospects: u64,
    /// How the customers were to be grouped.
    pub options: GroupingOptions,
    /// How they were.
    pub grouping: Grouping,
    /// What was done to the features.
    pub features: Vec<SourceReport>,
    /// By what the clusters are ordered.
    pub ordered_by: Order,
    /// The clusters, the best first.
    pub clusters: Vec<Portrait>,
    /// Columns of the file that were replaced.
    pub replaced: Vec<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Sheets that the rows took, in a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheets: Option<usize>,
}

/// Groups the customers of `file` and writes everybody's cluster to `out` in `format`, if a place is given.
///
/// A row's place in the file decides nothing: customers are taken in the order of their ids.
///
/// # Errors
/// Columns that are not there, hold no numbers or came after what is known; no feature that differs; those of the options
/// ([`group`]), of the file and of writing.
pub fn cluster_file(
    file: &WholeFile,
    request: &ClusterRequest,
    out: Option<(&Path, Format)>,
    progress: &dyn Progress,
) -> Result<Clustered> {
    progress.phase("reading", 0);
    features::check(file, &request.features)?;
    write::check(file, &request.features, out.map(|(_, format)| format))?;
    let table = Table::read(file, &request.features)?;
    let prepared = table.prepared(&request.features)?;
    let key = |customer: usize| table.ids.hash(table.row(customer));
    let grouping = group(&table.points(&prepared)?, &request.options, &key, progress)?;
    let known = Known {
        prepared: &prepared,
        values: &table.values,
        clv: table.clv(),
        total_spend: table.total_spend(),
    };
    let (ordered_by, clusters, places) = portraits(&known, &grouping.codes, grouping.clusters);
    let mut warnings = features::warnings(&prepared.reports, table.customers());
    warnings.extend(grouping.warnings.iter().cloned());
    let codes = write::by_row(file.rows(), &table, &grouping, &places);
    let mut clustered = Clustered {
        rows: file.rows() as u64,
        prospects: (file.rows() - table.customers()) as u64,
        options: request.options,
        grouping,
        features: prepared.reports,
        ordered_by,
        clusters,
        replaced: write::replaced(file, out.map(|(_, format)| format)),
        warnings,
        sheets: None,
    };
    if let Some((path, format)) = out {
        clustered.sheets = write::write(file, request, &clustered, &codes, path, format, progress)?;
    }
    Ok(clustered)
}
