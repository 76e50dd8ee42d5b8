//! The key-value cache: its capacity, its ring, and what shares it.

use burn::tensor::Tensor;
use subquad_attention::{Attention, AttentionConfig, AttentionState};
use subquad_backend::Form;
use subquad_mixer::{MixerState, SequenceMixer};
use subquad_testkit::{assert_rel_close, battery, cpu, seeded_tensor, to_f64, with_seed};

use crate::variants::{each_option, named};
use crate::{FORMS, autodiff_device};

/// The same f32 sums in another order: below 1e-6 (measured), ten times that.
const SAME_MAP: f64 = 1e-5;

fn build(config: &AttentionConfig, form: Form) -> Attention {
    with_seed(&cpu(), 1, || {
        let layer = config.init(&autodiff_device()).with_form(form);
        layer.forward(tokens(1, config, 1));
        layer
    })
}

fn tokens(batch: usize, config: &AttentionConfig, seq: usize) -> Tensor<3> {
    seeded_tensor([batch, seq, config.d_model], 2, &cpu())
}

fn chunk(layer: &Attention, x: Tensor<3>, state: AttentionState) -> (Tensor<3>, AttentionState) {
    layer.forward_with_state(x, state).unwrap()
}

#[test]
fn every_option_keeps_the_contract_of_a_causal_mixer() {
    for form in FORMS {
        for (_, config) in each_option() {
            battery::causal_mixer(&build(&config, form), config.d_model);
        }
    }
}

#[test]
fn chunks_of_any_lengths_are_the_whole_sequence_with_every_option() {
    for form in FORMS {
        for (name, config) in each_option() {
            let (layer, x) = (build(&config, form), tokens(2, &config, 40));
            let mut state = layer.init_state(2).unwrap();
            let (mut outputs, mut first) = (vec![], 0);
            for seq in [3, 1, 1, 8, 12, 1, 2, 12] {
                let (y, next) = chunk(&layer, x.clone().narrow(1, first, seq), state);
                (state, first) = (next, first + seq);
                outputs.push(y);
            }
            let whole = layer.forward(x);
            assert_rel_close(Tensor::cat(outputs, 1), whole, SAME_MAP, format!("{name}, {form:?}"));
        }
    }
}

#[test]
fn steps_of_either_form_are_the_portable_layer_with_every_option() {
    for (name, config) in each_option() {
        let (portable, x) = (build(&config, Form::Portable), tokens(2, &config, 75));
        let whole = portable.forward(x.clone());
        for form in FORMS {
            let stepped = steps(&portable.clone().with_form(form), &x);
            assert_rel_close(stepped, whole.clone(), SAME_MAP, format!("{name}, {form:?}"));
        }
    }
}

#[test]
fn gradients_through_steps_of_either_form_are_those_of_the_portable_layer() {
    for (name, config) in each_option() {
        let portable = build(&config, Form::Portable);
        let x = Tensor::from_data(tokens(2, &config, 8).into_data(), &autodiff_device()).require_grad();
        let whole = gradients(&portable, &x, portable.forward(x.clone()));
        for form in FORMS {
            let layer = portable.clone().with_form(form);
            for (whole, step) in whole.iter().zip(gradients(&layer, &x, steps(&layer, &x))) {
                assert_rel_close(step, whole.clone(), SAME_MAP, format!("{name}, {form:?}"));
            }
        }
    }
}

/// Token by token.
fn steps(layer: &Attention, x: &Tensor<3>) -> Tensor<3> {
    let [batch, seq, _] = x.dims();
    let mut state = layer.init_state(batch).unwrap();
    let outputs = (0..seq).map(|t| {
        let token = x.clone().narrow(1, t, 1).squeeze_dim(1);
        layer.step(token, &mut state).unwrap().unsqueeze_dim::<3>(1)
    });
    Tensor::cat(outputs.collect(), 1)
}

#[test]
fn the_room_doubles_when_it_is_full_and_is_what_was_asked_for_before() {
    let (config, layer) = (named("plain"), build(&named("plain"), Form::Fused));
    let mut state = layer.init_state_with_capacity(2, 3).unwrap();
    let mut capacities = vec![state.capacity()];
    for _ in 0..13 {
        layer.step(tokens(2, &config, 1).squeeze_dim(1), &mut state).unwrap();
        capacities.push(state.capacity());
    }
    assert_eq!(capacities, [3, 3, 3, 3, 6, 6, 6, 12, 12, 12, 12, 12, 12, 24]);
    assert_eq!(Some(state.floats()), layer.state_size(13));
    let (_, state) = chunk(&layer, tokens(2, &config, 100), state);
    assert_eq!((state.seq(), state.capacity()), (113, 113));
}

