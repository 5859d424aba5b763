//! A single file that appears whole or not at all, and replaces only an earlier one of its kind.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::ParquetMetaDataReader;

use super::output::{MAKER, holds_any, place};
use super::stale::{self, PREFIX, SUFFIX};
use crate::clv::model_file::FORMAT;
use crate::convert::SIDE_HEADING;
use crate::customers::{CUSTOMERS_KEY, STATE_KEY};
use crate::error::{Error, Result};

/// What a file that tiercast writes is: it replaces only its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Customers.
    Customers,
    /// Customers with scores.
    Scores,
    /// The customers of a run, which belong to its folder.
    RunCustomers,
    /// A state that days are added to.
    State,
    /// Cohorts of contracts and periods to come.
    Forecast,
    /// A history, converted or generated, or any other table that `convert` made.
    History,
    /// A fitted model.
    Model,
    /// Totals with intervals.
    Totals,
    /// Cohorts by the period of the first order.
    Cohorts,
    /// Records that a conversion set aside.
    SetAside,
    /// Customers who moved from one tier to another.
    Movers,
    /// A grading in a ledger, which is never replaced.
    TierLedger,
    /// Customers with their tiers, to be handed on; a workbook is not told from others.
    Tiers,
    /// How sure each customer's tiers are; a workbook is not told from others.
    Sureness,
    /// Responses of a strategy file that were learned.
    Responses,
    /// Customers with their clusters; a workbook is not told from others.
    Clusters,
    /// A strategy file to start from: in the meantime somebody has worked on it, so it is replaced only when forced.
    Strategies,
}

/// Under which key of its metadata a table of customers says how their clusters were made, as JSON.
pub const CLUSTERS_KEY: &str = "tiercast:clusters";

/// The columns that clustering adds to a Parquet table: the last ones.
const CLUSTER_COLUMNS: [&str; 2] = ["cluster", "cluster_number"];

/// The columns after the id in CSV: the third one is our own, where others call theirs by the first two as well.
const CLUSTER_CSV_COLUMNS: [&str; 3] = ["cluster", "cluster_number", "cluster_in_words"];

/// What totals begin with.
pub const TOTALS_HEADING: [&str; 3] = ["column", "group", "customers"];

/// What tables of cohorts begin with.
pub(super) const COHORTS_HEADING: [&str; 4] = ["cohort", "cohort_customers", "period", "periods_since"];

/// What forecasts of contracts begin with.
const FORECAST_HEADING: [&str; 4] = ["cohort", "customers", "period", "ahead"];

/// Columns of a table with scores, whoever made the table that was scored.
const SCORED: [&str; 2] = ["p_alive", "expected_transactions"];

/// A column that only runs add.
const OF_RUN: &str = "rfm_code";

/// What files of a ledger of tiers begin with.
const LEDGER_COLUMNS: [&str; 7] = ["customer_id", "old", "new", "by_hand", "date", "rules", "ledger"];

/// What tables of movers have after the id.
const MOVER_COLUMNS: [&str; 3] = ["from", "to", "value"];

/// Bytes at the beginning of a file that tell what it is.
const BEGINNING: u64 = 4096;

