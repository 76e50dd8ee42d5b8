//! The layer as a sequence mixer.

use burn::module::Module;
use burn::tensor::{FloatDType, Tensor};
use subquad_backend::Form;
use subquad_mixer::{MixerError, SequenceMixer};
use subquad_s4::{S4Config, S4State, S4d, S4dConfig, S4dInit};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, battery, cpu, seeded, seeded_tensor, to_f64};

use crate::low_rank_oracle::seeded_layer;
use crate::oracle::{self, FORMS, RULES, Seeded};

const D_MODEL: usize = 6;

/// An FFT of a thousand tokens in f32, a linear layer and a gate: measured below 2e-6.
const LAYER: f64 = 1e-5;
/// Gradients sum a thousand such products: measured 6e-6 at the worst parameter.
const LAYER_GRADIENT: f64 = 5e-5;

fn config() -> S4dConfig {
    S4dConfig::new(D_MODEL).with_d_state(8)
}

fn variants() -> Vec<S4dConfig> {
    let shared = [1, 2, D_MODEL].map(|n_ssm| config().with_n_ssm(Some(n_ssm)).with_init(S4dInit::Legs));
    let rules = RULES.map(|rule| config().with_discretization(rule));
    shared.into_iter().chain(rules).collect()
}

#[test]
fn a_causal_layer_keeps_the_contract() {
    for config in variants() {
        for form in FORMS {
            battery::causal_mixer(&config.seeded().with_form(form), D_MODEL);
        }
    }
}

#[test]
fn a_bidirectional_layer_keeps_the_contract() {
    for config in variants() {
        for form in FORMS {
            let layer = config.clone().with_bidirectional(true).seeded().with_form(form);
            battery::bidirectional_mixer(&layer, D_MODEL);
        }
    }
}

#[test]
fn both_forms_agree_at_awkward_lengths() {
    for bidirectional in [false, true] {
        let layer = config().with_bidirectional(bidirectional).with_n_ssm(Some(2)).seeded();
        let fused = layer.clone().with_form(Form::Fused);
        let portable = layer.with_form(Form::Portable);
        battery::forms_agree(&fused, &portable, D_MODEL, &AWKWARD_LENGTHS, LAYER, LAYER_GRADIENT);
    }
}

