use std::path::{Path, PathBuf};

use subquad_data::{
    AddingConfig, AssociativeRecallConfig, Batch, BytesConfig, CopyingConfig, DelayConfig, DigitsConfig,
    FewTests, HeldOut, InductionHeadsConfig, Inputs, MaskedBytesConfig, MnistConfig, MqarConfig,
    ParityConfig, Permutation, ReconstructConfig, SelectiveCopyingConfig, Share, StateTrackingConfig, Task,
    TaskConfig, TaskOptions, tasks,
};
use subquad_options::Value;

use crate::mnist::made_up;

/// Every task, and a length that it supports.
fn all() -> Vec<(TaskConfig, usize)> {
    let test_conditions = vec!["128x8".parse().unwrap(), "64x8".parse().unwrap()];
    vec![
        (TaskConfig::Digits(DigitsConfig::default()), 64),
        (TaskConfig::Mqar(MqarConfig { test_conditions, ..MqarConfig::default() }), 64),
        (TaskConfig::Mnist(made_up()), 784),
        (TaskConfig::Bytes(BytesConfig::default()), 50),
        (TaskConfig::MaskedBytes(MaskedBytesConfig::default()), 50),
        (TaskConfig::Delay(DelayConfig { lag: Share::Count(5), ..DelayConfig::default() }), 41),
        (TaskConfig::Reconstruct(ReconstructConfig::default()), 40),
        (TaskConfig::Parity(ParityConfig::default()), 40),
        (TaskConfig::AssociativeRecall(AssociativeRecallConfig::default()), 40),
        (TaskConfig::InductionHeads(InductionHeadsConfig::default()), 40),
        (TaskConfig::Copying(CopyingConfig::default()), 40),
        (TaskConfig::SelectiveCopying(SelectiveCopyingConfig::default()), 40),
        (TaskConfig::Adding(AddingConfig::default()), 40),
        (TaskConfig::StateTracking(StateTrackingConfig::default()), 40),
    ]
}

#[test]
fn every_listed_task_has_a_config_and_opens_under_its_name() {
    let names: Vec<_> = all().iter().map(|(config, _)| config.info().name).collect();
    assert_eq!(names, TaskConfig::names(), "`all` in this file has every task, in the order of the registry");
    for (config, seq_len) in all() {
        let (task, info) = (config.open(seq_len, 0).unwrap(), config.info());
        assert_eq!((task.name(), task.seq_len()), (info.name, seq_len));
        assert_eq!((task.input(), task.target()), (config.input(), config.target(seq_len)));
        assert!(!info.summary.is_empty() && !info.lengths.is_empty() && !info.data.is_empty());
    }
}

#[test]
fn the_first_condition_is_that_of_training() {
    for (config, seq_len) in all() {
        let conditions = config.open(seq_len, 0).unwrap().conditions();
        let others: Vec<_> = conditions[1..].iter().map(|condition| condition.seq_len).collect();
        assert_eq!(others, config.test_lengths());
        assert_eq!((conditions[0].name.as_str(), conditions[0].seq_len), ("", seq_len));
        assert!(conditions[1..].iter().all(|condition| !condition.name.is_empty()));
    }
}

#[test]
fn batches_have_the_shape_that_the_task_announces() {
    for (config, seq_len) in all() {
        let task = config.open(seq_len, 0).unwrap();
        let batch = task.train_batch(7, 3);
        assert_eq!((batch.batch, batch.seq_len), (3, seq_len));
        for (index, condition) in task.conditions().iter().enumerate() {
            let batch = task.test_batch(index, condition.examples - 2..condition.examples);
            assert_eq!((batch.batch, batch.seq_len), (2, condition.seq_len), "{condition:?}");
        }
    }
}

