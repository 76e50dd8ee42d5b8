//! What the configs refuse, with which messages, and what they take from the model around them.

use subquad_mixer::{Context, Refusal, SequenceMixerConfig};
use subquad_monarch::{CausalMonarchConfig, CausalMonarchForm, LearnedMonarchConfig};
use subquad_testkit::cpu;

fn learned() -> LearnedMonarchConfig {
    LearnedMonarchConfig::new(4, 4)
}

fn causal() -> CausalMonarchConfig {
    CausalMonarchConfig::new(4, 4)
}

fn words(config: impl SequenceMixerConfig) -> Vec<String> {
    config.refusals().iter().map(ToString::to_string).collect()
}

#[test]
fn sizes_out_of_their_ranges_are_refused() {
    assert_eq!(words(LearnedMonarchConfig::new(0, 4)), ["d_model must be an integer >= 1, got 0"]);
    assert_eq!(
        words(LearnedMonarchConfig::new(4, 0)),
        ["l_max must be an integer from 1 to 1664100 or \"longest\", got 0"]
    );
    assert_eq!(
        words(learned().with_block(Some(0))),
        ["block must be an integer from 0 to 46340, got Some(0)"]
    );
    assert_eq!(words(causal().with_n_heads(0)), ["n_heads must be an integer from 1 to 8192, got 0"]);
}

#[test]
fn heads_and_blocks_that_do_not_fit_are_refused_at_once() {
    let both = [
        Refusal::new(
            "3 heads cannot share d_model = 4 equally; choose n_heads among the divisors of 4",
            &["n_heads", "d_model"],
        ),
        Refusal::new(
            "block = 5 exceeds l_max = 4; choose a block near the square root of l_max, or 0",
            &["block", "l_max"],
        ),
    ];
    assert_eq!(learned().with_n_heads(3).with_block(Some(5)).refusals(), both);
    assert_eq!(causal().with_n_heads(3).with_block(Some(5)).refusals(), both);
}

#[test]
fn a_factor_that_no_memory_holds_is_refused() {
    let config = LearnedMonarchConfig::new(1, 1 << 20).with_block(Some(1));
    let refused = config.check().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "with block = 1 and n_heads = 1, a factor for l_max = 1048576 has more than 2^31 numbers; use block = 0, which is near \
         the square root of l_max, fewer heads or a shorter l_max"
    );
    assert_eq!(refused.fields, ["block", "l_max", "n_heads"]);
    assert_eq!(config.with_block(None).check(), Ok(()));
    let longest = LearnedMonarchConfig::new(8192, 1290 * 1290);
    assert_eq!(longest.check(), Ok(()), "1290 blocks of 1290 tokens");
    assert_eq!(longest.with_n_heads(8192).refusals()[0].fields, ["block", "l_max", "n_heads"]);
}

#[test]
fn a_filter_that_cannot_be_drawn_is_refused() {
    let config = || causal().with_form(CausalMonarchForm::Sandwich);
    let even =
        "emb_dim = 4 is even, but it counts time itself and then pairs of sine and cosine; make it odd";
    assert_eq!(config().with_emb_dim(4).refusals(), [Refusal::new(even, &["emb_dim"])]);
    assert_eq!(
        words(config().with_filter_order(0)),
        ["filter_order must be an integer from 1 to 65536, got 0"]
    );
    assert_eq!(
        words(config().with_filter_lr(-1.0).with_position_lr(f64::NAN)),
        [
            "filter_lr must be a finite number >= 0, got -1.0",
            "position_lr must be a finite number >= 0, got NaN"
        ]
    );
}

#[test]
fn options_of_a_filter_are_refused_without_one() {
    let idle = causal().with_filter_order(8).with_position_lr(0.0);
    let refused = |reason: &str, name| Refusal::new(reason, &[name, "form"]);
    assert_eq!(
        idle.refusals(),
        [
            refused(
                "filter_order = 8 does nothing with form = \"blocks\", which has no filter; leave it at 64",
                "filter_order"
            ),
            refused(
                "position_lr = 0.0 does nothing with form = \"blocks\", which has no filter; leave it at 1e-5",
                "position_lr"
            ),
        ]
    );
    assert_eq!(idle.with_form(CausalMonarchForm::Sandwich).check(), Ok(()));
}

#[test]
fn a_matrix_is_as_long_as_the_longest_sequence_and_looks_as_its_model_does() {
    let context = |causal| Context { mixer: "m", d_model: 6, causal, seq_len: 4, longest: 8 };
    let fields = |refused: Vec<Refusal>| -> Vec<_> { refused.into_iter().map(|r| r.fields[0]).collect() };
    let (mut learned, mut causal) = (learned(), causal());
    assert_eq!(fields(learned.fit(&context(true))), ["causal", "l_max"]);
    assert_eq!(fields(causal.fit(&context(false))), ["causal", "l_max"]);
    (learned.l_max, causal.l_max) = (8, 8);
    assert_eq!((learned.fit(&context(false)), causal.fit(&context(true))), (vec![], vec![]));
    assert_eq!((learned.d_model, causal.d_model), (6, 6));
}

#[test]
#[should_panic(expected = "LearnedMonarchConfig: 3 heads cannot share d_model = 4 equally")]
fn init_refuses_in_the_words_of_check() {
    learned().with_n_heads(3).init(&cpu());
}
