//! A million tokens.

use subquad_mixer::{MeasuredMixer, Sizes};
use subquad_s4::S4dConfig;
use subquad_testkit::{assert_long, cpu, with_seed};

/// As promised in the documentation.
const F64: f64 = 1e-4;

#[test]
fn s4d_is_its_definition_at_a_million_tokens() {
    let (seq_len, d_model) = (1 << 20, 2);
    let sizes =
        Sizes { batch: 1, seq_len, d_model, hidden_factor: 2, n_blocks: 2, d_state: 8, more_tokens: 0 };
    let layer = with_seed(&cpu(), 1, || S4dConfig::measured(&sizes).init(&cpu()));
    let definition = |p: &[Vec<f64>], x: &[f64]| S4dConfig::definition(&sizes, p, x);
    assert_long(&layer, definition, [seq_len, d_model], [F64, F64]);
}