#[test]
fn a_ring_never_has_more_slots_than_its_window() {
    let (config, layer) = (named("window 5"), build(&named("window 5"), Form::Fused));
    let mut state = layer.init_state_with_capacity(1, 2).unwrap();
    let mut found = vec![];
    for seq in [1, 2, 1, 1, 9, 1] {
        (_, state) = chunk(&layer, tokens(1, &config, seq), state);
        found.push((state.seq(), state.held(), state.capacity()));
        assert_eq!(state.keys().dims(), [1, 2, state.held(), 12]);
        assert_eq!(Some(state.floats()), layer.state_size(state.seq()));
    }
    assert_eq!(found, [(1, 1, 2), (3, 3, 4), (4, 4, 4), (5, 5, 5), (14, 5, 5), (15, 5, 5)]);
    assert_eq!(layer.init_state_with_capacity(1, 1000).unwrap().capacity(), 5);
}

#[test]
fn a_ring_keeps_the_last_keys_in_their_order() {
    let config = named("window 5");
    let (windowed, plain) = (build(&config, Form::Fused), build(&named("plain"), Form::Fused));
    for seq in [4, 5, 6, 13] {
        let states = [&windowed, &plain].map(|layer| layer.init_state(1).unwrap());
        let [(_, ring), (_, all)] = [(&windowed, &states[0]), (&plain, &states[1])]
            .map(|(layer, state)| chunk(layer, tokens(1, &config, seq), state.clone()));
        let last = |all: Tensor<4>| to_f64(all.narrow(2, seq - ring.held(), ring.held()));
        assert_rel_close(ring.keys(), last(all.keys()), SAME_MAP, format!("keys of {seq}"));
        assert_rel_close(ring.values(), last(all.values()), SAME_MAP, format!("values of {seq}"));
    }
}

#[test]
fn branches_of_a_state_do_not_disturb_each_other() {
    for name in ["plain", "window 5"] {
        let (config, layer) = (named(name), build(&named(name), Form::Fused));
        let x = tokens(1, &config, 12);
        let (_, prompt) = chunk(&layer, x.clone().narrow(1, 0, 8), layer.init_state(1).unwrap());
        let mut other = prompt.clone();
        for t in 0..3 {
            layer.step(x.clone().narrow(1, t, 1).squeeze_dim(1), &mut other).unwrap();
        }
        let (y, _) = chunk(&layer, x.clone().narrow(1, 8, 4), prompt);
        assert_rel_close(y, layer.forward(x).narrow(1, 8, 4), SAME_MAP, name);
    }
}

#[test]
fn gradients_through_chunks_and_steps_are_those_of_the_whole() {
    for name in ["plain", "window 5"] {
        for form in FORMS {
            let (config, layer) = (named(name), build(&named(name), form));
            let x = Tensor::from_data(tokens(2, &config, 11).into_data(), &autodiff_device()).require_grad();
            let whole = gradients(&layer, &x, layer.forward(x.clone()));
            let (mut outputs, mut state) = (vec![], layer.init_state(2).unwrap());
            for (first, seq) in [(0, 4), (4, 5)] {
                let (y, next) = chunk(&layer, x.clone().narrow(1, first, seq), state);
                (outputs, state) = ([outputs, vec![y]].concat(), next);
            }
            for t in 9..11 {
                let y = layer.step(x.clone().narrow(1, t, 1).squeeze_dim(1), &mut state).unwrap();
                outputs.push(y.unsqueeze_dim(1));
            }
            let parts = gradients(&layer, &x, Tensor::cat(outputs, 1));
            for (whole, part) in whole.into_iter().zip(parts) {
                assert_rel_close(part, whole, SAME_MAP, format!("{name}, {form:?}"));
            }
        }
    }
}

/// Gradients of `sum(y * w)` for a fixed random `w`, with respect to the input and the projections' weights.
fn gradients(layer: &Attention, x: &Tensor<3>, y: Tensor<3>) -> [Vec<f64>; 2] {
    let w = seeded_tensor(y.dims(), 3, &autodiff_device());
    let grads = (y * w).sum().backward();
    [to_f64(x.grad(&grads).unwrap()), to_f64(layer.qkv.weight.val().grad(&grads).unwrap())]
}

#[test]
fn a_new_state_is_empty() {
    let state = build(&named("plain"), Form::Fused).init_state(3).unwrap();
    assert_eq!((state.seq(), state.held(), state.floats()), (0, 0, 0));
    assert_eq!(state.keys().dims(), [3, 2, 0, 12]);
}
