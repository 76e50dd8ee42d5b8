//! The comparison table.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;
use subquad_plot::summary::mean_and_range;
use subquad_record::Evaluation;

use super::{Finished, Found, brief, budget, distinct, timing_note};

/// A line below the header and nothing else.
pub(super) const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));

const COSTS: &str = "\
step ms: median. peak MiB: most memory alive,
the data aside. state floats: what decoding keeps of one sequence of this length to go on.";

/// What a task may be scored by.
#[derive(Clone, Copy)]
struct Score {
    column: &'static str,
    legend: &'static str,
    of: fn(&Evaluation) -> Option<f64>,
    text: fn(f64) -> String,
}

const SCORES: [Score; 3] = [
    Score {
        column: "accuracy",
        legend: "accuracy: on test data, mean and range over n seeds.",
        of: |e| e.accuracy,
        text: |accuracy| format!("{accuracy:.3}"),
    },
    Score {
        column: "bits/byte",
        legend: "bits/byte: on test data, mean and range over n seeds.",
        of: |e| e.bits_per_byte,
        text: brief,
    },
    Score {
        column: "error/var",
        legend: "error/var: mean squared error on test data over the variance of the target, mean and range over n seeds; \
            lower is better, 1 is what predicting the mean scores.",
        of: |e| e.normalised_error,
        text: brief,
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
    let note = timing_note(runs).map_or(String::new(), |note| format!("{note}\n"));
    let conditions = conditions(runs, &scores);
    format!("{main}\n\n{legends} {COSTS}\n{note}{conditions}Held equal: {}.", budget(runs))
}

/// The comparison of the runs with numbers, and a line for what is not in it.
pub fn report(found: &Found) -> String {
    let Found { finished, failed, interrupted } = found;
    let mut text = if finished.is_empty() { String::new() } else { format!("{}\n", comparison(finished)) };
    for failed in failed {
        text += &format!("Failed, so not above: {}.\n", failed.line());
    }
    if !interrupted.is_empty() {
        let (count, all) = (interrupted.len(), found.count());
        text += &format!("Interrupted before their end, so not above: {count} of {all} runs.\n");
    }
    text
}

/// The scores that some run has; accuracy where none has any.
fn scores(runs: &[Finished]) -> Vec<Score> {
    let known = |score: &Score| evaluations(runs).any(|e| (score.of)(e).is_some());
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
    let mut groups = vec![];
    for seq_len in distinct(runs.iter().map(|run| run.summary.seq_len)) {
        for label in distinct(runs.iter().map(|run| run.label.as_str())) {
            let own = |run: &&Finished| run.summary.seq_len == seq_len && run.label == label;
            let seeds: Vec<_> = runs.iter().filter(own).collect();
            if !seeds.is_empty() {
                groups.push((seq_len, label, seeds));
            }
        }
    }
    groups
}

fn row(seq_len: usize, label: &str, seeds: &[&Finished], scores: &[Score]) -> Vec<String> {
    let cost = |f: &dyn Fn(&Finished) -> Option<f64>, text: &dyn Fn(f64) -> String| {
        let values: Vec<f64> = seeds.iter().filter_map(|run| f(run)).collect();
        if values.is_empty() { "-".into() } else { text(mean_and_range(&values).mean) }
    };
    let own = |run: &Finished| !run.summary.timings_are_shared();
    let mut cells = vec![seq_len.to_string(), label.into()];
    let evaluations: Vec<_> = evaluations(seeds.iter().copied()).filter(|e| e.condition.is_empty()).collect();
    cells.extend(scores.iter().flat_map(|score| score_cells(&evaluations, *score)));
    cells.extend([
        HumanCount(seeds[0].summary.parameters as u64).to_string(),
        cost(&|run| own(run).then_some(run.summary.step_ms), &|ms| format!("{ms:.1}")),
        cost(&|run| own(run).then_some(run.summary.tokens_per_second), &|speed| {
            HumanCount(speed as u64).to_string()
        }),
        cost(&|run| Some(run.summary.peak_bytes? as f64), &|bytes| {
            format!("{:.1}", bytes / f64::from(1 << 20))
        }),
        seeds[0].summary.state_floats.map_or("none".into(), |floats| HumanCount(floats as u64).to_string()),
        seeds.len().to_string(),
    ]);
    cells
}

/// Mean and range of these evaluations; dashes where nothing was measured.
fn score_cells(evaluations: &[&Evaluation], score: Score) -> [String; 2] {
    let values: Vec<f64> = evaluations.iter().filter_map(|e| (score.of)(e)).collect();
    let (spread, text) = (mean_and_range(&values), score.text);
    match values.is_empty() {
        true => ["-".into(), "-".into()],
        false => [text(spread.mean), format!("{}..{}", text(spread.low), text(spread.high))],
    }
}

/// A table of the scores under every test condition, a column each; nothing where there is that of training alone.
fn conditions(runs: &[Finished], scores: &[Score]) -> String {
    let columns = condition_columns(runs);
    if columns.is_empty() {
        return String::new();
    }
    let names = || columns.iter().map(|column| column.name.to_owned());
    let tables = scores.iter().map(|score| {
        let header = ["seq_len", "mixer"].map(Into::into).into_iter().chain(names()).collect();
        let lines = groups(runs).into_iter().map(|(seq_len, label, seeds)| {
            let cells = columns.iter().map(|column| column.cell(&seeds, *score));
            [seq_len.to_string(), label.to_owned()].into_iter().chain(cells).collect()
        });
        let title = format!("{} by test condition; seq_len is that of training:", score.column);
        format!("\n{title}\n\n{}\n", table(header, lines.collect()))
    });
    format!("{}\n", tables.collect::<String>())
}

/// A test condition that some run names. A run that was trained under it has it without a name.
#[derive(PartialEq)]
struct ConditionColumn<'a> {
    name: &'a str,
    seq_len: Option<usize>,
    variant: &'a str,
}

impl ConditionColumn<'_> {
    fn cell(&self, seeds: &[&Finished], score: Score) -> String {
        let same = |e: &&Evaluation| (e.seq_len, e.variant.as_str()) == (self.seq_len, self.variant);
        let own: Vec<_> = evaluations(seeds.iter().copied()).filter(same).collect();
        let [mean, _] = score_cells(&own, score);
        mean
    }
}

/// By length, then by variant, `8 pairs` before `16 pairs`.
fn condition_columns(runs: &[Finished]) -> Vec<ConditionColumn<'_>> {
    let named = evaluations(runs).filter(|e| !e.condition.is_empty());
    let mut columns = distinct(named.map(|e| ConditionColumn {
        name: &e.condition,
        seq_len: e.seq_len,
        variant: &e.variant,
    }));
    columns.sort_by_key(|column| (column.seq_len, column.variant.len(), column.variant));
    columns
}

fn evaluations<'a>(runs: impl IntoIterator<Item = &'a Finished>) -> impl Iterator<Item = &'a Evaluation> {
    runs.into_iter().flat_map(|run| &run.summary.evaluations)
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
