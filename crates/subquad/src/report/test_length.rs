//! Scores of runs that test at several lengths: one panel per training length, or several where a length is tested
//! with more than one variant, such as numbers of pairs.

use subquad_bench::distinct;
use subquad_data::Metric;
use subquad_plot::summary::Sample;
use subquad_record::Evaluation;

use super::Finished;
use super::samples::sample;

/// A run, its result under one test condition, and that condition's length.
type Test<'a> = (&'a Finished, &'a Evaluation, usize);

/// One sample per run and condition, for the runs that are scored by this metric. The note says what the points are,
/// and what varies along a line besides the length.
pub(super) fn by_test_length(runs: &[Finished], metric: Metric) -> (Vec<Sample>, String) {
    let groups = by_training_length(runs, metric);
    let samples = groups.iter().flat_map(|tests| samples(tests, metric)).collect();
    let title = metric.info().title;
    let what = format!("{title} of each trained model on test sequences of other lengths.");
    let notes = groups.iter().filter_map(|tests| varying(tests));
    (samples, std::iter::once(what).chain(notes).collect::<Vec<_>>().join(" "))
}

/// The tests of runs that test at several lengths, in the order of panels and points.
fn by_training_length(runs: &[Finished], metric: Metric) -> Vec<Vec<Test<'_>>> {
    let scored = |run: &Finished| run.summary.score().is_some_and(|score| score.metric == metric);
    let several = |run: &Finished| distinct(run.summary.evaluations.iter().map(|e| e.seq_len)).len() > 1;
    let runs: Vec<&Finished> = runs.iter().filter(|run| scored(run) && several(run)).collect();
    let of_length = |trained: usize| {
        let own = runs.iter().filter(|run| run.summary.seq_len == trained);
        let mut tests: Vec<Test<'_>> = own.flat_map(|run| tests(run)).collect();
        // `8 pairs` before `16 pairs`.
        tests.sort_by_key(|(_, e, length)| (e.variant.len(), e.variant.as_str(), *length));
        tests
    };
    distinct(runs.iter().map(|run| run.summary.seq_len)).into_iter().map(of_length).collect()
}

fn tests(run: &Finished) -> impl Iterator<Item = Test<'_>> {
    run.summary.evaluations.iter().filter_map(move |e| Some((run, e, e.seq_len?)))
}

fn samples(tests: &[Test<'_>], metric: Metric) -> Vec<Sample> {
    let split = is_split(tests);
    let panel = |trained: usize, variant: &str| match split {
        true => format!("trained at {trained}, test: {variant}"),
        false => format!("trained at length {trained}"),
    };
    let point = |(run, e, length): &Test<'_>| {
        let y = e.score?.value_of(metric)?;
        Some(sample(run, panel(run.summary.seq_len, &e.variant), *length as f64, y))
    };
    tests.iter().filter_map(point).collect()
}

/// Each length with each of its variants, once.
fn conditions<'a>(tests: &[Test<'a>]) -> Vec<(usize, &'a str)> {
    let mut conditions = distinct(tests.iter().map(|(_, e, length)| (*length, e.variant.as_str())));
    conditions.sort_by_key(|(length, _)| *length);
    conditions
}

/// Whether one length has several variants, in any of the runs: one line cannot hold them.
fn is_split(tests: &[Test<'_>]) -> bool {
    conditions(tests).windows(2).any(|pair| pair[0].0 == pair[1].0)
}

/// Such as `Trained at length 32: 2 pairs at 32 tokens, 4 pairs at 64 tokens.`
fn varying(tests: &[Test<'_>]) -> Option<String> {
    let (trained, conditions) = (tests.first()?.0.summary.seq_len, conditions(tests));
    let varies = distinct(conditions.iter().map(|(_, variant)| variant)).len() > 1;
    let list: Vec<_> =
        conditions.iter().map(|(length, variant)| format!("{variant} at {length} tokens")).collect();
    (varies && !is_split(tests)).then(|| format!("Trained at length {trained}: {}.", list.join(", ")))
}