impl FileKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            FileKind::Customers => "a table of customers",
            FileKind::Scores => "a table of scores",
            FileKind::RunCustomers => "the customers of a run",
            FileKind::State => "a state",
            FileKind::Forecast => "a forecast of cohorts",
            FileKind::History => "a history that tiercast converted or generated",
            FileKind::Model => "a model",
            FileKind::Totals => "a table of totals",
            FileKind::Cohorts => "a table of cohorts",
            FileKind::SetAside => "a list of records set aside",
            FileKind::Movers => "a table of movers",
            FileKind::TierLedger => "a file of a ledger",
            FileKind::Tiers => "a table of tiers",
            FileKind::Responses => "responses that were learned",
            FileKind::Sureness => "a table of probabilities of tiers",
            FileKind::Clusters => "a table of clusters",
            FileKind::Strategies => "a strategy file",
        }
    }

    /// The kind of a file that tiercast made; none of any other.
    pub fn of(path: &Path) -> Option<FileKind> {
        let file = fs::File::open(path).ok()?;
        let mut begin = Vec::new();
        (&file).take(BEGINNING).read_to_end(&mut begin).ok()?;
        if begin.starts_with(b"PAR1") {
            return FileKind::of_parquet(&file);
        }
        let text = String::from_utf8_lossy(&begin);
        let line = text.lines().next().unwrap_or_default();
        let heading = |names: &[&str]| line.split(',').take(names.len()).eq(names.iter().copied());
        match line {
            _ if heading(&SIDE_HEADING) => Some(FileKind::SetAside),
            _ if heading(&TOTALS_HEADING) && line.contains("expected_transactions") => Some(FileKind::Totals),
            _ if heading(&COHORTS_HEADING) => Some(FileKind::Cohorts),
            _ if is_of_tiers(line.split(',')) => Some(FileKind::Tiers),
            _ if is_of_sureness(line.split(',')) => Some(FileKind::Sureness),
            _ if line.split(',').skip(1).take(CLUSTER_CSV_COLUMNS.len()).eq(CLUSTER_CSV_COLUMNS) => {
                Some(FileKind::Clusters)
            }
            _ if line.split(',').skip(1).take(MOVER_COLUMNS.len()).eq(MOVER_COLUMNS) => {
                Some(FileKind::Movers)
            }
            _ if line.starts_with("# Responses learned by tiercast") => Some(FileKind::Responses),
            _ if is_model(&text) => Some(FileKind::Model),
            _ => None,
        }
    }

    fn of_parquet(file: &fs::File) -> Option<FileKind> {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(file).ok()?;
        let about = metadata.file_metadata();
        about.created_by().filter(|maker| maker.starts_with(MAKER))?;
        let schema = parquet_to_arrow_schema(about.schema_descr(), about.key_value_metadata()).ok()?;
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let has = |key: &str| schema.metadata().contains_key(key);
        Some(match &names[..] {
            _ if has(STATE_KEY) => FileKind::State,
            // What was made of such a table has other columns behind, or does not say how clusters were made.
            names if has(CLUSTERS_KEY) && names.ends_with(&CLUSTER_COLUMNS) => FileKind::Clusters,
            _ if has(CUSTOMERS_KEY) && names.contains(&OF_RUN) => FileKind::RunCustomers,
            names if names.starts_with(&LEDGER_COLUMNS) => FileKind::TierLedger,
            names if names.get(1..).is_some_and(|rest| rest.starts_with(&MOVER_COLUMNS)) => FileKind::Movers,
            names if is_of_tiers(names.iter().copied()) => FileKind::Tiers,
            names if is_of_sureness(names.iter().copied()) => FileKind::Sureness,
            _ if SCORED.iter().all(|name| names.contains(name)) => FileKind::Scores,
            _ if has(CUSTOMERS_KEY) => FileKind::Customers,
            // What a run set aside belongs to its folder.
            ["file", "row", "reason", "value"] => return None,
            names if names.starts_with(&FORECAST_HEADING) => FileKind::Forecast,
            _ => FileKind::History,
        })
    }
}

/// Whether a document begins as a model file does: what merely holds one is somebody's own.
fn is_model(text: &str) -> bool {
    let after = |text: &str, sign: &str| text.trim_start().strip_prefix(sign).map(String::from);
    after(text, "{")
        .and_then(|rest| after(&rest, "\"format\""))
        .and_then(|rest| after(&rest, ":"))
        .is_some_and(|rest| rest.trim_start().starts_with(&format!("\"{FORMAT}\"")))
}

