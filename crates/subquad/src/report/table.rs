//! The comparison table.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use subquad_bench::{distinct, table, utilisation};
use subquad_config::last_part;
use subquad_data::Metric;
use subquad_plot::summary::mean_and_range;
use subquad_plot::{FEWEST, Interval};
use subquad_record::{Evaluation, RunSummary};

use super::paired::paired;
use super::selection::{cells, compared, note};
use super::{Failed, Finished, StudyResults, budget, timing_note};

const COSTS: &str = "\
step ms: median. GFLOP/s: of that step; MFU: their share of the machine's FMA peak. MiB: the most
memory in use, without the data. state: floats that decoding keeps of one sequence of this length.";

/// A line for each length and mixer, with means over seeds and the spread of the score, for the best values of what is tuned. The other test
/// conditions come below, then what was held equal.
pub fn comparison(all: &[Finished]) -> String {
    comparison_beside(all, &[])
}

/// The comparison, which also counts the runs that failed beside those that are compared.
fn comparison_beside(all: &[Finished], failed: &[Failed]) -> String {
    let runs = &compared(all);
    let metrics = metrics(runs);
    let groups = groups(runs);
    let intervals = groups.iter().any(|(_, _, seeds)| seeds.len() >= FEWEST);
    let tuned = Tuned::of(all);
    let lines = groups.iter().map(|(seq_len, label, seeds)| {
        let mut cells = row(*seq_len, label, seeds, &metrics, intervals);
        cells.push(count(seeds, failed));
        tuned.insert(cells, label, *seq_len)
    });
    let names = header(&metrics, intervals).map(str::to_owned).collect();
    let main = table(tuned.header(names).iter().map(String::as_str), lines);
    let legends = metrics.iter().map(|metric| legend(*metric, intervals)).collect::<Vec<_>>().join(" ");
    let paired: String = metrics.iter().map(|metric| paired(runs, *metric)).collect();
    let notes = [note(all), timing_note(runs)].into_iter().flatten();
    let note: String = notes.map(|note| format!("{note}\n")).collect();
    let conditions = conditions(runs, &metrics);
    format!("{main}\n\n{legends}\n{COSTS}\n{note}{conditions}{paired}Held equal: {}.", budget(runs))
}

/// The columns of what was chosen of tuned axes, after those of length and label.
struct Tuned {
    keys: Vec<String>,
    /// What was chosen for each label and length, by key.
    chosen: BTreeMap<(String, usize, String), String>,
}

impl Tuned {
    fn of(runs: &[Finished]) -> Self {
        let mut tuned = Self { keys: vec![], chosen: BTreeMap::new() };
        for cell in cells(runs) {
            for choice in cell.choices() {
                let edge = if choice.is_edge { " (edge)" } else { "" };
                let place = (cell.label.to_owned(), cell.seq_len, choice.key.to_owned());
                tuned.chosen.insert(place, format!("{}{edge}", choice.value));
                tuned.keys.push(choice.key.to_owned());
            }
        }
        Self { keys: distinct(tuned.keys.into_iter()), ..tuned }
    }

    fn header(&self, mut names: Vec<String>) -> Vec<String> {
        names.splice(2..2, self.keys.iter().map(|key| last_part(key).to_owned()));
        names
    }

    fn insert(&self, mut cells: Vec<String>, label: &str, seq_len: usize) -> Vec<String> {
        let chosen = |key: &String| {
            let place = (label.to_owned(), seq_len, key.clone());
            or_dash(self.chosen.get(&place).cloned())
        };
        cells.splice(2..2, self.keys.iter().map(chosen));
        cells
    }
}

/// The comparison of the runs with numbers, and a line for each thing that is not in it.
pub fn report(results: &StudyResults) -> String {
    let StudyResults { finished, failed, interrupted } = results;
    let mut text = match finished.is_empty() {
        true => String::new(),
        false => format!("{}\n", comparison_beside(finished, failed)),
    };
    for failed in failed {
        text += &format!("Not shown, because they failed: {}.\n", failed.line());
    }
    if !interrupted.is_empty() {
        let (count, all) = (interrupted.len(), results.count());
        text += &format!("Not shown, because they were interrupted: {count} of {all} runs.\n");
    }
    text
}

/// The metrics that some run is scored by; the first metric if there are none.
fn metrics(runs: &[Finished]) -> Vec<Metric> {
    let scored: Vec<_> = evaluations(runs).filter_map(|e| Some(e.score?.metric)).collect();
    let known: Vec<_> = Metric::ALL.iter().copied().filter(|metric| scored.contains(metric)).collect();
    if known.is_empty() { Metric::ALL[..1].to_vec() } else { known }
}

fn header(metrics: &[Metric], intervals: bool) -> impl Iterator<Item = &'static str> {
    let interval = intervals.then_some("95 %");
    let scores = metrics.iter().flat_map(move |metric| {
        [Some(metric.info().column), interval, Some("min..max")].into_iter().flatten()
    });
    let costs = ["params", "step ms", "GFLOP/s (MFU)", "MiB", "state", "n"];
    ["seq_len", "mixer"].into_iter().chain(scores).chain(costs)
}

