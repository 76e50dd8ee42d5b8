use std::collections::BTreeSet;

use subquad_data::{Batch, Inputs, Metric, ReconstructConfig, Share, TargetKind, Targets, Task, TaskOptions};

fn config(window: usize) -> ReconstructConfig {
    ReconstructConfig { window: Share::Count(window), ..ReconstructConfig::default() }
}

fn task(window: usize, seq_len: usize, seed: u64) -> Box<dyn Task> {
    config(window).open(seq_len, seed).unwrap()
}

/// Inputs and target of each example.
fn examples(batch: &Batch) -> Vec<(Vec<f32>, Vec<f32>)> {
    let (Inputs::Reals { features: 1, values: inputs }, Targets::SequenceReals { outputs, values: targets }) =
        (&batch.inputs, &batch.targets)
    else {
        panic!("reconstruct reads one real a token and answers with reals once a sequence")
    };
    let rows = inputs.chunks(batch.seq_len).zip(targets.chunks(*outputs));
    rows.map(|(inputs, targets)| (inputs.to_vec(), targets.to_vec())).collect()
}

#[test]
fn the_target_is_the_last_inputs_in_their_order() {
    for (window, seq_len) in [(1, 12), (3, 12), (12, 12), (25, 100)] {
        let task = task(window, seq_len, 3);
        let target = TargetKind::SequenceReals { outputs: window };
        assert_eq!((task.target(), task.metric()), (target, Metric::NormalisedError));
        for batch in [task.train_batch(2, 4), task.test_batch(0, 0..4)] {
            for (inputs, target) in examples(&batch) {
                assert_eq!((inputs.len(), target.len()), (seq_len, window));
                assert_eq!(target, inputs[seq_len - window..], "window {window}");
            }
        }
    }
}

#[test]
fn training_and_test_share_no_example_and_examples_are_fresh() {
    let task = task(4, 20, 0);
    let distinct = |batch: &Batch| -> BTreeSet<Vec<u32>> {
        examples(batch).into_iter().map(|(inputs, _)| inputs.iter().map(|u| u.to_bits()).collect()).collect()
    };
    let (train, test) = (distinct(&task.train_batch(0, 100)), distinct(&task.test_batch(0, 0..100)));
    assert_eq!((train.len(), test.len()), (100, 100));
    assert!(train.is_disjoint(&test));
}

#[test]
fn what_cannot_be_reconstructed_is_refused_with_what_can() {
    let refused = |window, seq_len| {
        let refusals = config(window).refusals(seq_len).into_iter();
        refusals.map(|refusal| (refusal.reason, refusal.fields)).collect::<Vec<_>>()
    };
    let reason = "window = 101 at 100 tokens, but it must be 1 to 100, because only inputs that were read can be reconstructed";
    assert_eq!(refused(101, 100), [(reason.into(), vec!["window"])]);
    let reason = "window must be an integer from 1 to 16777216 or a share such as \"seq_len/16\", got 0";
    assert_eq!(refused(0, 100), [(reason.into(), vec!["window"])]);
    let reason = "bandwidth = 0.2 leaves no wave that fits into 8 tokens; choose at least 0.25";
    assert_eq!(refused(1, 8), [(reason.into(), vec!["bandwidth"])]);
    let text = config(1).check(0).unwrap_err().to_string();
    assert!(text.starts_with("reconstruct cannot have seq_len = 0: "), "{text}");
}

#[test]
fn a_window_may_be_a_share_of_the_length() {
    let (config, target) = (ReconstructConfig::default(), TargetKind::SequenceReals { outputs: 25 });
    assert_eq!(config.target(100), target);
    assert_eq!(config.open(100, 0).unwrap().target(), target);
}
