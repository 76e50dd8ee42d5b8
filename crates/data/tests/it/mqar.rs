use std::collections::{BTreeMap, BTreeSet};

use subquad_data::{Batch, Inputs, MqarConfig, MqarSize, Share, Targets, Task, TaskOptions};

fn config() -> MqarConfig {
    MqarConfig { vocab: 256, ..MqarConfig::default() }
}

fn task(config: MqarConfig, seq_len: usize, seed: u64) -> Box<dyn Task> {
    config.open(seq_len, seed).unwrap()
}

/// The tokens and labels of each example.
fn examples(batch: &Batch) -> Vec<(Vec<u32>, Vec<Option<u32>>)> {
    let (Inputs::Tokens(inputs), Targets::Tokens(targets)) = (&batch.inputs, &batch.targets) else {
        panic!("mqar has tokens on both sides")
    };
    let rows = inputs.chunks(batch.seq_len).zip(targets.chunks(batch.seq_len));
    rows.map(|(tokens, labels)| (tokens.to_vec(), labels.to_vec())).collect()
}

/// Checks an example by the definition.
fn check(tokens: &[u32], labels: &[Option<u32>], vocab: u32, n_pairs: usize) {
    let (context, tail) = tokens.split_at(2 * n_pairs);
    let pairs: BTreeMap<u32, u32> = context.chunks(2).map(|pair| (pair[0], pair[1])).collect();
    assert_eq!(pairs.len(), n_pairs, "keys are distinct");
    assert_eq!(pairs.values().collect::<BTreeSet<_>>().len(), n_pairs, "values are distinct");
    assert!(pairs.keys().all(|key| (1..vocab / 2).contains(key)));
    assert!(pairs.values().all(|value| (vocab / 2..vocab).contains(value)));
    assert!(labels[..2 * n_pairs].iter().all(Option::is_none), "the context has no labels");
    let asked = tail.iter().zip(&labels[2 * n_pairs..]).enumerate().filter(|(_, (_, label))| label.is_some());
    let asked: BTreeMap<u32, u32> = asked
        .map(|(place, (token, label))| {
            assert_eq!(place % 2, 0, "queries stand at even places");
            (*token, label.unwrap())
        })
        .collect();
    assert_eq!(asked, pairs, "every key is asked for once, with its value");
    assert_eq!(labels.iter().flatten().count(), n_pairs);
}

#[test]
fn every_key_is_queried_once_and_labelled_with_its_value() {
    for (seq_len, n_pairs) in [(4, 1), (8, 2), (64, 4), (64, 16), (128, 8), (250, 62)] {
        for random_non_queries in [false, true] {
            let task = task(
                MqarConfig { n_pairs: Share::Count(n_pairs), random_non_queries, ..config() },
                seq_len,
                3,
            );
            for batch in [task.train_batch(5, 20), task.test_batch(0, 0..20)] {
                for (tokens, labels) in examples(&batch) {
                    check(&tokens, &labels, 256, n_pairs);
                    let fillers =
                        tokens.iter().zip(&labels).skip(2 * n_pairs).filter(|(_, label)| label.is_none());
                    let blank = fillers.clone().filter(|(token, _)| **token == 0).count();
                    assert!(random_non_queries || blank == fillers.count(), "{tokens:?}");
                }
            }
        }
    }
}

#[test]
fn random_tokens_fill_the_tail_where_they_are_asked_for() {
    let n_pairs = Share::Count(4);
    let task = task(MqarConfig { n_pairs, random_non_queries: true, ..config() }, 128, 0);
    let tails = examples(&task.train_batch(0, 50)).into_iter().map(|(tokens, labels)| {
        tokens
            .into_iter()
            .zip(labels)
            .skip(8)
            .filter(|(_, label)| label.is_none())
            .map(|(token, _)| token)
            .collect()
    });
    let tokens: Vec<u32> = tails.flat_map(|tail: Vec<u32>| tail).collect();
    assert_eq!(tokens.len(), 50 * (128 - 8 - 4));
    let distinct: BTreeSet<_> = tokens.iter().collect();
    assert!(distinct.len() > 250 && distinct.contains(&0) && distinct.contains(&255), "{}", distinct.len());
}

