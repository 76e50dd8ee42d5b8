//! The layer: a state space on every channel, then what mixes the channels of a token.

use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::fft_conv::{causal_conv, two_sided_conv};
use subquad_backend::pointwise::{Activation, activate};
use subquad_backend::{Form, dropout, swap_axes};
use subquad_mixer::{
    Contract, LearningRate, MixerError, MixerState, Origin, ParameterGroup, SequenceMixer, SliceStepper,
    WeightDecay,
};

use crate::taps::MaxTaps;
use crate::{Diagonal, Dplr, OutputMix, S4State, StateSpace};

/// S4D: a layer on a diagonal state space. Built by [`S4dConfig`](crate::S4dConfig).
pub type S4d = SsmLayer<Diagonal>;

/// S4: a layer on a state space that is diagonal plus low rank. Built by [`S4Config`](crate::S4Config).
pub type S4 = SsmLayer<Dplr>;

/// A state-space model on every channel, then a linear layer across channels.
///
/// ```text
/// y   = K * u + D u           on every channel, K the kernel of the state space
/// out = GLU(Linear(GELU(y)))  on every token
/// ```
/// The block of Gu, Goel, Re 2021, <https://arxiv.org/abs/2111.00396>, section 3.4, without norm and residual.
#[derive(Module, Debug)]
pub struct SsmLayer<S> {
    /// The state space.
    pub ssm: S,
    /// Weight of the token itself: `[channels, d_model]`.
    pub d: Param<Tensor<2>>,
    /// From the `channels d_model` rows to the width, or to the two halves of the gate.
    pub output: Option<Linear>,
    #[module(skip)]
    pub(crate) rules: Rules,
    #[module(skip)]
    pub(crate) form: Form,
}

/// The options that are not parameters.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) bidirectional: bool,
    pub(crate) activation: Activation,
    pub(crate) output: OutputMix,
    pub(crate) drops: Drops,
    pub(crate) ssm_lr: f64,
    pub(crate) max_taps: MaxTaps,
}

/// What is dropped in training.
#[derive(Debug, Clone)]
pub(crate) struct Drops {
    /// Probability for numbers after the activation.
    pub(crate) rate: f64,
    /// Whether all tokens of a channel are dropped at once.
    pub(crate) tied: bool,
    /// Probability for the taps of kernels.
    pub(crate) of_kernel: f64,
}

/// The second draws of a seed: the first are for kernels.
const ACTIVATIONS: u64 = 1;

impl<S: StateSpace> SsmLayer<S> {
    /// The same layer for sequences sampled at another rate: every step becomes `rate` times as long. A layer trained at
    /// 16 kHz runs on 8 kHz with `rate = 2`.
    ///
    /// # Panics
    /// If `rate` is not positive and finite.
    pub fn with_rate(mut self, rate: f64) -> Self {
        assert!(rate > 0.0 && rate.is_finite(), "a rate must be positive and finite, got {rate:?}");
        self.ssm = self.ssm.with_rate(rate);
        self
    }

    /// The same layer with kernels of at most this many taps: a token then does not depend on anything earlier. A
    /// published layer cuts its kernels at its `l_max`. A state never forgets, so
    /// [`step`](subquad_mixer::SequenceMixer::step) and chunks return an error after that many tokens, and there is
    /// no [`stepper`](Self::stepper). `None`, which is how configs build layers: as many taps as tokens.
    ///
    /// # Panics
    /// If the number of taps is 0.
    pub fn with_max_taps(mut self, taps: Option<usize>) -> Self {
        self.rules.max_taps = MaxTaps::new(taps);
        self
    }

    /// The most taps of a kernel, if there is a limit.
    pub fn max_taps(&self) -> Option<usize> {
        self.rules.max_taps.limit()
    }

