//! What configs refuse, and in which words.

use subquad_monarch::{
    BlockDiagonalLinearConfig, BlockDiagonalMlpConfig, DenseMlpConfig, HyenaConfig, M2Config, MonarchInit,
    MonarchLinearConfig, MonarchMlpConfig,
};
use subquad_testkit::cpu;

fn words<E: std::fmt::Display>(check: Result<(), E>) -> String {
    check.err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn an_m2_needs_sizes_odd_features_a_frequency_and_rates() {
    let ok = M2Config::new(8, 16);
    assert_eq!(ok.check(), Ok(()));
    assert_eq!(ok.clone().with_emb_dim(3).with_position_lr(0.0).check(), Ok(()));
    let refused = [
        (M2Config::new(0, 16), "d_model = 0, but a filter needs at least 1"),
        (M2Config::new(8, 0), "l_max = 0, but a filter needs at least 1"),
        (ok.clone().with_filter_order(0), "filter_order = 0, but a filter needs at least 1"),
        (
            ok.clone().with_emb_dim(4),
            "emb_dim = 4, but it counts a position and pairs of sines, so it must be odd and at least 3",
        ),
        (
            ok.clone().with_emb_dim(1),
            "emb_dim = 1, but it counts a position and pairs of sines, so it must be odd and at least 3",
        ),
        (
            ok.clone().with_sine_frequency(0.0),
            "sine_frequency = 0.0, but a frequency must be positive and finite",
        ),
        (ok.clone().with_filter_lr(-1.0), "filter_lr = -1.0, but it must be a finite number of at least 0"),
        (
            ok.clone().with_filter_weight_decay(f64::NAN),
            "filter_weight_decay = NaN, but it must be a finite number of at least 0",
        ),
        (
            ok.with_position_lr(f64::INFINITY),
            "position_lr = inf, but it must be a finite number of at least 0",
        ),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.check()), expected);
    }
}

#[test]
fn options_of_filters_must_have_something_to_change() {
    let both_ways = M2Config::new(8, 16).with_bidirectional(true);
    for allowed in [both_ways.clone().with_rev_offset(0), both_ways.clone().with_shift(-2.0)] {
        assert_eq!(allowed.check(), Ok(()));
    }
    let refused = [
        (
            both_ways.clone().with_modulate(false).with_shift(0.5),
            "shift = 0.5 lifts the decay, but modulate = false leaves none; set shift = 0 or modulate = true",
        ),
        (
            both_ways.clone().with_shift(f64::NAN),
            "shift = NaN, but it is added to the decay, so it must be finite",
        ),
        (
            both_ways.clone().with_rev_offset(2),
            "rev_offset = 2, but taps that look ahead begin 0 or 1 tokens ahead",
        ),
        (
            M2Config::new(8, 16).with_rev_offset(0),
            "rev_offset = 0 moves taps that look ahead, but a causal filter has none; leave it at 1",
        ),
        (
            both_ways.clone().with_short_filter(0),
            "short_filter = 0, but the short convolution has at least the present token's tap",
        ),
        (
            both_ways.with_dropout(1.0),
            "dropout = 1.0, but it is a share that is dropped, at least 0 and below 1",
        ),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.check()), expected);
    }
}

#[test]
fn hyena_needs_two_gates_and_what_m2_needs() {
    let ok = HyenaConfig::new(8, 16);
    assert_eq!((ok.check(), ok.clone().with_order(7).check()), (Ok(()), Ok(())));
    let refused = [
        (
            ok.clone().with_order(1),
            "order = 1, but a long filter stands between two gates, so it must be at least 2",
        ),
        (HyenaConfig::new(0, 16), "d_model = 0, but a filter needs at least 1"),
        (
            ok.clone().with_dropout(-0.1),
            "dropout = -0.1, but it is a share that is dropped, at least 0 and below 1",
        ),
        (ok.with_position_lr(-1.0), "position_lr = -1.0, but it must be a finite number of at least 0"),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.check()), expected);
    }
}

