//! Gradients against finite differences of the definition, and through chunks.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Gradients, Tensor};
use subquad_mixer::SequenceMixer;
use subquad_s4::{Discretization, H3, S4dInit};
use subquad_testkit::{assert_rel_close, cpu, finite_difference, seeded, seeded_tensor, to_f64};

use super::oracle::{NAMES, Numbers};
use super::{D_MODEL, FORMS, LAYER_GRADIENT, build, config, layers, with_trained_shift};

/// f32 against differences of f64: measured 1.9e-6.
const GRADIENT: f64 = 2e-5;

#[test]
fn gradients_of_every_parameter_are_the_slopes_of_the_definition() {
    for head_dim in [1, 2] {
        let config = config(head_dim).with_n_ssm(Some(2)).with_init(S4dInit::Legs);
        let layer = with_trained_shift(build(&config));
        for seq in [1, 4, 11] {
            let wanted = slopes(&Numbers::of(&layer), seq);
            for form in FORMS {
                let got = gradients(&layer.clone().with_form(form), seq);
                for ((name, got), wanted) in NAMES.iter().zip(got).zip(&wanted) {
                    let what = format!("{name}, head_dim = {head_dim}, {form:?}, seq = {seq}");
                    assert_rel_close(got, wanted.clone(), GRADIENT, what);
                }
            }
        }
    }
}

/// Of `sum(weights * output)`, along every parameter.
fn slopes(numbers: &Numbers, seq: usize) -> Vec<Vec<f64>> {
    let (x, weights) = (seeded(seq * D_MODEL, 1), seeded(seq * D_MODEL, 2));
    let slope = |list: usize| {
        let loss = |values: &[f64]| {
            let mut moved = numbers.clone();
            moved.lists[list] = values.to_vec();
            let y = moved.definition(Discretization::Bilinear).forward(&x);
            y.iter().zip(&weights).map(|(y, w)| y * w).sum()
        };
        finite_difference(loss, &numbers.lists[list], 1e-6)
    };
    (0..NAMES.len()).map(slope).collect()
}

fn gradients(layer: &H3, seq: usize) -> Vec<Vec<f64>> {
    let (layer, device) = (layer.clone().train(), cpu().autodiff());
    let y = layer.forward(seeded_tensor([1, seq, D_MODEL], 1, &device));
    let grads = (y * seeded_tensor([1, seq, D_MODEL], 2, &device)).sum().backward();
    let linear = |layer: &Linear| [of(&layer.weight, &grads), of(layer.bias.as_ref().unwrap(), &grads)];
    let mut lists: Vec<_> =
        [&layer.q, &layer.k, &layer.v, &layer.output].into_iter().flat_map(linear).collect();
    let modes = &layer.ssm.modes;
    lists.extend([of(&layer.shift.c, &grads), of(layer.shift.b.as_ref().unwrap(), &grads)]);
    lists.extend([of(&layer.shift.d, &grads), of(&layer.d, &grads)]);
    lists.extend(
        [&modes.inv_dt, &modes.inv_a_re, &modes.a_im, &modes.b_re, &modes.b_im].map(|p| of(p, &grads)),
    );
    lists.extend([&modes.c_re, &modes.c_im].map(|p| of(p, &grads)));
    lists
}

fn of<const D: usize>(param: &Param<Tensor<D>>, grads: &Gradients) -> Vec<f64> {
    to_f64(param.val().grad(grads).unwrap())
}

#[test]
fn gradients_through_chunks_are_the_gradients_of_the_whole() {
    for layer in layers() {
        for form in FORMS {
            let layer = layer.clone().with_form(form).train();
            let whole = chunk_gradients(&layer, |x| layer.forward(x));
            let chunked = chunk_gradients(&layer, |x| {
                let state = layer.init_state(2).unwrap();
                let (first, state) = layer.forward_with_state(x.clone().narrow(1, 0, 3), state).unwrap();
                let (second, _) = layer.forward_with_state(x.narrow(1, 3, 38), state).unwrap();
                Tensor::cat(vec![first, second], 1)
            });
            for (i, (chunked, whole)) in chunked.into_iter().zip(whole).enumerate() {
                assert_rel_close(chunked, whole, LAYER_GRADIENT, format!("{form:?}, gradient {i}"));
            }
        }
    }
}

/// Of the input, and of a parameter on each side of either state.
fn chunk_gradients(layer: &H3, run: impl Fn(Tensor<3>) -> Tensor<3>) -> Vec<Vec<f64>> {
    let device = cpu().autodiff();
    let x = seeded_tensor([2, 41, D_MODEL], 5, &device).require_grad();
    let grads = (run(x.clone()) * seeded_tensor([2, 41, D_MODEL], 6, &device)).sum().backward();
    let modes = &layer.ssm.modes;
    vec![
        to_f64(x.grad(&grads).unwrap()),
        of(&layer.k.weight, &grads),
        of(&layer.shift.c, &grads),
        of(&modes.inv_dt, &grads),
        of(&modes.c_re, &grads),
        of(&layer.d, &grads),
    ]
}