#[test]
fn a_batch_is_a_pure_function_of_seed_and_step() {
    for (config, seq_len) in all() {
        let (a, b) = (config.open(seq_len, 7).unwrap(), config.open(seq_len, 7).unwrap());
        let later = a.train_batch(100, 4);
        assert_eq!(a.train_batch(0, 4), b.train_batch(0, 4), "{config:?}");
        assert_eq!(later, b.train_batch(100, 4), "{config:?}");
        assert_ne!(a.train_batch(0, 4), a.train_batch(1, 4), "{config:?}");
        assert_ne!(a.train_batch(0, 4), config.open(seq_len, 8).unwrap().train_batch(0, 4), "{config:?}");
    }
}

#[test]
fn every_seed_tests_on_the_same_examples() {
    for (config, seq_len) in all() {
        let (a, b) = (config.open(seq_len, 1).unwrap(), config.open(seq_len, 2).unwrap());
        for index in 0..a.conditions().len() {
            assert_eq!(a.test_batch(index, 0..5), b.test_batch(index, 0..5), "{config:?}");
        }
    }
}

#[test]
fn digits_takes_squares_from_64_and_names_the_nearest_otherwise() {
    for seq_len in [64, 81, 100, 784, 1024, 16384] {
        assert_eq!(DigitsConfig::default().check(seq_len), Ok(()), "seq_len = {seq_len}");
    }
    for (seq_len, nearest) in
        [(0, "64"), (1, "64"), (49, "64"), (63, "64"), (65, "64 or 81"), (1000, "961 or 1024")]
    {
        let error = DigitsConfig::default().check(seq_len).unwrap_err();
        let wanted = format!(
            "digits cannot have seq_len = {seq_len}: an image is a square of at least 8 x 8 pixels, one pixel per token; \
             nearest allowed: {nearest}"
        );
        assert_eq!(error.to_string(), wanted);
        assert_eq!(Some(error), DigitsConfig::default().open(seq_len, 0).err());
    }
}

#[test]
fn no_rule_stumbles_over_a_length() {
    for (config, own) in all() {
        assert_eq!(config.refusals(own), [], "{config:?}");
        for seq_len in [0, 1, 2, 3, usize::MAX - 1, usize::MAX] {
            let blames_the_length = config.refusals(seq_len).iter().any(|refusal| refusal.fields.is_empty());
            assert!(blames_the_length || seq_len > 0, "{config:?} at {seq_len} tokens");
        }
    }
}

/// The task of the registry with its defaults, except for `changed`.
fn read(name: &str, path: &str, changed: &[(&str, Value)]) -> Option<(TaskConfig, Option<String>)> {
    let fields = tasks().into_iter().find(|task| task.info.name == name)?.fields;
    let value = |key: &str| {
        let changed = changed.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        changed.or_else(|| fields.iter().find(|field| field.name == key)?.default.clone())
    };
    let (task, refused) = TaskConfig::read(name, Path::new(path), &value)?;
    Some((task, refused.map(|refusal| refusal.to_string())))
}

#[test]
fn a_task_is_read_by_its_name_with_the_values_of_its_options() {
    let sizes = Value::List(vec![Value::from("128x8")]);
    let changed =
        [("vocab", Value::Integer(512)), ("n_pairs", Value::Integer(3)), ("test_conditions", sizes)];
    let test_conditions = vec!["128x8".parse().unwrap()];
    let wanted =
        MqarConfig { vocab: 512, n_pairs: Share::Count(3), test_conditions, ..MqarConfig::default() };
    assert_eq!(read("mqar", "", &changed), Some((TaskConfig::Mqar(wanted), None)));
    let wanted = DelayConfig { lag: Share::OfLength(8), ..DelayConfig::default() };
    let changed = [("lag", Value::from("seq_len/8"))];
    assert_eq!(read("delay", "", &changed), Some((TaskConfig::Delay(wanted), None)));
    let path = PathBuf::from("here");
    let wanted = MnistConfig { path, permutation: Permutation::BitReversal, ..MnistConfig::default() };
    let changed = [("permutation", Value::from("bit_reversal"))];
    assert_eq!(read("mnist", "here", &changed), Some((TaskConfig::Mnist(wanted), None)));
    assert_eq!(read("mnist", "", &[("permutation", Value::from("backwards"))]), None);
    assert_eq!(read("digit", "", &[]), None);
}

