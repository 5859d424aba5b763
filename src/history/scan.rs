//! Looks at the files before a row is read: columns, types, zone, and the pieces of work.

use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Schema};
use serde::Serialize;

use crate::amount::AmountKind;
use crate::error::{Error, Result};
use crate::history::composite::IdPart;
use crate::history::extras::Extras;
use crate::history::files::{ParquetFile, open_all};
use crate::history::kept::{Kept, common_type};
use crate::history::names::normalise;
use crate::history::roles::Role;
use crate::history::schema::{ColumnRef, Detected, detect};
use crate::history::types::{IdKind, amount_scale};
use crate::history::zone::Zone;
use crate::history::{HistoryOptions, Source};

/// Small row groups are read together until a task has this many rows: below it, starting a task costs more than its
/// rows, and its share of a partition becomes a handful.
const ROWS_PER_TASK: u64 = if cfg!(test) { 64 } else { 1 << 17 };

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
}

/// A stretch of rows in one row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) file: u32,
    pub(crate) group: usize,
    /// Row of the file at which the row group begins.
    pub(crate) first_row: u64,
    /// Number of its first row in the history.
    pub(crate) base: u64,
    pub(crate) rows: u64,
}

/// Pieces that are read one after the other by one thread.
pub(crate) type Task = Vec<Piece>;

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
    inspection: Inspection,
}

impl History {
    /// Opens the sources, finds the columns and checks that the files go together.
    ///
    /// Errors: every kind of unreadable file or unusable column; no row is decoded here.
    pub fn open(sources: &[Source], options: &HistoryOptions) -> Result<History> {
        check_choices(options)?;
        let mut files = open_all(sources)?;
        // A file without rows says nothing, and its types are often no one's choice: pandas writes an empty table's
        // columns as floats or nulls.
        files.sort_by_key(|file| file.rows() == 0);
        let infos: Vec<FileInfo> = files.iter().map(describe).collect();
        let rows = infos.iter().map(|file| file.rows).sum();
        if rows == 0 {
            return Err(Error::NoRows { files: short_list(&infos) });
        }
        let with_rows = &files[..files.partition_point(|file| file.rows() > 0)];
        let columns: Vec<Detected> = with_rows
            .iter()
            .map(|file| detect(file.path(), file.metadata.schema(), options))
            .collect::<Result<_>>()?;
        let all = Together { files: with_rows, columns: &columns };
        all.same_names()?;
        let parts = all.id_parts()?;
        let ids = match &parts[..] {
            [one] => one.kind,
            _ => IdKind::Composite,
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
        };
        let kept = Arc::new(all.kept()?);
        let tasks = tasks(&files);
        Ok(History { files, columns, zone, tasks, kept, inspection })
    }

    /// What is known from the footers.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
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
        self.inspection.amounts = AmountKind::Float;
        self.inspection.costs = self.inspection.costs.map(|_| AmountKind::Float);
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
            .metadata
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

fn tasks(files: &[ParquetFile]) -> Vec<Task> {
    let mut tasks = Vec::new();
    let (mut task, mut task_rows, mut base) = (Task::new(), 0, 0);
    for (number, file) in files.iter().enumerate() {
        let mut first_row = 0;
        for group in 0..file.metadata.metadata().num_row_groups() {
            let rows = file.group_rows(group);
            if rows == 0 {
                continue;
            }
            task.push(Piece { file: number as u32, group, first_row, base, rows });
            first_row += rows;
            base += rows;
            task_rows += rows;
            if task_rows >= ROWS_PER_TASK {
                tasks.push(std::mem::take(&mut task));
                task_rows = 0;
            }
        }
    }
    if task_rows > 0 {
        tasks.push(task);
    }
    tasks
}

/// The files of a history, to be checked against each other.
struct Together<'a> {
    files: &'a [ParquetFile],
    columns: &'a [Detected],
}

