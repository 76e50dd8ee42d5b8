//! A million tokens.

use subquad_monarch::{HyenaConfig, M2Config, reference};
use subquad_testkit::assert_long;

use crate::reference::{GRADIENT, VALUE};
use crate::seeded_module;

const TOKENS: usize = 1 << 20;

#[test]
fn m2_is_its_definition_at_a_million_tokens() {
    let config = M2Config::new(2, TOKENS).with_filter_order(4);
    let layer = seeded_module(|device| config.init(device));
    let definition = |p: &[Vec<f64>], x: &[f64]| reference::m2(&config, &p.concat(), x);
    assert_long(&layer, definition, [TOKENS, 2], [VALUE, GRADIENT]);
}

#[test]
fn hyena_is_its_definition_at_a_million_tokens() {
    let config = HyenaConfig::new(2, TOKENS).with_filter_order(4);
    let layer = seeded_module(|device| config.init(device));
    let definition = |p: &[Vec<f64>], x: &[f64]| reference::hyena(&config, &p.concat(), x);
    assert_long(&layer, definition, [TOKENS, 2], [VALUE, GRADIENT]);
}
