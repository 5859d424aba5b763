//! Sources: what became of the ids of each where an id map makes customers of them.

use maud::{Markup, html};

use super::parts;
use crate::history::{JoinReport, SourceCounts, Unmatched};
use crate::report::format::{count, plural};

/// More sources than this are added up rather than listed.
const LISTED: usize = 50;

pub(super) fn sources(join: &JoinReport) -> Markup {
    let rows_of = match join.unmatched {
        Unmatched::Aside => "Their rows, set aside",
        Unmatched::Keep => "Their rows, kept",
    };
    let heads = [
        "Source",
        "Ids in the map",
        "Their rows",
        "Ids not in it",
        rows_of,
        "Ids of several customers",
        "Their rows, set aside",
    ];
    let figures = |counts: &SourceCounts| {
        let each = [counts.matched, counts.unmatched, counts.ambiguous];
        html! { @for of in each { td.n { (count(of.ids)) } td.n { (count(of.rows)) } } }
    };
    let further = join.sources.len().saturating_sub(LISTED) as u64;
    let map = &join.map;
    html! {
        h3 { "Ids by source" }
        (parts::scroll("Ids and rows by source", html! {
            table {
                (parts::head(&heads, 1..7))
                tbody {
                    @for (name, counts) in join.sources.iter().take(LISTED) {
                        tr { td { (name) } (figures(counts)) }
                    }
                    @if further > 0 {
                        tr { td { (plural(further, "further source", "further sources")) } (figures(&sum(join, LISTED))) }
                    }
                    @if join.sources.len() != 1 { tr.sum { td { "all" } (figures(&sum(join, 0))) } }
                }
            }
        }))
        p.muted {
            "The id map " (map.file) " has " (plural(map.lines, "line", "lines")) " of "
            (plural(map.sources.len() as u64, "source", "sources"))
            @if map.null_lines > 0 {
                "; " (plural(map.null_lines, "line", "lines")) " without a source, source id or customer id"
                (if map.null_lines == 1 { " is" } else { " are" }) " left out"
            }
            ". Rows without an id, or without a source, are in none of these counts."
        }
    }
}

/// The counts of all sources but the first `listed`.
fn sum(join: &JoinReport, listed: usize) -> SourceCounts {
    let mut all = SourceCounts::default();
    join.sources.values().skip(listed).for_each(|counts| all.add(counts));
    all
}
