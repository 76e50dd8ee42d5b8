//! What configs refuse, with which messages, and what they take from the model around them.

use subquad_mixer::{Context, Refusal, SequenceMixerConfig};
use subquad_monarch::{
    BlockDiagonalLinearConfig, BlockDiagonalMlpConfig, DenseMlpConfig, HyenaConfig, ImplicitFilterConfig,
    M2Config, MonarchInit, MonarchLinearConfig, MonarchMlpConfig, SwigluConfig,
};
use subquad_testkit::cpu;

fn words(refused: Vec<Refusal>) -> Vec<String> {
    refused.iter().map(ToString::to_string).collect()
}

fn refusal(reason: &str, fields: &[&'static str]) -> Refusal {
    Refusal::new(reason, fields)
}

#[test]
fn an_m2_needs_sizes_frequencies_and_rates_in_their_ranges() {
    let ok = M2Config::new(8, 16);
    assert_eq!(ok.check(), Ok(()));
    assert_eq!(ok.clone().with_emb_dim(3).with_position_lr(0.0).check(), Ok(()));
    let refused = [
        (M2Config::new(0, 16), "d_model must be an integer >= 1, got 0"),
        (M2Config::new(8, 0), "l_max must be an integer from 1 to 16777216 or \"longest\", got 0"),
        (ok.clone().with_filter_order(0), "filter_order must be an integer from 1 to 65536, got 0"),
        (ok.clone().with_emb_dim(1), "emb_dim must be an integer from 3 to 65535, got 1"),
        (ok.clone().with_sine_frequency(0.0), "sine_frequency must be a finite number > 0, got 0.0"),
        (ok.clone().with_sine_factor(-0.3), "sine_factor must be a finite number > 0, got -0.3"),
        (ok.clone().with_shift(f64::NAN), "shift must be a finite number, got NaN"),
        (ok.clone().with_rev_offset(2), "rev_offset must be an integer from 0 to 1, got 2"),
        (ok.clone().with_short_filter(0), "short_filter must be an integer from 1 to 1024, got 0"),
        (ok.clone().with_dropout(1.0), "dropout must be a finite number >= 0 and < 1, got 1.0"),
        (ok.clone().with_filter_lr(-1.0), "filter_lr must be a finite number >= 0, got -1.0"),
        (
            ok.clone().with_filter_weight_decay(f64::NAN),
            "filter_weight_decay must be a finite number >= 0, got NaN",
        ),
        (ok.with_position_lr(f64::INFINITY), "position_lr must be a finite number >= 0, got inf"),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.refusals()), [expected]);
    }
}

#[test]
fn options_of_filters_must_have_something_to_change() {
    let both_ways = M2Config::new(8, 16).with_bidirectional(true);
    for allowed in [both_ways.clone().with_rev_offset(0), both_ways.clone().with_shift(-2.0)] {
        assert_eq!(allowed.check(), Ok(()));
    }
    let even = refusal(
        "emb_dim = 4 is even, but it counts time itself and then pairs of sine and cosine; make it odd",
        &["emb_dim"],
    );
    let no_decay = refusal(
        "shift = 0.5 is added to a decay that modulate = false removes; leave it at 0.0, or set modulate = true",
        &["shift", "modulate"],
    );
    let one_way = refusal(
        "rev_offset = 0 moves taps that look ahead, and a causal filter has none; leave it at 1",
        &["rev_offset", "causal"],
    );
    assert_eq!(both_ways.with_emb_dim(4).refusals(), std::slice::from_ref(&even));
    let hyena = HyenaConfig::new(8, 16).with_emb_dim(4).with_modulate(false).with_shift(0.5);
    assert_eq!(hyena.refusals(), [even.clone(), no_decay.clone()]);
    let all = [even, no_decay, one_way];
    let m2 = M2Config::new(8, 16).with_rev_offset(0);
    assert_eq!(m2.with_emb_dim(4).with_modulate(false).with_shift(0.5).refusals(), all);
    let filter = ImplicitFilterConfig::new(8, 16).with_rev_offset(0);
    assert_eq!(filter.with_emb_dim(4).with_modulate(false).with_shift(0.5).refusals(), all);
    let filter = ImplicitFilterConfig::new(8, 16).with_order(0);
    assert_eq!(words(filter.refusals()), ["order must be an integer from 1 to 65536, got 0"]);
}

