use std::collections::BTreeSet;

use subquad_data::{
    Batch, Inputs, MaskedBytesConfig, Metric, Stream, TargetKind, Targets, Task, TaskError, TaskOptions,
};

const MASK: u32 = 256;

/// 1,000 bytes in no order.
fn text() -> Vec<u8> {
    let mut draws = Stream::new(0, "test").at(0, 0);
    (0..1000).map(|_| draws.next_u32() as u8).collect()
}

/// Without a validation split, which would leave too little of the text for long examples.
fn task(seq_len: usize, config: MaskedBytesConfig, seed: u64) -> Box<dyn Task> {
    let config = MaskedBytesConfig { validation: 0.0, ..config };
    config.of_text(text(), seq_len, seed).unwrap()
}

fn tokens(batch: Batch) -> (Vec<u32>, Vec<Option<u32>>) {
    let (Inputs::Tokens(inputs), Targets::Tokens(targets)) = (batch.inputs, batch.targets) else {
        panic!("bytes are tokens")
    };
    (inputs, targets)
}

#[test]
fn test_windows_are_the_last_tenth_and_only_places_asked_for_differ() {
    let task = task(9, MaskedBytesConfig::default(), 0);
    assert_eq!(task.conditions()[0].examples, 11);
    let (inputs, targets) = tokens(task.test_batch(0, 0..11));
    for ((&input, target), &byte) in inputs.iter().zip(targets).zip(&text()[900..]) {
        match target {
            Some(asked) => assert_eq!(asked, u32::from(byte)),
            None => assert_eq!(input, u32::from(byte)),
        }
    }
}

#[test]
fn every_example_is_asked_for_the_same_number_of_places() {
    for (share, seq_len, asked) in [(0.3, 10, 3), (0.15, 40, 6), (0.01, 10, 1), (1.0, 10, 10), (0.3, 1, 1)] {
        let config =
            MaskedBytesConfig { mask_share: share, test_mask_share: share, ..MaskedBytesConfig::default() };
        let task = task(seq_len, config, 0);
        for batch in [task.train_batch(3, 20), task.test_batch(0, 0..2)] {
            let (_, targets) = tokens(batch);
            for example in targets.chunks(seq_len) {
                assert_eq!(example.iter().flatten().count(), asked, "{share} of {seq_len}");
            }
        }
    }
}

#[test]
fn of_the_places_asked_for_eight_tenths_are_hidden_and_a_tenth_reads_as_it_is() {
    let (inputs, targets) = tokens(task(100, MaskedBytesConfig::default(), 0).train_batch(0, 1000));
    let asked: Vec<_> = inputs.iter().zip(&targets).filter_map(|(input, t)| Some((*input, (*t)?))).collect();
    let share = |count: usize| count as f64 / asked.len() as f64;
    let hidden = share(asked.iter().filter(|(input, _)| *input == MASK).count());
    let kept = share(asked.iter().filter(|(input, target)| input == target).count());
    // 30,000 draws: a standard deviation of 0.0023 and 0.0017. One random byte in 256 is the right one.
    assert!((hidden - 0.8).abs() < 0.01, "{hidden}");
    assert!((kept - 0.1004).abs() < 0.01, "{kept}");
}

#[test]
fn places_asked_for_reach_everywhere_and_change_with_seed_and_step() {
    let places = |batch: Batch| {
        let (_, targets) = tokens(batch);
        targets.iter().enumerate().filter(|(_, t)| t.is_some()).map(|(i, _)| i % 50).collect::<BTreeSet<_>>()
    };
    let of = |seed, step| task(50, MaskedBytesConfig::default(), seed).train_batch(step, 1);
    assert_eq!(places(task(50, MaskedBytesConfig::default(), 0).train_batch(0, 100)).len(), 50);
    assert_ne!(places(of(0, 0)), places(of(0, 1)));
    assert_ne!(places(of(0, 0)), places(of(1, 0)));
}

/// Where the windows of a batch start in the text.
fn starts(batch: Batch) -> Vec<usize> {
    let (text, seq_len) = (text(), batch.seq_len);
    let (inputs, targets) = tokens(batch);
    let start = |(read, asked): (&[u32], &[Option<u32>])| {
        let bytes: Vec<u8> = read.iter().zip(asked).map(|(r, a)| a.unwrap_or(*r) as u8).collect();
        text.windows(seq_len).position(|window| window == bytes).unwrap()
    };
    inputs.chunks(seq_len).zip(targets.chunks(seq_len)).map(start).collect()
}

#[test]
fn training_windows_lie_in_the_first_nine_tenths_and_reach_both_ends() {
    let config = MaskedBytesConfig { mask_share: 0.001, ..MaskedBytesConfig::default() };
    let starts: BTreeSet<usize> = starts(task(99, config, 0).train_batch(0, 10_000)).into_iter().collect();
    // With 802 starts and 10,000 draws, an end is missed once in 100,000 times.
    assert_eq!((starts.first(), starts.last()), (Some(&0), Some(&801)));
}

