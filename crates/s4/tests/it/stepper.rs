//! Token by token, over slices and over tensors, is the layer.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use subquad_backend::pointwise::Activation;
use subquad_mixer::{SequenceMixer, SliceStepper};
use subquad_s4::{OutputMix, S4Config, S4Init, S4State, S4Stepper, S4dConfig, S4dInit, SsmLayer, StateSpace};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64};

use crate::low_rank_oracle::{Parameters, seeded_layer};
use crate::oracle::{self, FORMS, RULES, Seeded};

/// An FFT, a linear layer and a gate in f32 for the whole sequence: measured 3e-6 (128 states, two channels).
const SAME_MAP: f64 = 1e-5;
/// A recurrence of a thousand steps, rounded at each, against the definition in f64: measured 1e-7.
const LONG: f64 = 1e-6;
/// The same code in both places.
const SAME_CODE: f64 = 1e-12;

const SEQ: usize = 131;

fn tokens(batch: usize, seq: usize, d_model: usize) -> Tensor<3> {
    seeded_tensor([batch, seq, d_model], 2, &cpu())
}

/// The outputs of a stepper for each token of `x`, one after another.
fn slices(stepper: &mut S4Stepper, x: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    let x: Vec<f32> = x.into_data().try_into_vec().unwrap();
    let mut y = vec![f32::NAN; x.len()];
    x.chunks(shape[2]).zip(y.chunks_mut(shape[2])).for_each(|(x, y)| stepper.step(x, y));
    Tensor::from_data(TensorData::new(y, shape), &cpu())
}

/// The outputs of the layer's steps.
fn tensors<S: StateSpace>(layer: &SsmLayer<S>, state: &mut S4State, x: Tensor<3>) -> Tensor<3> {
    let steps = (0..x.dims()[1]).map(|t| {
        let token = x.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        layer.step(token, state).unwrap().unsqueeze_dim::<3>(1)
    });
    Tensor::cat(steps.collect(), 1)
}

/// Every way of going token by token against the whole sequence at once, with and without a prompt.
fn every_way_is_the_layer<S: StateSpace>(layer: &SsmLayer<S>, seq: usize, what: &str) {
    let x = tokens(1, seq, layer.d.dims()[1]);
    let whole = layer.forward(x.clone());
    assert_rel_close(slices(&mut layer.stepper().unwrap(), x.clone()), whole.clone(), SAME_MAP, what);
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let y = tensors(&layer, &mut layer.init_state(1).unwrap(), x.clone());
        assert_rel_close(y, whole.clone(), SAME_MAP, format!("{what}, {form:?}"));
    }
    let prompt = seq / 3;
    if prompt == 0 {
        return;
    }
    let state = layer.init_state(1).unwrap();
    let (_, state) = layer.forward_with_state(x.clone().narrow(1, 0, prompt), state).unwrap();
    let mut stepper = layer.stepper().unwrap();
    stepper.resume(&state);
    assert_eq!((state.seq(), stepper.seq()), (prompt, prompt));
    let rest = |x: Tensor<3>| x.narrow(1, prompt, seq - prompt);
    let y = slices(&mut stepper, rest(x.clone()));
    assert_rel_close(y, rest(whole), SAME_MAP, format!("{what}, after {prompt}"));
}

fn s4d() -> S4dConfig {
    S4dConfig::new(6).with_d_state(8)
}

fn s4() -> S4Config {
    S4Config::new(6, SEQ).with_d_state(8)
}

#[test]
fn a_step_is_the_layer_at_awkward_sizes() {
    for (d_model, d_state) in [(1, 2), (3, 6), (5, 34), (17, 64), (2, 128)] {
        for seq in [1, 2, 3, 63, SEQ] {
            let what = format!("width {d_model}, {d_state} states, {seq} tokens");
            every_way_is_the_layer(&S4dConfig::new(d_model).with_d_state(d_state).seeded(), seq, &what);
            let s4 = S4Config::new(d_model, SEQ).with_d_state(d_state);
            every_way_is_the_layer(&seeded_layer(&s4), seq, &what);
        }
    }
}

