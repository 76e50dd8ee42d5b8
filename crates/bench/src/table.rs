//! Tables of text for the terminal.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// Only a line below the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

/// The columns of words, which are aligned left; numbers are aligned right.
const WORDS: [&str; 3] = ["mixer", "path", "exponent over"];

/// Lays out the lines under their header.
pub fn table<H, L>(header: H, lines: impl IntoIterator<Item = L>) -> String
where
    H: IntoIterator<Item: Into<String>>,
    L: IntoIterator<Item = String>,
{
    let header: Vec<String> = header.into_iter().map(Into::into).collect();
    let mut table = Table::new();
    table.load_style(STYLE).set_header(&header);
    for line in lines {
        table.add_row(line);
    }
    for (column, title) in table.column_iter_mut().zip(&header) {
        let left = WORDS.contains(&title.as_str());
        let alignment = if left { CellAlignment::Left } else { CellAlignment::Right };
        column.set_padding((0, 1)).set_cell_alignment(alignment);
    }
    table.trim_fmt()
}

/// Distinct values, in order of first appearance.
pub fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = vec![];
    values.for_each(|value| {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    });
    distinct
}
