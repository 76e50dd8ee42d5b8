//! The comparison of a study as a text that stands by itself: what was run, how it was compared, what came out.

use std::collections::BTreeMap;

use subquad_bench::distinct;
use subquad_config::last_part;
use subquad_options::number::grouped;
use subquad_record::{RunSummary, text_of};

use super::{Finished, StudyResults, report};

/// The paragraphs before the tables, and the tables.
pub(super) fn whole_report(study: &str, results: &StudyResults) -> String {
    let opening = results.finished.first().map_or(String::new(), |first| opening(study, results, first));
    format!("{opening}{}", report(results))
}

fn opening(study: &str, results: &StudyResults, first: &Finished) -> String {
    let runs: Vec<&RunSummary> = results.finished.iter().map(|run| &run.summary).collect();
    let all = |of: fn(&RunSummary) -> String| distinct(runs.iter().map(|run| of(run))).join(", ");
    let commits = all(|run| run.build_commit.clone().unwrap_or("unknown".into()));
    let counted = |count: usize| grouped(count as u128);
    let lines = [
        format!("{study}: {} runs, {} of them with numbers.", counted(results.count()), counted(runs.len())),
        format!("task: {}", all(|run| run.task.clone())),
        format!("mixers: {}", all(|run| run.mixer.clone())),
        format!("seq_len: {}", all(|run| run.seq_len.to_string())),
        format!("seeds: {}", all(|run| run.seed.to_string())),
        varied(&runs),
        tuned(first, results),
        format!(
            "device: {}, {} form; build commit {commits}",
            all(|run| run.device.clone()),
            all(|run| run.form.clone())
        ),
    ];
    let lines: String =
        lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    format!("{lines}\n")
}

/// A line for each other key that differs between runs.
fn varied(runs: &[&RunSummary]) -> String {
    let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, value) in runs.iter().flat_map(|run| &run.settings) {
        values.entry(key).or_default().push(text_of(Some(value)));
    }
    let lines =
        values.into_iter().map(|(key, values)| format!("{key}: {}", distinct(values.into_iter()).join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// How settings were chosen.
fn tuned(first: &Finished, results: &StudyResults) -> String {
    let keys = distinct(results.finished.iter().flat_map(|run| run.over.iter().map(|key| last_part(key))));
    let metric = first.summary.score().map_or("score", |score| score.metric.info().column);
    match keys.is_empty() {
        true => "Nothing was chosen by a score.".into(),
        false => format!(
            "For each mixer and length, {} was chosen by the mean validation {metric} over seeds; the numbers below are of test examples, \
             which played no part in it.",
            keys.join(" and ")
        ),
    }
}
