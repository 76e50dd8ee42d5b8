//! Decoding over slices is the layer.

use burn::tensor::{Tensor, TensorData};
use subquad_attention::{Attention, AttentionConfig, AttentionStepper};
use subquad_backend::Form;
use subquad_mixer::{SequenceMixer, SliceStepper};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, with_seed};

use crate::variants::{each_option, named};

/// Two projections and sums over up to 1000 tokens between them, in f32 and in another order: below 2e-6 (measured), ten times
/// that.
const SAME_MAP: f64 = 2e-5;

/// Tokens of most tests: more than two blocks of the cache, and not a whole number of them.
const SEQ: usize = 131;

fn build(config: &AttentionConfig) -> Attention {
    with_seed(&cpu(), 1, || {
        let layer = config.init(&cpu()).with_form(Form::Portable);
        layer.forward(seeded_tensor([1, 1, config.d_model], 1, &cpu()));
        layer
    })
}

fn tokens(config: &AttentionConfig, seq: usize) -> Tensor<3> {
    seeded_tensor([1, seq, config.d_model], 2, &cpu())
}

/// The outputs for each token of `x`, one after another.
fn steps(stepper: &mut AttentionStepper, x: Tensor<3>) -> Tensor<3> {
    let shape = x.dims();
    let x: Vec<f32> = x.into_data().try_into_vec().unwrap();
    let mut y = vec![f32::NAN; x.len()];
    x.chunks(shape[2]).zip(y.chunks_mut(shape[2])).for_each(|(x, y)| stepper.step(x, y));
    Tensor::from_data(TensorData::new(y, shape), &cpu())
}

#[test]
fn a_stepper_is_the_layer_with_every_option_and_beyond_its_capacity() {
    for (name, config) in each_option() {
        let (layer, x) = (build(&config), tokens(&config, SEQ));
        for capacity in [0, 65, SEQ] {
            let y = steps(&mut layer.stepper(capacity).unwrap(), x.clone());
            assert_rel_close(y, layer.forward(x.clone()), SAME_MAP, format!("{name}, capacity {capacity}"));
        }
    }
}

#[test]
fn a_stepper_is_the_layer_after_a_thousand_tokens() {
    let config = named("plain");
    let (layer, x) = (build(&config), tokens(&config, 1000));
    let y = steps(&mut layer.stepper(1000).unwrap(), x.clone());
    assert_rel_close(y, layer.forward(x), SAME_MAP, "a thousand tokens");
}

#[test]
fn a_stepper_goes_on_from_a_state_with_every_option() {
    for (name, config) in each_option() {
        let (layer, x) = (build(&config), tokens(&config, SEQ));
        for prompt in [1, 2, 5, 64, 100] {
            let state = layer.init_state(1).unwrap();
            let (_, state) = layer.forward_with_state(x.clone().narrow(1, 0, prompt), state).unwrap();
            let mut stepper = layer.stepper(0).unwrap();
            stepper.resume(&state);
            assert_eq!((stepper.seq(), stepper.held()), (state.seq(), state.held()));
            let rest = SEQ - prompt;
            let y = steps(&mut stepper, x.clone().narrow(1, prompt, rest));
            let whole = layer.forward(x.clone()).narrow(1, prompt, rest);
            assert_rel_close(y, whole, SAME_MAP, format!("{name}, after {prompt}"));
        }
    }
}

#[test]
fn a_stepper_that_is_reset_or_resumes_nothing_starts_again() {
    let config = named("plain");
    let (layer, x) = (build(&config), tokens(&config, 5));
    let mut stepper = layer.stepper(5).unwrap();
    let first = steps(&mut stepper, x.clone()).into_data();
    stepper.reset();
    assert_eq!((stepper.seq(), stepper.state_bytes()), (0, 0));
    assert_eq!(steps(&mut stepper, x.clone()).into_data(), first);
    stepper.resume(&layer.init_state(1).unwrap());
    assert_eq!(steps(&mut stepper, x).into_data(), first);
}

#[test]
fn a_clone_goes_its_own_way() {
    let config = named("plain");
    let (layer, x) = (build(&config), tokens(&config, 9));
    let mut stepper = layer.stepper(9).unwrap();
    steps(&mut stepper, x.clone().narrow(1, 0, 4));
    steps(&mut stepper.clone(), x.clone().narrow(1, 0, 3));
    let rest = steps(&mut stepper, x.clone().narrow(1, 4, 5));
    assert_rel_close(rest, layer.forward(x).narrow(1, 4, 5), SAME_MAP, "after a branch");
}

#[test]
fn a_stepper_keeps_as_many_bytes_as_the_layer_says() {
    for name in ["plain", "window 5", "two key heads for six"] {
        let config = named(name);
        let layer = build(&config);
        let mut stepper = layer.stepper(64).unwrap();
        for seq in [0, 3, 4, 60] {
            let more = seq - stepper.seq();
            if more > 0 {
                steps(&mut stepper, tokens(&config, more));
            }
            assert_eq!(Some(stepper.state_bytes()), layer.state_size(seq).map(|floats| 4 * floats), "{name}");
        }
    }
}

#[test]
fn a_bidirectional_layer_has_no_stepper() {
    let layer = named("plain").with_causal(false).init(&cpu());
    assert_eq!(layer.stepper(1).unwrap_err(), layer.init_state(1).unwrap_err());
}

#[test]
#[should_panic(expected = "a stepper's tokens are as wide as its layer")]
fn a_token_of_another_width_is_refused() {
    build(&named("plain")).stepper(1).unwrap().step(&[0.0; 3], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "the keys of a state that a stepper resumes")]
fn a_state_of_two_sequences_is_refused() {
    let layer = build(&named("plain"));
    layer.stepper(1).unwrap().resume(&layer.init_state(2).unwrap());
}
