//! From the runs of a study to the samples of its figures.

use subquad_bench::distinct;
use subquad_data::{Loss, Metric};
use subquad_options::pattern_words;
use subquad_plot::summary::Sample;
use subquad_record::{RecordError, Row, RunSummary, read_rows};

use super::Finished;

/// Runs with their rows.
pub(super) struct Logs<'a> {
    runs: &'a [Finished],
    rows: Vec<Vec<Row>>,
}

/// A run with its rows.
type Log<'a> = (&'a Finished, &'a [Row]);

impl<'a> Logs<'a> {
    pub(super) fn read(runs: &'a [Finished]) -> Result<Self, RecordError> {
        let rows =
            runs.iter().map(|run| read_rows(&run.dir.join("metrics.jsonl"))).collect::<Result<_, _>>()?;
        Ok(Self { runs, rows })
    }

    /// Losses on the training batches, of the runs that minimise this one.
    pub(super) fn losses(&self, loss: Loss) -> Vec<Sample> {
        let minimised = |metric: Option<Metric>| metric.map_or(Loss::CrossEntropy, |m| m.info().loss);
        self.by_step(&self.of(|metric| minimised(metric) == loss), "train", |row| Some(row.loss))
    }

    /// Scores on validation or test data if the runs were evaluated on them during training, otherwise on the training batches, and a
    /// sentence that says which.
    pub(super) fn scores(&self, metric: Metric) -> (Vec<Sample>, String) {
        let own = self.of(|other| other == Some(metric));
        let scores = |split| self.by_step(&own, split, |row| value(row, metric));
        let title = metric.info().title;
        for split in ["validation", "test"] {
            let held_out = scores(split);
            if held_out.len() > own.len() {
                return (held_out, format!("{title} on all {split} examples."));
            }
        }
        (scores("train"), format!("{title} on the training batches."))
    }

    /// The runs whose metric is wanted.
    fn of(&self, wanted: impl Fn(Option<Metric>) -> bool) -> Vec<Log<'_>> {
        let logs = self.runs.iter().zip(self.rows.iter().map(Vec::as_slice));
        logs.filter(|(run, rows)| wanted(metric_of(run, rows))).collect()
    }

    fn by_step(&self, logs: &[Log<'_>], split: &str, y: impl Fn(&Row) -> Option<f64>) -> Vec<Sample> {
        let title = |run: &Finished| joined([task_title(self.runs, run), length_title(run)]);
        let mut samples = vec![];
        for &(run, rows) in logs {
            let rows = rows.iter().filter(|row| row.split == split && row.condition.is_empty());
            samples.extend(rows.filter_map(|row| Some(sample(run, title(run), row.step as f64, y(row)?))));
        }
        samples
    }
}

/// The metric of the run's evaluations, or otherwise of its rows; `None` if no score was a finite number, because
/// such scores leave no trace.
fn metric_of(run: &Finished, rows: &[Row]) -> Option<Metric> {
    let scores = run.summary.evaluations.iter().map(|e| e.score).chain(rows.iter().map(|row| row.score));
    scores.flatten().next().map(|score| score.metric)
}

/// The row of a run that is scored by this metric. Rows of older programs hold no score that follows from the loss.
fn value(row: &Row, metric: Metric) -> Option<f64> {
    row.score.or_else(|| metric.of_loss(row.loss))?.value_of(metric)
}

/// One sample per run, against its length.
pub(super) fn by_length(runs: &[Finished], y: impl Fn(&RunSummary) -> Option<f64>) -> Vec<Sample> {
    let point = |run: &Finished| {
        Some(sample(run, task_title(runs, run), run.summary.seq_len as f64, y(&run.summary)?))
    };
    runs.iter().filter_map(point).collect()
}

/// One sample per run, against the size of its state: one line for each other setting. None unless the sweep varies
/// `d_state`.
pub(super) fn by_state(runs: &[Finished], y: impl Fn(&RunSummary) -> Option<f64>) -> Vec<Sample> {
    let varied: Vec<(usize, Finished)> = runs.iter().filter_map(varied).collect();
    if distinct(varied.iter().map(|(d_state, _)| *d_state)).len() < 2 {
        return vec![];
    }
    let several_lengths = distinct(varied.iter().map(|(_, run)| run.summary.seq_len)).len() > 1;
    let panel = |run: &Finished| {
        let length = several_lengths.then(|| length_title(run));
        joined([task_title(runs, run), length.unwrap_or_default()])
    };
    let point =
        |(d_state, run): &(usize, Finished)| Some(sample(run, panel(run), *d_state as f64, y(&run.summary)?));
    varied.iter().filter_map(point).collect()
}

/// The run's states per channel, and the run without them in its label; `None` if the sweep does not vary them.
fn varied(run: &Finished) -> Option<(usize, Finished)> {
    let of = |mixer: &str| run.summary.settings.get(&format!("mixer.{mixer}.d_state"))?.as_u64();
    let d_state = pattern_words(&run.summary.mixer).find_map(of)?;
    let own = format!("d_state={d_state}");
    let others: Vec<&str> = run.label.split(' ').filter(|word| *word != own).collect();
    Some((usize::try_from(d_state).ok()?, Finished { label: others.join(" "), ..run.clone() }))
}

/// The task, if a study has several, because their scores cannot be compared; nothing if it has one.
pub(super) fn task_title(runs: &[Finished], run: &Finished) -> String {
    let several = runs.iter().any(|other| other.summary.task != run.summary.task);
    if several { run.summary.task.clone() } else { String::new() }
}

pub(super) fn length_title(run: &Finished) -> String {
    format!("length {}", run.summary.seq_len)
}

/// Those parts of a title that say something.
pub(super) fn joined<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// If a config is named after its task, the label of its line repeats what the title of the panel says.
pub(super) fn sample(run: &Finished, panel: String, x: f64, y: f64) -> Sample {
    let task = &run.summary.task;
    let own = run.label.strip_suffix(&format!(" ({task})")).filter(|_| panel.starts_with(task.as_str()));
    Sample { line: own.unwrap_or(&run.label).into(), panel, seed: run.summary.seed, x, y }
}
