//! Short tables for the terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};

use crate::terminal;

/// A rule under the heading and nothing else.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table under construction: a heading, columns, rows. Numbers are right-aligned.
pub struct Grid {
    title: String,
    table: Table,
    /// Which columns are right-aligned.
    right: Vec<bool>,
}

impl Grid {
    /// `columns` whose name begins with `>` are right-aligned.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Grid {
        let mut table = Table::new();
        // Lines help eyes; a pipe or a file gets plain columns.
        table.load_style(if terminal::is_terminal() { RULED } else { presets::NOTHING });
        // Long rules wrap where eyes read them; a pipe gets whole lines.
        table.set_content_arrangement(if terminal::is_terminal() {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        let right: Vec<bool> = columns.iter().map(|c| c.starts_with('>')).collect();
        let names = columns.iter().map(|c| c.trim_start_matches('>'));
        if names.clone().any(|name| !name.is_empty()) {
            table.set_header(names.zip(&right).map(|(name, &right)| cell(name, right)));
        }
        Grid { title: title.into(), table, right }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) -> &mut Grid {
        debug_assert_eq!(cells.len(), self.right.len());
        self.table.add_row(cells.iter().zip(&self.right).map(|(text, &right)| cell(text, right)));
        self
    }

    /// The table as text, ending in an empty line.
    pub fn text(&self) -> String {
        let body: Vec<String> = self.table.lines().map(|line| line.trim_end().to_string()).collect();
        format!("{}\n{}\n\n", self.title, body.join("\n"))
    }
}

/// A cell with harmless text: a name from a file may hold anything, and a line end would break the row.
fn cell(text: &str, right: bool) -> Cell {
    let cell = Cell::new(terminal::harmless(&text.replace('\n', "\\n")));
    cell.set_alignment(if right { CellAlignment::Right } else { CellAlignment::Left })
}
