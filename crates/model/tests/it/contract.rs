//! What every combination of mixers must keep.

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use subquad_backend::Form;
use subquad_model::{Dropout, Encoder, Head, Input, ModelConfig, SequenceModel};
use subquad_testkit::{Parameter, assert_rel_close, cpu, gradients, seeded_tensor, to_f64};

use crate::{
    BATCH, CLASSES, D_MODEL, D_STATE, FEATURES, SEQ, VOCAB, build, combinations, config, input, mixers, reals,
};

/// f32 through two blocks in another order of operations: measured 3e-7; ten times that.
const FORM_VALUES: f64 = 3e-6;
/// Gradients sum over tokens, and those of S4D's decays cancel: measured 1.2e-5 there, 2e-6 elsewhere.
const FORM_GRADIENTS: f64 = 1e-4;
/// An FFT spreads rounding errors over all tokens, including those before the one that changed: about 2e-7 of the
/// largest value; fifty times that.
const CAUSAL_LEAK: f64 = 1e-5;

fn logits(model: &SequenceModel, input: Input) -> Tensor<3> {
    model.forward(input, &Dropout::Off)
}

#[test]
fn a_pooled_head_answers_once_a_sequence_and_a_token_head_once_a_token() {
    let encoders = [Encoder::Linear { features: FEATURES }, Encoder::Embedding { vocab: VOCAB }];
    for combination in combinations(true).into_iter().chain(combinations(false)) {
        for encoder in encoders {
            let answers = |head| {
                let config = ModelConfig { encoder, head, ..combination.clone() };
                logits(&build(&config, 0), input(encoder, &cpu())).dims()
            };
            assert_eq!(answers(Head::Pool { outputs: CLASSES }), [BATCH, 1, CLASSES]);
            assert_eq!(answers(Head::Last { outputs: CLASSES }), [BATCH, 1, CLASSES]);
            assert_eq!(answers(Head::Token { outputs: CLASSES }), [BATCH, SEQ, CLASSES]);
        }
    }
}

#[test]
fn both_forms_are_one_map_with_one_gradient() {
    for config in combinations(true).into_iter().chain(combinations(false)) {
        let model = build(&config, 3);
        let fused = backward(model.clone().with_form(Form::Fused));
        let portable = backward(model.with_form(Form::Portable));
        assert_rel_close(fused.logits, portable.logits, FORM_VALUES, format!("logits of {config:?}"));
        for (fused, portable) in fused.gradients.into_iter().zip(portable.gradients) {
            let what = format!("gradient of {} of {config:?}", fused.path);
            assert_rel_close(fused.values, portable.values, FORM_GRADIENTS, what);
        }
    }
}

/// Only the order of sums over tokens differs: measured 3e-7 of the largest; ten times that.
const SOME_ROWS: f64 = 3e-6;

#[test]
fn logits_at_some_tokens_are_those_of_all_with_the_same_gradients() {
    let rows = [SEQ as i32 + 2, 0, 2 * SEQ as i32 - 1, 4];
    for config in combinations(true) {
        let (model, device) = (build(&config, 3).train(), cpu().autodiff());
        let rows = Tensor::<1, Int>::from_data(rows, &device);
        let all: Tensor<2> = logits(&model, Input::Reals(reals(&device))).flatten(0, 1);
        let some = model.forward_at(Input::Reals(reals(&device)), rows.clone(), &Dropout::Off);
        let (wanted, got) = (back_from(&model, all.select(0, rows)), back_from(&model, some));
        assert_rel_close(got.logits, wanted.logits, SOME_ROWS, format!("logits of {config:?}"));
        for (got, wanted) in got.gradients.into_iter().zip(wanted.gradients) {
            let what = format!("gradient of {} of {config:?}", got.path);
            assert_rel_close(got.values, wanted.values, SOME_ROWS, what);
        }
    }
}

#[test]
#[should_panic(expected = "this model answers once per sequence, not at single tokens")]
fn a_pooled_head_answers_for_no_single_token() {
    let [mixer, ..] = mixers(true);
    let model = build(&ModelConfig { head: Head::Pool { outputs: CLASSES }, ..config(mixer) }, 0);
    model.forward_at(Input::Reals(reals(&cpu())), Tensor::from_data([0], &cpu()), &Dropout::Off);
}

