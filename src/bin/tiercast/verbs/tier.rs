//! `tiercast tier`: a table of customers graded by schemes, and handed on.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use tiercast::calendar::{Day, Unit};
use tiercast::customers::WholeFile;
use tiercast::customers::pseudonyms::Pseudonyms;
use tiercast::pipeline::{CrossTable, HoldingReport, SchemeResult, TierRequest, Tiered, tier_file};
use tiercast::report::format::{count, money, percent, plural};
use tiercast::report::hand_over::Format;
use tiercast::report::{FileKind, OutputFile};
use tiercast::tier::opt_out::{OptOutReport, OptOuts};
use tiercast::tier::overrides::{OverrideReport, Overrides};
use tiercast::tier::suppress::hidden;
use tiercast::tier::{Look, SchemeFile, builtin, by_value, cluster_scheme};
use tiercast::{Error, Result};

use crate::args::{Global, TierArgs, UnitArg};
use crate::bars::Bars;
use crate::process;
use crate::render::Grid;
use crate::settings::{self, Typed};
use crate::terminal;

/// Lines of overrides that change nothing and are listed.
const LISTED: usize = 10;

/// What stands for a hidden count.
pub(super) const HIDDEN: &str = "…";

/// Runs the verb.
pub fn main(global: &Global, args: TierArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings =
        settings::resolve(global, Typed { opt_out: args.opt_out.clone(), matches, ..Typed::default() })?;
    if args.print {
        return print(&args);
    }
    refuse_suppressed_json(global, args.suppress_below)?;
    if let (Some(_), Some(folder)) = (&args.pseudonymize, &args.ledger) {
        let problem = "a ledger holds the ids themselves, and pseudonyms beside it would hide nothing";
        return Err(Error::value(
            "--ledger",
            folder.display(),
            problem,
            "add to the ledger in a run of its own",
        ));
    }
    super::refuse_in_ledger(args.output.as_deref(), args.ledger.as_deref())?;
    let Some(customers) = &args.customers else {
        return Err(Error::value(
            "CUSTOMERS",
            "",
            "no table is given",
            "name a table of customers (Parquet)",
        ));
    };
    let named = named(&args.scheme)?;
    let format = args.output.as_deref().map(Format::of).transpose()?;
    let overrides = args.overrides.as_deref().map(Overrides::read).transpose()?;
    let opt_outs = settings.run.opt_out.as_deref().map(OptOuts::read).transpose()?;
    let pseudonyms = args.pseudonymize.as_deref().map(Pseudonyms::read).transpose()?;
    // Their tiers are named by what is in the table, which a ledger takes for other tiers when it changes.
    let keeps_clusters = args.ledger.is_some() && named.iter().any(Option::is_none);
    let bars = Bars::new(global)?;
    let mut inputs: Vec<PathBuf> = inputs(&args, customers);
    inputs.extend(settings.run.opt_out.clone());
    let out = match &args.output {
        Some(path) => Some(OutputFile::begin(FileKind::Tiers, path, args.force, &inputs)?),
        None => None,
    };
    let tiered = super::with_threads(settings.threads, || {
        let file = WholeFile::open(customers, args.id.as_deref())?;
        let mut schemes = with_clusters(named, &file)?;
        for column in &args.by {
            schemes.push(of_values(&file, column)?);
        }
        check_keys(&schemes, overrides.as_ref())?;
        let request = TierRequest {
            schemes: &schemes,
            overrides: overrides.as_ref(),
            date: args.date,
            unit: args.unit.map(unit),
            with: &args.with,
            reasons: args.reasons,
            language: args.lang,
            pseudonyms: pseudonyms.as_ref(),
            ledger: args.ledger.as_deref(),
            policy: args.policy,
            opt_out: opt_outs.as_ref(),
        };
        let place = out.as_ref().zip(format).map(|(out, format)| (out.path(), format));
        tier_file(&file, &request, place, &bars)
    })?;
    let place = out.map(OutputFile::finish).transpose()?;
    let stages = bars.finish();
    if !global.quiet {
        if keeps_clusters {
            terminal::warning(
                "the ledger knows clusters by their names: clusters that are made anew are other tiers, and everybody \
                 in them will have moved; keep one clustering for all gradings of a ledger",
            );
        }
        notes(&tiered, place.as_deref());
    }
    if global.json {
        return terminal::print_json(&serde_json::json!({
            "schema": 1,
            "output": args.output,
            "tiers": tiered,
            "stages": stages,
            "peak_memory_bytes": process::peak_memory(),
        }));
    }
    let mut text = String::new();
    for scheme in &tiered.schemes {
        text += &table(scheme, args.suppress_below);
        text += &scheme.holding.as_ref().map_or(String::new(), |report| held(report, args.suppress_below));
        text += &scheme
            .overrides
            .as_ref()
            .map_or(String::new(), |report| override_table(report, args.suppress_below));
    }
    text += &tiered.opt_out.as_ref().map_or(String::new(), |report| opted_out(report, args.suppress_below));
    for cross in tiered.cross.iter().filter(|_| args.cross) {
        text += &cross_table(cross, &tiered.schemes, args.suppress_below);
    }
    terminal::print(&text)
}