    /// The convolution kernels, without the weight of the token itself. In a bidirectional layer, the first half
    /// holds the lags `0, 1, ..`, the second the lags `-1, -2, ..`.
    ///
    /// # Shapes
    /// - output: `[kernels, d_model, seq]`; fewer taps where [`max_taps`](Self::max_taps) says so
    ///
    /// # Panics
    /// If [`check_length`](SequenceMixer::check_length) refuses `seq`.
    pub fn kernel(&self, seq: usize) -> Tensor<3> {
        let taps = self.rules.max_taps.of(seq);
        self.ssm.check_length(taps).unwrap_or_else(|e| panic!("{e}"));
        self.ssm.kernel(taps, self.form)
    }

    /// Convolution and skip: `[batch, d_model, seq]` to `[batch, channels d_model, seq]`.
    fn convolve(&self, u: Tensor<3>, kernels: Tensor<3>) -> Tensor<3> {
        let ([kernels_of_channel, d_model, taps], [channels, _]) = (kernels.dims(), self.d.dims());
        let rows = kernels.reshape([kernels_of_channel * d_model, taps]);
        let own = self.d.val().reshape([channels * d_model]);
        let past = with_skip(rows.clone().narrow(0, 0, channels * d_model), own);
        let u = if channels == 1 { u } else { u.repeat_dim(1, channels) };
        match self.rules.bidirectional {
            false => causal_conv(u, past, self.form),
            true => {
                let future = rows.narrow(0, channels * d_model, channels * d_model);
                two_sided_conv(u, past, future, self.form)
            }
        }
    }

    /// What happens to each token separately, after the convolution.
    fn tail(&self, y: Tensor<3>) -> Tensor<3> {
        let Rules { output, activation, .. } = self.rules;
        output.sequence(y, activation, self.output.as_ref(), self.form)
    }

    /// [`tail`](Self::tail) with what training drops.
    fn dropping_tail(&self, y: Tensor<3>, seed: u64) -> Tensor<3> {
        let Drops { rate, tied, .. } = self.rules.drops;
        if rate == 0.0 {
            return self.tail(y);
        }
        let [batch, rows, seq] = y.dims();
        let kept = dropout::mask([batch, rows, if tied { 1 } else { seq }], rate, seed, &y.device());
        let hidden = activate(y, self.rules.activation, self.form) * kept;
        self.rules.output.mix(hidden.swap_dims(1, 2), self.output.as_ref(), self.form)
    }

    fn dropping_kernels(&self, seq: usize, seed: u64) -> Tensor<3> {
        let (kernels, rate) = (self.kernel(seq), self.rules.drops.of_kernel);
        if rate == 0.0 {
            return kernels;
        }
        let kept = dropout::mask(kernels.dims(), rate, seed, &kernels.device());
        kernels * kept
    }

    fn d_model(&self) -> usize {
        self.ssm.modes().d_model()
    }

    /// The origin of the states that the layer makes.
    pub(crate) fn origin(&self) -> Origin {
        let ([_, d_model, pairs], [channels, _]) = (self.ssm.modes().dims(), self.d.dims());
        let settings = [("d_model", d_model), ("d_state", 2 * pairs), ("channels", channels)];
        Origin::new(S::NAME, settings.map(|(name, size)| (name, size.into())))
    }

    pub(crate) fn check_causal(&self) -> Result<(), MixerError> {
        match self.rules.bidirectional {
            false => Ok(()),
            true => Err(MixerError::Bidirectional { mixer: S::NAME }),
        }
    }
}

/// The group of these parameters, which train slowly and do not decay.
pub(crate) fn slow_group(parameters: Vec<ParamId>, ssm_lr: f64) -> Vec<ParameterGroup> {
    let (learning_rate, weight_decay) = (LearningRate::AtMost(ssm_lr), WeightDecay::Fixed(0.0));
    vec![ParameterGroup { name: "ssm", parameters, learning_rate, weight_decay }]
}

