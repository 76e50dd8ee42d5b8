//! A prompt at once, then token by token: with burn tensors, and over plain slices. Both are the same map.

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use subquad_mixer::{SequenceMixer, SliceStepper};
use subquad_s4::{S4Config, S4dConfig, SsmLayer, StateSpace};

const D_MODEL: usize = 32;
const PROMPT: usize = 100;
const TOKENS: usize = 20;

fn main() {
    let device = Device::flex();
    goes_on(&S4dConfig::new(D_MODEL).init(&device), &device);
    goes_on(&S4Config::new(D_MODEL, PROMPT).init(&device), &device);
}

/// Each output is the next input, in place of a model.
fn goes_on<S: StateSpace>(layer: &SsmLayer<S>, device: &Device) {
    let prompt = Tensor::<3>::random([1, PROMPT, D_MODEL], Distribution::Default, device);
    let state = layer.init_state(1).expect("the layer is causal");
    let (y, mut state) = layer.forward_with_state(prompt, state).expect("any length fits");
    let last = y.narrow(1, PROMPT - 1, 1).squeeze_dim::<2>(1);
    let mut stepper = layer.stepper().expect("the layer is causal");
    stepper.resume(&state);

    let mut token = last.clone();
    for _ in 0..TOKENS {
        token = layer.step(token, &mut state).expect("any length fits");
    }

    let mut x: Vec<f32> = last.into_data().try_into_vec().expect("f32");
    let mut y = vec![0.0; D_MODEL];
    for _ in 0..TOKENS {
        stepper.step(&x, &mut y);
        std::mem::swap(&mut x, &mut y);
    }

    assert_eq!((state.seq(), stepper.seq()), (PROMPT + TOKENS, PROMPT + TOKENS));
    let slices = Tensor::<2>::from_data(TensorData::new(x, [1, D_MODEL]), device);
    let difference = (slices - token).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-6, "both ways are the same map, but differ by {difference}");
}