#[test]
fn blocks_need_sizes_and_must_not_be_empty() {
    assert_eq!(BlockDiagonalLinearConfig::new(10, 14, 4).check(), Ok(()));
    let refused = [
        (BlockDiagonalLinearConfig::new(0, 4, 1), "d_input = 0, but a block-diagonal layer needs at least 1"),
        (
            BlockDiagonalLinearConfig::new(4, 0, 1),
            "d_output = 0, but a block-diagonal layer needs at least 1",
        ),
        (
            BlockDiagonalLinearConfig::new(4, 4, 0),
            "n_blocks = 0, but a block-diagonal layer needs at least 1",
        ),
        (
            BlockDiagonalLinearConfig::new(3, 8, 4),
            "4 blocks cannot share d_input = 3; choose at most 3 blocks",
        ),
        (
            BlockDiagonalLinearConfig::new(8, 3, 4),
            "4 blocks cannot share d_output = 3; choose at most 3 blocks",
        ),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.check()), expected);
    }
}

#[test]
fn a_monarch_layer_needs_axes_that_hold_its_widths_and_a_rank_that_its_slices_can_have() {
    let ok = MonarchLinearConfig::new(12, 20);
    assert_eq!(ok.check(), Ok(()));
    assert_eq!(ok.clone().with_n_blocks(Some(4)).with_rank(3).check(), Ok(()));
    let identity = MonarchLinearConfig::new(12, 12).with_init(MonarchInit::Identity);
    assert_eq!(identity.check(), Ok(()));
    let cut = |input: &[usize]| ok.clone().with_input_shape(Some(input.to_vec()));
    let refused = [
        (MonarchLinearConfig::new(0, 4), "d_input = 0, but a Monarch layer needs at least 1"),
        (ok.clone().with_rank(0), "rank = 0, but a Monarch layer needs at least 1"),
        (ok.clone().with_order(1), "order = 1, but a Monarch matrix has 2 to 32 factors"),
        (
            ok.clone().with_order(3).with_n_blocks(Some(2)),
            "n_blocks cuts a layer of two factors; with order = 3 give input_shape and output_shape instead",
        ),
        (
            cut(&[3, 4]).with_n_blocks(Some(2)),
            "n_blocks and input_shape both cut the layer; leave one of them out",
        ),
        (ok.clone().with_n_blocks(Some(13)), "13 blocks cannot share d_input = 12; choose at most 12 blocks"),
        (cut(&[2, 2, 3]), "input_shape = [2, 2, 3] has 3 axes, but order = 2 needs 2"),
        (cut(&[0, 12]), "input_shape = 0, but a Monarch layer needs at least 1"),
        (cut(&[3, 3]), "input_shape = [3, 3] holds 9 numbers, fewer than d_input = 12; choose larger axes"),
        (ok.clone().with_n_blocks(Some(4)).with_rank(4), "rank = 4, but slices of 5 x 3 have at most rank 3"),
        (
            identity.with_n_blocks(Some(4)),
            "the identity needs input and output cut alike and no pre_permute, but they are [4, 3] and [3, 4]; \
             give equal input_shape and output_shape",
        ),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.check()), expected);
    }
}

#[test]
fn channel_mixers_check_both_of_their_layers() {
    assert_eq!(BlockDiagonalMlpConfig::new(8, 4).check(), Ok(()));
    let mlp = BlockDiagonalMlpConfig::new(8, 3);
    assert_eq!(words(mlp.check()), "4 blocks cannot share d_input = 3; choose at most 3 blocks");
    assert_eq!(
        words(DenseMlpConfig::new(8, 0).check()),
        "d_hidden = 0, but a channel mixer needs at least 1"
    );
    assert_eq!(words(DenseMlpConfig::new(0, 8).check()), "d_model = 0, but a channel mixer needs at least 1");
    assert_eq!(MonarchMlpConfig::new(8, 3).check(), Ok(()));
    let mlp = MonarchMlpConfig::new(8, 3).with_n_blocks(Some(4));
    assert_eq!(words(mlp.check()), "4 blocks cannot share d_output = 3; choose at most 3 blocks");
    assert_eq!(
        words(MonarchMlpConfig::new(8, 0).check()),
        "d_output = 0, but a Monarch layer needs at least 1"
    );
}

#[test]
#[should_panic(expected = "M2Config: emb_dim = 4, but it counts a position and pairs of sines")]
fn init_refuses_in_the_same_words() {
    M2Config::new(8, 16).with_emb_dim(4).init(&cpu());
}
