use subquad_data::{
    BytesConfig, DelayConfig, MaskedBytesConfig, MqarConfig, ReconstructConfig, TaskConfig, check, open,
    tasks,
};

use crate::mnist::made_up;

/// Every task, and a length that it has.
fn all() -> [(TaskConfig, usize); 7] {
    let test_conditions = vec!["128x8".parse().unwrap(), "64x8".parse().unwrap()];
    [
        (TaskConfig::Digits, 64),
        (TaskConfig::Mqar(MqarConfig { test_conditions, ..MqarConfig::default() }), 64),
        (TaskConfig::Mnist(made_up()), 784),
        (TaskConfig::Bytes(BytesConfig::default()), 50),
        (TaskConfig::MaskedBytes(MaskedBytesConfig::default()), 50),
        (TaskConfig::Delay(DelayConfig { lag: 5, ..DelayConfig::default() }), 41),
        (TaskConfig::Reconstruct(ReconstructConfig { window: 7, ..ReconstructConfig::default() }), 40),
    ]
}

#[test]
fn every_listed_task_has_a_config_and_opens_under_its_name() {
    let names: Vec<_> = all().iter().map(|(config, _)| config.info().name).collect();
    assert_eq!(names, tasks().iter().map(|info| info.name).collect::<Vec<_>>());
    for (config, seq_len) in all() {
        let (task, info) = (open(&config, seq_len, 0).unwrap(), config.info());
        assert_eq!((task.name(), task.seq_len()), (info.name, seq_len));
        assert_eq!((task.input(), task.target()), (config.input(), config.target()));
        assert!(!info.summary.is_empty() && !info.lengths.is_empty() && !info.data.is_empty());
    }
}

#[test]
fn the_first_condition_is_that_of_training() {
    for (config, seq_len) in all() {
        let conditions = open(&config, seq_len, 0).unwrap().conditions();
        assert_eq!((conditions[0].name.as_str(), conditions[0].seq_len), ("", seq_len));
        assert!(conditions[1..].iter().all(|condition| !condition.name.is_empty()));
    }
}

#[test]
fn batches_have_the_shape_that_the_task_announces() {
    for (config, seq_len) in all() {
        let task = open(&config, seq_len, 0).unwrap();
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
        let (a, b) = (open(&config, seq_len, 7).unwrap(), open(&config, seq_len, 7).unwrap());
        let later = a.train_batch(100, 4);
        assert_eq!(a.train_batch(0, 4), b.train_batch(0, 4), "{config:?}");
        assert_eq!(later, b.train_batch(100, 4), "{config:?}");
        assert_ne!(a.train_batch(0, 4), a.train_batch(1, 4), "{config:?}");
        assert_ne!(a.train_batch(0, 4), open(&config, seq_len, 8).unwrap().train_batch(0, 4), "{config:?}");
    }
}

#[test]
fn every_seed_tests_on_the_same_examples() {
    for (config, seq_len) in all() {
        let (a, b) = (open(&config, seq_len, 1).unwrap(), open(&config, seq_len, 2).unwrap());
        for index in 0..a.conditions().len() {
            assert_eq!(a.test_batch(index, 0..5), b.test_batch(index, 0..5), "{config:?}");
        }
    }
}

#[test]
fn digits_takes_squares_from_64_and_names_the_nearest_otherwise() {
    for seq_len in [64, 81, 100, 784, 1024, 16384] {
        assert!(check("digits", seq_len).is_ok(), "seq_len = {seq_len}");
    }
    for (seq_len, nearest) in
        [(0, "64"), (1, "64"), (49, "64"), (63, "64"), (65, "64 or 81"), (1000, "961 or 1024")]
    {
        let error = check("digits", seq_len).unwrap_err();
        assert_eq!(Some(&error), open(&TaskConfig::Digits, seq_len, 0).err().as_ref());
        let text = error.to_string();
        assert!(text.starts_with(&format!("digits cannot have seq_len = {seq_len}: ")), "{text}");
        assert!(text.ends_with(&format!("nearest allowed: {nearest}")), "{text}");
    }
}

#[test]
fn an_unknown_task_is_refused_with_the_known_ones() {
    assert_eq!(
        check("digit", 64).unwrap_err().to_string(),
        "there is no task `digit`; known: digits, mqar, mnist, bytes, masked_bytes, delay, reconstruct"
    );
}
