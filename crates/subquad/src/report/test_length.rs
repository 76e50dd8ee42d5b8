//! Accuracy of runs that test at several lengths: a panel a training length, or several where a length is tested with more
//! than one variant, such as numbers of pairs.

use subquad_plot::summary::Sample;
use subquad_record::Evaluation;

use super::figures::sample;
use super::{Finished, distinct};

/// A run, its result under one test condition, and the length of that.
type Test<'a> = (&'a Finished, &'a Evaluation, usize);

/// A sample a run and condition.
pub(super) fn by_test_length(runs: &[Finished]) -> Vec<Sample> {
    by_training_length(runs).into_iter().flat_map(|tests| samples(&tests)).collect()
}

/// What the points are, and what else than the length differs along a line.
pub(super) fn test_length_note(runs: &[Finished]) -> String {
    let notes = by_training_length(runs).into_iter().filter_map(|tests| varying(&tests));
    let what = "Accuracy of each trained model on test sequences of other lengths.".to_owned();
    std::iter::once(what).chain(notes).collect::<Vec<_>>().join(" ")
}

/// The tests of runs that test at several lengths, in the order of panels and points.
fn by_training_length(runs: &[Finished]) -> Vec<Vec<Test<'_>>> {
    let several = |run: &&Finished| distinct(run.summary.evaluations.iter().map(|e| e.seq_len)).len() > 1;
    let runs: Vec<&Finished> = runs.iter().filter(several).collect();
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

fn samples(tests: &[Test<'_>]) -> Vec<Sample> {
    let split = is_split(tests);
    let panel = |trained: usize, variant: &str| match split {
        true => format!("trained at {trained}, test: {variant}"),
        false => format!("trained at length {trained}"),
    };
    let point = |(run, e, length): &Test<'_>| {
        Some(sample(run, panel(run.summary.seq_len, &e.variant), *length as f64, e.accuracy?))
    };
    tests.iter().filter_map(point).collect()
}

/// Each length with each of its variants, once.
fn conditions<'a>(tests: &[Test<'a>]) -> Vec<(usize, &'a str)> {
    let mut conditions = distinct(tests.iter().map(|(_, e, length)| (*length, e.variant.as_str())));
    conditions.sort_by_key(|(length, _)| *length);
    conditions
}

/// Whether one length has several variants, in whichever runs: one line cannot hold them.
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
