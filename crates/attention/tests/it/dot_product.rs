//! The core operation in both forms, against the f64 loops.

use burn::tensor::{Tensor, TensorData};
use subquad_attention::{Rules, reference, scaled_dot_product};
use subquad_backend::Form;
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, finite_difference, seeded, seeded_tensor, to_f64};

use crate::{FORMS, autodiff_device, device};

/// Sums of up to 1000 products in f32: below 2e-6 (measured), five times that.
const VALUE_REL_TOL: f64 = 1e-5;
/// The same of gradients: below 2e-6 (measured), five times that.
const GRAD_REL_TOL: f64 = 1e-5;
/// Central differences in f64 with a step of 1e-5 leave 1e-10, so the f32 gradient is what limits: below 1e-6
/// (measured), ten times that.
const DIFFERENCE_REL_TOL: f64 = 1e-5;

type Triple = [Tensor<4>; 3];

fn seeded_triple(batch: usize, heads: usize, [seq_q, seq_k]: [usize; 2], d_head: usize) -> Triple {
    let part = |seq, seed| seeded_tensor([batch, heads, seq, d_head], seed, &device());
    // Three times larger than random: weights that are far from all equal.
    [part(seq_q, 1) * 3.0, part(seq_k, 2) * 3.0, part(seq_k, 3)]
}

fn attend([q, k, v]: Triple, causal: bool, form: Form) -> Tensor<4> {
    scaled_dot_product(q, k, v, &Rules { causal, ..Rules::default() }, form)
}

fn definition([q, k, v]: &Triple, causal: bool) -> Vec<f64> {
    let ([.., seq_q, d_head], [.., seq_k, _]) = (q.dims(), k.dims());
    let [q, k, v] = [q, k, v].map(|x| to_f64(x.clone()));
    let (queries, keys) = (seq_q * d_head, seq_k * d_head);
    let heads = q.chunks(queries).zip(k.chunks(keys)).zip(v.chunks(keys));
    heads.flat_map(|((q, k), v)| reference::head(q, k, v, d_head, causal)).collect()
}

/// Gradients of `sum(weight * attention)` by q, k and v.
fn gradients(inputs: &Triple, weight: &Tensor<4>, causal: bool, form: Form) -> [Vec<f64>; 3] {
    let on = |x: &Tensor<4>| Tensor::<4>::from_data(x.to_data(), &autodiff_device());
    let inputs = inputs.each_ref().map(|x| on(x).require_grad());
    let grads = (attend(inputs.clone(), causal, form) * on(weight)).sum().backward();
    inputs.map(|x| to_f64(x.grad(&grads).unwrap()))
}

fn assert_same_gradients(got: [Vec<f64>; 3], wanted: [Vec<f64>; 3], tol: f64, what: &str) {
    for ((got, wanted), name) in got.into_iter().zip(wanted).zip(["q", "k", "v"]) {
        assert_rel_close(got, wanted, tol, format!("{what}: gradient by {name}"));
    }
}

#[test]
fn both_forms_equal_the_definition() {
    for seq in AWKWARD_LENGTHS {
        for causal in [true, false] {
            let inputs = seeded_triple(1, 2, [seq, seq], 5);
            let expected = definition(&inputs, causal);
            for form in FORMS {
                let got = attend(inputs.clone(), causal, form);
                assert_rel_close(got, expected.clone(), VALUE_REL_TOL, format!("{form:?}, {seq}, {causal}"));
            }
        }
    }
}

#[test]
fn both_forms_have_the_same_gradients() {
    for seq in AWKWARD_LENGTHS {
        for causal in [true, false] {
            let inputs = seeded_triple(2, 2, [seq, seq], 4);
            let weight = seeded_tensor([2, 2, seq, 4], 9, &device());
            let [portable, fused] = FORMS.map(|form| gradients(&inputs, &weight, causal, form));
            assert_same_gradients(fused, portable, GRAD_REL_TOL, &format!("seq = {seq}, causal = {causal}"));
        }
    }
}

#[test]
fn gradients_equal_differences_of_the_definition() {
    let (seq_q, seq_k, d_head) = (4, 6, 3);
    let inputs = seeded_triple(1, 1, [seq_q, seq_k], d_head);
    let weight = seeded_tensor([1, 1, seq_q, d_head], 9, &device());
    let weights = to_f64(weight.clone());
    for causal in [true, false] {
        let loss = |[q, k, v]: [&[f64]; 3]| -> f64 {
            reference::head(q, k, v, d_head, causal).iter().zip(&weights).map(|(y, w)| y * w).sum()
        };
        let [q, k, v] = inputs.each_ref().map(|x| to_f64(x.clone()));
        let expected = [
            finite_difference(|q| loss([q, &k, &v]), &q, 1e-5),
            finite_difference(|k| loss([&q, k, &v]), &k, 1e-5),
            finite_difference(|v| loss([&q, &k, v]), &v, 1e-5),
        ];
        for form in FORMS {
            let got = gradients(&inputs, &weight, causal, form);
            assert_same_gradients(got, expected.clone(), DIFFERENCE_REL_TOL, &format!("{form:?}, {causal}"));
        }
    }
}

