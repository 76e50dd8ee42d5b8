//! The comparison table.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;
use subquad_plot::summary::mean_and_range;

use subquad_record::Evaluation;

use super::{Finished, budget, distinct};

/// A line below the header and nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

const COSTS: &str = "\
step ms: median. peak MiB: most memory alive,
the data aside. state floats: what decoding keeps of one sequence of this length to go on.";

/// What a task may be scored by.
#[derive(Clone, Copy)]
struct Score {
    column: &'static str,
    legend: &'static str,
    of: fn(&Evaluation) -> Option<f64>,
}

const SCORES: [Score; 2] = [
    Score {
        column: "accuracy",
        legend: "accuracy: on test data, mean and range over n seeds.",
        of: |e| e.accuracy,
    },
    Score {
        column: "bits/byte",
        legend: "bits/byte: on test data, mean and range over n seeds; less is better.",
        of: |e| e.bits_per_byte,
    },
];

/// One line a length and mixer: means over seeds; the score with its spread. Below it the other test conditions, and what was
/// held equal.
pub fn comparison(runs: &[Finished]) -> String {
    let scores = scores(runs);
    let header: Vec<String> = header(&scores).into_iter().map(Into::into).collect();
    let lines = groups(runs).into_iter().map(|(seq_len, label, seeds)| row(seq_len, label, &seeds, &scores));
    let legends = scores.iter().map(|score| score.legend).collect::<Vec<_>>().join(" ");
    let main = table(header, lines.collect());
    format!("{main}\n\n{legends} {COSTS}\n{}Held equal: {}.", conditions(runs, &scores), budget(runs))
}

/// The scores that some run has; accuracy where none has any.
fn scores(runs: &[Finished]) -> Vec<Score> {
    let known = |score: &Score| {
        runs.iter().any(|run| run.summary.evaluations.iter().any(|e| (score.of)(e).is_some()))
    };
    let known: Vec<Score> = SCORES.into_iter().filter(known).collect();
    if known.is_empty() { vec![SCORES[0]] } else { known }
}

fn header(scores: &[Score]) -> Vec<&'static str> {
    let scores = scores.iter().flat_map(|score| [score.column, "min..max"]);
    let costs = ["parameters", "step ms", "tokens/s", "peak MiB", "state floats", "n"];
    ["seq_len", "mixer"].into_iter().chain(scores).chain(costs).collect()
}

/// The seeds of each length and label.
fn groups(runs: &[Finished]) -> Vec<(usize, &str, Vec<&Finished>)> {
    let keys = |run: &Finished| (run.summary.seq_len, run.label.clone());
    let lengths = distinct(runs.iter().map(|run| run.summary.seq_len));
    let labels = distinct(runs.iter().map(|run| run.label.as_str()));
    let pairs = lengths.iter().flat_map(|&seq_len| labels.iter().map(move |&label| (seq_len, label)));
    let with_seeds = pairs.map(|(seq_len, label)| {
        (seq_len, label, runs.iter().filter(|run| keys(run) == (seq_len, label.into())).collect::<Vec<_>>())
    });
    with_seeds.filter(|(_, _, seeds)| !seeds.is_empty()).collect()
}

fn row(seq_len: usize, label: &str, seeds: &[&Finished], scores: &[Score]) -> Vec<String> {
    let mean = |f: &dyn Fn(&Finished) -> Option<f64>| {
        mean_and_range(&seeds.iter().filter_map(|run| f(run)).collect::<Vec<f64>>()).mean
    };
    let mut cells = vec![seq_len.to_string(), label.into()];
    cells.extend(scores.iter().flat_map(|score| score_cells(seeds, "", *score)));
    cells.extend([
        HumanCount(seeds[0].summary.parameters as u64).to_string(),
        format!("{:.1}", mean(&|run| Some(run.summary.step_ms))),
        HumanCount(mean(&|run| Some(run.summary.tokens_per_second)) as u64).to_string(),
        format!("{:.1}", mean(&|run| Some(run.summary.peak_bytes? as f64)) / f64::from(1 << 20)),
        seeds[0].summary.state_floats.map_or("none".into(), |floats| HumanCount(floats as u64).to_string()),
        seeds.len().to_string(),
    ]);
    cells
}

/// Mean and range under a condition; dashes where nothing was measured.
fn score_cells(seeds: &[&Finished], condition: &str, score: Score) -> [String; 2] {
    let evaluations = seeds.iter().flat_map(|run| run.summary.evaluations.iter());
    let values: Vec<f64> = evaluations.filter(|e| e.condition == condition).filter_map(score.of).collect();
    let spread = mean_and_range(&values);
    match values.is_empty() {
        true => ["-".into(), "-".into()],
        false => [format!("{:.3}", spread.mean), format!("{:.3}..{:.3}", spread.low, spread.high)],
    }
}

/// A table of the scores under test conditions other than that of training, a column each; nothing where there are none.
fn conditions(runs: &[Finished], scores: &[Score]) -> String {
    let evaluations = runs.iter().flat_map(|run| run.summary.evaluations.iter());
    let names = distinct(evaluations.map(|e| e.condition.as_str()).filter(|name| !name.is_empty()));
    if names.is_empty() {
        return String::new();
    }
    let tables = scores.iter().map(|score| {
        let header = ["seq_len", "mixer"].into_iter().chain(names.iter().copied()).map(Into::into).collect();
        let cells = |seeds: &[&Finished]| {
            names.iter().map(|name| score_cells(seeds, name, *score)[0].clone()).collect()
        };
        let lines = groups(runs).into_iter().map(|(seq_len, label, seeds)| {
            [vec![seq_len.to_string(), label.to_owned()], cells(&seeds)].concat()
        });
        let title = format!("{} under other test conditions (seq_len is that of training):", score.column);
        format!("\n{title}\n\n{}\n", table(header, lines.collect()))
    });
    format!("{}\n", tables.collect::<String>())
}

fn table(header: Vec<String>, lines: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(&header);
    lines.into_iter().for_each(|line| {
        table.add_row(line);
    });
    for (index, column) in table.column_iter_mut().enumerate() {
        let left = header[index] == "mixer";
        let alignment = if left { CellAlignment::Left } else { CellAlignment::Right };
        column.set_padding((0, 1)).set_cell_alignment(alignment);
    }
    table.trim_fmt()
}
