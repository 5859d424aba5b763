//! The rule of the house: a module imports only lower floors, and each library has its rooms.
//!
//! The floors are those of ARCHITECTURE.md. The test reads the sources as text, so that no import escapes it, be it a
//! `use` line or a path in the middle of an expression.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules by floor. Others join here when they are built.
const FLOORS: [(&str, u32); 21] = [
    ("error", 1),
    ("calendar", 1),
    ("amount", 1),
    ("progress", 1),
    ("parallel", 1),
    ("random", 1),
    ("special", 1),
    ("history", 2),
    ("convert", 2),
    ("synth", 2),
    ("customers", 3),
    ("clv", 4),
    ("recovery", 5),
    ("segment", 5),
    ("tier", 5),
    ("strategy", 6),
    ("learn", 7),
    ("simulate", 7),
    ("allocate", 8),
    ("report", 9),
    ("pipeline", 10),
];

/// Libraries and the places (path prefixes below src) that may name them.
const ROOMS: [(&str, &[&str]); 17] = [
    ("rayon::", &["parallel.rs"]),
    ("arrow_", &["history/", "convert/", "synth/", "customers/table", "customers/spill", "report/"]),
    ("parquet::", &["history/", "convert/", "synth/", "customers/table", "customers/spill", "report/"]),
    ("linfa", &["segment/"]),
    ("ndarray::", &["segment/"]),
    ("pulp::", &["segment/kmeans/kernel.rs"]),
    ("jiff::", &["calendar.rs", "history/", "convert/date.rs"]),
    ("plotters::", &["report/"]),
    ("schemars::", &["strategy/"]),
    ("maud::", &["report/"]),
    ("clap", &["bin/"]),
    ("indicatif::", &["bin/"]),
    ("comfy_table::", &["bin/"]),
    ("println!", &["bin/"]),
    ("print!", &["bin/"]),
    ("eprintln!", &[]),
    ("dbg!", &[]),
];

/// Below floor 1 there is only `error`, which all of floor 1 may use, and `calendar` and `progress` through it.
const GROUND: [&str; 2] = ["error", "calendar"];

struct SourceFile {
    /// Below src, with forward slashes.
    place: String,
    /// Without line comments, attributes and test code.
    code: String,
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    let texts: BTreeMap<PathBuf, String> =
        paths.into_iter().map(|p| (p.clone(), std::fs::read_to_string(p).unwrap())).collect();
    let only_for_tests: BTreeSet<PathBuf> = texts
        .iter()
        .flat_map(|(path, text)| {
            let folder = match path.file_name().unwrap().to_str().unwrap() {
                "mod.rs" | "lib.rs" | "main.rs" => path.parent().unwrap().to_path_buf(),
                _ => path.with_extension(""),
            };
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let named: Vec<String> = lines
                .windows(2)
                .filter(|pair| pair[0].starts_with("#[cfg(test)]"))
                .filter_map(|pair| pair[1].split("mod ").nth(1)?.strip_suffix(';').map(String::from))
                .collect();
            named.into_iter().map(move |name| folder.join(name).with_extension("rs"))
        })
        .collect();
    texts
        .into_iter()
        .filter(|(path, _)| !only_for_tests.contains(path))
        .map(|(path, text)| SourceFile {
            place: path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"),
            code: code_of(&text),
        })
        .collect()
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// The code of a file up to its inline tests, without line comments and attributes.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    for line in text.split("#[cfg(test)]\nmod tests").next().unwrap().lines() {
        let line = line.trim();
        if !line.starts_with("//") && !line.starts_with("#[") && !line.starts_with("#![") {
            code.push_str(line.split(" // ").next().unwrap());
            code.push('\n');
        }
    }
    code
}

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|&(_, floor)| floor)
}

/// Modules of the crate that a piece of code names after `prefix` (`crate::`, or as many `super::` as lead to the
/// root), groups included however deep they nest.
fn named_modules(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with("super::") {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        for name in first_names(rest) {
            out.insert(name.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    out
}

/// `a::b` gives `a`; `{a::{b, c}, d}` gives `a::…` and `d`.
fn first_names(rest: &str) -> Vec<&str> {
    let Some(group) = rest.strip_prefix('{') else { return vec![rest] };
    let (mut depth, mut start, mut out) = (0, 0, Vec::new());
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                out.push(&group[start..i]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                out.push(&group[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out
}

#[test]
fn nested_groups_are_read() {
    let code = "use crate::{error::{Error, Result}, pipeline::run, clv};";
    assert_eq!(named_modules(code, "crate::").into_iter().collect::<Vec<_>>(), ["clv", "error", "pipeline"]);
    assert_eq!(named_modules("super::super::tier::x", "super::super::").into_iter().next().unwrap(), "tier");
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for file in sources() {
        if file.place.starts_with("bin/") || file.place == "lib.rs" {
            continue;
        }
        let own = file.place.split(['/', '.']).next().unwrap().to_string();
        let own_floor = floor(&own).unwrap_or_else(|| panic!("{} has no floor", file.place));
        // `super` from the module itself to the root of the crate.
        let depth = file.place.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
        let mut names = named_modules(&file.code, "crate::");
        names.extend(named_modules(&file.code, &"super::".repeat(depth)));
        for name in names {
            // Re-exports of the root (`crate::Result`) are those of the ground floor.
            let Some(other_floor) = floor(&name) else { continue };
            let sideways_on_the_ground = own_floor == 1 && GROUND.contains(&name.as_str());
            if name != own && other_floor >= own_floor && !sideways_on_the_ground {
                wrong.push(format!("{} (floor {own_floor}) names {name} (floor {other_floor})", file.place));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not point down:\n{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (library, rooms) in ROOMS {
            let named = file.code.match_indices(library).any(|(at, _)| {
                // A match must begin a word: `eprint!` is not `print!`, `my_linfa` is not `linfa`.
                !file.code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            });
            if named && !rooms.iter().any(|room| file.place.starts_with(room)) {
                wrong.push(format!("{} names {library}", file.place));
            }
        }
    }
    assert!(wrong.is_empty(), "libraries outside their rooms:\n{}", wrong.join("\n"));
}

#[test]
fn the_command_line_uses_the_library_from_outside() {
    for file in sources().iter().filter(|f| f.place.starts_with("bin/")) {
        for name in named_modules(&file.code, "crate::") {
            assert!(floor(&name).is_none(), "{} names crate::{name}; use tiercast::{name}", file.place);
        }
    }
}

#[test]
fn rooms_are_small() {
    const MOST: usize = 800;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    for path in paths {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= MOST, "{} has {lines} lines", path.display());
    }
}