#[test]
fn only_tasks_that_read_files_take_a_path() {
    for name in TaskConfig::names() {
        let (with, without) = (read(name, "here", &[]).unwrap(), read(name, "", &[]).unwrap());
        let reads_files = ["mnist", "bytes", "masked_bytes"].contains(&name);
        let words = format!("task {name} reads no files, so task.path would do nothing; leave it out");
        assert_eq!(with.1, (!reads_files).then_some(words));
        assert_eq!(with.0 != without.0, reads_files, "{name}");
        assert_eq!(without.1, None);
    }
}

#[test]
fn every_option_has_help_and_a_default_that_it_allows() {
    for task in tasks() {
        for field in task.fields.iter().filter(|field| !field.given) {
            let default = field.default.as_ref().unwrap();
            assert!(
                field.kind.accept(default).as_ref() == Some(default),
                "{}.{}",
                task.info.name,
                field.name
            );
            assert!(field.help.ends_with('.') && field.numeric, "{}.{}", task.info.name, field.name);
        }
    }
}

#[test]
fn validation_examples_are_the_same_under_every_seed_and_in_no_other_split() {
    for (config, seq_len) in all() {
        let [one, other] = [1, 2].map(|seed| config.open(seq_len, seed).unwrap());
        let count = one.validation_len().min(20);
        assert!(count > 0 && config.validates(), "{}", one.name());
        let batch = one.validation_batch(0..count);
        assert_eq!((batch.batch, batch.seq_len), (count, seq_len));
        assert_eq!(batch, other.validation_batch(0..count), "{}", one.name());
        assert_eq!(HeldOut::Validation.size(&*one), (seq_len, one.validation_len()));
        assert_ne!(batch, one.test_batch(0, 0..count), "{}", one.name());
        assert_ne!(batch, one.train_batch(0, count), "{}", one.name());
        let few = FewTests::new(&*one, 2);
        assert_eq!(few.validation_batch(0..2), one.validation_batch(0..2));
        assert_eq!((few.validation_len(), few.conditions()[0].examples), (2.min(one.validation_len()), 2));
    }
}

/// What is read in each of the first 20 examples of a split, and in training in batches of one and of all of them.
fn read_in_splits(task: &dyn Task) -> [Vec<Inputs>; 4] {
    let each = |batch: Batch| batch.parts(20).map(|part| part.inputs).collect();
    let steps = (0..20).map(|step| task.train_batch(step, 1).inputs).collect();
    [
        each(task.validation_batch(0..20)),
        each(task.test_batch(0, 0..20)),
        each(task.train_batch(0, 20)),
        steps,
    ]
}

/// Without mnist: the made-up images of both files are the same.
#[test]
fn no_validation_example_is_among_those_that_test_or_that_seed_0_trains_on() {
    for (config, seq_len) in all().into_iter().filter(|(config, _)| config.info().name != "mnist") {
        let [validation, others @ ..] = read_in_splits(&*config.open(seq_len, 0).unwrap());
        assert!(others.concat().iter().all(|other| !validation.contains(other)), "{config:?}");
        let first = |example: &Inputs| validation.iter().position(|other| other == example);
        assert!((0..20).all(|place| first(&validation[place]) == Some(place)), "all differ: {config:?}");
    }
}

#[test]
fn a_validation_example_is_the_same_in_any_range() {
    for (config, seq_len) in all() {
        let task = config.open(seq_len, 0).unwrap();
        let count = task.validation_len().min(6);
        let alone = |example| task.validation_batch(example..example + 1);
        let mut backwards: Vec<Batch> = (0..count).rev().map(alone).collect();
        backwards.reverse();
        assert_eq!(task.validation_batch(0..count).parts(count).collect::<Vec<_>>(), backwards, "{config:?}");
    }
}

