//! The S4D layer.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::fft_conv::{causal_conv, two_sided_conv};
use subquad_backend::linear::linear;
use subquad_backend::pointwise::{self, Activation};
use subquad_backend::tail::{Output, mix_channels};
use subquad_mixer::{LearningRate, MixerError, ParameterGroup, SequenceMixer, WeightDecay};

use crate::complex::Pair;
use crate::discretization::{Continuous, Discrete};
use crate::kernel::kernel;
use crate::{Discretization, S4dState};

/// Below this decay `A` counts as zero: `|A|^4`, which the gradient of a division by `|A|^2` needs, must not underflow.
const LOG_DECAY_MIN: f64 = -18.0;

/// A diagonal state-space model on every channel, then a gated linear layer across channels. Built by
/// [`S4dConfig`](crate::S4dConfig).
///
/// `pairs` is `d_state / 2`, `kernels` is 2 when bidirectional and 1 when causal.
#[derive(Module, Debug)]
pub struct S4d {
    /// Logarithm of the step: `[d_model]`.
    pub log_dt: Param<Tensor<1>>,
    /// Logarithm of the decay, so that `Re A = -e^log_a_re` is always negative: `[n_ssm, pairs]`.
    pub log_a_re: Param<Tensor<2>>,
    /// Frequency `Im A`: `[n_ssm, pairs]`.
    pub a_im: Param<Tensor<2>>,
    /// Input weights, real part: `[n_ssm, pairs]`.
    pub b_re: Param<Tensor<2>>,
    /// Input weights, imaginary part: `[n_ssm, pairs]`.
    pub b_im: Param<Tensor<2>>,
    /// Output weights, real part: `[kernels, d_model, pairs]`.
    pub c_re: Param<Tensor<3>>,
    /// Output weights, imaginary part: `[kernels, d_model, pairs]`.
    pub c_im: Param<Tensor<3>>,
    /// Weight of the token itself: `[d_model]`.
    pub d: Param<Tensor<1>>,
    /// From `d_model` to the two halves of the gate.
    pub output: Linear,
    #[module(skip)]
    pub(crate) discretization: Discretization,
    #[module(skip)]
    pub(crate) ssm_lr: f64,
    #[module(skip)]
    pub(crate) form: Form,
}

impl S4d {
    /// The same layer with its operations in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The convolution kernel, without the weight of the token itself. Of a bidirectional layer the first kernel holds
    /// the lags `0, 1, ..`, the second the lags `-1, -2, ..`.
    ///
    /// # Shapes
    /// - output: `[kernels, d_model, seq]`
    pub fn kernel(&self, seq: usize) -> Tensor<3> {
        self.kernel_of(&self.discrete(), seq)
    }

    fn kernel_of(&self, discrete: &Discrete, seq: usize) -> Tensor<3> {
        let c = self.c() * discrete.b.clone().unsqueeze_dim(0);
        kernel(c, discrete.log_a.clone(), seq, self.form)
    }

    /// Convolution and skip: `[batch, d_model, seq]` to the same.
    fn convolve(&self, u: Tensor<3>, discrete: &Discrete) -> Tensor<3> {
        let [_, d_model, seq] = u.dims();
        let mut kernels =
            self.kernel_of(discrete, seq).split(1, 0).into_iter().map(|k| k.squeeze_dim::<2>(0));
        let forward = kernels.next().expect("a layer has a forward kernel");
        // Adding D u is adding D to the tap of lag 0, without another pass over the sequence.
        let first = forward.clone().narrow(1, 0, 1) + self.d.val().unsqueeze_dim(1);
        let forward = forward.slice_assign([0..d_model, 0..1], first);
        match kernels.next() {
            None => causal_conv(u, forward, self.form),
            Some(reverse) => two_sided_conv(u, forward, reverse, self.form),
        }
    }

    /// What happens to every token alone, after the convolution: `[batch, d_model, seq]` to `[batch, seq, d_model]`.
    fn mix(&self, y: Tensor<3>) -> Tensor<3> {
        mix_channels(y, Activation::Gelu, &self.output, Output::Glu, self.form)
    }