#[test]
fn a_step_is_the_layer_from_every_init_and_by_both_rules() {
    use S4dInit::{Diag, Fout, Hippo, Inv, Legs, Lin, Quad, Rand, Real};
    for init in [Legs, Fout, Lin, Inv, Quad, Real, Rand, Diag, Hippo] {
        for rule in RULES {
            let layer = s4d().with_init(init).with_discretization(rule).seeded();
            every_way_is_the_layer(&layer, SEQ, &format!("{init:?}, {rule:?}"));
        }
    }
    for init in [S4Init::Legs, S4Init::Fout, S4Init::Legt, S4Init::Hippo] {
        for rank in [init.rank(), 3] {
            let layer = seeded_layer(&s4().with_init(init).with_rank(Some(rank)));
            every_way_is_the_layer(&layer, SEQ, &format!("{init:?}, rank {rank}"));
        }
    }
}

#[test]
fn a_step_is_the_layer_with_every_option() {
    use Activation::{Gelu, Identity, Relu, Sigmoid, Silu, Tanh};
    for activation in [Gelu, Silu, Relu, Tanh, Sigmoid, Identity] {
        for output in [OutputMix::Glu, OutputMix::Linear, OutputMix::None] {
            let layer = s4d().with_activation(activation).with_output(output).seeded();
            every_way_is_the_layer(&layer, SEQ, &format!("{activation:?}, {output:?}"));
        }
    }
    for channels in [1, 2] {
        for tied in [true, false] {
            let what = format!("{channels} channels, tied {tied}");
            let layer = s4d().with_channels(channels).with_dt_tie(tied).with_n_ssm(Some(2)).seeded();
            every_way_is_the_layer(&layer, SEQ, &what);
            let config = s4().with_channels(channels).with_dt_tie(tied).with_n_ssm(Some(2));
            every_way_is_the_layer(&seeded_layer(&config.with_init(S4Init::Legt)), SEQ, &what);
        }
    }
}

#[test]
fn a_thousand_steps_with_the_longest_memory_keep_the_definition() {
    let bare = s4d().with_dt_min(1e-3).with_dt_max(1e-3).with_output(OutputMix::None);
    let layer = bare.with_activation(Activation::Identity).seeded();
    let x = tokens(1, 1000, 6);
    assert_rel_close(
        slices(&mut layer.stepper().unwrap(), x.clone()),
        convolved(&oracle::Parameters::of(&layer).kernels(RULES[0], 1000), &to_f64(layer.d.val()), &x),
        LONG,
        "s4d",
    );
    let bare = S4Config::new(6, 64).with_d_state(8).with_dt_min(1e-3).with_dt_max(1e-3);
    let layer = seeded_layer(&bare.with_output(OutputMix::None).with_activation(Activation::Identity));
    let taps = Parameters::of(&layer).all_kernels(1000, 1.0);
    assert_rel_close(
        slices(&mut layer.stepper().unwrap(), x.clone()),
        convolved(&taps, &to_f64(layer.d.val()), &x),
        LONG,
        "s4, beyond its l_max",
    );
}

/// The convolution of every channel with its taps, and the skip: `[seq, d_model]`.
fn convolved(taps: &[f64], d: &[f64], x: &Tensor<3>) -> Vec<f64> {
    let ([_, seq, d_model], x) = (x.dims(), to_f64(x.clone()));
    let at = |t: usize, h: usize| {
        let terms = (0..=t).map(|s| taps[h * seq + s] * x[(t - s) * d_model + h]);
        terms.sum::<f64>() + d[h] * x[t * d_model + h]
    };
    (0..seq).flat_map(|t| (0..d_model).map(move |h| (t, h))).map(|(t, h)| at(t, h)).collect()
}

#[test]
fn several_sequences_step_as_each_alone() {
    let layer = seeded_layer(&s4().with_init(S4Init::Legt));
    let x = tokens(5, 9, 6);
    let y = tensors(&layer, &mut layer.init_state(5).unwrap(), x.clone());
    for row in 0..5 {
        let alone = tensors(&layer, &mut layer.init_state(1).unwrap(), x.clone().narrow(0, row, 1));
        assert_rel_close(y.clone().narrow(0, row, 1), alone, SAME_CODE, format!("row {row}"));
    }
}