/// A changed default would change what old configs mean.
#[test]
fn the_options_are_these() {
    let line = |field: &subquad_options::Field| {
        format!("{} = {}: {}", field.name, field.default.as_ref().unwrap(), field.kind)
    };
    let lines = tasks().into_iter().flat_map(|task| {
        let keys = task.fields.into_iter().filter(|field| !field.given);
        keys.map(move |field| format!("{}.{}", task.info.name, line(&field)))
    });
    assert_eq!(lines.collect::<Vec<_>>().join("\n"), OPTIONS);
}

const OPTIONS: &str = "\
digits.validation = 0.1: a finite number >= 0 and <= 0.5
mqar.vocab = 8192: an integer from 6 to 1048576
mqar.n_pairs = seq_len/16: an integer from 1 to 262143 or a share such as \"seq_len/16\"
mqar.power = 0.01: a finite number > 0 and <= 10
mqar.random_non_queries = false: true or false
mqar.train_examples = 0: an integer from 0 to 67108864
mqar.test_examples = 1000: an integer >= 1
mqar.test_conditions = []: a list of at most 100 different values, each a size such as \"128x8\"
mnist.permutation = none: one of none, bit_reversal, random
mnist.train_examples = 0: an integer >= 0
mnist.test_examples = 0: an integer >= 0
mnist.validation = 0.1: a finite number >= 0 and <= 0.5
bytes.test_examples = 0: an integer >= 0
bytes.validation = 0.1: a finite number >= 0 and <= 0.5
masked_bytes.mask_share = 0.3: a finite number > 0 and <= 1
masked_bytes.test_mask_share = 0.15: a finite number > 0 and <= 1
masked_bytes.test_examples = 0: an integer >= 0
masked_bytes.validation = 0.1: a finite number >= 0 and <= 0.5
delay.lag = seq_len/4: an integer from 1 to 16777215 or a share such as \"seq_len/16\"
delay.bandwidth = 0.5: a finite number > 0 and <= 1
delay.train_examples = 0: an integer from 0 to 67108864
delay.test_examples = 100: an integer >= 1
reconstruct.window = seq_len/4: an integer from 1 to 16777216 or a share such as \"seq_len/16\"
reconstruct.bandwidth = 0.2: a finite number > 0 and <= 1
reconstruct.train_examples = 0: an integer from 0 to 67108864
reconstruct.test_examples = 100: an integer >= 1
parity.train_examples = 0: an integer from 0 to 67108864
parity.test_examples = 1000: an integer >= 1
associative_recall.vocab = 20: an integer from 4 to 1048576
associative_recall.train_examples = 0: an integer from 0 to 67108864
associative_recall.test_examples = 1000: an integer >= 1
associative_recall.test_lengths = []: a list of at most 100 different values, each an integer from 1 to 16777216
induction_heads.vocab = 16: an integer from 4 to 1048576
induction_heads.next_token = false: true or false
induction_heads.train_examples = 0: an integer from 0 to 67108864
induction_heads.test_examples = 1000: an integer >= 1
induction_heads.test_lengths = []: a list of at most 100 different values, each an integer from 1 to 16777216
copying.vocab = 10: an integer from 4 to 1048576
copying.n_data = 10: an integer from 1 to 8388608
copying.reverse = false: true or false
copying.train_examples = 0: an integer from 0 to 67108864
copying.test_examples = 1000: an integer >= 1
copying.test_lengths = []: a list of at most 100 different values, each an integer from 1 to 16777216
selective_copying.vocab = 17: an integer from 4 to 1048576
selective_copying.n_data = 16: an integer from 1 to 8388608
selective_copying.train_examples = 0: an integer from 0 to 67108864
selective_copying.test_examples = 1000: an integer >= 1
selective_copying.test_lengths = []: a list of at most 100 different values, each an integer from 1 to 16777216
adding.train_examples = 0: an integer from 0 to 67108864
adding.test_examples = 1000: an integer >= 1
state_tracking.group = a5: one of a5, a4_z5, z60
state_tracking.train_examples = 0: an integer from 0 to 67108864
state_tracking.test_examples = 1000: an integer >= 1
state_tracking.test_lengths = []: a list of at most 100 different values, each an integer from 1 to 16777216";
