//! What the configs refuse, in which words.

use subquad_monarch::{CausalMonarchConfig, LearnedMonarchConfig};
use subquad_testkit::cpu;

fn learned(config: LearnedMonarchConfig) -> String {
    config.check().unwrap_err().to_string()
}

fn causal(config: CausalMonarchConfig) -> String {
    config.check().unwrap_err().to_string()
}

#[test]
fn sizes_that_fit_nothing_are_refused_with_a_next_step() {
    let zero = |what: &str| format!("{what} = 0, but a Monarch matrix along the sequence needs at least 1");
    assert_eq!(learned(LearnedMonarchConfig::new(0, 4)), zero("d_model"));
    assert_eq!(learned(LearnedMonarchConfig::new(4, 0)), zero("l_max"));
    assert_eq!(learned(LearnedMonarchConfig::new(4, 4).with_block(Some(0))), zero("block"));
    assert_eq!(causal(CausalMonarchConfig::new(4, 4).with_n_heads(0)), zero("n_heads"));
    assert_eq!(
        causal(CausalMonarchConfig::new(4, 4).with_n_heads(3)),
        "3 heads cannot share d_model = 4 equally; choose a divisor of 4"
    );
    assert_eq!(
        learned(LearnedMonarchConfig::new(4, 4).with_block(Some(5))),
        "block = 5 exceeds l_max = 4; choose a block near the square root of l_max, or none"
    );
}

#[test]
fn a_filter_that_cannot_be_drawn_is_refused() {
    let config = || CausalMonarchConfig::new(4, 4);
    assert!(causal(config().with_emb_dim(4)).contains("emb_dim = 4"));
    assert!(causal(config().with_filter_order(0)).contains("filter_order = 0"));
    assert_eq!(
        causal(config().with_filter_lr(-1.0)),
        "filter_lr = -1.0, but it must be a finite number of at least 0"
    );
    assert!(causal(config().with_position_lr(f64::NAN)).contains("position_lr = NaN"));
}

#[test]
#[should_panic(expected = "LearnedMonarchConfig: 3 heads cannot share d_model = 4 equally")]
fn init_refuses_in_the_words_of_check() {
    LearnedMonarchConfig::new(4, 4).with_n_heads(3).init(&cpu());
}
