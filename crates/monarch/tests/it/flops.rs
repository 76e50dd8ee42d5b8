//! Operations of a training step against counts by hand.
//!
//! A transform of 16 points takes 5 * 16 * 4 = 320 operations. A row of a convolution takes four of them and 20 * 16 for products of
//! spectra, a kernel two.

use subquad_mixer::{Flops, SequenceMixerConfig};
use subquad_monarch::{
    CausalMonarchConfig, CausalMonarchForm, ConvAlgorithm, HyenaConfig, LearnedMonarchConfig, M2Config,
};

const SEQ: usize = 16;
const D_MODEL: usize = 8;
const ROW: f64 = 4.0 * 320.0 + 20.0 * 16.0;
const KERNEL: f64 = 2.0 * 320.0;

fn linear(weights: usize) -> f64 {
    (6 * weights * SEQ) as f64
}

fn flops(config: &impl SequenceMixerConfig) -> Flops {
    config.training_flops(SEQ).unwrap()
}

#[track_caller]
fn assert_flops(config: &impl SequenceMixerConfig, sequence: f64, batch: f64) {
    assert_eq!(flops(config), Flops { sequence, batch }, "{config:?}");
}

/// A network of 3 features, 4 units, one more layer of them, and 8 channels.
fn m2() -> M2Config {
    M2Config::new(D_MODEL, SEQ).with_filter_order(4).with_emb_dim(3).with_num_inner(1)
}

/// Projections to three parts and from one, and their short convolution of three taps.
fn gates() -> f64 {
    linear(4 * 8 * 8) + linear(3 * 8 * 3)
}

#[test]
fn an_m2_convolves_every_channel_and_draws_its_filters_once() {
    let network = linear((3 + 4 + 8) * 4);
    assert_flops(&m2(), gates() + 8.0 * ROW, 8.0 * KERNEL + network);
    assert_flops(&m2().with_bidirectional(true), gates() + 8.0 * ROW, 8.0 * KERNEL + 2.0 * network);
    assert_flops(&m2().with_residual(true), gates() + 16.0 * ROW, 2.0 * (8.0 * KERNEL + network));
    let wide = m2().with_short_filter(5);
    assert_flops(&wide, linear(4 * 8 * 8) + linear(3 * 8 * 5) + 8.0 * ROW, 8.0 * KERNEL + network);
}

#[test]
fn a_hyena_of_order_2_is_a_causal_m2_and_another_order_adds_convolutions() {
    let hyena = HyenaConfig::new(D_MODEL, SEQ).with_filter_order(4).with_emb_dim(3).with_num_inner(1);
    assert_eq!(flops(&hyena), flops(&m2()));
    let gates = linear(5 * 8 * 8) + linear(4 * 8 * 3);
    let network = linear((3 + 4 + 16) * 4);
    assert_flops(&hyena.with_order(3), gates + 16.0 * ROW, 16.0 * KERNEL + network);
}

/// 16 tokens are transformed along axes of 8 and 2: by products of 4 * 8 and 8 * 2 operations a point.
#[test]
fn transforms_by_products_count_as_products() {
    let transform = 16.0 * (4.0 * 8.0 + 8.0 * 2.0);
    let row = 4.0 * transform + 20.0 * 16.0;
    let network = linear((3 + 4 + 8) * 4);
    let config = m2().with_conv(ConvAlgorithm::Monarch);
    assert_flops(&config, gates() + 8.0 * row, 8.0 * 2.0 * transform + network);
    // The taps that look ahead have a spectrum of their own.
    let both = config.with_bidirectional(true);
    assert_flops(&both, gates() + 8.0 * row, 16.0 * 2.0 * transform + 2.0 * network);
}

/// Blocks of 4 tokens.
#[test]
fn learned_matrices_count_the_entries_that_they_have() {
    let matrices = 6.0 * (4 * 4 * 4 * 4 * 8) as f64; // four factors of 4 blocks of 4 x 4 on 8 features
    let config = LearnedMonarchConfig::new(D_MODEL, SEQ);
    assert_flops(&config, gates() + matrices, 0.0);
    assert_flops(&config.with_gated(false), matrices, 0.0);
    // 10 + 16 + 6 entries of each of 4 blocks: with the diagonal, all, and without the diagonal.
    let causal = CausalMonarchConfig::new(D_MODEL, SEQ);
    assert_flops(&causal, gates() + 6.0 * (4 * (10 + 16 + 6) * 8) as f64, 0.0);
}

#[test]
fn a_sandwich_adds_a_convolution_and_inverts_its_blocks_once() {
    let config = CausalMonarchConfig::new(D_MODEL, SEQ).with_form(CausalMonarchForm::Sandwich);
    let config = config.with_filter_order(4).with_emb_dim(3).with_gated(false);
    let triangle = 6.0 * (2 * 4 * 6 * 8) as f64; // two factors of 4 blocks with 6 entries below the diagonal
    let network = linear((3 + 2 * 4 + 8) * 4);
    let inverses = 4.0 / 3.0 * (4 * 4 * (16 + 16)) as f64;
    assert_flops(&config, 2.0 * triangle + 8.0 * ROW, 8.0 * KERNEL + network + triangle + inverses);
}