#[test]
fn the_layer_is_its_definition() {
    for bidirectional in [false, true] {
        for rule in RULES {
            let config = config().with_init(S4dInit::Legs).with_discretization(rule);
            let layer = config.with_bidirectional(bidirectional).seeded();
            for seq in [1, 2, 65] {
                let wanted = oracle::forward(&layer, rule, &seeded(seq * D_MODEL, 3));
                for form in FORMS {
                    let got =
                        layer.clone().with_form(form).forward(seeded_tensor([1, seq, D_MODEL], 3, &cpu()));
                    assert_rel_close(got, wanted.clone(), LAYER, format!("{rule:?}, {form:?}, seq = {seq}"));
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_layer() {
    battery::same_seed_same_bits(|device| config().init(device), &cpu());
}

#[test]
fn the_state_after_two_chunks_is_the_state_after_the_whole() {
    for form in FORMS {
        let layer = config().seeded().with_form(form);
        let x = seeded_tensor([2, 100, D_MODEL], 4, &cpu());
        let (_, whole) = layer.forward_with_state(x.clone(), layer.init_state(2).unwrap()).unwrap();
        let (_, half) =
            layer.forward_with_state(x.clone().narrow(1, 0, 37), layer.init_state(2).unwrap()).unwrap();
        let (_, chunked) = layer.forward_with_state(x.narrow(1, 37, 63), half).unwrap();
        assert_rel_close(chunked.re, whole.re, LAYER, "real part");
        assert_rel_close(chunked.im, whole.im, LAYER, "imaginary part");
    }
}

#[test]
fn gradients_through_chunks_are_the_gradients_of_the_whole() {
    for form in FORMS {
        let layer = config().with_init(S4dInit::Legs).seeded().with_form(form).train();
        let whole = gradients(&layer, |x| layer.forward(x));
        let chunked = gradients(&layer, |x| {
            let (first, state) = chunk(&layer, x.clone().narrow(1, 0, 29), layer.init_state(2).unwrap());
            let (second, _) = chunk(&layer, x.narrow(1, 29, 41), state);
            Tensor::cat(vec![first, second], 1)
        });
        for (i, (chunked, whole)) in chunked.into_iter().zip(whole).enumerate() {
            assert_rel_close(chunked, whole, LAYER_GRADIENT, format!("{form:?}, gradient {i}"));
        }
    }
}

fn chunk(layer: &S4d, x: Tensor<3>, state: S4State) -> (Tensor<3>, S4State) {
    layer.forward_with_state(x, state).unwrap()
}

/// Of the input, and of one parameter of each kind.
fn gradients(layer: &S4d, run: impl Fn(Tensor<3>) -> Tensor<3>) -> Vec<Vec<f64>> {
    let device = cpu().autodiff();
    let x = seeded_tensor([2, 70, D_MODEL], 5, &device).require_grad();
    let grads = (run(x.clone()) * seeded_tensor([2, 70, D_MODEL], 6, &device)).sum().backward();
    vec![
        to_f64(x.grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.inv_dt.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.a_im.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.b_im.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.c_re.val().grad(&grads).unwrap()),
        to_f64(layer.d.val().grad(&grads).unwrap()),
    ]
}

#[test]
fn a_later_input_gives_the_same_output_later() {
    for form in FORMS {
        let layer = config().seeded().with_form(form);
        let x = seeded_tensor([1, 40, D_MODEL], 7, &cpu());
        let quiet = Tensor::zeros([1, 13, D_MODEL], &cpu());
        let later = layer.forward(Tensor::cat(vec![quiet, x.clone()], 1)).narrow(1, 13, 40);
        assert_rel_close(later, layer.forward(x), LAYER, format!("{form:?}"));
    }
}

#[test]
fn states_of_other_layers_are_refused_and_numbers_from_elsewhere_are_taken_where_they_fit() {
    let layer = config().seeded();
    for other in [config().with_d_state(16), config().with_channels(2)] {
        battery::refuses_states_of((&layer, D_MODEL), (&other.seeded(), D_MODEL));
    }
    let wide = S4dConfig::new(D_MODEL + 2).with_d_state(8).seeded();
    battery::refuses_states_of((&layer, D_MODEL), (&wide, D_MODEL + 2));
    let x = seeded_tensor([2, 5, D_MODEL], 1, &cpu());
    let (_, state) = chunk(&layer, x.clone(), layer.init_state(2).unwrap());
    let s4 = seeded_layer(&S4Config::new(D_MODEL, 9).with_d_state(8));
    let error = s4.forward_with_state(x.clone(), state.clone()).unwrap_err();
    let difference = "it was made by s4d".to_owned();
    assert_eq!(error, MixerError::ForeignState { mixer: "s4", difference });
    let plain = |re: Tensor<3>, im: Tensor<3>| s4.forward_with_state(x.clone(), S4State::new(re, im));
    assert!(plain(state.re.clone(), state.im.clone()).is_ok());
    let error = plain(state.re.clone().narrow(2, 0, 3), state.im.narrow(2, 0, 3)).unwrap_err();
    let difference = "its re is [2, 6, 3], the layer needs [1, 6, 4] for each sequence".to_owned();
    assert_eq!(error, MixerError::ForeignState { mixer: "s4", difference });
}

#[test]
fn a_state_whose_parts_were_changed_apart_is_refused() {
    let layer = config().seeded();
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let mut state = layer.init_state(2).unwrap();
        state.im = state.im.narrow(0, 0, 1);
        let error = layer.step(Tensor::zeros([2, D_MODEL], &cpu()), &mut state).unwrap_err();
        assert_eq!(error, MixerError::Batch { mixer: "s4d", state: 1, input: 2 });
        state.im = state.re.clone().cast(FloatDType::F64);
        let error = layer.step(Tensor::zeros([2, D_MODEL], &cpu()), &mut state).unwrap_err();
        assert_eq!(error, MixerError::Dtype { mixer: "s4d", what: "a state", got: "f64" });
    }
}

#[test]
fn a_layer_whose_weights_are_not_f32_says_so() {
    let mut layer = config().seeded();
    layer.d = layer.d.map(|d| d.cast(FloatDType::F64));
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let mut state = layer.init_state(1).unwrap();
        let error = layer.step(Tensor::zeros([1, D_MODEL], &cpu()), &mut state).unwrap_err();
        assert_eq!(error, MixerError::Dtype { mixer: "s4d", what: "weights", got: "f64" });
    }
}

#[test]
fn a_bidirectional_layer_says_that_it_has_no_step() {
    let layer = config().with_bidirectional(true).seeded();
    let error = layer.init_state(1).unwrap_err();
    assert_eq!(error, MixerError::Bidirectional { mixer: "s4d" });
}

#[test]
#[should_panic(expected = "s4d has d_model = 6, got an input of width 7")]
fn another_width_is_refused() {
    config().seeded().forward(Tensor::zeros([1, 2, D_MODEL + 1], &cpu()));
}
