//! Settings as they resolve: flags, then `TIERCAST_*`, then the settings file, then defaults, each with its origin.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde::Deserialize;
use tiercast::amount::Refunds;
use tiercast::calendar::{CalendarPeriod, Day, Discount, LastPeriods, Span, Unit};
use tiercast::error::nearest_first;
use tiercast::history::{CohortPeriod, HistoryOptions, Unmatched};
use tiercast::pipeline::{ModelSetting, RunConfig};
use tiercast::{Error, Result};

use crate::args::{
    CohortArgs, CohortPeriodArg, Columns, Global, HistoryArgs, ListArgs, Margin, MemorySize, ModelArgs,
    RefundsArg, SchemeArgs, UnitArg, UnmatchedArg,
};

/// The settings file that is read when none is named.
pub const DEFAULT_FILE: &str = "tiercast.toml";
/// The result folder when none is named.
pub const DEFAULT_OUT: &str = "tiercast-run";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Flag,
    Environment(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("command line"),
            Origin::Environment(name) => f.write_str(name),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// One resolved setting, for `tiercast config` and the manifest.
#[derive(Debug, Clone)]
pub struct Setting {
    pub key: &'static str,
    /// The value as a settings file would hold it; `None` when it is left to the data.
    pub value: Option<String>,
    pub origin: Origin,
}

/// Everything resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    pub run: RunConfig,
    pub out: PathBuf,
    pub strategies: Option<PathBuf>,
    pub threads: usize,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
    /// Every setting in the order of `--help`.
    pub list: Vec<Setting>,
}

impl Settings {
    /// Where a setting comes from.
    pub fn origin(&self, key: &str) -> &Origin {
        self.list
            .iter()
            .find(|setting| setting.key == key)
            .map_or(&Origin::Default, |setting| &setting.origin)
    }
}

/// The settings file as typed. Keys are those of the command line, with `_` for `-`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileSettings {
    threads: Option<usize>,
    customer: Option<Columns>,
    time: Option<String>,
    amount: Option<String>,
    order: Option<String>,
    quantity: Option<String>,
    currency: Option<String>,
    only_currency: Option<String>,
    cost: Option<String>,
    keep: Option<Columns>,
    margin: Option<Margin>,
    zone: Option<String>,
    #[serde(deserialize_with = "day")]
    as_of: Option<Day>,
    #[serde(deserialize_with = "day")]
    calibration_end: Option<Day>,
    refunds: Option<Refunds>,
    id_map: Option<PathBuf>,
    source: Option<String>,
    unmatched: Option<Unmatched>,
    drop_duplicates: Option<bool>,
    skip_bad_files: Option<bool>,
    periods: Option<LastPeriods>,
    memory_limit: Option<MemorySize>,
    spill_folder: Option<PathBuf>,
    unit: Option<Unit>,
    customers_list: Option<PathBuf>,
    list_id: Option<String>,
    opt_out: Option<PathBuf>,
    cohort_period: Option<CohortPeriod>,
    model: Option<ModelSetting>,
    scheme: Option<Columns>,
    horizon: Option<Span>,
    discount: Option<Discount>,
    clusters: Option<usize>,
    replications: Option<u32>,
    seed: Option<u64>,
    strategies: Option<PathBuf>,
    out: Option<PathBuf>,
}

/// A day as text, or as the bare date that TOML knows.
fn day<'de, D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Option<Day>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Date(toml::value::Datetime),
    }
    let text = match Either::deserialize(input)? {
        Either::Text(text) => text,
        Either::Date(date) => date.to_string(),
    };
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// The parts of the command line that carry settings; what a verb does not have is empty.
#[derive(Default)]
pub struct Typed<'a> {
    pub reading: HistoryArgs,
    pub listed: ListArgs,
    pub cohort: CohortArgs,
    pub models: ModelArgs,
    pub opt_out: Option<PathBuf>,
    pub tiers: SchemeArgs,
    pub strategies: Option<PathBuf>,
    pub out: Option<PathBuf>,
    /// The matches of the verb, which know what came from the environment.
    pub matches: Option<&'a ArgMatches>,
}

