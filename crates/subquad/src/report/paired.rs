//! Which mixers are ahead of which: differences between runs of the same seed, with their intervals.

use std::collections::BTreeMap;

use subquad_bench::distinct;
use subquad_data::Metric;
use subquad_plot::Interval;

use super::Finished;

/// A label and its score by seed.
type Scores<'a> = (&'a str, BTreeMap<u64, f64>);

/// A line for each length, and for each setting of the other axes if each has several mixers, at which the best label can be compared with
/// another one over at least three seeds; nothing if there is none.
pub(super) fn paired(runs: &[Finished], metric: Metric) -> String {
    let lengths = distinct(runs.iter().map(|run| run.summary.seq_len));
    let places = lengths
        .into_iter()
        .flat_map(|seq_len| settings(runs, seq_len).into_iter().map(move |axes| (seq_len, axes)));
    let lines: String = places.filter_map(|(seq_len, axes)| line(runs, seq_len, axes, metric)).collect();
    let column = metric.info().column;
    match lines.is_empty() {
        true => lines,
        false => format!(
            "\n{column} between runs of the same seed: mean difference and its 95 % interval (Student's t, not\n\
             corrected for several comparisons); \"ahead\" only where that excludes 0.\n{lines}\n"
        ),
    }
}

/// What mixers are compared under: each setting of the other axes, or all together if one of them has a single mixer.
fn settings(runs: &[Finished], seq_len: usize) -> Vec<Option<&str>> {
    let labels =
        distinct(runs.iter().filter(|run| run.summary.seq_len == seq_len).map(|run| run.label.as_str()));
    let all = distinct(labels.iter().map(|label| axes(label)));
    let count = |setting: &&str| labels.iter().filter(|label| axes(label) == *setting).count();
    match all.iter().all(|setting| count(setting) > 1) {
        true => all.into_iter().map(Some).collect(),
        false => vec![None],
    }
}

/// A label without its mixer.
fn axes(label: &str) -> &str {
    label.split_once(' ').map_or("", |(_, axes)| axes)
}

fn line(runs: &[Finished], seq_len: usize, setting: Option<&str>, metric: Metric) -> Option<String> {
    let mut scores = scores(runs, seq_len, metric);
    scores.retain(|(label, _)| setting.is_none_or(|setting| axes(label) == setting));
    let best = best(&scores, metric)?;
    let (ahead, level): (Vec<_>, Vec<_>) = scores
        .iter()
        .filter_map(|other| Some((other.0, lead(best, other, metric)?)))
        .partition(|(_, lead)| lead.excludes_zero());
    let write = |value| metric.write(value);
    let ahead = ahead.into_iter().map(|(label, Interval { mean, low, high })| {
        format!("{label} by {} ({} to {})", write(mean), write(low), write(high))
    });
    let level = level.into_iter().map(|(label, Interval { mean, low, high })| {
        format!("{label} ({}; {} to {})", write(mean), write(low), write(high))
    });
    let parts = [listed("ahead of", ahead), listed("not clearly ahead of", level)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("  {seq_len} tokens: {} is {}.\n", best.0, parts.join("; ")))
}

/// The words and what they are about; nothing if that is nothing.
fn listed(words: &str, items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| format!("{words} {}", items.join(", ")))
}

/// The scores under the condition of training.
fn scores(runs: &[Finished], seq_len: usize, metric: Metric) -> Vec<Scores<'_>> {
    let own = || runs.iter().filter(|run| run.summary.seq_len == seq_len);
    let score = |run: &Finished| {
        let evaluation = run.summary.evaluations.iter().find(|e| e.condition.is_empty())?;
        Some((run.summary.seed, evaluation.score?.value_of(metric)?))
    };
    let labels = distinct(own().map(|run| run.label.as_str()));
    let of = |label| own().filter(move |run| run.label == label).filter_map(score).collect();
    labels.into_iter().map(|label| (label, of(label))).collect()
}

/// The label with the best mean; one with a run that diverged is not the best.
fn best<'s, 'a>(scores: &'s [Scores<'a>], metric: Metric) -> Option<&'s Scores<'a>> {
    let mean = |(_, seeds): &Scores<'_>| seeds.values().sum::<f64>() / seeds.len() as f64;
    let finite = scores.iter().filter(|scores| mean(scores).is_finite());
    finite.max_by(|one, other| {
        let order = mean(one).total_cmp(&mean(other));
        if metric.info().lower_is_better { order.reverse() } else { order }
    })
}

/// By how much `best` is better than `other` over the seeds that both have; `None` for itself, or over too few.
fn lead(best: &Scores<'_>, other: &Scores<'_>, metric: Metric) -> Option<Interval> {
    let sign = if metric.info().lower_is_better { -1.0 } else { 1.0 };
    let difference = |(seed, score): (&u64, &f64)| Some(sign * (score - other.1.get(seed)?));
    let differences: Vec<f64> = best.1.iter().filter_map(difference).collect();
    Interval::of(&differences).filter(|_| best.0 != other.0)
}
