//! Rows as `psql` aligns them.

use std::io::{self, Write};

use feedrate::pg::backend::{DataRow, RowDescription};
use feedrate_examples::escape::escaped;
use unicode_width::UnicodeWidthStr;

/// The rows of one result. They are kept, as a column is as wide as its widest value.
pub(crate) struct Table {
    columns: Vec<Column>,
    /// Of each row its values, and of each value its lines.
    rows: Vec<Vec<Vec<String>>>,
}

struct Column {
    name: String,
    right: bool,
    width: usize,
}

impl Table {
    pub(crate) fn new(description: &RowDescription<'_>) -> Self {
        let columns = description.fields.iter().map(|field| {
            let name = escaped(field.name.as_bytes());
            Column { width: name.width(), name, right: is_number(field.type_oid) }
        });
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: &DataRow<'_>) {
        let mut values = Vec::with_capacity(self.columns.len());
        for (column, value) in self.columns.iter_mut().zip(row.columns) {
            let lines: Vec<_> = value.unwrap_or_default().split(|byte| *byte == b'\n').map(escaped).collect();
            column.width = lines.iter().map(|line| line.width()).fold(column.width, usize::max);
            values.push(lines);
        }
        self.rows.push(values);
    }

    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let mut line = String::new();
        for (at, column) in self.columns.iter().enumerate() {
            let space = column.width - column.name.width();
            let (left, right) = (space / 2, space - space / 2);
            line += if at == 0 { " " } else { "| " };
            line += &format!("{:left$}{}{:right$} ", "", column.name, "");
        }
        writeln!(out, "{line}")?;
        let rules: Vec<_> = self.columns.iter().map(|column| "-".repeat(column.width + 2)).collect();
        writeln!(out, "{}", rules.join("+"))?;
        for row in &self.rows {
            self.print_row(row, out)?;
        }
        let rows = self.rows.len();
        writeln!(out, "({rows} {})\n", if rows == 1 { "row" } else { "rows" })
    }

    /// A value of several lines goes on below, and `+` says that it does.
    fn print_row(&self, row: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
        let height = row.iter().map(Vec::len).max().unwrap_or(1);
        for at in 0..height {
            let mut line = String::new();
            for (index, (column, lines)) in self.columns.iter().zip(row).enumerate() {
                let last = index + 1 == self.columns.len();
                let text = lines.get(at).map_or("", String::as_str);
                let goes_on = at + 1 < lines.len();
                let space = column.width - text.width();
                line += if index == 0 { " " } else { "| " };
                if column.right {
                    line += &format!("{:space$}{text}", "");
                } else {
                    // Nothing stands behind the last value of a line.
                    let space = if last && !goes_on { 0 } else { space };
                    line += &format!("{text}{:space$}", "");
                }
                line += if goes_on {
                    "+"
                } else if last {
                    ""
                } else {
                    " "
                };
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

/// Whether psql aligns values of this type to the right: `column_type_alignment` in its `print.c`.
const fn is_number(type_oid: u32) -> bool {
    // int8, int2, int4, oid, xid, cid, float4, float8, money, numeric, xid8.
    matches!(type_oid, 20 | 21 | 23 | 26 | 28 | 29 | 700 | 701 | 790 | 1700 | 5069)
}