#[test]
fn hyena_needs_two_gates_and_what_m2_needs() {
    let ok = HyenaConfig::new(8, 16);
    assert_eq!((ok.check(), ok.clone().with_order(7).check()), (Ok(()), Ok(())));
    let refused = [
        (ok.clone().with_order(1), "order must be an integer from 2 to 64, got 1"),
        (HyenaConfig::new(0, 16), "d_model must be an integer >= 1, got 0"),
        (ok.clone().with_dropout(-0.1), "dropout must be a finite number >= 0 and < 1, got -0.1"),
        (ok.with_position_lr(-1.0), "position_lr must be a finite number >= 0, got -1.0"),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.refusals()), [expected]);
    }
    assert_eq!(HyenaConfig::new(usize::MAX, 16).with_order(64).check(), Ok(()), "no rule overflows");
}

#[test]
fn filters_reach_over_the_longest_sequence_and_hyena_is_causal() {
    let context = |causal| Context { mixer: "m", d_model: 6, causal, seq_len: 4, longest: 32 };
    let fields = |refused: Vec<Refusal>| -> Vec<_> { refused.into_iter().map(|r| r.fields[0]).collect() };
    let (mut hyena, mut m2) = (HyenaConfig::new(8, 16), M2Config::new(8, 16));
    assert_eq!(fields(hyena.fit(&context(false))), ["causal", "l_max"]);
    assert_eq!(fields(m2.fit(&context(false))), ["l_max"]);
    assert!(m2.bidirectional);
    (hyena.l_max, m2.l_max) = (32, 32);
    assert_eq!((hyena.fit(&context(true)), m2.fit(&context(true))), (vec![], vec![]));
    assert_eq!((hyena.d_model, m2.d_model, m2.bidirectional), (6, 6, false));
}

#[test]
fn blocks_need_sizes_and_must_not_be_empty() {
    assert_eq!(BlockDiagonalLinearConfig::new(10, 14, 4).check(), Ok(()));
    let refused = [
        (BlockDiagonalLinearConfig::new(0, 4, 1), "d_input must be an integer >= 1, got 0"),
        (BlockDiagonalLinearConfig::new(4, 0, 1), "d_output must be an integer >= 1, got 0"),
        (BlockDiagonalLinearConfig::new(4, 4, 0), "n_blocks must be an integer >= 1, got 0"),
        (
            BlockDiagonalLinearConfig::new(3, 8, 4),
            "4 blocks cannot share d_input = 3; choose n_blocks of at most 3",
        ),
        (
            BlockDiagonalLinearConfig::new(8, 3, 4),
            "4 blocks cannot share d_output = 3; choose n_blocks of at most 3",
        ),
    ];
    for (config, expected) in refused {
        assert_eq!(words(config.refusals()), [expected]);
    }
    let fields = BlockDiagonalLinearConfig::new(3, 2, 4).refusals().into_iter().map(|refused| refused.fields);
    assert_eq!(fields.collect::<Vec<_>>(), [["n_blocks", "d_input"], ["n_blocks", "d_output"]]);
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
        (MonarchLinearConfig::new(0, 4), refusal("d_input must be an integer >= 1, got 0", &["d_input"])),
        (ok.clone().with_rank(0), refusal("rank must be an integer >= 1, got 0", &["rank"])),
        (ok.clone().with_order(1), refusal("order must be an integer from 2 to 32, got 1", &["order"])),
        (
            ok.clone().with_order(3).with_n_blocks(Some(2)),
            refusal(
                "n_blocks cuts a layer of two factors; with order = 3 give input_shape and output_shape instead",
                &["n_blocks", "order"],
            ),
        ),
        (
            cut(&[3, 4]).with_n_blocks(Some(2)),
            refusal(
                "n_blocks and input_shape both cut the layer; leave one of them out",
                &["n_blocks", "input_shape"],
            ),
        ),
        (
            ok.clone().with_n_blocks(Some(13)),
            refusal(
                "13 blocks cannot share d_input = 12; choose n_blocks of at most 12",
                &["n_blocks", "d_input"],
            ),
        ),
        (
            cut(&[2, 2, 3]),
            refusal("input_shape = [2, 2, 3] has 3 axes, but order = 2 needs 2", &["input_shape", "order"]),
        ),
        (
            cut(&[usize::MAX, 2]),
            refusal(
                &format!(
                    "input_shape = [{}, 2] holds more numbers than can be counted; choose smaller axes",
                    usize::MAX
                ),
                &["input_shape"],
            ),
        ),
        (
            cut(&[0, 12]),
            refusal(
                "input_shape = [0, 12] holds 0 numbers, fewer than d_input = 12; choose larger axes",
                &["input_shape", "d_input"],
            ),
        ),
        (
            cut(&[3, 3]),
            refusal(
                "input_shape = [3, 3] holds 9 numbers, fewer than d_input = 12; choose larger axes",
                &["input_shape", "d_input"],
            ),
        ),
        (
            ok.clone().with_n_blocks(Some(4)).with_rank(4),
            refusal("rank = 4, but slices of 5 x 3 have at most rank 3; lower it", &["rank"]),
        ),
        (
            identity.with_n_blocks(Some(4)),
            refusal(
                "the identity needs input and output cut alike and no pre_permute, but they are [4, 3] and [3, 4]; give equal \
                 input_shape and output_shape",
                &["init", "input_shape", "output_shape", "pre_permute"],
            ),
        ),
    ];
    for (config, expected) in refused {
        assert_eq!(config.refusals(), [expected]);
    }
}

