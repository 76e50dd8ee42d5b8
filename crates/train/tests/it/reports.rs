//! What reaches the sink, and how a training ends.

use std::io;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use subquad_data::HeldOut;
use subquad_record::{MakeFiles, Memory, Row, Sink};
use subquad_train::{LoopConfig, OptimConfig, Schedule, TrainConfig, TrainError, evaluate, train};

use crate::tasks::{SEQ, Sequences};
use crate::{attention, looping, plain, plain_loop, plain_optim, sequence_model, train_sequences};
use subquad_testkit::cpu;

fn task() -> Sequences {
    Sequences::new(8, 5)
}

fn rows(sink: &Memory) -> Vec<(usize, &str)> {
    sink.rows.iter().map(|row| (row.step, row.split.as_str())).collect()
}

fn checkpoints(sink: &Memory) -> Vec<usize> {
    sink.checkpoints.iter().map(|checkpoint| checkpoint.step).collect()
}

#[test]
fn rows_and_checkpoints_come_when_they_are_due() {
    let mut sink = Memory::default();
    let config = looping(LoopConfig {
        log_every: 3,
        eval_every: Some(2),
        checkpoint_every: Some(3),
        ..plain_loop(7, 2)
    });
    train_sequences(&task(), &config, &mut sink).unwrap();
    let expected = [
        (1, "train"),
        (2, "test"),
        (3, "train"),
        (4, "test"),
        (6, "train"),
        (6, "test"),
        (7, "train"),
        (7, "test"),
    ];
    assert_eq!(rows(&sink), expected);
    assert_eq!(checkpoints(&sink), [3, 6]);
    for checkpoint in &sink.checkpoints {
        assert_eq!(checkpoint.files.keys().collect::<Vec<_>>(), ["clock.f64", "model.bpk", "optimiser.bpk"]);
    }
}

#[test]
fn the_last_step_leaves_no_checkpoint_since_nothing_comes_after_it() {
    let mut sink = Memory::default();
    train_sequences(
        &task(),
        &looping(LoopConfig { checkpoint_every: Some(2), ..plain_loop(6, 2) }),
        &mut sink,
    )
    .unwrap();
    assert_eq!(checkpoints(&sink), [2, 4]);
}

#[test]
fn without_intervals_the_last_step_alone_is_tested() {
    let mut sink = Memory::default();
    train_sequences(&task(), &looping(LoopConfig { log_every: 100, ..plain_loop(4, 2) }), &mut sink).unwrap();
    assert_eq!(rows(&sink), [(1, "train"), (4, "train"), (4, "test")]);
    assert!(sink.checkpoints.is_empty());
}

#[test]
fn training_rows_hold_the_rate_and_the_speed_of_their_step() {
    let mut sink = Memory::default();
    let config = TrainConfig { optim: OptimConfig { warmup: 0.5, ..plain_optim() }, ..plain(4, 2) };
    train_sequences(&task(), &config, &mut sink).unwrap();
    let schedule = Schedule::new(config.optim.lr, config.optim.warmup, config.training_loop.steps);
    let (training, test) = sink.rows.split_at(4);
    for (t, row) in training.iter().enumerate() {
        assert_eq!(row.learning_rate, Some(schedule.rate(t)));
        let (seconds, speed) = (row.step_seconds.unwrap(), row.tokens_per_second.unwrap());
        assert!(seconds > 0.0 && (speed * seconds / (2.0 * 6.0) - 1.0).abs() < 1e-12);
    }
    assert_eq!((test[0].learning_rate, test[0].step_seconds, test[0].tokens_per_second), (None, None, None));
    assert!(sink.rows.is_sorted_by_key(|row| row.elapsed_seconds));
}

#[test]
fn a_checkpoint_holds_the_weights_of_its_step() {
    let mut sink = Memory::default();
    let config = looping(LoopConfig { eval_every: Some(2), checkpoint_every: Some(2), ..plain_loop(4, 2) });
    train_sequences(&task(), &config, &mut sink).unwrap();
    let bytes = Bytes::from_bytes_vec(sink.checkpoints[0].files["model.bpk"].clone());
    let model = sequence_model(attention()).load_record(ModuleRecord::from_bytes(bytes).unwrap());
    let row = sink.rows.iter().find(|row| row.split == "test").unwrap();
    assert_eq!(row.step, 2);
    assert_eq!(
        evaluate(&model, &task(), HeldOut::Test(0), config.training_loop.batch * SEQ, &cpu()).loss(),
        row.loss
    );
}

#[test]
fn a_sink_that_asks_to_stop_ends_the_training_after_the_step_with_a_checkpoint() {
    let mut sink = Memory { stop_after_rows: Some(2), ..Memory::default() };
    let error = train_sequences(&task(), &plain(5, 2), &mut sink).unwrap_err();
    assert!(matches!(error, TrainError::Stopped { step: 2 }), "{error:?}");
    assert_eq!(error.to_string(), "stopped after step 2");
    assert_eq!(checkpoints(&sink), [2]);
    assert_eq!(rows(&sink), [(1, "train"), (2, "train")]);
}

#[test]
fn a_sink_that_asks_to_stop_after_the_last_step_is_too_late() {
    let mut sink = Memory { stop_after_rows: Some(3), ..Memory::default() };
    assert!(
        train_sequences(&task(), &looping(LoopConfig { log_every: 9, ..plain_loop(5, 2) }), &mut sink)
            .is_ok()
    );
}

#[test]
fn a_loss_that_is_no_number_ends_the_training_after_its_row() {
    let (mut task, mut sink) = (task(), Memory::default());
    task.poisoned_from = 2;
    let config = looping(LoopConfig { log_every: 100, ..plain_loop(5, 2) });
    let error = train_sequences(&task, &config, &mut sink).unwrap_err();
    assert!(matches!(error, TrainError::NonFinite { step: 3, loss } if loss.is_nan()), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the loss became NaN at step 3; a lower learning rate or a longer warm-up may help"
    );
    assert_eq!(rows(&sink), [(1, "train"), (3, "train")]);
    assert!(sink.rows[1].loss.is_nan());
}

#[test]
fn a_test_loss_that_is_no_number_ends_the_training_after_its_row() {
    let mut sink = Memory::default();
    let error = train_sequences(
        &task(),
        &TrainConfig { optim: OptimConfig { lr: 1e30, ..plain_optim() }, ..plain(1, 2) },
        &mut sink,
    )
    .unwrap_err();
    assert!(matches!(error, TrainError::NonFinite { step: 1, .. }), "{error:?}");
    assert_eq!(rows(&sink), [(1, "train"), (1, "test")]);
    assert!(sink.rows[0].loss.is_finite());
}

/// Keeps rows, but no checkpoint.
#[derive(Default)]
struct Full {
    rows: Memory,
}

impl Sink for Full {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows.row(row)
    }

    fn checkpoint(&mut self, _: usize, _: &MakeFiles<'_>) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn a_checkpoint_that_cannot_be_kept_ends_the_training_with_its_rows() {
    let mut sink = Full::default();
    let config = looping(LoopConfig { checkpoint_every: Some(2), ..plain_loop(5, 2) });
    let error = train(sequence_model(attention()), &task(), &config, &cpu(), &mut sink).unwrap_err();
    assert!(matches!(&error, TrainError::Sink(e) if e.kind() == io::ErrorKind::StorageFull), "{error:?}");
    assert_eq!(rows(&sink.rows), [(1, "train"), (2, "train")]);
}