#[test]
fn queries_are_aligned_with_the_last_keys() {
    for lengths in [[1, 2], [1, 65], [3, 64], [64, 100], [65, 130], [1, 1000]] {
        let inputs = seeded_triple(1, 2, lengths, 4);
        let expected = definition(&inputs, true);
        let weight = seeded_tensor([1, 2, lengths[0], 4], 9, &device());
        for form in FORMS {
            let got = attend(inputs.clone(), true, form);
            assert_rel_close(got, expected.clone(), VALUE_REL_TOL, format!("{form:?}, {lengths:?}"));
        }
        let [portable, fused] = FORMS.map(|form| gradients(&inputs, &weight, true, form));
        assert_same_gradients(fused, portable, GRAD_REL_TOL, &format!("{lengths:?}"));
    }
}

#[test]
fn bidirectional_attention_takes_more_queries_than_keys() {
    let inputs = seeded_triple(1, 2, [70, 3], 4);
    for form in FORMS {
        let got = attend(inputs.clone(), false, form);
        assert_rel_close(got, definition(&inputs, false), VALUE_REL_TOL, format!("{form:?}"));
    }
}

/// Scores of either sign up to 1e6 that grow along the keys. They are multiples of 1/2 and so exact in f32: what is
/// left to get wrong is the softmax.
fn steep_triple(seq: usize) -> Triple {
    let d_head = 4;
    let part = |scale: f64, seed: u64| {
        let values = seeded(seq * d_head, seed).into_iter().enumerate();
        let steep = values.map(|(i, x)| (x * scale * (1 + i / d_head) as f64).round() as f32).collect();
        Tensor::<4>::from_data(TensorData::new(steep, [1, 1, seq, d_head]), &device())
    };
    [part(5.0, 1), part(5.0, 2), part(1.0, 3)]
}

#[test]
fn scores_far_beyond_the_range_of_exp_give_the_right_weights() {
    for (seq, causal) in [(3, true), (65, true), (200, true), (200, false)] {
        let inputs = steep_triple(seq);
        let expected = definition(&inputs, causal);
        for form in FORMS {
            let got = attend(inputs.clone(), causal, form);
            assert_rel_close(got, expected.clone(), VALUE_REL_TOL, format!("{form:?}, {seq}, {causal}"));
            let weight = seeded_tensor([1, 1, seq, 4], 9, &device());
            let grads = gradients(&inputs, &weight, causal, form);
            assert!(grads.iter().flatten().all(|grad| grad.is_finite()), "{form:?}, {seq}, {causal}");
        }
    }
}

#[test]
fn changing_a_token_leaves_earlier_outputs_alone_to_the_bit() {
    let (seq, d_head) = (130, 4);
    let inputs = seeded_triple(1, 2, [seq, seq], d_head);
    for form in FORMS {
        let before = attend(inputs.clone(), true, form);
        for t in [1, 63, 64, 65, 129] {
            let jolt = Tensor::<4>::full([1, 2, 1, d_head], 1e3, &device());
            let changed =
                inputs.clone().map(|x| x.slice_assign([0..1, 0..2, t..t + 1, 0..d_head], jolt.clone()));
            let after = attend(changed, true, form);
            let early = |y: &Tensor<4>| to_f64(y.clone().narrow(2, 0, t));
            assert_eq!(early(&before), early(&after), "{form:?}, t = {t}");
            assert_ne!(to_f64(before.clone()), to_f64(after), "{form:?}, t = {t}");
        }
    }
}

#[test]
fn the_future_has_a_gradient_of_exactly_0() {
    let (seq, t) = (70, 20);
    let inputs = seeded_triple(1, 1, [seq, seq], 2);
    let weight = Tensor::<4>::zeros([1, 1, seq, 2], &device());
    let weight = weight.slice_assign([0..1, 0..1, t..t + 1, 0..2], Tensor::ones([1, 1, 1, 2], &device()));
    for form in FORMS {
        let [_, k, v] = gradients(&inputs, &weight, true, form);
        assert!(k[(t + 1) * 2..].iter().chain(&v[(t + 1) * 2..]).all(|grad| *grad == 0.0), "{form:?}");
        assert!(k[..(t + 1) * 2].iter().any(|grad| *grad != 0.0), "{form:?}");
    }
}

#[test]
fn permuting_heads_permutes_the_output() {
    let inputs = seeded_triple(2, 3, [65, 65], 4);
    let turned = |x: Tensor<4>| Tensor::cat(vec![x.clone().narrow(1, 1, 2), x.narrow(1, 0, 1)], 1);
    for form in FORMS {
        let after = turned(attend(inputs.clone(), true, form));
        let before = attend(inputs.clone().map(turned), true, form);
        assert_eq!(to_f64(after), to_f64(before), "{form:?}");
    }
}

#[test]
fn equal_runs_give_equal_bits() {
    let inputs = seeded_triple(4, 4, [200, 200], 8);
    let weight = seeded_tensor([4, 4, 200, 8], 9, &device());
    for form in FORMS {
        let run = || (to_f64(attend(inputs.clone(), true, form)), gradients(&inputs, &weight, true, form));
        assert_eq!(run(), run(), "{form:?}");
    }
}

#[test]
#[should_panic(expected = "causal attention of 5 queries needs as many keys, got 3")]
fn a_causal_query_without_a_key_is_refused() {
    attend(seeded_triple(1, 1, [5, 3], 2), true, Form::Fused);
}

#[test]
#[should_panic(expected = "queries [1, 1, 5, 2] need keys and values of shape [1, 1, 5, 2]")]
fn keys_and_values_of_other_shapes_are_refused() {
    let [q, k, _] = seeded_triple(1, 1, [5, 5], 2);
    let [_, _, v] = seeded_triple(1, 1, [5, 4], 2);
    attend([q, k, v], true, Form::Fused);
}
