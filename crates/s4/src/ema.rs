//! An exponential moving average of every channel: the smallest state space, one real state, which cannot oscillate.
//!
//! ```text
//! h_t = a h_{t-1} + (1 - a) x_t        a = sigmoid(logit), learned for each channel
//! y   = K * x,  K_l = (1 - a) a^l
//! ```
//! Brown 1959, *Statistical Forecasting for Inventory Control*; as a sequence mixer without the gates around it, Ma et al. 2022,
//! *Mega*, <https://arxiv.org/abs/2209.10655>, equation 2.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, activation};
use subquad_backend::fft_conv::causal_conv;
use subquad_backend::{Form, swap_axes};
use subquad_mixer::{
    Contract, Flops, MeasuredMixer, MixerError, Options, SequenceMixer, SequenceMixerConfig, SliceStepper,
    TensorState,
};

use crate::stepper::EmaStepper;

/// Builds an [`Ema`].
#[derive(Config, Options, Debug)]
pub struct EmaConfig {
    /// Width of input and output.
    #[option(given, range = 1..)]
    pub d_model: usize,
    /// Number of tokens after which the weight of an input has fallen to 1/e, before training.
    #[config(default = 16.0)]
    #[option(range = 0.1..=1e6)]
    pub reach: f64,
}

impl SequenceMixerConfig for EmaConfig {
    type Mixer = Ema;

    fn n_parameters(&self) -> usize {
        self.d_model
    }

    /// Only the convolution: a tap takes a few operations.
    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        Some(Flops::fft_conv(self.d_model, self.d_model, seq_len))
    }

    /// # Panics
    /// If there are refusals.
    fn init(&self, device: &Device) -> Ema {
        let refused = self.refusals();
        assert!(refused.is_empty(), "EmaConfig: {}", refused[0]);
        let a = (-1.0 / self.reach).exp();
        let logit = Tensor::full([self.d_model], (a / (1.0 - a)).ln(), device);
        Ema { logit: Param::from_tensor(logit), form: Form::for_device(device) }
    }
}

/// An exponential moving average of every channel. Built by [`EmaConfig`].
#[derive(Module, Debug)]
pub struct Ema {
    /// The logit of the share that is kept from token to token: `[d_model]`.
    pub logit: Param<Tensor<1>>,
    #[module(skip)]
    form: Form,
}

impl Ema {
    /// `a^l` for the lags from `first` on, `[d_model, seq]`.
    fn powers(&self, first: usize, seq: usize) -> Tensor<2> {
        let log_a = activation::log_sigmoid(self.logit.val()).unsqueeze_dim(1);
        let lags = Tensor::<1, Int>::arange(first as i64..(first + seq) as i64, &log_a.device());
        (log_a * lags.float().unsqueeze()).exp()
    }

    /// The weight of each new input, `[d_model, 1]`.
    fn share(&self) -> Tensor<2> {
        activation::sigmoid(self.logit.val().neg()).unsqueeze_dim(1)
    }

    /// The averages of `x`, starting from zero, `[batch, d_model, seq]`.
    fn averages(&self, x: Tensor<3>) -> Tensor<3> {
        let kernel = self.powers(0, x.dims()[1]) * self.share();
        causal_conv(swap_axes(x, self.form), kernel, self.form)
    }
}

impl SequenceMixer for Ema {
    /// The averages, `[batch, d_model]`.
    type State = TensorState<2>;

    fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_reads(&x);
        swap_axes(self.averages(x), self.form)
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        past: TensorState<2>,
    ) -> Result<(Tensor<3>, TensorState<2>), MixerError> {
        self.check_call(&x, &past)?;
        let seq = x.dims()[1];
        let kept = past.tensor.clone().unsqueeze_dim(2) * self.powers(1, seq).unsqueeze();
        let y = self.averages(x) + kept;
        let last = y.clone().narrow(2, seq - 1, 1).squeeze_dim(2);
        Ok((swap_axes(y, self.form), past.after(seq, last)))
    }

    fn slice_stepper(&self, state: &TensorState<2>, _room: usize) -> Option<Box<dyn SliceStepper>> {
        self.check_state(1, state).unwrap_or_else(|e| panic!("{e}"));
        Some(Box::new(EmaStepper::new(self, state)))
    }

    fn init_state(&self, batch: usize) -> Result<TensorState<2>, MixerError> {
        Ok(TensorState::first(&self.contract(), [batch, self.logit.dims()[0]]))
    }

    fn contract(&self) -> Contract {
        Contract::new(EmaConfig::NAME, self.logit.dims()[0], &self.logit)
    }
}
