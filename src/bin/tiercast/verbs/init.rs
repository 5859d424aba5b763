//! `tiercast init`: a strategy file to start from.

use clap::ArgMatches;
use tiercast::customers::WholeFile;
use tiercast::pipeline::init_strategies;
use tiercast::report::{FileKind, OutputFile};
use tiercast::tier::builtin;
use tiercast::{Error, Result};

use super::tier::{named, unit, with_clusters};
use crate::args::{Global, InitArgs};
use crate::settings::{self, Typed};
use crate::terminal;

/// Runs the verb.
pub fn main(global: &Global, args: InitArgs, matches: Option<&ArgMatches>) -> Result<()> {
    let settings = settings::resolve(global, Typed { matches, ..Typed::default() })?;
    if args.schema {
        return terminal::print(&(tiercast::strategy::schema()? + "\n"));
    }
    let Some(customers) = &args.customers else {
        return Err(Error::value(
            "CUSTOMERS",
            "",
            "no table is given",
            "name a table of customers (Parquet)",
        ));
    };
    let named = named(std::slice::from_ref(&args.scheme))?;
    let text = super::with_threads(settings.threads, || {
        let file = WholeFile::open(customers, args.id.as_deref())?;
        let scheme = with_clusters(named, &file)?.remove(0);
        init_strategies(&file, &scheme, args.unit.map(unit), args.date)
    })?;
    let Some(path) = &args.output else {
        if global.json {
            return terminal::print_json(&serde_json::json!({ "schema": 1, "strategies": text }));
        }
        return terminal::print(&text);
    };
    let out = OutputFile::begin(FileKind::Strategies, path, args.force, std::slice::from_ref(customers))?;
    std::fs::write(out.path(), &text).map_err(|e| Error::io("write", path, e))?;
    let path = out.finish()?;
    if global.json {
        terminal::print_json(&serde_json::json!({ "schema": 1, "output": path }))?;
    }
    if !global.quiet {
        let with = if builtin::is_file(&args.scheme) || args.scheme == "clusters" {
            format!(" --scheme {}", args.scheme)
        } else {
            String::new()
        };
        terminal::note(&format!(
            "strategies in {}: edit them, then `tiercast simulate {} --strategies {}{with}`",
            path.display(),
            customers.display(),
            path.display()
        ));
    }
    Ok(())
}
