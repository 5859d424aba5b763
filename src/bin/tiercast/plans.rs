//! What a run would take, for `--dry-run`.

use bytesize::ByteSize;
use tiercast::customers::Plan;
use tiercast::customers::plan::{Between, Strategy};
use tiercast::report::format::count;

use crate::render::Grid;

/// Rows, partitions, memory and disk of reading and summarising a history.
pub fn table(plan: &Plan) -> String {
    let mut grid = Grid::new("Plan, from the footers alone", &["", ">", ""]);
    let mut line = |what: &str, value: String, note: String| {
        grid.row(vec![what.to_string(), value, note]);
    };
    line("rows", count(plan.history.rows), String::new());
    line("row groups", count(plan.row_groups), String::new());
    let (name, how) = strategy(plan.strategy);
    line("strategy", name.to_string(), how);
    line("threads", count(plan.threads as u64), String::new());
    let row = format!("{} a row{}", between(plan.bytes_per_row), id_note(plan));
    line("bytes of all rows", between(plan.row_bytes), row);
    line("customers, at most", count(plan.customers.most), "no footer says how many".into());
    line("bytes of all customers, at most", size(plan.customer_bytes.most), String::new());
    let limit = match (plan.memory_limit, plan.fits) {
        (None, _) => ("none".to_string(), "nothing goes to disk"),
        (Some(limit), true) => (size(limit), "all fits, nothing goes to disk"),
        (Some(limit), false) => (size(limit), "not all fits, the rest goes to disk"),
    };
    line("memory limit", limit.0, limit.1.to_string());
    line("expected memory", between(plan.memory), "of the process, to read and write the table".into());
    line("expected disk for what does not fit", between(plan.spill), String::new());
    grid.text()
}

fn strategy(strategy: Strategy) -> (&'static str, String) {
    match strategy {
        Strategy::Scatter { partitions } => {
            ("scatter", format!("to {} partitions by customer, then fold", count(partitions as u64)))
        }
        Strategy::Stream => {
            ("stream", "rows are folded as they are read, or scattered if one is out of order".into())
        }
        _ => ("other", String::new()),
    }
}

fn id_note(plan: &Plan) -> String {
    match plan.id_length {
        None => String::new(),
        Some(id) if id.known => format!(", ids of {:.0} bytes", id.bytes),
        Some(id) => {
            format!(", ids taken for {:.0} bytes: the footers do not say how long they are", id.bytes)
        }
    }
}

fn between(range: Between) -> String {
    let (least, most) = (size(range.least), size(range.most));
    if least == most { most } else { format!("{least} to {most}") }
}

fn size(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string()
}
