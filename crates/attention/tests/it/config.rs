//! What a config refuses, and in which words.

use subquad_attention::{AttentionConfig, Position};

use crate::device;

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
        "position = rope turns pairs of features, but a head has 3; choose n_heads so that d_model / n_heads is even"
    );
    assert_eq!(config.with_position(Position::None).check(), Ok(()));
}

#[test]
fn a_rope_base_that_gives_no_angles_is_refused() {
    for (base, shown) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let words = format!("rope_base must be a positive number, got {shown}");
        assert_eq!(refusal(AttentionConfig::new(64).with_rope_base(base)), words);
    }
}

#[test]
#[should_panic(
    expected = "AttentionConfig: 3 heads cannot share d_model = 64 equally; choose a divisor of 64"
)]
fn init_repeats_the_words_of_check() {
    AttentionConfig::new(64).with_n_heads(3).init(&device());
}
