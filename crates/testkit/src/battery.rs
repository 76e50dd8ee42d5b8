//! What every sequence mixer must pass, whatever its family.

mod refusals;
mod slices;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_mixer::{MixerState, SequenceMixer};

use crate::{Parameter, assert_rel_close, gradients, parameters, seeded_tensor, to_f64, values, with_seed};
pub use refusals::refuses_states_of;

/// Two ways of running one layer add the same f32 products in different orders: about 1e-6 each, through a few layers
/// of arithmetic and up to a thousand terms.
const SAME_MAP: f64 = 1e-4;

/// An FFT spreads rounding errors over all outputs, including those before the token that changed: about 2e-7 of the
/// largest value (measured); fifty times that.
const CAUSAL_LEAK: f64 = 1e-5;

/// By how much the next token must change an output, relative to the largest output: far more than an FFT leaks.
const LOOKS_AHEAD: f64 = 1e-3;

/// Length at which the contract is checked: not a power of two, and longer than a short filter.
const SEQ: usize = 21;

/// The whole contract of a causal mixer of width `d_model`.
///
/// # Panics
/// If the mixer breaks any part of it.
pub fn causal_mixer<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    shape_is_kept(mixer, d_model);
    rows_are_independent(mixer, d_model);
    gradients_are_finite_and_reach_every_parameter(mixer, d_model);
    changing_a_token_leaves_earlier_outputs_alone(mixer, d_model);
    stepping_is_the_whole_sequence(mixer, d_model);
    two_chunks_are_the_whole_sequence_at_every_split(mixer, d_model);
    slices::a_stepper_over_slices_is_the_whole_sequence(mixer, d_model);
    state_size_is_what_the_state_holds(mixer, d_model);
    refusals::what_does_not_fit_is_refused(mixer, d_model);
}

/// The whole contract of a bidirectional mixer of width `d_model`.
///
/// # Panics
/// If the mixer breaks any part of it.
pub fn bidirectional_mixer<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    shape_is_kept(mixer, d_model);
    rows_are_independent(mixer, d_model);
    gradients_are_finite_and_reach_every_parameter(mixer, d_model);
    assert!(mixer.init_state(1).is_err(), "a bidirectional mixer has no state");
    assert_eq!(mixer.state_size(SEQ), None, "a bidirectional mixer has no state size");
    the_last_token_reaches_the_output_before_it(mixer, d_model);
    refusals::what_does_not_fit_is_refused(mixer, d_model);
}

/// A mixer that drops something at random does so only in training: the same for the same seed, something else for
/// another seed.
///
/// # Panics
/// If not.
pub fn drops_in_training<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let x = input(mixer, d_model);
    let trained = |seed| to_f64(mixer.forward_train(x.clone(), seed));
    let evaluated = || to_f64(mixer.forward(x.clone()));
    assert_eq!(trained(1), trained(1), "the same seed must drop the same");
    assert_ne!(trained(1), trained(2), "another seed must drop something else");
    assert_ne!(trained(1), evaluated(), "training must drop something");
    assert_eq!(evaluated(), evaluated(), "evaluation must drop nothing");
}

/// One set of weights in two forms: the same outputs, and the same gradients of the input and of every parameter.
///
/// # Panics
/// If they differ by more than `value_tol` (outputs) or `grad_tol` (gradients) of the largest value.
pub fn forms_agree<M: SequenceMixer + Module>(
    a: &M,
    b: &M,
    d_model: usize,
    lengths: &[usize],
    value_tol: f64,
    grad_tol: f64,
) {
    for &seq in lengths {
        let x = seeded_tensor([2, seq, d_model], 1, &device(a));
        let (mine, other) = (run_backward(a, x.clone()), run_backward(b, x));
        assert_rel_close(mine.output, other.output, value_tol, format!("output, seq = {seq}"));
        assert_rel_close(mine.input_grad, other.input_grad, grad_tol, format!("input gradient, seq = {seq}"));
        assert_eq!(mine.parameter_grads.len(), other.parameter_grads.len());
        for (mine, other) in mine.parameter_grads.into_iter().zip(other.parameter_grads) {
            let what = format!("gradient of {}, seq = {seq}", mine.path);
            assert_rel_close(mine.values, other.values, grad_tol, what);
        }
    }
}

/// Building twice under one seed gives the same bits; another seed gives others.
///
/// # Panics
/// If not.
pub fn same_seed_same_bits<M: SequenceMixer + Module>(build: impl Fn(&Device) -> M, device: &Device) {
    let bits = |seed| with_seed(device, seed, || values(&build(device)));
    assert_eq!(bits(7), bits(7), "the same seed must give the same parameters");
    assert_ne!(bits(7), bits(8), "another seed must give other parameters");
}

/// The device that the mixer's parameters are on.
fn device<M: Module>(mixer: &M) -> Device {
    mixer.devices().into_iter().next().expect("a mixer has parameters")
}

fn input<M: Module>(mixer: &M, d_model: usize) -> Tensor<3> {
    seeded_tensor([2, SEQ, d_model], 3, &device(mixer))
}

fn shape_is_kept<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    for (batch, seq) in [(1, 1), (2, 2), (3, SEQ)] {
        let x = seeded_tensor([batch, seq, d_model], 2, &device(mixer));
        assert_eq!(mixer.forward(x).dims(), [batch, seq, d_model]);
    }
}