/// Adding D u is the same as adding D to the tap of lag 0, which needs no further pass over the sequence.
///
/// # Shapes
/// - `kernels`, output: `[rows, taps]`
/// - `d`: `[rows]`
pub(crate) fn with_skip(kernels: Tensor<2>, d: Tensor<1>) -> Tensor<2> {
    let rows = kernels.dims()[0];
    let first = kernels.clone().narrow(1, 0, 1) + d.unsqueeze_dim(1);
    kernels.slice_assign([0..rows, 0..1], first)
}

impl S4 {
    /// The same map with its output weights at another length ([`Dplr::with_l_max`]), for example to train on longer
    /// sequences, or to evaluate many of one length without computing them each time.
    ///
    /// # Panics
    /// If `l_max` is 0.
    pub fn with_l_max(mut self, l_max: usize) -> Self {
        self.ssm = self.ssm.with_l_max(l_max);
        self
    }
}

impl<S: StateSpace> SequenceMixer for SsmLayer<S> {
    type State = S4State;

    fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_reads(&x);
        let kernels = self.kernel(x.dims()[1]);
        self.tail(self.convolve(swap_axes(x, self.form), kernels))
    }

    fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        self.assert_reads(&x);
        let kernels = self.dropping_kernels(x.dims()[1], seed);
        let y = self.convolve(swap_axes(x, self.form), kernels);
        self.dropping_tail(y, dropout::split_mix(seed ^ ACTIVATIONS))
    }

    fn forward_with_state(&self, x: Tensor<3>, state: S4State) -> Result<(Tensor<3>, S4State), MixerError> {
        self.rules.max_taps.check_state(S::NAME, state.seq + x.dims()[1])?;
        self.check_causal()?;
        self.check_call(&x, &state)?;
        let u = swap_axes(x, self.form);
        let ([batch, d_model, seq], [channels, _]) = (u.dims(), self.d.dims());
        let (y, state) = self.ssm.run(u.clone(), state, self.form);
        let y = y + u.unsqueeze_dim::<4>(1) * self.d.val().unsqueeze_dims::<4>(&[0, 3]);
        Ok((self.tail(y.reshape([batch, channels * d_model, seq])), state))
    }

    fn step(&self, x: Tensor<2>, state: &mut S4State) -> Result<Tensor<2>, MixerError> {
        self.rules.max_taps.check_state(S::NAME, state.seq + 1)?;
        self.check_causal()?;
        self.check_call(&x, state)?;
        let ([batch, d_model], [channels, _]) = (x.dims(), self.d.dims());
        let (y, next) = self.ssm.advance(x.clone(), state.clone());
        *state = next;
        let y = y + x.unsqueeze_dim(1) * self.d.val().unsqueeze_dim(0);
        let hidden = activate(y.reshape([batch, channels * d_model]), self.rules.activation, self.form);
        Ok(self.rules.output.mix(hidden, self.output.as_ref(), self.form))
    }

    fn slice_stepper(&self, state: &S4State, _room: usize) -> Option<Box<dyn SliceStepper>> {
        let mut stepper = self.stepper().ok()?;
        stepper.resume(state);
        Some(Box::new(stepper))
    }

    fn init_state(&self, batch: usize) -> Result<S4State, MixerError> {
        self.check_causal()?;
        let [_, d_model, pairs] = self.ssm.modes().dims();
        Ok(S4State::first([batch, d_model, pairs], self.origin(), &self.d.val().device()))
    }

    fn contract(&self) -> Contract {
        Contract::new(S::NAME, self.d_model(), &self.d)
    }

    fn check_state(&self, batch: usize, state: &S4State) -> Result<(), MixerError> {
        let [_, d_model, pairs] = self.ssm.modes().dims();
        self.contract().check_state(batch, state.origin(), &self.origin(), &state.kept([1, d_model, pairs]))
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        self.ssm.check_length(self.rules.max_taps.of(seq))
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        slow_group(self.ssm.slow_parameters(), self.rules.ssm_lr)
    }
}