/// Settles every setting.
pub fn resolve(global: &Global, typed: Typed) -> Result<Settings> {
    refuse_unknown_variables()?;
    let path = match &global.config {
        Some(path) => Some(path.clone()),
        None => Some(PathBuf::from(DEFAULT_FILE)).filter(|p| p.is_file()),
    };
    let file = match &path {
        Some(path) => read_file(path)?,
        None => FileSettings::default(),
    };
    let mut layers = Layers { matches: typed.matches, file: path, list: Vec::new() };
    let (reading, models) = (typed.reading, typed.models);
    let threads = layers.pick("threads", global.threads, file.threads, 0);
    let refunds = reading.refunds.map(|r| match r {
        RefundsArg::Aside => Refunds::Aside,
        RefundsArg::Net => Refunds::Net,
    });
    let unmatched = reading.unmatched.map(|how| match how {
        UnmatchedArg::Aside => Unmatched::Aside,
        UnmatchedArg::Keep => Unmatched::Keep,
    });
    let unit = reading.unit.map(|u| match u {
        UnitArg::Day => Unit::Day,
        UnitArg::Week => Unit::Week,
    });
    let cohort_period = typed.cohort.cohort_period.map(|period| match period {
        CohortPeriodArg::Auto => CohortPeriod::Auto,
        CohortPeriodArg::Week => CohortPeriod::By(CalendarPeriod::Week),
        CohortPeriodArg::Month => CohortPeriod::By(CalendarPeriod::Month),
        CohortPeriodArg::Quarter => CohortPeriod::By(CalendarPeriod::Quarter),
        CohortPeriodArg::Year => CohortPeriod::By(CalendarPeriod::Year),
    });
    let defaults = RunConfig::default();
    let columns = |names: Option<Vec<String>>| names.map(Columns);
    let given = |columns: Option<Columns>| columns.map_or_else(Vec::new, |columns| columns.0);
    let customer = layers.optional("customer", columns(reading.customer), file.customer);
    let time = layers.optional("time", reading.time, file.time);
    let amount = layers.optional("amount", reading.amount, file.amount);
    let order = layers.optional("order", reading.order, file.order);
    let quantity = layers.optional("quantity", reading.quantity, file.quantity);
    let currency = layers.optional("currency", reading.currency, file.currency);
    let only_currency = layers.optional("only_currency", reading.only_currency, file.only_currency);
    let cost = layers.optional("cost", reading.cost, file.cost);
    let keep = layers.optional("keep", columns(reading.keep), file.keep);
    let margin = layers.pick("margin", reading.margin, file.margin, Margin::Share(defaults.margin));
    // Lifetime value is revenue where the margin is a column.
    let (share, margin) = match margin {
        Margin::Share(share) => (share, None),
        Margin::Column(column) => (defaults.margin, Some(column)),
    };
    let run = RunConfig {
        history: HistoryOptions {
            customer: given(customer),
            time,
            amount,
            order,
            quantity,
            currency,
            only_currency,
            cost,
            margin,
            keep: given(keep),
            zone: layers.optional("zone", reading.zone, file.zone),
            as_of: layers.optional("as_of", reading.as_of, file.as_of),
            calibration_end: layers.optional(
                "calibration_end",
                reading.calibration_end,
                file.calibration_end,
            ),
            refunds: layers.pick("refunds", refunds, file.refunds, defaults.history.refunds),
            id_map: layers.optional("id_map", reading.id_map, file.id_map),
            source: layers.optional("source", reading.source, file.source),
            unmatched: layers.pick("unmatched", unmatched, file.unmatched, Unmatched::Aside),
            drop_duplicates: layers.pick(
                "drop_duplicates",
                reading.drop_duplicates,
                file.drop_duplicates,
                false,
            ),
            skip_bad_files: layers.pick("skip_bad_files", reading.skip_bad_files, file.skip_bad_files, false),
            periods: layers.optional("periods", reading.periods, file.periods),
            append: None,
            state: false,
            closed: None,
            memory_limit: layers
                .optional("memory_limit", reading.memory_limit, file.memory_limit)
                .map(|size| size.0),
            spill_folder: layers.optional("spill_folder", reading.spill_folder, file.spill_folder),
            cohorts: Some(layers.pick(
                "cohort_period",
                cohort_period,
                file.cohort_period,
                CohortPeriod::Auto,
            )),
        },
        unit: layers.pick("unit", unit, file.unit, defaults.unit),
        customers_list: layers.optional("customers_list", typed.listed.customers_list, file.customers_list),
        list_id: layers.optional("list_id", typed.listed.list_id, file.list_id),
        opt_out: layers.optional("opt_out", typed.opt_out, file.opt_out),
        model: layers.pick("model", models.model, file.model, defaults.model),
        schemes: layers.pick("scheme", columns(typed.tiers.scheme), file.scheme, Columns(defaults.schemes)).0,
        horizon: layers.pick("horizon", models.horizon, file.horizon, defaults.horizon),
        discount: layers.pick("discount", models.discount, file.discount, defaults.discount),
        margin: share,
        clusters: layers.pick("clusters", models.clusters, file.clusters, defaults.clusters),
        replications: layers.pick(
            "replications",
            models.replications,
            file.replications,
            defaults.replications,
        ),
        seed: layers.pick("seed", models.seed, file.seed, defaults.seed),
    };
    run.check().map_err(|e| layers.with_origin(e))?;
    let strategies = layers.optional("strategies", typed.strategies, file.strategies);
    let out = layers.pick("out", typed.out, file.out, PathBuf::from(DEFAULT_OUT));
    Ok(Settings { run, out, strategies, threads, file: layers.file, list: layers.list })
}

