//! Short tables for the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::terminal;

/// A table under construction: a heading, columns, rows. Numbers are right-aligned.
pub struct Grid {
    title: String,
    table: Table,
    columns: usize,
}

impl Grid {
    /// `columns` whose name begins with `>` are right-aligned.
    pub fn new(title: impl Into<String>, columns: &[&str]) -> Grid {
        let mut table = Table::new();
        // Lines help eyes; a pipe or a file gets plain columns.
        table.load_style(if terminal::is_terminal() {
            presets::UTF8_HORIZONTAL_ONLY
        } else {
            presets::NOTHING
        });
        // Long rules wrap where eyes read them; a pipe gets whole lines.
        table.set_content_arrangement(if terminal::is_terminal() {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        table.set_header(columns.iter().map(|c| c.trim_start_matches('>')));
        for (i, name) in columns.iter().enumerate() {
            if name.starts_with('>')
                && let Some(column) = table.column_mut(i)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Grid { title: title.into(), table, columns: columns.len() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) -> &mut Grid {
        debug_assert_eq!(cells.len(), self.columns);
        // A name from a file may hold anything; a line end would break the row.
        self.table.add_row(cells.iter().map(|cell| terminal::harmless(&cell.replace('\n', "\\n"))));
        self
    }

    /// The table as text, ending in an empty line.
    pub fn text(&self) -> String {
        let body: Vec<String> = self.table.lines().map(|line| line.trim_end().to_string()).collect();
        format!("{}\n{}\n\n", self.title, body.join("\n"))
    }
}
