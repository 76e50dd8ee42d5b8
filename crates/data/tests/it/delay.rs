use std::collections::BTreeSet;

use subquad_data::{Batch, DelayConfig, Inputs, Metric, Share, TargetKind, Targets, Task, TaskOptions};

fn task(lag: usize, seq_len: usize, seed: u64) -> Box<dyn Task> {
    DelayConfig { lag: Share::Count(lag), ..DelayConfig::default() }.open(seq_len, seed).unwrap()
}

/// Inputs and targets of each example.
fn examples(batch: &Batch) -> Vec<(Vec<f32>, Vec<f32>)> {
    let (Inputs::Reals { features: 1, values: inputs }, Targets::TokenReals { outputs: 1, values: targets }) =
        (&batch.inputs, &batch.targets)
    else {
        panic!("delay has one real a token on both sides")
    };
    let rows = inputs.chunks(batch.seq_len).zip(targets.chunks(batch.seq_len));
    rows.map(|(inputs, targets)| (inputs.to_vec(), targets.to_vec())).collect()
}

fn bits(signal: &[f32]) -> Vec<u32> {
    signal.iter().map(|u| u.to_bits()).collect()
}

#[test]
fn the_target_is_the_input_of_lag_tokens_ago_and_zero_before() {
    for (lag, seq_len) in [(1, 4), (3, 4), (1, 9), (3, 10), (25, 100), (99, 100)] {
        let task = task(lag, seq_len, 3);
        assert_eq!(
            (task.target(), task.metric()),
            (TargetKind::TokenReals { outputs: 1 }, Metric::NormalisedError)
        );
        for (inputs, targets) in
            examples(&task.train_batch(2, 4)).into_iter().chain(examples(&task.test_batch(0, 0..4)))
        {
            assert_eq!((inputs.len(), targets.len()), (seq_len, seq_len));
            assert!(targets[..lag].iter().all(|target| *target == 0.0), "lag {lag}");
            assert_eq!(targets[lag..], inputs[..seq_len - lag], "lag {lag}");
        }
    }
}

#[test]
fn examples_are_fresh_and_do_not_depend_on_the_batch_size() {
    let task = task(4, 20, 0);
    assert_eq!(task.train_len(), None);
    let all = examples(&task.train_batch(0, 60));
    assert_eq!(all.iter().map(|(inputs, _)| bits(inputs)).collect::<BTreeSet<_>>().len(), 60);
    let parts: Vec<_> = (0..6).flat_map(|step| examples(&task.train_batch(step, 10))).collect();
    assert_eq!(all, parts);
}

#[test]
fn training_and_test_share_no_example() {
    // The seed of the test examples is 0: only the purpose of their stream distinguishes them from these.
    let task = task(4, 20, 0);
    let tests: BTreeSet<_> =
        examples(&task.test_batch(0, 0..100)).iter().map(|(inputs, _)| bits(inputs)).collect();
    assert!(examples(&task.train_batch(0, 100)).iter().all(|(inputs, _)| !tests.contains(&bits(inputs))));
}

#[test]
fn the_noise_does_not_depend_on_the_lag() {
    let inputs = |lag| task(lag, 50, 5).train_batch(1, 3).inputs;
    assert_eq!(inputs(1), inputs(40));
}

#[test]
fn what_cannot_be_delayed_is_refused_with_what_can() {
    let of = |lag, bandwidth| DelayConfig { lag, bandwidth, test_examples: 1, ..DelayConfig::default() };
    let refused = |lag, bandwidth, seq_len| {
        let refusals = of(Share::Count(lag), bandwidth).refusals(seq_len).into_iter();
        refusals.map(|refusal| (refusal.reason, refusal.fields)).collect::<Vec<_>>()
    };
    let reason = "lag = 100 at 100 tokens, but it must be 1 to 99, so that there is something to repeat";
    assert_eq!(refused(100, 0.5, 100), [(reason.into(), vec!["lag"])]);
    let reason = "lag must be an integer from 1 to 16777215 or a share such as \"seq_len/16\", got 0";
    assert_eq!(refused(0, 0.5, 100), [(reason.into(), vec!["lag"])]);
    let reason = "bandwidth = 0.01 leaves no wave that fits into 100 tokens; choose at least 0.02";
    assert_eq!(refused(1, 0.01, 100), [(reason.into(), vec!["bandwidth"])]);
    assert_eq!(refused(100, 0.01, 100).len(), 2, "all that is wrong is said at once");
    for (bandwidth, shown) in [(1.5, "1.5"), (0.0, "0.0"), (f64::NAN, "NaN")] {
        let reason = format!("bandwidth must be a finite number > 0 and <= 1, got {shown}");
        assert_eq!(refused(1, bandwidth, 100), [(reason, vec!["bandwidth"])]);
    }
    let reason =
        "noise starts at zero, so a single token carries no information; nearest allowed: 2".to_owned();
    assert_eq!(refused(1, 0.5, 1), [(reason, vec![])]);
    assert_eq!(of(Share::Count(99), 0.02).check(100), Ok(()));
    let reason = "delay: lag = 0 at 3 tokens, but it must be 1 to 2, so that there is something to repeat";
    assert_eq!(of(Share::OfLength(4), 0.5).check(3).unwrap_err().to_string(), reason);
}
