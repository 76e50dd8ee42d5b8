//! A mixer of your own in all of subquad: `cargo run --release -p own-mixer -- run examples/own-mixer`, and check, bench, list.
//!
//! y_t = gain * mean(x_1 .. x_t): a mean over the past, with a learned gain for each channel.

use std::process::ExitCode;

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use subquad_mixer::{Context, Contract, Kept, MeasuredMixer, MixerError, MixerState, Options, Origin};
use subquad_mixer::{Refusal, SequenceMixer, SequenceMixerConfig, Sizes};

/// The options of the mixer: keys of the section `[mixer.causal_mean]`.
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

#[derive(Module, Debug)]
struct CausalMean {
    gain: Param<Tensor<1>>,
}

#[derive(Debug, Clone)]
struct MeanState {
    /// Of the tokens seen so far, `[batch, d_model]`.
    sum: Tensor<2>,
    seq: usize,
    origin: Origin,
}

subquad_mixer::impl_state!(MeanState { floats: |state| state.sum.dims()[1], origin });

impl SequenceMixer for CausalMean {
    type State = MeanState;

    fn forward_with_state(&self, x: Tensor<3>, mut state: MeanState) -> Result<(Tensor<3>, MeanState), MixerError> {
        self.check_call(&x, &state)?;
        let [_, seq, _] = x.dims();
        let sums = x.cumsum(1) + state.sum.unsqueeze_dim(1);
        let counts: Vec<f32> = (1..=seq).map(|t| (state.seq + t) as f32).collect();
        let counts = Tensor::<1>::from_data(counts.as_slice(), &sums.device()).reshape([1, seq, 1]);
        (state.sum, state.seq) = (sums.clone().narrow(1, seq - 1, 1).squeeze_dim(1), state.seq + seq);
        Ok((sums / counts * self.gain.val().unsqueeze(), state))
    }
}