/// With one pair the slot follows p_g itself; p_1 = 0.2472 for the 31 slots of 64 tokens.
#[test]
fn early_slots_are_asked_more_often() {
    const EXAMPLES: usize = 4000;
    let weights: Vec<f64> = (1..=31).map(|g| f64::from(g).powf(-0.99)).collect();
    let task = task(MqarConfig { n_pairs: Share::Count(1), ..config() }, 64, 0);
    let mut counts = [0; 31];
    for (_, labels) in examples(&task.train_batch(0, EXAMPLES)) {
        counts[labels.iter().position(Option::is_some).unwrap() / 2 - 1] += 1;
    }
    for (slot, (count, weight)) in counts.iter().zip(&weights).enumerate() {
        let (got, wanted) = (f64::from(*count) / EXAMPLES as f64, weight / weights.iter().sum::<f64>());
        let deviation = (wanted * (1.0 - wanted) / EXAMPLES as f64).sqrt();
        assert!((got - wanted).abs() < 5.0 * deviation, "slot {slot}: {got} for {wanted}");
    }
}

#[test]
fn fresh_examples_do_not_repeat_and_do_not_depend_on_the_batch_size() {
    let task = task(config(), 64, 0);
    assert_eq!(task.train_len(), None);
    let all = examples(&task.train_batch(0, 300));
    assert_eq!(all.iter().map(|(tokens, _)| tokens).collect::<BTreeSet<_>>().len(), 300);
    let parts: Vec<_> = (0..30).flat_map(|step| examples(&task.train_batch(step, 10))).collect();
    assert_eq!(all, parts);
}

#[test]
fn a_fixed_training_set_comes_once_an_epoch() {
    let task = task(MqarConfig { train_examples: 20, ..config() }, 64, 0);
    assert_eq!(task.train_len(), Some(20));
    let epochs = [0, 1].map(|step| examples(&task.train_batch(step, 20)));
    assert_ne!(epochs[0], epochs[1], "the order changes");
    let sets = epochs.map(|epoch| epoch.into_iter().collect::<BTreeSet<_>>());
    assert_eq!((sets[0].len(), &sets[0]), (20, &sets[1]));
}

#[test]
fn training_and_test_share_no_example() {
    // The seed of the test examples is 0: only the purpose of their stream distinguishes them from these.
    let task = task(config(), 64, 0);
    let tests: BTreeSet<_> = examples(&task.test_batch(0, 0..500)).into_iter().collect();
    assert!(examples(&task.train_batch(0, 500)).iter().all(|example| !tests.contains(example)));
}

fn sizes(texts: &[&str]) -> Vec<MqarSize> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn other_lengths_and_pair_counts_are_conditions_of_their_own() {
    let test_conditions = sizes(&["128x8", "64x4", "64x8"]);
    let task = task(MqarConfig { test_conditions, test_examples: 30, ..config() }, 64, 0);
    let conditions = task.conditions();
    let named: Vec<_> =
        conditions.iter().map(|c| (c.name.as_str(), c.seq_len, c.variant.as_str(), c.examples)).collect();
    // The condition of training is there already, under its empty name.
    assert_eq!(named, [("", 64, "4 pairs", 30), ("128x8", 128, "8 pairs", 30), ("64x8", 64, "8 pairs", 30)]);
    for (index, (seq_len, n_pairs)) in [(64, 4), (128, 8), (64, 8)].into_iter().enumerate() {
        let batch = task.test_batch(index, 0..30);
        assert_eq!(batch.seq_len, seq_len);
        examples(&batch).iter().for_each(|(tokens, labels)| check(tokens, labels, 256, n_pairs));
    }
}

#[test]
fn every_run_tests_a_size_on_the_same_examples() {
    let short = task(MqarConfig { test_conditions: sizes(&["64x8", "128x8"]), ..config() }, 64, 1);
    let long = task(MqarConfig { n_pairs: Share::Count(8), ..config() }, 128, 2);
    assert_eq!(short.test_batch(2, 3..9), long.test_batch(0, 3..9));
}

