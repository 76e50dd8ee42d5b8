//! Dropout as part of a model. What it does to one tensor is tested next to its code.

use std::cell::RefCell;

use subquad_model::{Dropout, Input, SequenceModel, Uniform};
use subquad_testkit::{cpu, seeded, to_f64};

use crate::{BATCH, D_MODEL, SEQ, attention, build, config, reals};

fn model() -> SequenceModel {
    build(&config(attention(true)), 1)
}

fn logits(dropout: &Dropout<'_>) -> Vec<f64> {
    to_f64(model().forward(Input::Reals(reals(&cpu())), dropout))
}

fn with(rate: f64, uniform: &Uniform<'_>) -> Vec<f64> {
    logits(&Dropout::On { rate, uniform, mixer_seed: &|_| 0 })
}

/// Draws that depend on the seed and the site.
fn draws(seed: u64) -> impl Fn(usize, usize) -> Vec<f32> {
    move |site, count| seeded(count, seed + site as u64).into_iter().map(|v| (v / 2.0 + 0.5) as f32).collect()
}

#[test]
fn every_branch_of_every_block_asks_once_for_its_own_mask() {
    let asked = RefCell::new(vec![]);
    let uniform = |site: usize, count: usize| {
        asked.borrow_mut().push((site, count));
        vec![0.5; count]
    };
    with(0.1, &uniform);
    assert_eq!(asked.into_inner(), [0, 1, 2, 3].map(|site| (site, BATCH * SEQ * D_MODEL)));
}

#[test]
fn every_mixer_asks_for_its_own_seed_also_where_no_activation_is_dropped() {
    for rate in [0.0, 0.1] {
        let asked = RefCell::new(vec![]);
        let mixer_seed = |index: usize| {
            asked.borrow_mut().push(index);
            0
        };
        logits(&Dropout::On { rate, uniform: &draws(0), mixer_seed: &mixer_seed });
        assert_eq!(asked.into_inner(), [0, 1]);
    }
}

#[test]
fn the_same_draws_give_the_same_logits_and_other_draws_others() {
    assert_eq!(with(0.3, &draws(0)), with(0.3, &draws(0)));
    assert_ne!(with(0.3, &draws(0)), with(0.3, &draws(100)));
}

#[test]
fn every_site_has_its_own_mask() {
    let same_everywhere = |_: usize, count: usize| draws(0)(0, count);
    assert_ne!(with(0.3, &draws(0)), with(0.3, &same_everywhere));
}

#[test]
fn rate_zero_is_evaluation() {
    assert_eq!(with(0.0, &draws(0)), logits(&Dropout::Off));
    assert_ne!(with(0.3, &draws(0)), logits(&Dropout::Off));
}