/// JSON holds all counts.
pub(super) fn refuse_suppressed_json(global: &Global, suppress_below: u64) -> Result<()> {
    match global.json && suppress_below > 0 {
        true => {
            let problem = "--json prints every count";
            Err(Error::value("--suppress-below", suppress_below, problem, "leave one of the two out"))
        }
        false => Ok(()),
    }
}

/// The documents of the schemes.
fn print(args: &TierArgs) -> Result<()> {
    let document = |name: &String| -> Result<String> {
        match builtin::is_file(name) {
            true => std::fs::read_to_string(name).map_err(|e| Error::io("read", Path::new(name), e)),
            false => builtin::document(name).map(String::from),
        }
    };
    let documents: Vec<String> = args.scheme.iter().map(document).collect::<Result<_>>()?;
    terminal::print(&documents.join("\n"))
}

pub(super) fn unit(unit: UnitArg) -> Unit {
    match unit {
        UnitArg::Day => Unit::Day,
        UnitArg::Week => Unit::Week,
    }
}

/// The schemes of those names; none for the clusters of a table, which has to be open.
pub(super) fn named(names: &[String]) -> Result<Vec<Option<SchemeFile>>> {
    let of = |name: &String| match &name[..] {
        cluster_scheme::KEY => Ok(None),
        name => builtin::named(name).map(Some),
    };
    names.iter().map(of).collect()
}

/// The same with the clusters of `file` in their place.
pub(super) fn with_clusters(named: Vec<Option<SchemeFile>>, file: &WholeFile) -> Result<Vec<SchemeFile>> {
    let of_clusters = || {
        let keep = file.customers()?;
        // Clusters have neither unit nor date.
        let look = Look { file, keep: keep.as_deref(), unit: Unit::Day, calibration_end: Day(0) };
        cluster_scheme::scheme_of_clusters(&look.columns(), &file.path().display().to_string())
    };
    named.into_iter().map(|scheme| scheme.map_or_else(of_clusters, Ok)).collect()
}

/// A scheme of the values of a column.
fn of_values(file: &WholeFile, column: &str) -> Result<SchemeFile> {
    // Texts have neither unit nor date.
    let look = Look { file, keep: None, unit: Unit::Day, calibration_end: Day(0) };
    by_value::scheme_of_values(column, &look.columns())
}

fn inputs(args: &TierArgs, customers: &Path) -> Vec<PathBuf> {
    let mut out = vec![customers.to_path_buf()];
    out.extend(args.scheme.iter().filter(|name| builtin::is_file(name)).map(PathBuf::from));
    out.extend(args.overrides.clone());
    out.extend(args.pseudonymize.clone());
    out
}

/// Two schemes of one key would write one column twice; a line of overrides that says no scheme needs there to be one.
pub(super) fn check_keys(schemes: &[SchemeFile], overrides: Option<&Overrides>) -> Result<()> {
    builtin::check_keys(schemes)?;
    let Some(overrides) = overrides else { return Ok(()) };
    match overrides.lines.iter().find(|line| line.scheme.is_none()) {
        Some(line) if schemes.len() > 1 => {
            let keys: Vec<&str> = schemes.iter().map(|scheme| scheme.key.as_str()).collect();
            let problem = format!("there are several: {}", keys.join(", "));
            let what = format!("the scheme of the override in line {}", line.line);
            Err(Error::value(
                what,
                "left open",
                problem,
                "add a column \"scheme\" with the key of the scheme",
            ))
        }
        _ => Ok(()),
    }
}

