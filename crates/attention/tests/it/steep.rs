//! Scores far from ordinary ones, where the softmax could go wrong.

use burn::tensor::{Tensor, TensorData};
use subquad_attention::Rules;
use subquad_testkit::{assert_rel_close, cpu, seeded, seeded_tensor};

use crate::FORMS;
use crate::cases::{Triple, attend, definition, gradients, seeded_triple};
use crate::dot_product::VALUE_REL_TOL;

const D_HEAD: usize = 4;

fn each_rule() -> [Rules; 4] {
    let window = Some(100);
    [Rules::causal(), Rules::default()]
        .into_iter()
        .flat_map(|rules| [rules.clone(), Rules { window, ..rules }])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

/// Both forms give what the definition gives, and finite gradients. Those of the values, the only ones that such
/// weights do not make 0, agree.
fn assert_defined(inputs: &Triple, rules: &Rules, what: &str) {
    let expected = definition(inputs, rules);
    let weight = seeded_tensor(inputs[0].dims(), 9, &cpu());
    let by_values = FORMS.map(|form| {
        let what = format!("{what}, {form:?}, causal = {}, window = {:?}", rules.causal, rules.window);
        assert_rel_close(attend(inputs.clone(), rules, form), expected.clone(), VALUE_REL_TOL, &what);
        let grads = gradients(inputs, &weight, rules, form);
        assert!(grads.iter().flatten().all(|grad| grad.is_finite()), "{what}");
        grads[2].clone()
    });
    let [portable, fused] = by_values;
    assert_rel_close(fused, portable, VALUE_REL_TOL, format!("{what}: gradient by v"));
}

/// Scores of either sign up to 1e6 that grow along the keys. They are multiples of 1/2 and so exact in f32.
fn growing_triple(seq: usize) -> Triple {
    let part = |scale: f64, seed: u64| {
        let values = seeded(seq * D_HEAD, seed).into_iter().enumerate();
        let steep = values.map(|(i, x)| (x * scale * (1 + i / D_HEAD) as f64).round() as f32).collect();
        Tensor::<4>::from_data(TensorData::new(steep, [1, 1, seq, D_HEAD]), &cpu())
    };
    [part(5.0, 1), part(5.0, 2), part(1.0, 3)]
}

#[test]
fn scores_far_beyond_the_range_of_exp_give_the_right_weights() {
    for seq in [3, 65, 200] {
        for rules in each_rule() {
            let inputs = growing_triple(seq);
            let expected = definition(&inputs, &rules);
            for form in FORMS {
                let got = attend(inputs.clone(), &rules, form);
                assert_rel_close(got, expected.clone(), VALUE_REL_TOL, format!("{form:?}, {seq}, {rules:?}"));
            }
        }
    }
}

/// Every query gives key `j` the score `score(j)`: exact in f32 if that is a multiple of 2^8.
fn scored_triple(seq: usize, score: impl Fn(usize) -> f64) -> Triple {
    let along = |value: &dyn Fn(usize) -> f64| {
        let row = |j| [value(j) as f32, 0.0, 0.0, 0.0];
        let values: Vec<f32> = (0..seq).flat_map(row).collect();
        Tensor::<4>::from_data(TensorData::new(values, [1, 1, seq, D_HEAD]), &cpu())
    };
    // Divided by sqrt(4): 2^9 k / 2 is the score.
    let [_, _, v] = seeded_triple(1, [1, 1], [seq, seq], D_HEAD);
    [along(&|_| 512.0), along(&|j| score(j) / 256.0), v]
}

/// From one tile of keys to the next, scores grow or fall by far more than 2^20.
const STEEP: f64 = (1 << 18) as f64;

#[test]
fn the_largest_score_takes_all_wherever_it_is() {
    let seq = 200;
    let patterns: [(&str, &dyn Fn(usize) -> f64); 5] = [
        ("growing", &|j| STEEP * j as f64),
        ("falling", &|j| -STEEP * j as f64),
        ("a hill", &|j| -STEEP * j.abs_diff(97) as f64),
        ("a valley", &|j| STEEP * j.abs_diff(97) as f64 + 256.0 * (j % 2) as f64),
        ("saws", &|j| STEEP * (j % 50) as f64 + 4096.0 * (j / 50) as f64),
    ];
    for ((name, score), rules) in
        patterns.iter().flat_map(|pattern| each_rule().map(|rules| (pattern, rules)))
    {
        assert_defined(&scored_triple(seq, score), &rules, name);
    }
}

#[test]
fn equal_scores_give_equal_weights_however_large_they_are() {
    for score in [0.0, 64.0 * STEEP, -64.0 * STEEP] {
        for rules in each_rule() {
            assert_defined(&scored_triple(200, |_| score), &rules, &format!("all {score}"));
        }
    }
}

#[test]
fn a_tile_of_hopeless_keys_before_or_after_the_others_counts_for_nothing() {
    for hopeless in [0..64, 0..128, 64..128, 128..200] {
        for rules in each_rule() {
            let score = |j| if hopeless.contains(&j) { -64.0 * STEEP } else { 0.0 };
            assert_defined(&scored_triple(200, score), &rules, &format!("hopeless: {hopeless:?}"));
        }
    }
}

#[test]
fn a_cap_keeps_steep_scores_apart_by_twice_the_cap_at_most() {
    let rules = Rules { softcap: Some(2.0), ..Rules::causal() };
    assert_defined(&scored_triple(200, |j| STEEP * j as f64 - 100.0 * STEEP), &rules, "capped");
}