#[test]
fn training_windows_end_where_the_validation_text_begins() {
    for (validation, seq_len, train) in [(0.1, 9, 810), (0.1, 90, 810), (0.5, 99, 450)] {
        let config = MaskedBytesConfig { validation, ..MaskedBytesConfig::default() };
        let task = config.of_text(text(), seq_len, 0).unwrap();
        let starts: BTreeSet<usize> = starts(task.train_batch(0, 10_000)).into_iter().collect();
        // With 802 starts and 10,000 draws, an end is missed once in 100,000 times.
        assert_eq!((starts.first(), starts.last()), (Some(&0), Some(&(train - seq_len))), "{validation}");
    }
}

/// Runs from before there was a validation split keep their numbers.
#[test]
fn without_a_validation_split_training_windows_start_anywhere_in_the_nine_tenths() {
    let stream = Stream::new(0, "masked_bytes/train");
    let drawn = (150..200).map(|example| stream.at(example, 0).below(802));
    let config = MaskedBytesConfig::default();
    assert_eq!(starts(task(99, config, 0).train_batch(3, 50)), drawn.collect::<Vec<_>>());
}

#[test]
fn tests_have_a_share_of_their_own_and_a_bound() {
    let config = MaskedBytesConfig { test_mask_share: 0.5, test_examples: 3, ..MaskedBytesConfig::default() };
    let task = task(10, config, 0);
    assert_eq!(task.conditions()[0].examples, 3);
    assert_eq!(tokens(task.test_batch(0, 0..3)).1.iter().flatten().count(), 15);
    assert_eq!(tokens(task.train_batch(0, 3)).1.iter().flatten().count(), 9);
}

#[test]
fn the_mask_is_a_token_and_has_a_class_but_is_never_an_answer() {
    let task = task(100, MaskedBytesConfig { mask_share: 1.0, ..MaskedBytesConfig::default() }, 0);
    assert_eq!((task.target(), task.metric()), (TargetKind::Tokens { classes: 257 }, Metric::BitsPerByte));
    let (inputs, targets) = tokens(task.train_batch(0, 20));
    assert!(inputs.contains(&MASK));
    assert!(targets.iter().all(|target| target.is_some_and(|target| target < MASK)));
}

#[test]
fn what_cannot_be_is_refused() {
    let fine = MaskedBytesConfig::default;
    let reason = "masked_bytes cannot have seq_len = 0: an example has at least one byte; nearest allowed: 1";
    assert_eq!(fine().check(0).unwrap_err().to_string(), reason);
    for (share, shown) in [(0.0, "0.0"), (-0.1, "-0.1"), (1.1, "1.1"), (f64::NAN, "NaN")] {
        let config = MaskedBytesConfig { mask_share: share, test_mask_share: share, ..fine() };
        let [train, test] = &config.refusals(9)[..] else { panic!("each share is refused") };
        let words = format!("must be a finite number > 0 and <= 1, got {shown}");
        assert_eq!(
            (train.reason.clone(), &train.fields[..]),
            (format!("mask_share {words}"), &["mask_share"][..])
        );
        assert_eq!(
            (test.reason.clone(), &test.fields[..]),
            (format!("test_mask_share {words}"), &["test_mask_share"][..])
        );
    }
    let error = fine().of_text(text(), 101, 0).err().unwrap();
    assert!(matches!(&error, TaskError::Options { refusal, .. } if refusal.fields == ["path"]), "{error}");
    let error = fine().of_text(text(), 100, 0).err().unwrap();
    assert!(
        matches!(&error, TaskError::Options { refusal, .. } if refusal.fields == ["validation"]),
        "{error}"
    );
    assert!(MaskedBytesConfig { validation: 0.0, ..fine() }.of_text(text(), 100, 0).is_ok());
    assert!(fine().of_text(text(), 90, 0).is_ok());
}

#[test]
fn validation_windows_are_before_the_test_windows_and_masked_as_those() {
    let config = MaskedBytesConfig { validation: 0.2, test_mask_share: 0.5, ..MaskedBytesConfig::default() };
    let task = config.of_text(text(), 10, 0).unwrap();
    assert_eq!(task.validation_len(), 18);
    let (inputs, targets) = tokens(task.validation_batch(0..18));
    let hidden = |place: usize| targets[place].map(|byte| byte == u32::from(text()[720 + place]));
    assert!((0..180).all(|place| hidden(place).unwrap_or(inputs[place] == u32::from(text()[720 + place]))));
    assert_eq!(targets.iter().flatten().count(), 90);
    assert_eq!(task.validation_batch(0..18), config.of_text(text(), 10, 7).unwrap().validation_batch(0..18));
}