fn notes(tiered: &Tiered, place: Option<&Path>) {
    for scheme in &tiered.schemes {
        if scheme.without_tier > 0 {
            terminal::warning(&format!(
                "{}: {} without an order, which have no tier: the scheme has no tier \"prospect\"",
                scheme.tiering.key,
                plural(scheme.without_tier, "row is", "rows are")
            ));
        }
    }
    for scheme in &tiered.schemes {
        let Some(HoldingReport { policy, changed_from: Some(from), .. }) = &scheme.holding else { continue };
        let from = from.map_or("at once, without a policy".to_string(), |from| from.code());
        terminal::note(&format!(
            "{}: the ledger followed {from} so far; tiers and the beginnings of their terms are taken over, and {} goes on from them",
            scheme.tiering.key,
            policy.code()
        ));
    }
    for added in &tiered.ledger {
        let scheme = &added.scheme;
        terminal::note(&match &added.added {
            Some(path) => {
                let waiting = match added.waiting {
                    0 => String::new(),
                    n => format!(
                        ", and {} whose term or gradings in a row changed,",
                        plural(n, "customer", "customers")
                    ),
                };
                format!("{} changes of tier by {scheme}{waiting} in {}", count(added.moved), path.display())
            }
            None => format!("nobody's tier by {scheme} has changed: nothing is added to the ledger"),
        });
    }
    if let Some(sheets) = tiered.sheets.filter(|&sheets| sheets > 1) {
        terminal::note(&format!("more rows than a sheet holds: they are on {sheets} sheets"));
    }
    if let Some(place) = place {
        terminal::note(&format!("{} rows as of {} in {}", count(tiered.rows), tiered.date, place.display()));
    }
}

fn table(scheme: &SchemeResult, suppress_below: u64) -> String {
    let tiering = &scheme.tiering;
    let with_effective = scheme.effective.is_some();
    let mut heads = vec!["tier", "label", ">customers", ">share", ">spend", ">share of spend"];
    if with_effective {
        heads.push(">effective");
    }
    if scheme.opted_out.is_some() {
        heads.push(">opted out");
    }
    heads.push("rule");
    let mut grid = Grid::new(format!("Tiers by {}: {}", tiering.key, tiering.title), &heads);
    // What is hidden in the automatic or in the effective counts is hidden in both.
    let counts: Vec<u64> = tiering.tiers.iter().map(|tier| tier.customers).collect();
    let mut hide = vec![false; counts.len()];
    for counts in std::iter::once(&counts).chain(&scheme.effective) {
        let own =
            hidden(std::slice::from_ref(counts), suppress_below, true).into_iter().next().unwrap_or_default();
        hide.iter_mut().zip(own).for_each(|(hide, own)| *hide |= own);
    }
    // Who opted out and who did not: the tier's customers are their total.
    let out: Vec<u64> = scheme.opted_out.clone().unwrap_or_default();
    let held = scheme.effective.as_ref().unwrap_or(&counts);
    let parts: Vec<Vec<u64>> = out.iter().zip(held).map(|(&out, &all)| vec![out, all - out]).collect();
    let hide_out = hidden(&parts, suppress_below, true);
    for (k, (tier, label)) in tiering.tiers.iter().zip(&scheme.labels).enumerate() {
        let shown = |text: String| if hide[k] { HIDDEN.to_string() } else { text };
        let mut cells = vec![
            tier.name.clone(),
            label.clone(),
            shown(count(tier.customers)),
            shown(percent(tier.share_of_customers)),
            shown(money(tier.spend)),
            shown(percent(tier.share_of_spend)),
        ];
        cells.extend(scheme.effective.as_ref().map(|effective| shown(count(effective[k]))));
        cells
            .extend(out.get(k).map(|&n| {
                if hide[k] || hide_out[k].contains(&true) { HIDDEN.to_string() } else { count(n) }
            }));
        cells.push(tier.rule.clone());
        grid.row(cells);
    }
    grid.text()
}