#[test]
fn every_parameter_has_a_gradient() {
    for config in combinations(true).into_iter().chain(combinations(false)) {
        let model = build(&config, 3);
        let gradients = backward(model.clone()).gradients;
        let all: usize = gradients.iter().map(|gradient| gradient.values.len()).sum();
        assert_eq!(all, model.num_params(), "{config:?}");
        for Parameter { path, values, .. } in gradients {
            assert!(values.iter().any(|g| *g != 0.0), "the loss does not reach {path}");
        }
    }
}

struct Backward {
    logits: Vec<f64>,
    gradients: Vec<Parameter>,
}

/// The gradients of `sum(logits * g)` for a fixed random `g`: a transposed or permuted gradient shows.
fn backward(model: SequenceModel) -> Backward {
    let (model, device) = (model.train(), cpu().autodiff());
    back_from(&model, logits(&model, Input::Reals(reals(&device))))
}

fn back_from<const D: usize>(model: &SequenceModel, logits: Tensor<D>) -> Backward {
    let grads = (logits.clone() * seeded_tensor(logits.dims(), 5, &logits.device())).sum().backward();
    Backward { logits: to_f64(logits), gradients: gradients(model, &grads) }
}

#[test]
fn changing_token_t_leaves_earlier_logits_of_a_causal_model_alone() {
    for config in combinations(true) {
        let model = build(&config, 4);
        for t in [1, SEQ / 2, SEQ - 1] {
            let change = change_of_logits(&model, t);
            let (before, after) = change.split_at(t);
            assert!(before.iter().all(|c| *c <= CAUSAL_LEAK), "token {t} leaks {before:?} in {config:?}");
            assert!(after[0] > 1e-3, "token {t} must change its own logits, got {after:?} in {config:?}");
        }
    }
}

#[test]
fn the_last_token_of_a_bidirectional_model_reaches_the_first_logits() {
    // Through two blocks of M2 without residual connections, the last token affects the first by less than the leak.
    for config in combinations(false).into_iter().filter(|config| config.residual) {
        let change = change_of_logits(&build(&config, 4), SEQ - 1);
        // M2's filter decays steeply over nine tokens, so only the neighbour must change by far more than the leak.
        assert!(change[SEQ - 2] > 100.0 * CAUSAL_LEAK, "{change:?} in {config:?}");
        assert!(change[0] > CAUSAL_LEAK, "{change:?} in {config:?}");
    }
}

/// Largest change of each token's logits, relative to the largest logit, when token `t` changes.
fn change_of_logits(model: &SequenceModel, t: usize) -> Vec<f64> {
    let x = reals(&cpu());
    let changed = x.clone().slice_assign([0..BATCH, t..t + 1, 0..FEATURES], x.clone().narrow(1, t, 1) + 1.0);
    let before = logits(model, Input::Reals(x));
    let largest = f64::from(before.clone().abs().max().into_scalar::<f32>());
    let change = (logits(model, Input::Reals(changed)) - before).abs().max_dim(2).max_dim(0);
    to_f64(change).into_iter().map(|c| c / largest).collect()
}

#[test]
fn the_state_of_a_model_is_that_of_all_its_blocks() {
    let sizes = mixers(true).map(|mixer| build(&config(mixer), 0).state_size(7));
    let (keys_and_values, complex_states) = (2 * 7 * D_MODEL, D_STATE * D_MODEL);
    let gated_inputs_and_short_past = 7 * D_MODEL + 2 * 3 * D_MODEL;
    assert_eq!(
        sizes,
        [keys_and_values, complex_states, gated_inputs_and_short_past].map(|block| Some(2 * block))
    );
}

#[test]
fn a_bidirectional_model_has_no_state() {
    for mixer in mixers(false) {
        assert_eq!(build(&config(mixer), 0).state_size(7), None);
    }
}

#[test]
fn a_model_takes_the_lengths_that_its_mixer_takes() {
    let [attention, s4d, m2] = mixers(true).map(|mixer| build(&config(mixer), 0));
    assert!(attention.check_length(1 << 20).is_ok() && s4d.check_length(1 << 20).is_ok());
    assert!(m2.check_length(SEQ).is_ok());
    assert_eq!(
        m2.check_length(SEQ + 1).unwrap_err().to_string(),
        "m2 takes at most l_max = 9 tokens, got 10; build it with a larger l_max"
    );
}

#[test]
#[should_panic(expected = "this model reads reals, got tokens")]
fn a_model_of_reals_refuses_tokens() {
    let [config, ..] = mixers(true).map(config);
    logits(&build(&config, 0), input(Encoder::Embedding { vocab: VOCAB }, &cpu()));
}
