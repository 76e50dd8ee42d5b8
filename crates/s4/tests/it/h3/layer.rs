//! The layer as a sequence mixer.

use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::{MixerState, SequenceMixer};
use subquad_s4::{Discretization, S4dInit};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, battery, cpu, seeded, seeded_tensor};

use super::oracle::Numbers;
use super::{
    D_MODEL, D_STATE, FORMS, HEAD_DIMS, LAYER, LAYER_GRADIENT, build, config, layers, with_trained_shift,
};

#[test]
fn a_layer_keeps_the_contract() {
    for layer in layers() {
        for form in FORMS {
            battery::causal_mixer(&layer.clone().with_form(form), D_MODEL);
        }
    }
}

#[test]
fn states_of_other_layers_are_refused() {
    let layer = build(&config(2));
    for other in [config(1), config(2).with_d_state(2 * D_STATE)] {
        battery::refuses_states_of((&layer, D_MODEL), (&build(&other), D_MODEL));
    }
}

#[test]
fn both_forms_agree_at_awkward_lengths() {
    for layer in layers() {
        let (fused, portable) = (layer.clone().with_form(Form::Fused), layer.with_form(Form::Portable));
        battery::forms_agree(&fused, &portable, D_MODEL, &AWKWARD_LENGTHS, LAYER, LAYER_GRADIENT);
    }
}

#[test]
fn the_layer_is_its_definition() {
    for head_dim in HEAD_DIMS {
        for rule in [Discretization::Zoh, Discretization::Bilinear] {
            let plain = build(&config(head_dim).with_discretization(rule).with_init(S4dInit::Legs));
            for layer in [plain.clone(), with_trained_shift(plain)] {
                let definition = Numbers::of(&layer).definition(rule);
                // Shorter than the kernel of the shift, as long as it, longer.
                for seq in [1, D_STATE - 1, D_STATE, D_STATE + 1, 65, 200] {
                    let wanted = definition.forward(&seeded(seq * D_MODEL, 3));
                    for form in FORMS {
                        let x = seeded_tensor([1, seq, D_MODEL], 3, &cpu());
                        let got = layer.clone().with_form(form).forward(x);
                        let what = format!("head_dim = {head_dim}, {rule:?}, {form:?}, seq = {seq}");
                        assert_rel_close(got, wanted.clone(), LAYER, what);
                    }
                }
            }
        }
    }
}

#[test]
fn steps_are_the_definition() {
    for head_dim in HEAD_DIMS {
        let layer = with_trained_shift(build(&config(head_dim)));
        let wanted =
            Numbers::of(&layer).definition(Discretization::Bilinear).forward(&seeded(40 * D_MODEL, 4));
        let x = seeded_tensor([1, 40, D_MODEL], 4, &cpu());
        let mut state = layer.init_state(1).unwrap();
        let tokens = (0..40).map(|t| x.clone().narrow(1, t, 1).squeeze_dim(1));
        let got = tokens.map(|token| layer.step(token, &mut state).unwrap()).collect();
        assert_rel_close(Tensor::cat(got, 0), wanted, LAYER, format!("step by step, head_dim = {head_dim}"));
    }
}

#[test]
fn the_state_after_two_chunks_is_the_state_after_the_whole() {
    for layer in layers() {
        // Chunks shorter and longer than the shift.
        for split in [2, 37, 97] {
            let x = seeded_tensor([2, 100, D_MODEL], 5, &cpu());
            let run = |x: Tensor<3>, state| layer.forward_with_state(x, state).unwrap().1;
            let whole = run(x.clone(), layer.init_state(2).unwrap());
            let half = run(x.clone().narrow(1, 0, split), layer.init_state(2).unwrap());
            let chunked = run(x.narrow(1, split, 100 - split), half);
            assert_rel_close(chunked.keys, whole.keys, LAYER, format!("keys, split at {split}"));
            assert_rel_close(chunked.products.re, whole.products.re, LAYER, format!("real part, {split}"));
            assert_rel_close(
                chunked.products.im,
                whole.products.im,
                LAYER,
                format!("imaginary part, {split}"),
            );
        }
    }
}

#[test]
fn the_state_holds_the_keys_and_every_product() {
    for head_dim in HEAD_DIMS {
        let layer = build(&config(head_dim));
        let floats = D_MODEL * D_STATE + D_MODEL * head_dim * D_STATE;
        assert_eq!(layer.state_size(7), Some(floats));
        assert_eq!(layer.init_state(3).unwrap().floats(), floats);
    }
}

#[test]
fn a_shift_that_may_train_starts_as_the_one_that_may_not() {
    let fixed = build(&config(2));
    let mut free = fixed.clone();
    free.shift.b = build(&config(2).with_train_shift_b(true)).shift.b;
    let x = seeded_tensor([2, 20, D_MODEL], 7, &cpu());
    assert_rel_close(free.forward(x.clone()), fixed.forward(x), LAYER, "B = e_0 as a parameter");
}
