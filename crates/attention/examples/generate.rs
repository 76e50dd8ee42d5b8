//! A prompt at once, then token by token: with burn tensors and a branch, and over plain slices.

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use subquad_attention::AttentionConfig;
use subquad_mixer::{SequenceMixer, SliceStepper};

const D_MODEL: usize = 32;

fn main() {
    let device = Device::flex();
    let attention = AttentionConfig::new(D_MODEL).with_window(Some(64)).init(&device);
    let prompt = Tensor::<3>::random([1, 100, D_MODEL], Distribution::Default, &device);

    let state = attention.init_state(1).expect("the layer is causal");
    let (y, mut state) = attention.forward_with_state(prompt, state).expect("any length fits");
    let last = y.narrow(1, 99, 1).squeeze_dim::<2>(1);
    let branch = state.clone();

    // Each output is the next input, in place of a model.
    let mut token = last.clone();
    for _ in 0..20 {
        token = attention.step(token, &mut state).expect("any length fits");
    }
    assert_eq!((state.seq(), state.held(), branch.seq()), (120, 64, 100));

    let mut stepper = attention.stepper(120).expect("the layer is causal");
    stepper.resume(&branch);
    let mut x: Vec<f32> = last.into_data().try_into_vec().expect("f32");
    let mut y = vec![0.0; D_MODEL];
    for _ in 0..20 {
        stepper.step(&x, &mut y);
        std::mem::swap(&mut x, &mut y);
    }

    let slices = Tensor::<2>::from_data(TensorData::new(x, [1, D_MODEL]), &device);
    let difference = (slices - token).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-4, "both ways are the same map, but differ by {difference}");
}
