//! Looks at the files before a row is read: columns, types, zone, and the pieces of work.

use std::sync::Arc;

use serde::Serialize;

use crate::amount::AmountKind;
use crate::error::{Error, Result};
use crate::history::composite::{IdPart, joined};
use crate::history::extras::Extras;
use crate::history::files::{ParquetFile, open_all};
use crate::history::hive::add_columns;
use crate::history::id_map::{IdMap, IdMapInfo};
use crate::history::join::{Join, JoinReport, MappedIds, Unmatched};
use crate::history::kept::Kept;
use crate::history::roles::Role;
use crate::history::schema::{Detected, detect};
use crate::history::split::{Piece, Task, tasks};
use crate::history::together::Together;
use crate::history::types::IdKind;
use crate::history::zone::Zone;
use crate::history::{HistoryOptions, SkippedFile, Source};

/// One file of a history, as `tiercast inspect` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileInfo {
    /// The name under which it was read.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Row groups.
    pub row_groups: usize,
    /// Compression of its columns, each once, as in "ZSTD".
    pub compression: String,
    /// The program that wrote it, if the file says so.
    pub created_by: Option<String>,
    /// Name and Arrow type of every top-level column.
    pub schema: Vec<(String, String)>,
}

/// What is known of a history from its footers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The files in reading order; those without rows, which are not looked at any further, come last.
    pub files: Vec<FileInfo>,
    /// Rows of all files.
    pub rows: u64,
    /// The columns found; names and types are those of the first file.
    pub columns: Detected,
    /// What the ids are.
    pub ids: IdKind,
    /// What the parts of composite ids are; empty for ids of one column.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_parts: Vec<IdPart>,
    /// How amounts are added.
    pub amounts: AmountKind,
    /// How costs (or margins) are added, if there is such a column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<AmountKind>,
    /// The zone in which instants become days; `None` for local times and dates.
    pub zone: Option<String>,
    /// The column that says a row's source in the id map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The id map that makes customers of ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_map: Option<IdMapInfo>,
    /// Files that are set aside whole because they are bad.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedFile>,
}

/// A history that is ready to be read.
#[derive(Debug, Clone)]
pub struct History {
    /// In reading order; those without rows come last.
    pub(crate) files: Vec<ParquetFile>,
    /// The columns of each file that has rows.
    pub(crate) columns: Vec<Detected>,
    pub(crate) zone: Option<Zone>,
    pub(crate) tasks: Vec<Task>,
    kept: Arc<Kept>,
    /// The join with an id map.
    pub(crate) join: Option<Arc<Join>>,
    inspection: Inspection,
    options: HistoryOptions,
}

impl History {
    /// Opens the sources, finds the columns and checks that the files go together.
    ///
    /// With `options.skip_bad_files`, files that cannot be opened are left out and listed, as long as one is left.
    ///
    /// Errors: every kind of unreadable file or unusable column; no row is decoded here.
    pub fn open(sources: &[Source], options: &HistoryOptions) -> Result<History> {
        check_choices(options)?;
        check_join(options)?;
        let mut files = Vec::new();
        let mut bad = Vec::new();
        for opened in open_all(sources)? {
            match opened {
                Ok(file) => files.push(file),
                Err((name, error)) if options.skip_bad_files => bad.push((name, error)),
                Err((_, error)) => return Err(error),
            }
        }
        let skipped: Vec<SkippedFile> =
            bad.iter().map(|(name, error)| SkippedFile::new(name.clone(), error, None)).collect();
        match bad.into_iter().next() {
            Some((_, error)) if files.is_empty() => Err(error),
            _ => {
                let map = options.id_map.as_deref().map(IdMap::read).transpose()?.map(Arc::new);
                History::of(files, skipped, map, options)
            }
        }
    }

