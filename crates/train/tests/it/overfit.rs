//! Every mixer can learn.

use subquad_data::{Metric, Score};
use subquad_record::Memory;
use subquad_train::{LoopConfig, OptimConfig, TrainConfig, train};

use crate::tasks::{Retold, Sequences};
use crate::{
    attention, looping, mixers, monarchs, plain, plain_loop, plain_optim, sequence_model, token_model,
};
use subquad_testkit::cpu;

#[test]
fn every_mixer_learns_one_batch_by_heart() {
    for mixer in mixers().into_iter().chain(monarchs()) {
        let mut sink = Memory::default();
        let config = TrainConfig {
            optim: OptimConfig { warmup: 0.1, ..plain_optim() },
            training_loop: LoopConfig { log_every: 100, ..plain_loop(100, 8) },
            ..plain(100, 8)
        };
        train(sequence_model(mixer.clone()), &Sequences::new(8, 1), &config, &cpu(), &mut sink).unwrap();
        let (first, last) = (&sink.rows[0], &sink.rows[1]);
        assert_eq!((first.step, last.step), (1, 100));
        assert!(last.loss < 0.05 * first.loss, "{} to {}: {mixer:?}", first.loss, last.loss);
        assert_eq!(last.score, Some(Score { metric: Metric::Accuracy, value: 1.0 }), "{mixer:?}");
    }
}

#[test]
fn attention_learns_to_repeat_the_token_before() {
    let config = looping(LoopConfig { log_every: 1000, ..plain_loop(200, 16) });
    let trained =
        train(token_model(attention()), &Retold::new(30), &config, &cpu(), &mut Memory::default()).unwrap();
    assert!(Metric::Accuracy.of(&trained.test).value > 0.9, "{:?}", trained.test);
}