#[test]
fn a_branch_leaves_the_state_it_came_from_alone() {
    for form in FORMS {
        let layer = s4d().seeded().with_form(form);
        let x = tokens(1, 9, 6);
        let mut state = layer.init_state(1).unwrap();
        tensors(&layer, &mut state, x.clone().narrow(1, 0, 4));
        let mut branch = state.clone();
        tensors(&layer, &mut branch, x.clone().narrow(1, 0, 3));
        assert_eq!((state.seq(), branch.seq()), (4, 7));
        let rest = tensors(&layer, &mut state, x.clone().narrow(1, 4, 5));
        assert_rel_close(rest, layer.forward(x).narrow(1, 4, 5), SAME_MAP, format!("{form:?}"));
    }
}

/// The same layer with one parameter after another changed.
fn changes<S: StateSpace>(layer: &SsmLayer<S>) -> Vec<SsmLayer<S>> {
    let mut all = vec![];
    let mut layer = layer.clone();
    layer.d = layer.d.map(|d| d * 1.5);
    all.push(layer.clone());
    let output = layer.output.as_mut().unwrap();
    output.weight = output.weight.clone().map(|weight| weight * 1.5);
    all.push(layer.clone());
    let output = layer.output.as_mut().unwrap();
    output.bias = output.bias.clone().map(|bias| bias.map(|bias| bias + 0.5));
    all.push(layer.clone());
    layer = layer.with_rate(1.5);
    all.push(layer);
    all
}

/// What a token and a chunk of `x` give from a state.
fn answers<S: StateSpace>(layer: &SsmLayer<S>, state: &S4State, x: &Tensor<3>) -> [Vec<f64>; 2] {
    let steps = tensors(layer, &mut state.clone(), x.clone());
    let chunk = layer.forward_with_state(x.clone(), state.clone()).unwrap().0;
    [steps, chunk].map(to_f64)
}

#[test]
fn a_state_of_a_diagonal_layer_answers_with_the_present_weights() {
    let (layer, x) = (s4d().seeded(), tokens(1, 3, 6));
    for form in FORMS {
        let mut state = layer.init_state(1).unwrap();
        let mut now = layer.clone().with_form(form);
        for (index, changed) in changes(&layer).into_iter().enumerate() {
            tensors(&now, &mut state, x.clone());
            now = changed.with_form(form);
            let fresh = S4State::new(state.re.clone(), state.im.clone());
            let what = format!("{form:?}, change {index}");
            for (got, wanted) in answers(&now, &state, &x).into_iter().zip(answers(&now, &fresh, &x)) {
                assert_rel_close(got, wanted, SAME_CODE, &what);
            }
        }
    }
}

#[test]
fn a_state_goes_on_with_the_output_weights_that_it_began_with_until_it_is_made_anew() {
    let x = tokens(1, 3, 6);
    for form in FORMS {
        let mut layer = seeded_layer(&s4()).with_form(form);
        let mut state = layer.init_state(1).unwrap();
        tensors(&layer, &mut state, x.clone());
        let began = answers(&layer, &state, &x);
        layer.ssm.modes.c_re = layer.ssm.modes.c_re.clone().map(|c| c * 1.5);
        let fresh = S4State::new(state.re.clone(), state.im.clone());
        assert_eq!(answers(&layer, &state, &x), began, "{form:?}");
        let anew = answers(&layer, &fresh, &x);
        assert!(anew.iter().zip(&began).all(|(anew, began)| anew != began), "{form:?}");
    }
}