struct Layers<'a> {
    matches: Option<&'a ArgMatches>,
    file: Option<PathBuf>,
    list: Vec<Setting>,
}

impl Layers<'_> {
    fn optional<T: serde::Serialize>(
        &mut self,
        key: &'static str,
        typed: Option<T>,
        file: Option<T>,
    ) -> Option<T> {
        let origin = match (&typed, &file) {
            (Some(_), _) => self.typed_origin(key),
            (None, Some(_)) => Origin::File(self.file.clone().unwrap_or_default()),
            (None, None) => Origin::Default,
        };
        let value = typed.or(file);
        self.list.push(Setting { key, value: value.as_ref().map(show), origin });
        value
    }

    fn pick<T: serde::Serialize>(
        &mut self,
        key: &'static str,
        typed: Option<T>,
        file: Option<T>,
        default: T,
    ) -> T {
        match self.optional(key, typed, file) {
            Some(value) => value,
            None => {
                self.list.last_mut().expect("just pushed").value = Some(show(&default));
                default
            }
        }
    }

    /// An error about a setting says where the value comes from.
    fn with_origin(&self, error: Error) -> Error {
        match error {
            Error::Value { what, value, problem, remedy } => {
                let origin = self.list.iter().find(|s| s.key == what).map(|s| s.origin.to_string());
                let what = origin.map_or(what.clone(), |origin| format!("{what} ({origin})"));
                Error::Value { what, value, problem, remedy }
            }
            other => other,
        }
    }

    /// Whether a value that clap delivered was typed or came from the environment.
    fn typed_origin(&self, key: &str) -> Origin {
        let known = |m: &ArgMatches| m.try_contains_id(key).unwrap_or(false);
        match self.matches.filter(|m| known(m)).and_then(|m| m.value_source(key)) {
            Some(ValueSource::EnvVariable) => Origin::Environment(variable(key)),
            _ => Origin::Flag,
        }
    }
}

/// A value as TOML would hold it.
fn show<T: serde::Serialize>(value: &T) -> String {
    toml::Value::try_from(value).map(|v| v.to_string()).unwrap_or_default()
}

fn variable(key: &str) -> String {
    format!("TIERCAST_{}", key.to_uppercase())
}

fn read_file(path: &Path) -> Result<FileSettings> {
    if !path.exists() {
        return Err(Error::NoSuchFile { path: path.to_path_buf() });
    }
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    toml::from_str(&text).map_err(|e| Error::Document {
        file: path.display().to_string(),
        problem: e.to_string().trim_end().to_string(),
        remedy: "`tiercast config` prints every key with its value".to_string(),
    })
}

/// A misspelt variable would be ignored in silence, so it is refused.
fn refuse_unknown_variables() -> Result<()> {
    const KEYS: &[&str] = &[
        "config",
        "threads",
        "customer",
        "time",
        "amount",
        "order",
        "quantity",
        "currency",
        "only_currency",
        "cost",
        "keep",
        "margin",
        "zone",
        "as_of",
        "calibration_end",
        "refunds",
        "id_map",
        "source",
        "unmatched",
        "drop_duplicates",
        "skip_bad_files",
        "periods",
        "memory_limit",
        "spill_folder",
        "unit",
        "customers_list",
        "list_id",
        "opt_out",
        "cohort_period",
        "model",
        "scheme",
        "horizon",
        "discount",
        "clusters",
        "replications",
        "seed",
        "strategies",
        "out",
    ];
    let known: Vec<String> = KEYS.iter().map(|key| variable(key)).collect();
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TIERCAST_") && !known.contains(&name) {
            return Err(Error::Value {
                what: format!("the environment variable {name}"),
                value: value.to_string_lossy().into_owned(),
                problem: "there is no such setting".to_string(),
                remedy: format!("did you mean {}?", nearest_first(&name, &known)[0]),
            });
        }
    }
    Ok(())
}