/// Whether columns are those of a table of tiers: the id, then a tier with its level, in English or Chinese.
fn is_of_tiers<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut names = names.skip(1);
    let begins = |name: Option<&str>, with: [&str; 2]| {
        name.is_some_and(|name| with.iter().any(|with| name.starts_with(with)))
    };
    begins(names.next(), ["tier_", "客户等级_"]) && begins(names.next(), ["level_", "等级序号_"])
}

/// Whether columns are those of probabilities: the id, then a tier and how likely it is.
fn is_of_sureness<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut names = names.skip(1);
    let key = |name: &'a str, begin: &str| name.strip_prefix(begin);
    let tier = names.next().and_then(|name| key(name, "tier_"));
    tier.is_some() && tier == names.next().and_then(|name| key(name, "p_tier_"))
}

/// A single file in the making, for verbs with one output. Dropped without finish, it leaves nothing behind.
#[derive(Debug)]
pub struct OutputFile {
    target: PathBuf,
    scratch: tempfile::NamedTempFile,
    /// Says that somebody works on it.
    _lock: Option<fs::File>,
}

impl OutputFile {
    /// Begins a file that will appear at `target`, replacing an earlier one of its kind; a link is followed.
    ///
    /// # Errors
    /// [`Error::OutputExists`] when `target` is a folder or a device, or a file of another kind and `force` is not
    /// given; [`Error::OutputHoldsInput`] when it is one of the `inputs`; [`Error::Io`] when its folder does not exist
    /// or cannot be written.
    pub fn begin(kind: FileKind, target: &Path, force: bool, inputs: &[PathBuf]) -> Result<OutputFile> {
        let (target, _) = place(target)?;
        if holds_any(&target, inputs) {
            return Err(Error::OutputHoldsInput { path: target });
        }
        if target.exists() {
            check_replaceable(kind, &target, force)?;
        }
        let folder = target.parent().unwrap_or(Path::new("/"));
        stale::sweep(folder);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let scratch = builder.tempfile_in(folder).map_err(|e| Error::io("write to", folder, e))?;
        let lock = stale::lock(scratch.path());
        Ok(OutputFile { target, scratch, _lock: lock })
    }

    /// Where it is to be written.
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Puts the file in its place, where nothing may have appeared since it was begun.
    ///
    /// # Errors
    /// [`Error::Io`] where something has.
    pub fn finish_new(self) -> Result<PathBuf> {
        let target = self.target;
        self.scratch.persist_noclobber(&target).map_err(|e| Error::io("create", &target, e.error))?;
        Ok(target)
    }

    /// Puts the file in its place.
    pub fn finish(self) -> Result<PathBuf> {
        let target = self.target;
        self.scratch.persist(&target).map_err(|e| Error::io("create", &target, e.error))?;
        Ok(target)
    }
}

