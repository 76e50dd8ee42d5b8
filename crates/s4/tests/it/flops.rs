//! Operations of a training step against counts by hand.
//!
//! A transform of 16 points takes 5 * 16 * 4 = 320 operations. A row of a convolution takes four of them and 20 * 16 for products of
//! spectra, a kernel two.

use subquad_mixer::{Flops, SequenceMixerConfig};
use subquad_s4::{EmaConfig, H3Config, OutputMix, S4Config, S4dConfig};

const SEQ: usize = 16;
const D_MODEL: usize = 8;
const D_STATE: usize = 4;
const ROW: f64 = 4.0 * 320.0 + 20.0 * 16.0;
const KERNEL: f64 = 2.0 * 320.0;
/// A kernel's 16 taps, each a sum of `d_state` terms, forward and twice backward.
const TAPS: f64 = 3.0 * 2.0 * 16.0 * 4.0;

fn linear(weights: usize) -> f64 {
    (6 * weights * SEQ) as f64
}

#[track_caller]
fn assert_flops(config: &impl SequenceMixerConfig, sequence: f64, batch: f64) {
    assert_eq!(config.training_flops(SEQ), Some(Flops { sequence, batch }), "{config:?}");
}

fn s4d() -> S4dConfig {
    S4dConfig::new(D_MODEL).with_d_state(D_STATE)
}

#[test]
fn an_s4d_convolves_every_channel_and_makes_its_kernels_once() {
    let glu = linear(8 * 16);
    assert_flops(&s4d(), 8.0 * ROW + glu, 8.0 * (KERNEL + TAPS));
    assert_flops(&s4d().with_output(OutputMix::Linear), 8.0 * ROW + linear(8 * 8), 8.0 * (KERNEL + TAPS));
    assert_flops(&s4d().with_output(OutputMix::None), 8.0 * ROW, 8.0 * (KERNEL + TAPS));
    // Both directions share a transform of the kernels, not their taps.
    assert_flops(&s4d().with_bidirectional(true), 8.0 * ROW + glu, 8.0 * (KERNEL + 2.0 * TAPS));
    let channels = s4d().with_channels(3);
    assert_flops(&channels, 24.0 * ROW + linear(24 * 16), 24.0 * (KERNEL + TAPS));
}

/// 9 frequencies of 2 pairs; a product of a left and a right factor takes 8 operations each, forward and twice backward.
#[test]
fn an_s4_sums_over_pairs_at_every_frequency_of_its_full_length() {
    let config = S4Config::new(D_MODEL, SEQ).with_d_state(D_STATE);
    let kernels = |products: f64| 9.0 * 2.0 * (3.0 * 8.0 * products + 35.0) + 2.0 * 320.0;
    let sequence = 8.0 * ROW + linear(8 * 16);
    assert_flops(&config, sequence, 8.0 * (KERNEL + kernels(4.0)));
    assert_flops(&config.clone().with_rank(Some(2)), sequence, 8.0 * (KERNEL + kernels(9.0)));
    let short = config.training_flops(2).unwrap().batch;
    assert!(short > 8.0 * kernels(4.0), "a kernel has l_max taps: {short}");
}

#[test]
fn an_h3_convolves_keys_and_the_products_of_every_head() {
    let config = H3Config::new(D_MODEL).with_d_state(D_STATE);
    let projections = linear(4 * 8 * 8);
    assert_flops(&config, projections + 16.0 * ROW, 16.0 * KERNEL + 8.0 * TAPS);
    // Four heads of 2 x 2 products: 16 rows and 4 kernels.
    let heads = config.clone().with_head_dim(2);
    assert_flops(&heads, projections + (8.0 + 16.0) * ROW, 12.0 * KERNEL + 4.0 * TAPS);
    // 4 points take 40 operations.
    let shift = 8.0 * (4.0 * 40.0 + 20.0 * 4.0 + 2.0 * 40.0);
    assert_flops(
        &config.with_train_shift_b(true),
        projections + 16.0 * ROW,
        16.0 * KERNEL + 8.0 * TAPS + shift,
    );
}

#[test]
fn an_average_is_a_convolution() {
    assert_flops(&EmaConfig::new(D_MODEL), 8.0 * ROW, 8.0 * KERNEL);
}
