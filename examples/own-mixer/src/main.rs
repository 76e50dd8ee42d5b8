//! Your own mixer in all of subquad: `cargo run --release -p own-mixer -- run examples/own-mixer/causal-mean`; also check, bench, list.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use subquad_attention::AttentionConfig;
use subquad_mixer::{Contract, MeasuredMixer, MixerError, Options, SequenceMixer, SequenceMixerConfig};
use subquad_mixer::{Sizes, TensorState};
use subquad_s4::S4dConfig;

/// The keys of `[mixer.causal_mean]`.
#[derive(Config, Options, Debug)]
pub struct CausalMeanConfig {
    /// Width of input and output.
    #[option(given, range = 1..)]
    pub d_model: usize,
    /// Where the gains start.
    #[config(default = 1.0)]
    #[option(range = 0.0..=10.0)]
    pub gain: f64,
}

/// y_t = gain * mean(x_1 .. x_t): the mean over the past, with a learned gain for each channel.
#[derive(Module, Debug)]
pub struct CausalMean {
    gain: Param<Tensor<1>>,
}

/// The sum of the tokens seen so far.
type Past = TensorState<2>;

impl SequenceMixer for CausalMean {
    type State = Past;

    fn forward_with_state(&self, x: Tensor<3>, past: Past) -> Result<(Tensor<3>, Past), MixerError> {
        self.check_call(&x, &past)?;
        let [_, seq, _] = x.dims();
        let sums = x.cumsum(1) + past.tensor.clone().unsqueeze_dim(1);
        let counts = Tensor::<1, Int>::arange(1..seq as i64 + 1, &sums.device()).float() + past.seq as f64;
        let means = sums.clone() / counts.reshape([1, seq, 1]);
        Ok((means * self.gain.val().unsqueeze(), past.after(seq, sums.narrow(1, seq - 1, 1).squeeze_dim(1))))
    }

    fn init_state(&self, batch: usize) -> Result<Past, MixerError> {
        Ok(TensorState::first(&self.contract(), [batch, self.gain.dims()[0]]))
    }

    fn contract(&self) -> Contract {
        Contract::new(CausalMeanConfig::NAME, self.gain.dims()[0], &self.gain)
    }
}

impl SequenceMixerConfig for CausalMeanConfig {
    type Mixer = CausalMean;

    fn init(&self, device: &Device) -> CausalMean {
        assert!(self.refusals().is_empty(), "{:?}", self.refusals());
        CausalMean { gain: Param::from_tensor(Tensor::full([self.d_model], self.gain, device)) }
    }
}

impl MeasuredMixer for CausalMeanConfig {
    const NAME: &'static str = "causal_mean";
    const SUMMARY: &'static str = "the mean over the past; causal only";

    fn definition(sizes: &Sizes, gains: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let d = sizes.d_model;
        let mean = |t: usize, c: usize| (0..=t).map(|s| x[s * d + c]).sum::<f64>() / (t + 1) as f64;
        (0..x.len()).map(|i| gains[0][i % d] * mean(i / d, i % d)).collect()
    }
}

subquad_mixer::mixers! {
    /// This mixer next to two of subquad's.
    pub MyMixerConfig, MyMixer, MyState { CausalMean(CausalMeanConfig), Attention(AttentionConfig), S4d(S4dConfig) }
}

fn main() -> std::process::ExitCode {
    subquad::main::<MyMixerConfig>()
}
