//! A learned causal Monarch matrix in your own burn model: a whole sequence, then token by token.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use subquad_mixer::{MixerError, MixerState, SequenceMixer};
use subquad_monarch::{CausalMonarch, CausalMonarchConfig, CausalMonarchState};

/// One block and a head, for any input of `d_model` features.
#[derive(Module, Debug)]
struct Forecaster {
    norm: LayerNorm,
    mixer: CausalMonarch,
    head: Linear,
}

impl Forecaster {
    fn new(d_model: usize, l_max: usize, device: &Device) -> Self {
        Self {
            norm: LayerNormConfig::new(d_model).init(device),
            mixer: CausalMonarchConfig::new(d_model, l_max).with_n_heads(4).init(device),
            head: LinearConfig::new(d_model, 1).init(device),
        }
    }

    /// `[batch, seq, d_model]` to one number per token.
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.head.forward(x.clone() + self.mixer.forward(self.norm.forward(x)))
    }

    /// One more token: `[batch, d_model]` to one number.
    fn step(&self, x: Tensor<2>, state: &mut CausalMonarchState) -> Result<Tensor<2>, MixerError> {
        let y = self.mixer.step(self.norm.forward(x.clone()), state)?;
        Ok(self.head.forward(x + y))
    }
}

fn main() -> Result<(), MixerError> {
    let device = Device::default();
    let model = Forecaster::new(32, 256, &device); // width 32, up to 256 tokens
    let x = Tensor::random([2, 100, 32], Distribution::Default, &device); // [batch, seq, d_model]
    let whole = model.forward(x.clone());

    let mut state = model.mixer.init_state(2)?;
    for t in 0..100 {
        let token = x.clone().narrow(1, t, 1).squeeze_dim(1);
        let y = model.step(token, &mut state)?.unsqueeze_dim(1);
        let difference = (y - whole.clone().narrow(1, t, 1)).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-4, "token {t}: {difference}");
    }
    assert_eq!(model.mixer.state_size(100), Some(state.floats()));
    Ok(())
}