    /// The history of files that are open.
    pub(crate) fn of(
        mut files: Vec<ParquetFile>,
        skipped: Vec<SkippedFile>,
        map: Option<Arc<IdMap>>,
        options: &HistoryOptions,
    ) -> Result<History> {
        // A file without rows says nothing, and its types are often no one's choice: pandas writes an empty table's
        // columns as floats or nulls.
        files.sort_by_key(|file| file.rows() == 0);
        add_columns(&mut files);
        let infos: Vec<FileInfo> = files.iter().map(describe).collect();
        let rows = infos.iter().map(|file| file.rows).sum();
        if rows == 0 {
            return Err(Error::NoRows { files: short_list(&infos) });
        }
        let with_rows = &files[..files.partition_point(|file| file.rows() > 0)];
        let columns: Vec<Detected> = with_rows
            .iter()
            .map(|file| detect(file.path(), file.schema(), file.own_columns(), options))
            .collect::<Result<_>>()?;
        let all = Together { files: with_rows, columns: &columns };
        all.same_names(map.is_some())?;
        let join = map.map(|map| Join::new(map, with_rows, options)).transpose()?.map(Arc::new);
        // With a map, each file's own ids may be of its own kind.
        let parts = if join.is_some() { Vec::new() } else { all.id_parts()? };
        let ids = match (&join, &parts[..]) {
            (Some(join), _) => join.map().kind(),
            (None, [one]) => one.kind,
            (None, _) => IdKind::Composite,
        };
        if columns[0].order.is_some() {
            all.ids(|columns| columns.order.as_ref(), Role::Order)?;
        }
        let zone = all.zone(options.zone.as_deref())?;
        let inspection = Inspection {
            files: infos,
            rows,
            columns: columns[0].clone(),
            ids,
            id_parts: if ids == IdKind::Composite { parts } else { Vec::new() },
            amounts: all.amounts(),
            costs: columns[0].cost_or_margin().map(|_| all.exactness(Detected::cost_or_margin)),
            zone: zone.as_ref().map(|zone| zone.name().to_string()),
            source: options.source.clone(),
            id_map: join.as_ref().map(|join| join.map().info().clone()),
            skipped,
        };
        let kept = Arc::new(all.kept()?);
        if join.is_none() && ids.is_text() && ids != IdKind::Composite {
            files
                .iter_mut()
                .zip(&columns)
                .for_each(|(file, columns)| file.view_texts(columns.customer[0].index));
        }
        let tasks = tasks(&files);
        Ok(History { files, columns, zone, tasks, kept, join, inspection, options: options.clone() })
    }

    /// The same history with some of its rows only: those of the tasks, whose pieces are numbered from 0.
    pub(super) fn with_tasks(&self, tasks: Vec<Task>, rows: u64) -> History {
        let mut out = History { tasks, ..self.clone() };
        out.inspection.rows = rows;
        out.begin();
        out
    }

    /// What it was opened with.
    pub(crate) fn options(&self) -> &HistoryOptions {
        &self.options
    }

    /// What is known from the footers.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Forgets what ids were met: the rows are about to be read from the first one on.
    pub(crate) fn begin(&mut self) {
        self.join = self.join.take().map(|join| Arc::new(join.again()));
    }

    /// Bytes of memory that are taken as long as the history is read, beside its rows.
    pub(crate) fn bytes(&self) -> usize {
        self.join.as_ref().map_or(0, |join| join.map().bytes())
    }

    /// What became of the ids of each source, once the rows were read.
    ///
    /// Errors: [`Error::Value`] for sources that the id map does not have, unless their ids are kept.
    pub(crate) fn join_report(&self) -> Result<Option<JoinReport>> {
        self.join.as_ref().map(|join| join.report()).transpose()
    }

    /// Rows of all files.
    pub fn rows(&self) -> u64 {
        self.inspection.rows
    }

    /// What the ids are.
    pub fn ids(&self) -> IdKind {
        self.inspection.ids
    }

    /// How amounts are added.
    pub fn amounts(&self) -> AmountKind {
        self.inspection.amounts
    }

    /// What the parts of composite ids are; empty for ids of one column.
    pub fn id_parts(&self) -> &[IdPart] {
        &self.inspection.id_parts
    }

    /// How costs (or margins) are added, if there is such a column.
    pub fn costs(&self) -> Option<AmountKind> {
        self.inspection.costs
    }

    /// The values of kept columns, which grow while rows are read.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Holds amounts and costs as floating point from now on, for exact ones that turned out too large.
    pub(crate) fn use_floats(&mut self) {
        self.kept = Arc::new(self.kept.emptied());
        self.inspection.amounts = AmountKind::Float;
        self.inspection.costs = self.inspection.costs.map(|_| AmountKind::Float);
    }

