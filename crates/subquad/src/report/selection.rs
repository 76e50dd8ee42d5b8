//! Which values of tuned axes are compared: for each label and length, those with the best score on the validation examples.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Value;
use subquad_bench::distinct;
use subquad_config::last_part;
use subquad_record::RunSummary;

use super::Finished;

/// The runs of one label and length that tried several values, with what was chosen.
pub(crate) struct Cell<'a> {
    pub(crate) label: &'a str,
    pub(crate) seq_len: usize,
    tried: Vec<Tried<'a>>,
    /// The index of the best.
    best: usize,
}

/// Runs that differ only in their seed.
struct Tried<'a> {
    /// The value of each tuned axis.
    values: Vec<(&'a str, &'a Value)>,
    runs: Vec<&'a Finished>,
}

/// A chosen value of a tuned axis.
pub(crate) struct Choice<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a Value,
    /// Whether it is the smallest or the largest number that was tried.
    pub(crate) is_edge: bool,
}

/// All cells of runs that tune something, in the order of the runs.
pub(crate) fn cells(runs: &[Finished]) -> Vec<Cell<'_>> {
    let tuned = || runs.iter().filter(|run| !run.over.is_empty());
    let places = distinct(tuned().map(|run| (run.label.as_str(), run.summary.seq_len)));
    let cell = |(label, seq_len)| {
        let own = tuned().filter(|run| run.label == label && run.summary.seq_len == seq_len);
        Cell::new(label, seq_len, own.collect())
    };
    places.into_iter().map(cell).collect()
}

/// The runs to compare: all but those that tried a value that was not chosen.
pub(crate) fn compared(runs: &[Finished]) -> Vec<Finished> {
    let cells = cells(runs);
    let chosen: HashSet<&str> =
        cells.iter().flat_map(Cell::chosen).map(|run| run.summary.run.as_str()).collect();
    let is_compared = |run: &&Finished| run.over.is_empty() || chosen.contains(run.summary.run.as_str());
    runs.iter().filter(is_compared).cloned().collect()
}

impl<'a> Cell<'a> {
    fn new(label: &'a str, seq_len: usize, runs: Vec<&'a Finished>) -> Self {
        let settings = distinct(runs.iter().map(|run| values(run)));
        let tried = settings.into_iter().map(|values_of| {
            let own = runs.iter().copied().filter(|run| values(run) == values_of);
            Tried { runs: own.collect(), values: values_of }
        });
        let tried: Vec<_> = tried.collect();
        let better = |one: &usize, other: &usize| tried[*one].compare(&tried[*other]);
        // The first of equals, which `max_by` would give last.
        let best = (0..tried.len()).rev().max_by(better).unwrap_or(0);
        Self { label, seq_len, tried, best }
    }

    /// The runs that are compared.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &'a Finished> {
        self.tried[self.best].runs.iter().copied()
    }

    /// What was chosen of each tuned axis.
    pub(crate) fn choices(&self) -> impl Iterator<Item = Choice<'a>> {
        let best = self.tried[self.best].values.iter();
        best.map(|(key, value)| Choice { key, value, is_edge: self.is_edge(key, value) })
    }

    /// The runs that were tried with this number of a tuned axis and the best values of the others.
    pub(crate) fn at(&self, key: &str) -> Vec<(f64, &[&'a Finished])> {
        let numbers = self.tried.iter().filter_map(|tried| Some((tried.number(key)?, tried)));
        let mut best: Vec<(f64, &Tried<'a>)> = vec![];
        for (number, tried) in numbers {
            match best.iter_mut().find(|(other, _)| *other == number) {
                Some((_, other)) if tried.compare(other) == Ordering::Greater => *other = tried,
                Some(_) => {}
                None => best.push((number, tried)),
            }
        }
        best.into_iter().map(|(number, tried)| (number, tried.runs.as_slice())).collect()
    }

    fn is_edge(&self, key: &str, value: &Value) -> bool {
        let numbers = || self.tried.iter().filter_map(|tried| tried.number(key));
        let (Some(low), Some(high)) = (numbers().reduce(f64::min), numbers().reduce(f64::max)) else {
            return false;
        };
        // Below 0 there is nothing to try: a rate, a decay or a share of 0 is none.
        let is_end = |end: f64| value.as_f64() == Some(end) && low != high;
        is_end(high) || is_end(low) && low != 0.0
    }
}

impl Tried<'_> {
    /// Which is better: the one with more runs that can be judged, because a value at which training fails is no choice; of equals, the
    /// one with the better mean score.
    fn compare(&self, other: &Self) -> Ordering {
        let judged = |tried: &Self| tried.runs.iter().filter(|run| run.summary.validation.is_some()).count();
        judged(self).cmp(&judged(other)).then_with(|| {
            let goodness = |tried: &Self| mean(tried.runs.iter().map(|run| goodness(&run.summary)));
            goodness(self).total_cmp(&goodness(other))
        })
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.values.iter().find(|(other, _)| *other == key)?.1.as_f64()
    }
}

/// The validation score, larger if better; the worst if there is none, or it is not a number.
fn goodness(run: &RunSummary) -> f64 {
    let score = run.validation.as_ref().and_then(|validation| validation.score);
    let signed = score.map(|score| match score.metric.info().lower_is_better {
        true => -score.value,
        false => score.value,
    });
    signed.filter(|score| score.is_finite()).unwrap_or(f64::NEG_INFINITY)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// What a run tried of each tuned axis.
fn values(run: &Finished) -> Vec<(&str, &Value)> {
    let value = |key: &'_ String| run.summary.settings.get_key_value(key);
    run.over.iter().filter_map(value).map(|(key, value)| (key.as_str(), value)).collect()
}

/// What a reader must know of the selection; nothing if nothing was tuned.
pub(crate) fn note(runs: &[Finished]) -> Option<String> {
    let cells = cells(runs);
    let keys = distinct(cells.iter().flat_map(Cell::choices).map(|choice| last_part(choice.key)));
    let edges = cells.iter().flat_map(Cell::choices).any(|choice| choice.is_edge);
    let edge = if edges { "\n(edge): the smallest or the largest value that was tried." } else { "" };
    (!keys.is_empty()).then(|| {
        format!(
            "{}: the value with the best mean score on validation examples over seeds; the scores are on test examples.{edge}",
            keys.join(" and ")
        )
    })
}

/// A warning about runs that cannot be judged; `None` if there are none.
pub(crate) fn unjudged(runs: &[Finished]) -> Option<String> {
    let count = runs.iter().filter(|run| !run.over.is_empty() && run.summary.validation.is_none()).count();
    (count > 0).then(|| {
        format!(
            "{count} of {} runs have no validation score, because an older program did them, and are chosen only where none has; --force repeats them",
            runs.len()
        )
    })
}

/// A warning about chosen values beyond which a better one may lie; `None` if there is none.
pub(crate) fn edges(runs: &[Finished]) -> Option<String> {
    let cells = cells(runs);
    let at_edge = cells.iter().flat_map(|cell| {
        let own = cell.choices().filter(|choice| choice.is_edge);
        own.map(|Choice { key, value, .. }| {
            format!("{key} = {value} of {} at {} tokens", cell.label, cell.seq_len)
        })
    });
    let all: Vec<String> = at_edge.collect();
    let more = all.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(", and {more} more in the table") } else { String::new() };
    (!all.is_empty()).then(|| {
        format!(
            "chosen at an edge of what was tried, so that a better value may lie beyond: {}{rest}; widen the axis",
            all[..all.len().min(NAMED)].join(", ")
        )
    })
}

/// How many edges a warning names.
const NAMED: usize = 4;
