//! What a config refuses, and with which messages.

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
    let words = "5 heads cannot share d_model = 64 equally; choose n_heads among the divisors of 64";
    let refused = AttentionConfig::new(64).with_n_heads(5).check().unwrap_err();
    assert_eq!((refused.to_string().as_str(), refused.fields), (words, vec!["n_heads", "d_model"]));
    let words = "n_heads must be an integer from 1 to 1024, got 0";
    assert_eq!(refusal(AttentionConfig::new(64).with_n_heads(0)), words);
}

#[test]
fn a_width_of_0_is_refused() {
    assert_eq!(refusal(AttentionConfig::new(0)), "d_model must be an integer >= 1, got 0");
}

#[test]
fn heads_of_odd_width_are_refused_with_rotary_positions_only() {
    let config = AttentionConfig::new(12);
    assert_eq!(
        refusal(config.clone()),
        "rope rotates pairs of features, but d_model = 12 gives each of 4 heads 3 of them; make that even, or choose a \
         rope_fraction below 1 or another position"
    );
    assert_eq!(config.clone().with_rope_fraction(0.7).check(), Ok(()));
    assert_eq!(config.clone().with_position(Position::Alibi).check(), Ok(()));
    assert_eq!(config.with_position(Position::None).check(), Ok(()));
}

#[test]
fn a_rope_base_that_gives_no_angles_is_refused() {
    for (base, shown) in [(0.0, "0.0"), (-1.0, "-1.0"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let words = format!("rope_base must be a finite number > 0, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_rope_base(base)), words);
    }
}

#[test]
fn a_fraction_of_a_head_is_more_than_0_and_at_most_1() {
    for (fraction, shown) in [(0.0, "0.0"), (-0.5, "-0.5"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        let words = format!("rope_fraction must be a finite number > 0 and <= 1, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_rope_fraction(fraction)), words);
    }
}

#[test]
fn a_fraction_without_a_pair_of_features_is_refused() {
    let config = AttentionConfig::new(64).with_rope_fraction(0.1);
    assert_eq!(
        refusal(config.clone()),
        "rope rotates pairs of features, but rope_fraction = 0.1 of 16 features per head leaves none; raise it, or choose \
         another position"
    );
    assert_eq!(config.with_rope_fraction(0.125).check(), Ok(()));
}

#[test]
fn choices_about_rotary_positions_are_refused_without_them() {
    for position in [Position::Alibi, Position::None] {
        let config = AttentionConfig::new(64).with_position(position);
        let words = "rope_base = 500.0 does nothing without position = \"rope\"; leave it at 10000.0";
        assert_eq!(refusal(config.clone().with_rope_base(500.0)), words);
        let words = "rope_fraction = 0.5 does nothing without position = \"rope\"; leave it at 1.0";
        assert_eq!(refusal(config.clone().with_rope_fraction(0.5)), words);
        let both = config.with_rope_base(500.0).with_rope_fraction(0.5);
        assert_eq!(both.refusals().len(), 2, "all that is wrong is said at once");
    }
}

#[test]
fn heads_of_keys_that_do_not_divide_the_heads_are_refused() {
    for n_kv_heads in [3, 8] {
        let words = format!(
            "n_kv_heads = {n_kv_heads} cannot serve 4 heads equally; choose n_kv_heads among the divisors of 4"
        );
        assert_eq!(refusal(AttentionConfig::new(64).with_n_kv_heads(Some(n_kv_heads))), words);
    }
    let words = "n_kv_heads must be an integer from 1 to 1024 or \"n_heads\", got 0";
    assert_eq!(refusal(AttentionConfig::new(64).with_n_kv_heads(Some(0))), words);
    for n_kv_heads in [1, 2, 4] {
        assert_eq!(AttentionConfig::new(64).with_n_kv_heads(Some(n_kv_heads)).check(), Ok(()));
    }
}

#[test]
fn a_window_of_0_is_refused() {
    let words = "window must be an integer from 0 to 16777216, got Some(0)";
    assert_eq!(refusal(AttentionConfig::new(64).with_window(Some(0))), words);
    assert_eq!(AttentionConfig::new(64).with_window(Some(1)).check(), Ok(()));
}

#[test]
fn a_softcap_that_is_no_positive_number_is_refused() {
    for (softcap, shown) in [(0.0, "Some(0.0)"), (-1.0, "-1.0"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let words = format!("softcap must be 0 or a finite number >= 1e-30 and <= 1e30, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_softcap(Some(softcap))), words);
    }
}

#[test]
fn a_dropout_that_is_no_probability_below_1_is_refused() {
    for (dropout, shown) in [(1.0, "1.0"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let words = format!("dropout must be a finite number >= 0 and < 1, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_dropout(dropout)), words);
    }
}

#[test]
#[should_panic(
    expected = "AttentionConfig: 3 heads cannot share d_model = 64 equally; choose n_heads among the divisors of 64"
)]
fn init_repeats_the_words_of_check() {
    AttentionConfig::new(64).with_n_heads(3).init(&cpu());
}