#[test]
fn channel_mixers_blame_their_own_widths() {
    let crowded = |width| {
        let reason = format!("4 blocks cannot share {width} = 3; choose n_blocks of at most 3");
        Refusal::new(reason, &["n_blocks", width])
    };
    assert_eq!(BlockDiagonalMlpConfig::new(8, 4).check(), Ok(()));
    let both = [crowded("d_model"), crowded("d_hidden")];
    assert_eq!(BlockDiagonalMlpConfig::new(3, 3).refusals(), both);
    assert_eq!(MonarchMlpConfig::new(3, 3).with_n_blocks(Some(4)).refusals(), both);
    assert_eq!(MonarchMlpConfig::new(8, 3).check(), Ok(()));
    assert_eq!(
        words(BlockDiagonalMlpConfig::new(8, 4).with_n_blocks(0).refusals()),
        [
            "n_blocks = 0 cuts monarch matrices near the square root of their width, which block_diagonal ones cannot be; choose \
          at least 1"
        ]
    );
    let zero = |width| format!("{width} must be an integer >= 1, got 0");
    assert_eq!(words(DenseMlpConfig::new(0, 0).refusals()), [zero("d_model"), zero("d_hidden")]);
    assert_eq!(words(SwigluConfig::new(0, 0).refusals()), [zero("d_model"), zero("d_hidden")]);
    assert_eq!(SwigluConfig::new(1, 1).check(), Ok(()));
    assert_eq!(words(MonarchMlpConfig::new(8, 0).refusals()), [zero("d_hidden")]);
    assert_eq!(words(MonarchMlpConfig::new(8, 8).with_n_blocks(Some(0)).refusals()), [zero("n_blocks")]);
}

#[test]
#[should_panic(expected = "SwigluConfig: d_hidden must be an integer >= 1, got 0")]
fn swiglu_refuses_no_hidden_width() {
    SwigluConfig::new(8, 0).init(&cpu());
}

#[test]
#[should_panic(expected = "M2Config: emb_dim = 4 is even, but it counts time itself")]
fn init_refuses_in_the_same_words() {
    M2Config::new(8, 16).with_emb_dim(4).init(&cpu());
}