/// What is refused, and the options to blame.
fn refused(config: MqarConfig, seq_len: usize) -> Vec<(String, Vec<&'static str>)> {
    config.refusals(seq_len).into_iter().map(|refusal| (refusal.reason, refusal.fields)).collect()
}

#[test]
fn sizes_that_do_not_fit_are_refused_with_what_would() {
    let with = |n_pairs, vocab| MqarConfig { n_pairs: Share::Count(n_pairs), vocab, ..config() };
    let testing = |size: &str| MqarConfig { test_conditions: sizes(&[size]), ..config() };
    let length = "tokens come in twos, and a key-value pair with its query takes 4; nearest allowed: ";
    let cases: [(_, _, &[&str]); 10] = [
        (refused(with(4, 256), 65), format!("{length}64 or 66"), &[]),
        (refused(with(4, 256), 2), format!("{length}4"), &[]),
        (
            refused(with(17, 256), 64),
            "n_pairs = 17 at 64 tokens, but a pair takes 4: at most 16".into(),
            &["n_pairs"],
        ),
        (
            refused(with(0, 256), 64),
            "n_pairs must be an integer from 1 to 262143 or a share such as \"seq_len/16\", got 0".into(),
            &["n_pairs"],
        ),
        (refused(config(), 8), "n_pairs = 0 at 8 tokens, but there must be 1 to 2".into(), &["n_pairs"]),
        (
            refused(with(4, 255), 64),
            "vocab = 255 must be even: one half keys, one half values".into(),
            &["vocab"],
        ),
        (refused(with(4, 64), 64), "vocab = 64 must exceed the longest length, 64 tokens".into(), &["vocab"]),
        (
            refused(testing("512x8"), 64),
            "vocab = 256 must exceed the longest length, 512 tokens".into(),
            &["vocab"],
        ),
        (
            refused(testing("128x40"), 64),
            "n_pairs = 40 at 128 tokens, but a pair takes 4: at most 32".into(),
            &["test_conditions"],
        ),
        (
            refused(testing("65x4"), 64),
            "65x4: the length must be even, and at least 4".into(),
            &["test_conditions"],
        ),
    ];
    for (got, reason, fields) in cases {
        assert_eq!(got, [(reason, fields.to_vec())]);
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let test_conditions = sizes(&["128x40", "65x4"]);
    let config = MqarConfig { n_pairs: Share::Count(17), vocab: 63, test_conditions, ..config() };
    let blamed: Vec<_> = refused(config, 64).into_iter().map(|(_, fields)| fields[0]).collect();
    assert_eq!(blamed, ["n_pairs", "vocab", "vocab", "test_conditions", "test_conditions"]);
}

/// The smallest vocabulary that a length allows holds as many keys as its most pairs.
#[test]
fn every_vocabulary_above_the_length_has_enough_keys() {
    for seq_len in (4..200).step_by(2) {
        let n_pairs = Share::Count(seq_len / 4);
        let config = MqarConfig { n_pairs, vocab: seq_len.max(4) + 2, test_examples: 1, ..config() };
        let batch = task(config.clone(), seq_len, 0).test_batch(0, 0..1);
        let (tokens, labels) = &examples(&batch)[0];
        check(tokens, labels, config.vocab as u32, seq_len / 4);
    }
}

#[test]
fn a_list_of_conditions_has_an_end_and_no_size_twice() {
    let of = |sizes: Vec<MqarSize>| MqarConfig { vocab: 1024, test_conditions: sizes, ..config() };
    let size = |pairs| MqarSize { seq_len: 512, n_pairs: pairs };
    assert_eq!(of((1..=100).map(size).collect()).check(64), Ok(()));
    for sizes in [(1..=101).map(size).collect(), vec![size(1), size(1)], vec![size(0)]] {
        let [(reason, fields)] = &refused(of(sizes), 64)[..] else { panic!("refused once") };
        let start = "test_conditions must be a list of at most 100 different values, each a size such as \"128x8\", got [";
        assert!(reason.starts_with(start) && fields == &["test_conditions"], "{reason}");
    }
}