fn rows_are_independent<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let x = input(mixer, d_model);
    let alone = mixer.forward(x.clone().narrow(0, 1, 1));
    let together = mixer.forward(x).narrow(0, 1, 1);
    assert_rel_close(together, alone, SAME_MAP, "a row of the batch alone and among others");
}

fn gradients_are_finite_and_reach_every_parameter<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let run = run_backward(mixer, input(mixer, d_model));
    let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
    assert!(finite(&run.input_grad), "the input's gradient is not finite");
    assert_eq!(run.parameter_grads.len(), parameters(mixer).len(), "a parameter has no gradient");
    for Parameter { path, values, .. } in &run.parameter_grads {
        assert!(finite(values), "the gradient of {path} is not finite");
        assert!(values.iter().any(|g| *g != 0.0), "the loss does not reach {path}");
    }
}

fn changing_a_token_leaves_earlier_outputs_alone<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let x = input(mixer, d_model);
    let before = mixer.forward(x.clone());
    for t in [1, SEQ / 2, SEQ - 1] {
        let changed = x.clone().slice_assign([0..2, t..t + 1, 0..d_model], x.clone().narrow(1, t, 1) + 1.0);
        let after = mixer.forward(changed);
        let leak = (after.clone() - before.clone()).narrow(1, 0, t).abs().max().into_scalar::<f32>();
        let largest = after.abs().max().into_scalar::<f32>();
        assert!(
            f64::from(leak) <= CAUSAL_LEAK * f64::from(largest),
            "token {t} leaks {leak:e} into the past"
        );
    }
}

fn the_last_token_reaches_the_output_before_it<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let x = input(mixer, d_model);
    let last = SEQ - 1..SEQ;
    let changed = x.clone().slice_assign([0..2, last, 0..d_model], x.clone().narrow(1, SEQ - 1, 1) + 1.0);
    let (before, after) = (mixer.forward(x), mixer.forward(changed));
    let largest = after.clone().abs().max().into_scalar::<f32>();
    let difference = (after - before).narrow(1, SEQ - 2, 1).abs().max().into_scalar::<f32>();
    assert!(
        f64::from(difference) > LOOKS_AHEAD * f64::from(largest),
        "a bidirectional mixer must look ahead"
    );
}

fn stepping_is_the_whole_sequence<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let x = input(mixer, d_model);
    let mut state = mixer.init_state(2).expect("a causal mixer has a state");
    let outputs = (0..SEQ).map(|t| {
        let token = x.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        mixer.step(token, &mut state).expect("a causal mixer steps").unsqueeze_dim::<3>(1)
    });
    let stepped = Tensor::cat(outputs.collect(), 1);
    assert_rel_close(stepped, mixer.forward(x), SAME_MAP, "token by token and the whole sequence");
}

fn two_chunks_are_the_whole_sequence_at_every_split<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let x = input(mixer, d_model);
    let whole = mixer.forward(x.clone());
    for split in 1..SEQ {
        let (first, state) =
            chunk(mixer, x.clone().narrow(1, 0, split), mixer.init_state(2).expect("causal"));
        let (second, mut state) = chunk(mixer, x.clone().narrow(1, split, SEQ - split), state);
        let chunked = Tensor::cat(vec![first, second], 1);
        assert_rel_close(chunked, whole.clone(), SAME_MAP, format!("two chunks, split at {split}"));
        the_state_goes_on(mixer, &x, &mut state);
    }
}

fn chunk<M: SequenceMixer>(mixer: &M, x: Tensor<3>, state: M::State) -> (Tensor<3>, M::State) {
    mixer.forward_with_state(x, state).expect("a causal mixer carries a state")
}

/// The state after chunks is the state after the whole: one more token gives the same output.
fn the_state_goes_on<M: SequenceMixer + Module>(mixer: &M, x: &Tensor<3>, state: &mut M::State) {
    let token = x.clone().narrow(1, 0, 1);
    let longer = mixer.forward(Tensor::cat(vec![x.clone(), token.clone()], 1)).narrow(1, SEQ, 1);
    let next = mixer.step(token.squeeze_dim(1), state).expect("a causal mixer steps");
    assert_rel_close(next.unsqueeze_dim::<3>(1), longer, SAME_MAP, "the token after two chunks");
}

fn state_size_is_what_the_state_holds<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    for seq in [1, 2, SEQ] {
        let x = input(mixer, d_model).narrow(1, 0, seq);
        let (_, state) = chunk(mixer, x, mixer.init_state(2).expect("causal"));
        assert_eq!(mixer.state_size(seq), Some(state.floats()), "state size after {seq} tokens");
    }
}

struct Backward {
    output: Vec<f64>,
    input_grad: Vec<f64>,
    /// The gradients of the parameters that have one.
    parameter_grads: Vec<Parameter>,
}

/// Forward, then the gradients of `sum(output * g)` for a fixed random `g`: a transposed or permuted gradient shows.
fn run_backward<M: SequenceMixer + Module>(mixer: &M, x: Tensor<3>) -> Backward {
    let device = device(mixer).autodiff();
    let mixer = mixer.clone().train();
    let x = Tensor::from_data(x.into_data(), &device).require_grad();
    let output = mixer.forward(x.clone());
    let weights = seeded_tensor(output.dims(), 5, &device);
    let grads = (output.clone() * weights).sum().backward();
    let input_grad = to_f64(x.grad(&grads).expect("the input is tracked"));
    Backward { output: to_f64(output), input_grad, parameter_grads: gradients(&mixer, &grads) }
}
