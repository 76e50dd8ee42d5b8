//! What a config refuses, and in which words.

use subquad_attention::{AttentionConfig, Position};
use subquad_testkit::cpu;

fn refusal(config: AttentionConfig) -> String {
    config.check().unwrap_err().to_string()
}

#[test]
fn a_config_is_causal_and_rotary_unless_it_says_otherwise() {
    let config = AttentionConfig::new(64);
    assert_eq!(
        (config.n_heads, config.causal, config.position, config.rope_base),
        (4, true, Position::Rope, 10000.0)
    );
    assert_eq!((config.n_kv_heads, config.window, config.softcap), (None, None, None));
    assert_eq!((config.rope_fraction, config.qk_norm, config.dropout), (1.0, false, 0.0));
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn heads_that_do_not_divide_the_width_are_refused() {
    let words = "heads cannot share d_model = 64 equally; choose a divisor of 64";
    assert_eq!(refusal(AttentionConfig::new(64).with_n_heads(5)), format!("5 {words}"));
    assert_eq!(refusal(AttentionConfig::new(64).with_n_heads(0)), format!("0 {words}"));
}

#[test]
fn a_width_of_0_is_refused() {
    assert_eq!(refusal(AttentionConfig::new(0)), "d_model must be at least 1, got 0");
}

#[test]
fn heads_of_odd_width_are_refused_with_rotary_positions_only() {
    let config = AttentionConfig::new(12);
    assert_eq!(
        refusal(config.clone()),
        "position = rope turns pairs of features, but a head has 3; choose n_heads so that d_model / n_heads is even, or a rope_fraction below 1"
    );
    assert_eq!(config.clone().with_rope_fraction(0.7).check(), Ok(()));
    assert_eq!(config.clone().with_position(Position::Alibi).check(), Ok(()));
    assert_eq!(config.with_position(Position::None).check(), Ok(()));
}

#[test]
fn a_rope_base_that_gives_no_angles_is_refused() {
    for (base, shown) in [(0.0, "0.0"), (-1.0, "-1.0"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let words = format!("rope_base must be a positive number, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_rope_base(base)), words);
    }
}

#[test]
fn a_fraction_of_a_head_is_more_than_0_and_at_most_1() {
    for (fraction, shown) in [(0.0, "0.0"), (-0.5, "-0.5"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        let words = format!("rope_fraction must be greater than 0 and at most 1, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_rope_fraction(fraction)), words);
    }
}

#[test]
fn a_fraction_without_a_pair_of_features_is_refused() {
    let config = AttentionConfig::new(64).with_rope_fraction(0.1);
    assert_eq!(
        refusal(config.clone()),
        "rope_fraction = 0.1 of a head of 16 features leaves no pair to turn; choose at least 2 / 16, or position = none"
    );
    assert_eq!(config.with_rope_fraction(0.125).check(), Ok(()));
}

#[test]
fn choices_about_rotary_positions_are_refused_without_them() {
    let words = "changes nothing without position = rope; leave it out, or choose position = rope";
    for position in [Position::Alibi, Position::None] {
        let config = AttentionConfig::new(64).with_position(position);
        assert_eq!(refusal(config.clone().with_rope_base(500.0)), format!("rope_base {words}"));
        assert_eq!(refusal(config.with_rope_fraction(0.5)), format!("rope_fraction {words}"));
    }
}

#[test]
fn heads_of_keys_that_do_not_divide_the_heads_are_refused() {
    for n_kv_heads in [0, 3, 8] {
        let words =
            format!("n_kv_heads = {n_kv_heads} cannot serve n_heads = 4 equally; choose a divisor of 4");
        assert_eq!(refusal(AttentionConfig::new(64).with_n_kv_heads(Some(n_kv_heads))), words);
    }
    for n_kv_heads in [1, 2, 4] {
        assert_eq!(AttentionConfig::new(64).with_n_kv_heads(Some(n_kv_heads)).check(), Ok(()));
    }
}

#[test]
fn a_window_of_0_is_refused() {
    let words = "window must be at least 1, a token itself, got 0; leave it out for no limit";
    assert_eq!(refusal(AttentionConfig::new(64).with_window(Some(0))), words);
    assert_eq!(AttentionConfig::new(64).with_window(Some(1)).check(), Ok(()));
}

#[test]
fn a_softcap_that_is_no_positive_number_is_refused() {
    for (softcap, shown) in [(0.0, "0.0"), (-1.0, "-1.0"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let words = format!(
            "softcap must be a number from 1e-30 to 1e30, got {shown}; leave it out for scores as they are"
        );
        assert_eq!(refusal(AttentionConfig::new(64).with_softcap(Some(softcap))), words);
    }
}

#[test]
fn a_dropout_that_is_no_probability_below_1_is_refused() {
    for (dropout, shown) in [(1.0, "1.0"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let words = format!("dropout must be at least 0 and less than 1, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_dropout(dropout)), words);
    }
}

#[test]
#[should_panic(
    expected = "AttentionConfig: 3 heads cannot share d_model = 64 equally; choose a divisor of 64"
)]
fn init_repeats_the_words_of_check() {
    AttentionConfig::new(64).with_n_heads(3).init(&cpu());
}