    /// How ids become customers, if a map says it.
    pub(crate) fn mapped(&self) -> Option<MappedIds> {
        self.join.as_ref().map(|join| join.mapped())
    }

    /// Takes the ids and exact amounts of a state for its own where they are wider, as those of one more file.
    pub(crate) fn join_state(&mut self, ids: IdKind, parts: &[IdPart], amounts: AmountKind) {
        let own = self.inspection.ids;
        // What a map gives for an id is not looked at again, so that it may not be beyond 63 bits.
        let beyond = self.join.is_some() && own == IdKind::Unsigned { bits: 64 };
        if let Some(joined) = ids.join(own).filter(|joined| !beyond || *joined == own) {
            self.inspection.ids = joined;
        }
        if let Some(joined) = joined(parts, &self.inspection.id_parts) {
            self.inspection.id_parts = joined;
        }
        if let (AmountKind::Scaled { scale: state }, AmountKind::Scaled { scale: own }) =
            (amounts, self.inspection.amounts)
            && state > own
        {
            self.inspection.amounts = amounts;
        }
    }

    /// Pieces of work.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Rows of task `task`.
    pub fn task_rows(&self, task: usize) -> u64 {
        self.tasks[task].iter().map(|piece| piece.rows).sum()
    }

    /// Which words each event has beside day, amount and customer.
    pub fn extras(&self) -> Extras {
        Extras {
            order: self.inspection.columns.order.is_some(),
            cost: self.inspection.costs.is_some(),
            keep: self.kept.len(),
        }
    }

    /// File and row in the file of row number `row` of the history.
    pub fn locate(&self, row: u64) -> (u32, u64) {
        let (piece, offset) = self.piece_of(row);
        (piece.file, piece.first_row + offset)
    }

    /// The piece that holds row number `row` of the history, and the row's place in it.
    pub(crate) fn piece_of(&self, row: u64) -> (Piece, u64) {
        let task = self.tasks.partition_point(|task| task[0].base <= row) - 1;
        let pieces = &self.tasks[task];
        let piece = pieces[pieces.partition_point(|piece| piece.base <= row) - 1];
        (piece, row - piece.base)
    }
}

/// What options of an id map say without one.
fn check_join(options: &HistoryOptions) -> Result<()> {
    if options.id_map.is_some() && options.customer.len() > 1 {
        let columns = options.customer.join(", ");
        let remedy = "name the one column that the map's source_id means";
        return Err(Error::value("--customer", columns, "an id map joins by one column", remedy));
    }
    let (what, value) = match (&options.id_map, &options.source, options.unmatched) {
        (None, Some(column), _) => ("--source", column.as_str()),
        (None, None, Unmatched::Keep) => ("--unmatched", "keep"),
        _ => return Ok(()),
    };
    Err(Error::value(what, value, "there is no id map", "name the map with --id-map, or leave this out"))
}

fn describe(file: &ParquetFile) -> FileInfo {
    let meta = file.metadata.metadata();
    let mut compression: Vec<String> = meta
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .map(|column| {
            let text = column.compression().to_string();
            text.split('(').next().unwrap_or_default().to_string()
        })
        .collect();
    compression.sort();
    compression.dedup();
    FileInfo {
        name: file.name.clone(),
        rows: file.rows(),
        bytes: file.bytes,
        row_groups: meta.num_row_groups(),
        compression: compression.join(", "),
        created_by: meta.file_metadata().created_by().map(str::to_string),
        schema: file
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().to_string()))
            .collect(),
    }
}

fn short_list(files: &[FileInfo]) -> String {
    match files {
        [] => "no file".to_string(),
        [one] => one.name.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
    }
}

/// What options say against each other.
fn check_choices(options: &HistoryOptions) -> Result<()> {
    if let (Some(cost), Some(_)) = (&options.cost, &options.margin) {
        let remedy = "give one of them: the other follows from the amount";
        return Err(Error::value("--cost", cost, "--margin names a column as well", remedy));
    }
    match (&options.only_currency, &options.currency) {
        (Some(chosen), None) => Err(Error::value(
            "--only-currency",
            chosen,
            "no column says the currency of a row",
            "name the column with --currency",
        )),
        _ => Ok(()),
    }
}
