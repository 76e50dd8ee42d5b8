//! An M2 layer in your own burn code: a whole sequence, then one more token.

use burn::tensor::{Device, Distribution, Tensor};
use subquad_mixer::{MixerState, SequenceMixer};
use subquad_monarch::M2Config;

fn main() -> Result<(), subquad_mixer::MixerError> {
    let device = Device::default();
    let mixer = M2Config::new(64, 1024).with_residual(true).init(&device);
    let x = Tensor::random([4, 1000, 64], Distribution::Default, &device); // [batch, seq, d_model]
    let (y, mut state) = mixer.forward_with_state(x, mixer.init_state(4)?)?;
    let next = mixer.step(Tensor::zeros([4, 64], &device), &mut state)?;
    assert_eq!((y.dims(), next.dims()), ([4, 1000, 64], [4, 64]));
    assert_eq!(mixer.state_size(1001), Some(state.floats()));
    Ok(())
}
