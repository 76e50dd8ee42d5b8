//! How many large arrays a training step allocates, exactly. It is the same number on every machine, and grows when an operation
//! copies what it could read in place, or makes an array of what it could add up at once.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::io;

use subquad_attention::AttentionConfig;
use subquad_bench::memory::{Counting, LARGE, Meter};
use subquad_data::BytesConfig;
use subquad_model::{Encoder, Head, MixerConfig, ModelOptions};
use subquad_monarch::M2Config;
use subquad_record::{MakeFiles, Row, Sink};
use subquad_s4::S4dConfig;
use subquad_testkit::cpu;
use subquad_train::{LoopConfig, OptimConfig, TrainConfig, train};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting(System);

const D_MODEL: usize = 64;
const SEQ: usize = 256;
const BATCH: usize = 16;
const STEPS: usize = 4;

/// Counts from row to row, of which there is one a step.
struct PerStep {
    meter: Meter,
    counts: Vec<u64>,
}

impl Sink for PerStep {
    fn row(&mut self, _: &Row) -> io::Result<()> {
        self.counts.push(self.meter.large_allocations().unwrap());
        self.meter = Meter::start();
        Ok(())
    }

    fn checkpoint(&mut self, _: usize, _: &MakeFiles<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Of the second and the third step of a byte-level model of two blocks: the first may also make what is made once.
fn large_allocations(mixer: MixerConfig) -> [u64; 2] {
    let text = (0..10_000u32).map(|i| (i * i % 251) as u8).collect();
    let task = BytesConfig { test_examples: 1, ..BytesConfig::default() }.of_text(text, SEQ, 0).unwrap();
    let (encoder, head) = (Encoder::Embedding { vocab: 256 }, Head::Token { outputs: 256 });
    let model =
        ModelOptions { d_model: D_MODEL, ..ModelOptions::default() }.model(mixer.into(), encoder, head);
    let training_loop = LoopConfig { log_every: 1, ..LoopConfig::new(STEPS).with_batch(BATCH) };
    let config = TrainConfig { optim: OptimConfig::new(), training_loop, dropout: 0.0, seed: 0 };
    let mut sink = PerStep { meter: Meter::start(), counts: vec![] };
    train(model.init_seeded(0, &cpu()), &*task, &config, &cpu(), &mut sink).unwrap();
    [sink.counts[1], sink.counts[2]]
}

#[test]
fn a_training_step_allocates_as_many_large_arrays_as_these() {
    // The residual stream is just large enough.
    assert_eq!(BATCH * SEQ * D_MODEL * size_of::<f32>(), LARGE);
    // One thread: no array of a part of the work is then as large as an array of all tokens.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let counts = |mixer| pool.install(|| large_allocations(mixer));
    assert_eq!(counts(MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(4))), [37, 37]);
    assert_eq!(counts(MixerConfig::S4d(S4dConfig::new(D_MODEL))), [39, 39]);
    assert_eq!(counts(MixerConfig::M2(M2Config::new(D_MODEL, SEQ))), [47, 47]);
}