/// Such as `accuracy: on test data, mean and range over n seeds.`
fn legend(metric: Metric, intervals: bool) -> String {
    let info = metric.info();
    let better = if info.lower_is_better { "; lower is better" } else { "" };
    let note = if info.note.is_empty() { String::new() } else { format!(", {}", info.note) };
    let what = match intervals {
        true => "mean, 95 % interval of the mean (Student's t, from 3 seeds on)\nand range",
        false => "mean and range",
    };
    format!("{}: {}, {what} over n seeds{better}{note}.", info.column, info.averaged)
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

fn row(seq_len: usize, label: &str, seeds: &[&Finished], metrics: &[Metric], intervals: bool) -> Vec<String> {
    let first = &seeds[0].summary;
    let mut cells = vec![seq_len.to_string(), label.into()];
    let evaluations: Vec<_> = evaluations(seeds.iter().copied()).filter(|e| e.condition.is_empty()).collect();
    for metric in metrics {
        let [mean, range] = score_cells(&evaluations, *metric);
        let interval = intervals.then(|| interval_cell(&evaluations, *metric));
        cells.extend([Some(mean), interval, Some(range)].into_iter().flatten());
    }
    cells.extend([
        HumanCount(first.parameters as u64).to_string(),
        or_dash(timing(seeds, |run| Some(run.step_ms)).map(|ms| format!("{ms:.1}"))),
        or_dash(speed(seeds)),
        or_dash(peak_mebibytes(seeds).map(|mebibytes| format!("{mebibytes:.1}"))),
        first.state_floats.map_or("none".into(), |floats| HumanCount(floats as u64).to_string()),
    ]);
    cells
}

/// How many seeds have numbers, and of how many if some failed.
fn count(seeds: &[&Finished], failed: &[Failed]) -> String {
    let first = seeds[0];
    let is_beside = |failed: &&Failed| {
        let place = |summary: &RunSummary, over: &[String]| {
            let values: Vec<_> = over.iter().map(|key| summary.settings.get(key).cloned()).collect();
            (summary.seq_len, values)
        };
        failed.label == first.label
            && place(&failed.summary, &failed.over) == place(&first.summary, &first.over)
    };
    match failed.iter().filter(is_beside).count() {
        0 => seeds.len().to_string(),
        failed => format!("{} of {}", seeds.len(), seeds.len() + failed),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or("-".into())
}

/// The operations per second, and their share of the peak where it was measured.
fn speed(seeds: &[&Finished]) -> Option<String> {
    let gflops = timing(seeds, |run| run.utilisation.gflops)?;
    Some(utilisation(gflops, timing(seeds, |run| run.utilisation.mfu)))
}

fn peak_mebibytes(seeds: &[&Finished]) -> Option<f64> {
    let bytes = mean(seeds.iter().filter_map(|run| Some(run.summary.peak_bytes? as f64)))?;
    Some(bytes / f64::from(1 << 20))
}

/// The mean over the runs that had the machine to themselves.
fn timing(seeds: &[&Finished], of: fn(&RunSummary) -> Option<f64>) -> Option<f64> {
    let timed = seeds.iter().map(|run| &run.summary).filter(|run| !run.timings_are_shared());
    // A training that a score ended before its own length has no time of a step.
    mean(timed.filter_map(of).filter(|value| value.is_finite()))
}

/// `None` if there are no values.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| mean_and_range(&values).mean)
}

fn values(evaluations: &[&Evaluation], metric: Metric) -> Vec<f64> {
    evaluations.iter().filter_map(|e| e.score?.value_of(metric)).collect()
}

/// The interval of the mean; a dash over too few seeds.
fn interval_cell(evaluations: &[&Evaluation], metric: Metric) -> String {
    let interval = Interval::of(&values(evaluations, metric));
    or_dash(
        interval.map(|Interval { low, high, .. }| format!("{}..{}", metric.write(low), metric.write(high))),
    )
}

/// Mean and range of these evaluations; dashes if nothing was measured.
fn score_cells(evaluations: &[&Evaluation], metric: Metric) -> [String; 2] {
    let values = values(evaluations, metric);
    let (spread, text) = (mean_and_range(&values), |value| metric.write(value));
    match values.is_empty() {
        true => ["-".into(), "-".into()],
        false => [text(spread.mean), format!("{}..{}", text(spread.low), text(spread.high))],
    }
}

/// A table of the scores under every test condition, one column each; nothing if there is only the condition of
/// training.
fn conditions(runs: &[Finished], metrics: &[Metric]) -> String {
    let columns = condition_columns(runs);
    if columns.is_empty() {
        return String::new();
    }
    let tables = metrics.iter().map(|metric| {
        let header = ["seq_len", "mixer"].into_iter().chain(columns.iter().map(|column| column.name));
        let lines = groups(runs).into_iter().map(|(seq_len, label, seeds)| -> Vec<String> {
            let cells = columns.iter().map(|column| column.cell(&seeds, *metric));
            [seq_len.to_string(), label.to_owned()].into_iter().chain(cells).collect()
        });
        let title = format!("{} by test condition; seq_len is that of training:", metric.info().column);
        format!("\n{title}\n\n{}\n", table(header, lines))
    });
    format!("{}\n", tables.collect::<String>())
}

/// A test condition that some run names. A run that was trained under it does not name it.
#[derive(PartialEq)]
struct ConditionColumn<'a> {
    name: &'a str,
    seq_len: Option<usize>,
    variant: &'a str,
}

impl ConditionColumn<'_> {
    fn cell(&self, seeds: &[&Finished], metric: Metric) -> String {
        let same = |e: &&Evaluation| (e.seq_len, e.variant.as_str()) == (self.seq_len, self.variant);
        let own: Vec<_> = evaluations(seeds.iter().copied()).filter(same).collect();
        let [mean, _] = score_cells(&own, metric);
        mean
    }
}

/// The columns by length, then by variant, with `8 pairs` before `16 pairs`.
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
