//! The table of measured cells, and what to be wary of.

use comfy_table::{CellAlignment, Table};
use indicatif::HumanCount;
use subquad_record::Cell;

use super::distinct;
use super::table::STYLE;

const HEADER: [&str; 9] = [
    "seq_len",
    "d_model",
    "mixer",
    "forward ms",
    "forward+backward ms",
    "tokens/s",
    "peak MiB",
    "state floats",
    "check",
];

const LEGEND: &str = "\
ms: median ± half the distance between the quartiles. tokens/s and peak MiB: of forward+backward; the peak
includes layer, input and all gradients. state floats: what decoding keeps of one sequence of this length.
check: largest relative error against the f64 reference at a small size, of outputs and gradients.";

/// The middle half of the times over their median, from which a timing is in doubt.
const WIDE: f64 = 0.2;

/// One line a cell, in the order given.
pub fn cells_table(cells: &[Cell]) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(HEADER);
    cells.iter().for_each(|cell| {
        table.add_row(row(cell));
    });
    for (index, column) in table.column_iter_mut().enumerate() {
        let left = HEADER[index] == "mixer";
        let alignment = if left { CellAlignment::Left } else { CellAlignment::Right };
        column.set_padding((0, 1)).set_cell_alignment(alignment);
    }
    format!("{}\n\n{LEGEND}\n{}", table.trim_fmt(), conditions(cells))
}

fn row(cell: &Cell) -> [String; HEADER.len()] {
    let none = || "none".to_owned();
    [
        cell.seq_len.to_string(),
        cell.d_model.to_string(),
        cell.mixer.clone(),
        milliseconds(cell.forward_ms, cell.forward_ms_q1, cell.forward_ms_q3),
        milliseconds(cell.forward_backward_ms, cell.forward_backward_ms_q1, cell.forward_backward_ms_q3),
        HumanCount(cell.tokens_per_second as u64).to_string(),
        cell.peak_bytes.map_or("-".into(), |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20))),
        cell.state_floats.map_or_else(none, |floats| HumanCount(floats as u64).to_string()),
        format!("{:.0e}", cell.check_error),
    ]
}

/// Three digits of the median, and the spread to the same place.
fn milliseconds(median: f64, q1: f64, q3: f64) -> String {
    let digits = (2 - median.log10().floor() as i32).clamp(0, 4) as usize;
    format!("{median:.digits$} ± {:.digits$}", (q3 - q1) / 2.0)
}

/// Where and how they were measured.
fn conditions(cells: &[Cell]) -> String {
    let of = |f: fn(&Cell) -> String| distinct(cells.iter().map(f)).join(" or ");
    format!(
        "Batch {}; {} form, {}, {} threads, {}, {}.",
        of(|c| c.batch.to_string()),
        of(|c| c.form.clone()),
        of(|c| c.device.clone()),
        of(|c| c.threads.to_string()),
        of(|c| c.instruction_set.clone()),
        of(|c| c.machine.cpu.clone())
    )
}

/// A sentence for each cell whose times vary too much to be trusted.
pub fn spread_warnings(cells: &[Cell]) -> Vec<String> {
    let warning = |cell: &Cell| {
        format!(
            "warning: {} at length {}, width {}: times vary by {:.0} %; another program may share this machine. \
             Measure again when it is idle",
            cell.mixer,
            cell.seq_len,
            cell.d_model,
            spread(cell) * 100.0
        )
    };
    cells.iter().filter(|cell| spread(cell) > WIDE).map(warning).collect()
}

fn spread(cell: &Cell) -> f64 {
    (cell.forward_backward_ms_q3 - cell.forward_backward_ms_q1) / cell.forward_backward_ms
}