#[test]
fn the_output_weights_that_a_state_carries_fit_the_layer_at_another_length_and_rate() {
    let (layer, x) = (seeded_layer(&s4()), tokens(1, 3, 6));
    let mut state = layer.init_state(1).unwrap();
    tensors(&layer, &mut state, x.clone());
    for other in [layer.clone().with_l_max(7), layer.clone().with_rate(1.5)] {
        let fresh = S4State::new(state.re.clone(), state.im.clone());
        for (got, wanted) in answers(&other, &state, &x).into_iter().zip(answers(&other, &fresh, &x)) {
            assert_rel_close(got, wanted, SAME_MAP, "another length or rate");
        }
    }
}

#[test]
fn under_autodiff_a_step_has_gradients_also_from_a_state_that_decoded_before() {
    let plain = s4d().seeded();
    let mut state = plain.init_state(1).unwrap();
    tensors(&plain, &mut state, tokens(1, 2, 6));
    let layer = plain.train();
    (state.re, state.im) = (state.re.clone().autodiff(), state.im.clone().autodiff());
    let y = tensors(&layer, &mut state, tokens(1, 2, 6).autodiff());
    let gradients = y.sum().backward();
    let slope = to_f64(layer.ssm.modes.inv_dt.val().grad(&gradients).unwrap());
    assert!(slope.iter().all(|slope| slope.is_finite() && *slope != 0.0), "{slope:?}");
}

#[test]
fn a_stepper_gives_its_state_back() {
    let layer = seeded_layer(&s4());
    let x = tokens(1, 9, 6);
    let mut stepper = layer.stepper().unwrap();
    slices(&mut stepper, x.clone().narrow(1, 0, 4));
    let mut state = stepper.state();
    assert_eq!((state.re.dims(), state.seq()), ([1, 6, 4], 4));
    let y = tensors(&layer, &mut state, x.clone().narrow(1, 4, 5));
    assert_rel_close(y, layer.forward(x).narrow(1, 4, 5), SAME_MAP, "after a state");
}

#[test]
fn a_stepper_that_is_reset_starts_again_and_a_clone_goes_its_own_way() {
    let layer = s4d().seeded();
    let x = tokens(1, 5, 6);
    let mut stepper = layer.stepper().unwrap();
    let first = slices(&mut stepper, x.clone()).into_data();
    slices(&mut stepper.clone(), x.clone());
    assert_eq!(stepper.seq(), 5);
    stepper.reset();
    assert_eq!(stepper.seq(), 0);
    assert_eq!(slices(&mut stepper, x).into_data(), first);
}

#[test]
fn a_stepper_keeps_as_many_bytes_as_the_layer_says() {
    let layer = s4d().seeded();
    let mut stepper = layer.stepper().unwrap();
    for _ in 0..3 {
        assert_eq!(Some(stepper.state_bytes()), layer.state_size(stepper.seq()).map(|floats| 4 * floats));
        slices(&mut stepper, tokens(1, 7, 6));
    }
}

#[test]
fn a_bidirectional_layer_has_no_stepper() {
    let layer = s4d().with_bidirectional(true).seeded();
    assert_eq!(layer.stepper().unwrap_err(), layer.init_state(1).unwrap_err());
}

#[test]
#[should_panic(expected = "a stepper's tokens are as wide as its layer")]
fn a_token_of_another_width_is_refused() {
    s4d().seeded().stepper().unwrap().step(&[0.0; 3], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "the state that a stepper resumes")]
fn a_state_of_two_sequences_is_refused() {
    let layer = s4d().seeded();
    layer.stepper().unwrap().resume(&layer.init_state(2).unwrap());
}

#[test]
fn a_state_that_a_stepper_gives_back_still_belongs_to_its_layer() {
    let state = s4d().seeded().stepper().unwrap().state();
    let other = seeded_layer(&s4());
    let error = other.step(tokens(1, 1, 6).squeeze_dim(1), &mut state.clone()).unwrap_err();
    assert!(error.to_string().contains("it was made by s4d"), "{error}");
}

#[test]
#[should_panic(expected = "the state does not belong to this s4: it was made by s4d")]
fn a_stepper_refuses_the_state_of_another_kind_of_layer() {
    let state = s4d().seeded().init_state(1).unwrap();
    seeded_layer(&s4()).stepper().unwrap().resume(&state);
}
