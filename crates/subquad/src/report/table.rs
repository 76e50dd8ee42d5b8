//! The comparison table.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;
use subquad_plot::summary::mean_and_range;

use super::{Finished, budget, distinct, timing_note};

const HEADER: [&str; 10] = [
    "seq_len",
    "mixer",
    "accuracy",
    "min..max",
    "parameters",
    "step ms",
    "tokens/s",
    "peak MiB",
    "state floats",
    "n",
];

/// A line below the header and nothing else.
pub(super) const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

const LEGEND: &str = "\
accuracy: on test data, mean and range over n seeds. step ms: median. peak MiB: most memory alive,
the data aside. state floats: what decoding keeps of one sequence of this length to go on.";

/// One line a length and mixer: means over seeds; accuracy with its spread. Below it what was held equal.
pub fn comparison(runs: &[Finished]) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(HEADER);
    for seq_len in distinct(runs.iter().map(|run| run.summary.seq_len)) {
        for label in distinct(runs.iter().map(|run| run.label.as_str())) {
            let seeds: Vec<&Finished> =
                runs.iter().filter(|run| run.summary.seq_len == seq_len && run.label == label).collect();
            if !seeds.is_empty() {
                table.add_row(row(seq_len, label, &seeds));
            }
        }
    }
    align(&mut table);
    let note = timing_note(runs).map_or(String::new(), |note| format!("\n{note}"));
    format!("{}\n\n{LEGEND}{note}\nHeld equal: {}.", table.trim_fmt(), budget(runs))
}

fn row(seq_len: usize, label: &str, seeds: &[&Finished]) -> Vec<String> {
    let over = |f: &dyn Fn(&Finished) -> Option<f64>| -> Vec<f64> {
        seeds.iter().filter_map(|run| f(run)).collect()
    };
    let mean = |f: &dyn Fn(&Finished) -> Option<f64>| mean_and_range(&over(f)).mean;
    let own = |run: &Finished| !run.summary.timings_are_shared();
    let step_ms = over(&|run| own(run).then_some(run.summary.step_ms));
    let speeds = over(&|run| own(run).then_some(run.summary.tokens_per_second));
    let accuracies = over(&|run| run.summary.evaluations.first().and_then(|e| e.accuracy));
    let accuracy = mean_and_range(&accuracies);
    vec![
        seq_len.to_string(),
        label.into(),
        known(&accuracies, format!("{:.3}", accuracy.mean)),
        known(&accuracies, format!("{:.3}..{:.3}", accuracy.low, accuracy.high)),
        HumanCount(seeds[0].summary.parameters as u64).to_string(),
        known(&step_ms, format!("{:.1}", mean_and_range(&step_ms).mean)),
        known(&speeds, HumanCount(mean_and_range(&speeds).mean as u64).to_string()),
        format!("{:.1}", mean(&|run| Some(run.summary.peak_bytes? as f64)) / f64::from(1 << 20)),
        seeds[0].summary.state_floats.map_or("none".into(), |floats| HumanCount(floats as u64).to_string()),
        seeds.len().to_string(),
    ]
}

/// A dash where nothing was measured.
fn known(values: &[f64], text: String) -> String {
    if values.is_empty() { "-".into() } else { text }
}

fn align(table: &mut Table) {
    for (index, column) in table.column_iter_mut().enumerate() {
        let right = HEADER[index] != "mixer";
        column.set_padding((0, 1)).set_cell_alignment(if right {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
    }
}
