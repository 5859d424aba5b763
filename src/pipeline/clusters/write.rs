//! Everybody's cluster, in the order of the file: in Parquet beside all its columns, in CSV and workbooks with the features.

use std::borrow::Cow;
use std::path::Path;

use super::features::Table;
use super::{ClusterRequest, Clustered, NOISE};
use crate::customers::{Added, Values, WholeFile};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::CLUSTERS_KEY;
use crate::report::hand_over::{Book, Cell, Cells, Format, HandOver, Sheet};
use crate::report::tables::write_stretches;
use crate::segment::{Feature, Grouping};
use crate::tier::cluster_scheme::{CLUSTER, NUMBER};

/// The column of the clusters in words, in CSV and workbooks.
const IN_WORDS: &str = "cluster_in_words";

/// The code of a row that is no customer.
const NOBODY: u8 = u8::MAX;

/// Refuses a file whose own columns would be taken for those that are added.
pub(super) fn check(file: &WholeFile, features: &[Feature], format: Option<Format>) -> Result<()> {
    let Some(format) = format else { return Ok(()) };
    let added =
        if format == Format::Parquet { vec![CLUSTER, NUMBER] } else { vec![CLUSTER, NUMBER, IN_WORDS] };
    let wrong = |name: &str, problem: &str| {
        Err(Error::Document {
            file: file.path().display().to_string(),
            problem: format!("its column \"{name}\" {problem}"),
            remedy: format!("rename the column: the result has columns {}", added.join(", ")),
        })
    };
    for &own in &added {
        if file.id_name().eq_ignore_ascii_case(own) {
            return wrong(file.id_name(), "holds the ids");
        }
        if let Some(feature) = features.iter().find(|feature| feature.column.eq_ignore_ascii_case(own)) {
            return wrong(&feature.column, &format!("would stand beside the result's own \"{own}\""));
        }
        // Many readers do not tell names apart by case.
        let columns = file.columns();
        let alike = columns.iter().find(|name| name.as_str() != own && name.eq_ignore_ascii_case(own));
        if let (Format::Parquet, Some(name)) = (format, alike) {
            return wrong(name, &format!("is called as \"{own}\" but for the case of its letters"));
        }
    }
    Ok(())
}

/// Columns of the file that are not in the result as they were.
pub(super) fn replaced(file: &WholeFile, format: Option<Format>) -> Vec<String> {
    if format != Some(Format::Parquet) {
        return Vec::new();
    }
    file.columns().into_iter().filter(|name| name == CLUSTER || name == NUMBER).collect()
}

/// The place of the cluster of every row of the file: that of [`NOISE`] comes after all clusters.
pub(super) fn by_row(rows: usize, table: &Table, grouping: &Grouping, places: &[u16]) -> Vec<u8> {
    let mut out = vec![NOBODY; rows];
    for (customer, code) in grouping.codes.iter().enumerate() {
        let place = code.map_or(grouping.clusters, |code| usize::from(places[usize::from(code)]));
        // There are no more clusters than a hundred.
        out[table.row(customer)] = place as u8;
    }
    out
}

/// Writes the result. The sheets of a workbook.
pub(super) fn write(
    file: &WholeFile,
    request: &ClusterRequest,
    found: &Clustered,
    codes: &[u8],
    path: &Path,
    format: Format,
    progress: &dyn Progress,
) -> Result<Option<usize>> {
    let mut names: Vec<String> = found.clusters.iter().map(|cluster| cluster.proposed_name.clone()).collect();
    names.push(NOISE.into());
    // Noise is no cluster and has no number.
    let numbers: Vec<u32> = found.clusters.iter().map(|cluster| cluster.cluster).collect();
    if format == Format::Parquet {
        let about = about(request)?;
        let added = [
            Added::Texts { name: CLUSTER, codes, texts: &names },
            Added::Counts { name: NUMBER, codes, counts: &numbers },
        ];
        progress.phase("writing", file.stretches() as u64);
        let stretch = |i| file.stretch_with(i, &added, (CLUSTERS_KEY, &about));
        return write_stretches(path, file.stretches(), stretch, progress).map(|()| None);
    }
    let carried = |name: &str| -> Result<Cells<'_>> {
        let missing = || Error::internal("reading a column", format!("the file has lost \"{name}\""));
        let values: Values = file.column(name, None)?.ok_or_else(missing)?;
        Ok(Cells::Carried(values))
    };
    // Noise has no words.
    let words: Vec<String> = found.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    let mut columns = vec![
        HandOver { name: file.id_name().into(), cells: carried(file.id_name())? },
        HandOver { name: CLUSTER.into(), cells: Cells::Labels { codes: Cow::Borrowed(codes), names } },
        HandOver {
            name: NUMBER.into(),
            cells: Cells::Levels { codes: Cow::Borrowed(codes), levels: numbers },
        },
        HandOver {
            name: IN_WORDS.into(),
            cells: Cells::Labels { codes: Cow::Borrowed(codes), names: words },
        },
    ];
    for feature in &request.features {
        columns.push(HandOver { name: feature.column.clone(), cells: carried(&feature.column)? });
    }
    let book = Book {
        rows: file.rows(),
        columns,
        summary: vec![summary(found)],
        sheet: "Customers".into(),
        order: None,
    };
    let sheets = book.write(format, path, progress)?;
    Ok((format == Format::Xlsx).then_some(sheets))
}

/// What a Parquet file says of how its clusters were made, as JSON.
fn about(request: &ClusterRequest) -> Result<String> {
    let features: Vec<String> = request.features.iter().map(|feature| feature.to_string()).collect();
    let about = serde_json::json!({ "version": 1, "features": features, "options": request.options });
    serde_json::to_string(&about).map_err(|e| Error::internal("describing clusters", e))
}

/// One line per cluster, and one of noise, where there is some.
fn summary(found: &Clustered) -> Sheet {
    let mut heading: Vec<String> =
        [NUMBER, CLUSTER, "description", "customers", "share_of_customers", "total_spend", "share_of_spend"]
            .map(String::from)
            .into();
    let has_clv = found.clusters.iter().any(|cluster| cluster.mean_clv.is_some());
    if has_clv {
        heading.push("mean_clv".into());
    }
    for report in &found.features {
        heading.push(format!("mean {}", report.name));
        heading.push(format!("median {}", report.name));
    }
    let number = |value: Option<f64>| value.map_or(Cell::Text(String::new()), Cell::Number);
    let mut rows = Vec::new();
    for cluster in &found.clusters {
        let mut row = vec![
            Cell::Number(f64::from(cluster.cluster)),
            Cell::Text(cluster.proposed_name.clone()),
            Cell::Text(cluster.name.clone()),
            Cell::Number(cluster.customers as f64),
            Cell::Number(cluster.share_of_customers),
            number(cluster.spend),
            number(cluster.share_of_spend),
        ];
        if has_clv {
            row.push(number(cluster.mean_clv));
        }
        row.extend(cluster.features.iter().flat_map(|own| [number(own.mean), number(own.median)]));
        rows.push(row);
    }
    let grouping = &found.grouping;
    if grouping.noise > 0 {
        let mut row = vec![
            number(None),
            Cell::Text(NOISE.into()),
            number(None),
            Cell::Number(grouping.noise as f64),
            Cell::Number(grouping.noise as f64 / grouping.customers as f64),
        ];
        row.resize_with(heading.len(), || number(None));
        rows.push(row);
    }
    Sheet { name: "Summary".into(), heading, rows }
}