    /// [`Self::mix`] of one token.
    fn tail(&self, y: Tensor<2>) -> Tensor<2> {
        let hidden = pointwise::gelu(y, self.form);
        pointwise::glu(linear(&self.output, hidden, self.form), self.form)
    }

    fn c(&self) -> Pair<3> {
        Pair { re: self.c_re.val(), im: self.c_im.val() }
    }

    fn discrete(&self) -> Discrete {
        let dt = self.log_dt.val().exp().unsqueeze_dim(1);
        let a_re = self.shared(&self.log_a_re).clamp_min(LOG_DECAY_MIN).exp().neg();
        let a = Pair { re: a_re, im: self.shared(&self.a_im) };
        let b = Pair { re: self.shared(&self.b_re), im: self.shared(&self.b_im) };
        self.discretization.apply(Continuous { dt, a, b })
    }

    /// One row a channel; channel `h` has row `h mod n_ssm`.
    fn shared(&self, rows: &Param<Tensor<2>>) -> Tensor<2> {
        let rows = rows.val();
        let copies = self.d_model() / rows.dims()[0];
        if copies == 1 { rows } else { rows.repeat_dim(0, copies) }
    }

    fn d_model(&self) -> usize {
        self.d.lazy_shape()[0]
    }

    fn check_width(&self, width: usize) {
        assert_eq!(width, self.d_model(), "S4d: the input's last axis is not d_model");
    }

    fn check_causal(&self) -> Result<(), MixerError> {
        match self.c_re.lazy_shape()[0] {
            1 => Ok(()),
            _ => Err(MixerError::Bidirectional { mixer: "s4d" }),
        }
    }
}

impl SequenceMixer for S4d {
    type State = S4dState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.check_width(x.dims()[2]);
        let y = self.convolve(x.swap_dims(1, 2), &self.discrete());
        self.mix(y)
    }

    fn forward_with_state(&self, x: Tensor<3>, state: S4dState) -> Result<(Tensor<3>, S4dState), MixerError> {
        self.check_causal()?;
        self.check_width(x.dims()[2]);
        let (discrete, state) = (self.discrete(), Pair::from(state));
        let u = x.swap_dims(1, 2);
        let remembered = discrete.read(self.c(), state.clone(), u.dims()[2], self.form);
        let y = self.convolve(u.clone(), &discrete) + remembered;
        Ok((self.mix(y), discrete.write(state, u).into()))
    }

    fn step(&self, x: Tensor<2>, state: &mut S4dState) -> Result<Tensor<2>, MixerError> {
        self.check_causal()?;
        self.check_width(x.dims()[1]);
        let next = self.discrete().advance(state.clone().into(), x.clone());
        let y = (self.c() * next.clone()).re.sum_dim(2).squeeze_dim::<2>(2) * 2.0;
        *state = next.into();
        Ok(self.tail(y + x * self.d.val().unsqueeze_dim(0)))
    }

    fn init_state(&self, batch: usize) -> Result<S4dState, MixerError> {
        self.check_causal()?;
        let [_, d_model, pairs] = self.c_re.val().dims();
        let zeros = Tensor::zeros([batch, d_model, pairs], &self.c_re.val().device());
        Ok(S4dState { re: zeros.clone(), im: zeros })
    }

    fn state_size(&self, _seq: usize) -> Option<usize> {
        self.check_causal().ok()?;
        let [_, d_model, pairs] = self.c_re.val().dims();
        Some(2 * d_model * pairs)
    }

    fn check_length(&self, _seq: usize) -> Result<(), MixerError> {
        Ok(())
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        vec![ParameterGroup {
            name: "ssm",
            parameters: vec![self.log_dt.id, self.log_a_re.id, self.a_im.id, self.b_re.id, self.b_im.id],
            learning_rate: LearningRate::AtMost(self.ssm_lr),
            weight_decay: WeightDecay::Fixed(0.0),
        }]
    }
}