/// How many are held above and below the tier by the rules.
fn held(report: &HoldingReport, suppress_below: u64) -> String {
    let shown = |n: u64| match n > 0 && n < suppress_below {
        true => format!("fewer than {suppress_below}"),
        false => count(n),
    };
    format!(
        "Held by {} ({}): {} above the tier by the rules, {} below; {} begin with the tier by the rules\n\n",
        report.policy.code(),
        report.policy,
        shown(report.above),
        shown(report.below),
        shown(report.begun)
    )
}

/// Who opted out, and the lines of the list that there is something to say of.
fn opted_out(report: &OptOutReport, suppress_below: u64) -> String {
    let shown = |n: u64| match n > 0 && n < suppress_below {
        true => format!("fewer than {suppress_below}"),
        false => count(n),
    };
    let mut text = format!(
        "Opted out by {}: {} of the rows, by {}\n",
        report.date,
        shown(report.customers),
        plural(report.lines, "line", "lines")
    );
    for (remark, n, lines) in report.by_remark(LISTED) {
        let listed: Vec<String> = lines.iter().map(u64::to_string).collect();
        let more = if n > lines.len() as u64 { ", …" } else { "" };
        let (lines, words) = (plural(n, "line", "lines"), remark.words());
        text += &format!("To look at: {lines} {words} (lines {}{more})\n", listed.join(", "));
    }
    text + "\n"
}

fn override_table(report: &OverrideReport, suppress_below: u64) -> String {
    if report.changed > 0 && report.changed < suppress_below {
        return format!("Overrides: fewer than {suppress_below} customers are in another tier by hand\n\n");
    }
    let mut text = format!(
        "Overrides: {} of {} lines hold; {} customers are in another tier by hand ({} higher, {} lower)\n",
        count(report.heeded),
        count(report.lines),
        count(report.changed),
        count(report.raised),
        count(report.lowered)
    );
    if report.other_schemes > 0 {
        text += &format!("{} lines are about other schemes\n", count(report.other_schemes));
    }
    if let Some(value) = report.value.filter(|value| value.customers > 0) {
        let (difference, word) =
            (value.own - value.expected, if value.own < value.expected { "given up" } else { "gained" });
        text += &format!(
            "Worth {} together, where as many customers of those tiers by the rules are worth {}: {} {word}\n",
            money(value.own),
            money(value.expected),
            money(difference.abs())
        );
    }
    for (reason, lines) in report.idle_by_reason() {
        let of_reason = report.idle.iter().filter(|idle| idle.reason == reason);
        let listed: Vec<String> = of_reason.take(LISTED).map(|idle| idle.line.line.to_string()).collect();
        let more = if lines as usize > LISTED { ", …" } else { "" };
        text +=
            &format!("Not heeded: {} {} (lines {}{more})\n", count(lines), reason.words(), listed.join(", "));
    }
    text + "\n"
}

fn cross_table(cross: &CrossTable, schemes: &[SchemeResult], suppress_below: u64) -> String {
    let labels = |key: &str| -> Vec<String> {
        let scheme = schemes.iter().find(|scheme| scheme.tiering.key == key);
        scheme.map_or(Vec::new(), |scheme| scheme.tiering.names())
    };
    let columns = labels(&cross.columns);
    let heads: Vec<String> =
        std::iter::once(cross.rows.clone()).chain(columns.iter().map(|name| format!(">{name}"))).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut grid = Grid::new(format!("Customers by {} and {}", cross.rows, cross.columns), &heads);
    // The tables above are its totals.
    let hide = hidden(&cross.customers, suppress_below, true);
    for ((name, row), hide) in labels(&cross.rows).into_iter().zip(&cross.customers).zip(&hide) {
        let cells = row.iter().zip(hide).map(|(&n, &hide)| if hide { HIDDEN.to_string() } else { count(n) });
        grid.row(std::iter::once(name).chain(cells).collect());
    }
    grid.text()
}