fn check_replaceable(kind: FileKind, target: &Path, force: bool) -> Result<()> {
    let exists = |what: String, replaceable| {
        Err(Error::OutputExists { path: target.to_path_buf(), what, replaceable })
    };
    if target.is_dir() {
        return exists(format!("is a folder, where {} is to be", kind.words()), false);
    }
    // A device or a pipe would be replaced by a file of its name.
    if !target.is_file() {
        return exists("is no ordinary file".to_string(), false);
    }
    if force {
        return Ok(());
    }
    match FileKind::of(target) {
        Some(found) if found == kind => Ok(()),
        Some(found) => exists(format!("is {}, not {}", found.words(), kind.words()), true),
        // One of ours cannot be told from one that somebody has worked on for days.
        None if kind == FileKind::Strategies => exists(
            "may have been edited: a strategy file is replaced only when that is forced".to_string(),
            true,
        ),
        None => exists("is not a result of tiercast".to_string(), true),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, RecordBatch};

    use super::*;
    use crate::report::tables::write_parquet;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_replaces_a_file_but_never_its_input() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("c.parquet");
        fs::write(&target, "somebody's").unwrap();
        let begin =
            |force, inputs: &[PathBuf]| OutputFile::begin(FileKind::Customers, &target, force, inputs);
        assert!(matches!(begin(false, &[]), Err(Error::OutputExists { .. })));
        let out = begin(true, &[]).unwrap();
        fs::write(out.path(), "new").unwrap();
        out.finish().unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert!(begin(true, std::slice::from_ref(&target)).is_err());
        assert_eq!(names(root.path()), ["c.parquet"]);
    }

    /// Every kind replaces itself and nothing else.
    #[test]
    fn a_file_replaces_its_own_kind_only() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let table = |name: &str, columns: &[&str]| {
            let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
            let columns = columns.iter().map(|column| (*column, Arc::clone(&values)));
            write_parquet(&at(name), &RecordBatch::try_from_iter(columns).unwrap()).unwrap();
        };
        table("scores", &["frequency", "p_alive", "expected_transactions"]);
        table("forecast", &["cohort", "customers", "period", "ahead", "survivors"]);
        table("history", &["customer", "date", "frequency", "recency", "T"]);
        fs::write(at("model"), "{\n \"format\": \"tiercast-model\",\n \"version\": 1}\n").unwrap();
        fs::write(at("totals"), "column,group,customers,expected_transactions,x\n").unwrap();
        fs::write(at("cohorts"), "cohort,cohort_customers,period,periods_since,customers\n").unwrap();
        fs::write(at("aside"), format!("{}\n", SIDE_HEADING.join(","))).unwrap();
        fs::write(at("other.json"), "{\"format\": \"other\"}").unwrap();
        table("tiers", &["customer_id", "tier_value", "level_value", "date"]);
        table("set_aside", &["file", "row", "reason", "value"]);
        fs::write(at("clusters.csv"), "customer_id,cluster,cluster_number,cluster_in_words,x\n").unwrap();
        fs::write(at("their_clusters.csv"), "customer_id,cluster,cluster_number,frequency\n").unwrap();
        fs::write(at("tiers.csv"), "客户编号,客户等级_value,等级序号_value,分级日期\n").unwrap();
        // Somebody's collection of models is theirs.
        fs::write(at("bundle.json"), "{\"models\": [{\"format\": \"tiercast-model\"}]}").unwrap();
        fs::write(at("other.csv"), "column,group,customers,mine\n").unwrap();
        let kinds = [
            ("scores", Some(FileKind::Scores)),
            ("tiers", Some(FileKind::Tiers)),
            ("tiers.csv", Some(FileKind::Tiers)),
            ("clusters.csv", Some(FileKind::Clusters)),
            ("their_clusters.csv", None),
            ("forecast", Some(FileKind::Forecast)),
            ("history", Some(FileKind::History)),
            ("model", Some(FileKind::Model)),
            ("totals", Some(FileKind::Totals)),
            ("cohorts", Some(FileKind::Cohorts)),
            ("aside", Some(FileKind::SetAside)),
            ("other.json", None),
            ("other.csv", None),
            ("bundle.json", None),
            ("set_aside", None),
        ];
        for (name, found) in kinds {
            assert_eq!(FileKind::of(&at(name)), found, "{name}");
            for kind in kinds.iter().filter_map(|(_, kind)| *kind) {
                let begun = OutputFile::begin(kind, &at(name), false, &[]);
                assert_eq!(begun.is_ok(), found == Some(kind), "{name} {kind:?}");
                assert!(OutputFile::begin(kind, &at(name), true, &[]).is_ok());
                let Err(error) = begun else { continue };
                let what = found.map_or("not a result of tiercast", FileKind::words);
                assert!(error.to_string().contains(what), "{error}");
                assert!(error.hint().unwrap().contains("--force"), "{error}");
            }
        }
        let error = OutputFile::begin(FileKind::Model, root.path(), true, &[]).unwrap_err();
        assert!(error.to_string().contains("is a folder") && !error.hint().unwrap().contains("--force"));
    }
}