impl Together<'_> {
    fn clash(&self, role: Role, left: (usize, String), right: (usize, String), remedy: &str) -> Error {
        let path = |file: usize| -> &Path { self.files[file].path() };
        Error::Incompatible {
            role: role.name(),
            left_path: path(left.0).to_path_buf(),
            left: left.1,
            right_path: path(right.0).to_path_buf(),
            right: right.1,
            remedy: remedy.to_string(),
        }
    }

    /// A role is played by columns of one name: a file where another column happened to look right would mix two
    /// meanings.
    fn same_names(&self) -> Result<()> {
        let text = |columns: &[&ColumnRef]| match columns {
            [] => "missing".to_string(),
            _ => columns.iter().map(|c| format!("\"{}\"", c.name)).collect::<Vec<_>>().join(", "),
        };
        let of = |columns: &Detected, role: Role| -> Vec<ColumnRef> {
            columns.cast().into_iter().filter(|(r, _)| *r == role).map(|(_, column)| column.clone()).collect()
        };
        for role in [Role::Customer, Role::Time, Role::Amount, Role::Order] {
            let first = of(&self.columns[0], role);
            let names = |columns: &[ColumnRef]| -> Vec<String> {
                columns.iter().map(|column| normalise(&column.name)).collect()
            };
            for (i, columns) in self.columns.iter().enumerate().skip(1) {
                let other = of(columns, role);
                if names(&first) != names(&other) {
                    let remedy = format!(
                        "name a column that all files have with --{}, or give files of one kind",
                        role.option()
                    );
                    let [a, b] = [&first, &other].map(|list| text(&list.iter().collect::<Vec<_>>()));
                    return Err(self.clash(role, (0, a), (i, b), &remedy));
                }
            }
        }
        Ok(())
    }

    fn data_type(&self, file: usize, column: &ColumnRef) -> &DataType {
        let schema: &Schema = self.files[file].metadata.schema();
        schema.field(column.index).data_type()
    }

    fn ids(&self, pick: impl Fn(&Detected) -> Option<&ColumnRef>, role: Role) -> Result<IdKind> {
        let kinds = self.columns.iter().enumerate().map(|(i, columns)| {
            pick(columns)
                .and_then(|column| IdKind::of(self.data_type(i, column)))
                .ok_or_else(|| Error::internal("finding columns", "a column lost its type"))
        });
        let mut joined: Option<(IdKind, IdKind)> = None;
        for (i, kind) in kinds.enumerate() {
            let kind = kind?;
            joined = Some(match joined {
                None => (kind, kind),
                Some((first, all)) => {
                    let all = all.join(kind).ok_or_else(|| {
                        self.clash(
                            role,
                            (0, first.words()),
                            (i, kind.words()),
                            "write all files with the same type of id, or read them apart",
                        )
                    })?;
                    (first, all)
                }
            });
        }
        joined.map(|(_, all)| all).ok_or_else(|| Error::NoRows { files: "no file".into() })
    }

    /// What each column of the customers' ids holds in all files.
    fn id_parts(&self) -> Result<Vec<IdPart>> {
        let first = &self.columns[0].customer;
        let part = |(i, column): (usize, &ColumnRef)| {
            let kind = self.ids(|columns| columns.customer.get(i), Role::Customer)?;
            Ok(IdPart { name: column.name.clone(), kind })
        };
        first.iter().enumerate().map(part).collect()
    }

    fn amounts(&self) -> AmountKind {
        let prices = self.exactness(|columns| Some(&columns.amount));
        if self.columns[0].quantity.is_none() {
            return prices;
        }
        match (prices, self.exactness(|columns| columns.quantity.as_ref())) {
            (AmountKind::Scaled { scale: a }, AmountKind::Scaled { scale: b }) => {
                AmountKind::Scaled { scale: a.saturating_add(b) }
            }
            _ => AmountKind::Float,
        }
    }

    /// Whether the numbers of a column are exact in all files.
    fn exactness(&self, pick: impl Fn(&Detected) -> Option<&ColumnRef>) -> AmountKind {
        let mut scale = 0;
        for (i, columns) in self.columns.iter().enumerate() {
            match pick(columns).and_then(|column| amount_scale(self.data_type(i, column))) {
                Some(Some(digits)) => scale = scale.max(digits),
                _ => return AmountKind::Float,
            }
        }
        AmountKind::Scaled { scale }
    }

    /// The kept columns, each of a type that holds the values of all files.
    fn kept(&self) -> Result<Kept> {
        let of = |(k, column): (usize, &ColumnRef)| {
            let mut common = self.data_type(0, column).clone();
            for (i, columns) in self.columns.iter().enumerate().skip(1) {
                let other = self.data_type(i, &columns.keep[k]);
                common = common_type(&common, other).ok_or_else(|| {
                    let remedy = format!(
                        "write \"{}\" with the same type in all files, or leave it out of --keep",
                        column.name
                    );
                    self.clash(Role::Keep, (0, common.to_string()), (i, other.to_string()), &remedy)
                })?;
            }
            Ok((column.name.clone(), common))
        };
        Ok(Kept::new(self.columns[0].keep.iter().enumerate().map(of).collect::<Result<_>>()?))
    }

    /// The zone, which all files must agree in unless the user states one.
    fn zone(&self, wanted: Option<&str>) -> Result<Option<Zone>> {
        let of = |i: usize| match self.data_type(i, &self.columns[i].time) {
            DataType::Timestamp(_, Some(zone)) => Some(zone.to_string()),
            _ => None,
        };
        let words = |zone: &Option<String>| match zone {
            Some(zone) => format!("a time in zone {zone}"),
            None => "a local date or time without zone".to_string(),
        };
        let first = of(0);
        for i in 1..self.files.len() {
            let other = of(i);
            if first.is_some() != other.is_some() {
                let remedy = "write all files with a zone, or all without: local times are taken as they are, and instants become days in one zone (--zone)";
                return Err(self.clash(Role::Time, (0, words(&first)), (i, words(&other)), remedy));
            }
        }
        match (wanted, &first) {
            (Some(name), None) => Err(Error::value(
                "--zone",
                name,
                format!(
                    "the time column \"{}\" holds local dates without a zone, which are taken as they are",
                    self.columns[0].time.name
                ),
                "leave --zone out, or write the column as instants with a zone",
            )),
            (Some(name), Some(_)) => Zone::named(name, "--zone").map(Some),
            (None, None) => Ok(None),
            (None, Some(name)) => {
                let zone = Zone::named(name, "the zone of the time column")?;
                for i in 1..self.files.len() {
                    let other = of(i);
                    let same = other.as_deref() == Some(name)
                        || Zone::named(other.as_deref().unwrap_or_default(), "the zone of the time column")?
                            == zone;
                    if !same {
                        let remedy = format!("say in which zone instants become days, as in --zone {name}");
                        return Err(self.clash(Role::Time, (0, words(&first)), (i, words(&other)), &remedy));
                    }
                }
                Ok(Some(zone))
            }
        }
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
