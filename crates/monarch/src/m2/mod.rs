//! M2: the sequence mixer of Monarch Mixer, a gated convolution as long as the sequence.
//!
//! ```text
//! x1, x2, v = split(short_conv(W_in x))          width 3, causal, every channel by itself
//! y   = long_conv(v * x1) * x2                   filter and bias: `filter`
//! y   = y + long_conv2(x)                        with `residual`: a second filter on the layer's own input
//! out = W_out y
//! ```
//! Fu et al. 2023, <https://arxiv.org/abs/2310.12109>, section 4. The Monarch matrices along the sequence are the DFT and
//! its inverse, as in all trained models, so the long convolution runs as an FFT, or as products with Monarch matrices (`conv`).
//!
//! There is neither a norm nor an identity skip inside the layer, and it has no padding mask: tokens of padding reach
//! all later outputs (all outputs, if bidirectional), so zero them first.

mod config;
mod gate;
mod gated_conv;
mod state;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::linear::{linear, linear_of_channels};
use subquad_backend::{Form, short_conv::short_conv, swap_axes};
use subquad_mixer::{LearningRate, MixerError, ParameterGroup, SequenceMixer, WeightDecay};

use crate::ImplicitFilter;
pub use config::{M2Config, M2ConfigError};
use gated_conv::gated_conv;
use state::History;
pub use state::M2State;

/// Taps of the short convolution.
const SHORT_WIDTH: usize = 3;
/// Tokens that it looks back.
const SHORT_PAST: usize = SHORT_WIDTH - 1;
/// As in configs and errors.
const NAME: &str = "m2";

/// The M2 sequence mixer: see [`M2Config`].
///
/// O(seq log seq) for a whole sequence, O(seq) for one more token; the state grows with the sequence.
#[derive(Module, Debug)]
pub struct M2 {
    pub(crate) in_linear: Linear,
    /// `[3 d_model, 3]`, the last tap is the present.
    pub(crate) short_weight: Param<Tensor<2>>,
    pub(crate) short_bias: Param<Tensor<1>>,
    pub(crate) filter: ImplicitFilter,
    pub(crate) residual: Option<ImplicitFilter>,
    pub(crate) out_linear: Linear,
    #[module(skip)]
    config: M2Config,
    #[module(skip)]
    form: Form,
}

impl M2 {
    /// The same layer in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The form of its operations.
    pub fn form(&self) -> Form {
        self.form
    }

    fn short_conv(&self, projected: Tensor<3>) -> Tensor<3> {
        short_conv(projected, self.short_weight.val(), self.short_bias.val(), self.form)
    }

    /// The short convolution of a chunk that comes after `past`, which it moves on.
    fn short_conv_after(&self, past: &mut Tensor<3>, projected: Tensor<3>) -> Tensor<3> {
        let [_, seq, _] = projected.dims();
        let all = Tensor::cat(vec![past.clone(), projected], 1);
        // Two rows put together are a copy; as one view they would keep the whole chunk in memory.
        *past = Tensor::cat(vec![all.clone().narrow(1, seq, 1), all.clone().narrow(1, seq + 1, 1)], 1);
        self.short_conv(all).narrow(1, SHORT_PAST, seq)
    }

    /// A chunk or a token, which differ in how `long_conv` goes on from what a filter has read.
    fn advance(
        &self,
        x: Tensor<3>,
        state: &mut M2State,
        long_conv: fn(&mut History, &ImplicitFilter, Tensor<3>, Form) -> Tensor<3>,
    ) -> Result<Tensor<3>, MixerError> {
        self.check_causal()?;
        self.check_length(state.gated.tokens() + x.dims()[1])?;
        self.check_width(&x);
        let parts =
            self.short_conv_after(&mut state.projected, linear(&self.in_linear, x.clone(), self.form));
        let y = long_conv(&mut state.gated, &self.filter, gate::before(parts.clone(), self.form), self.form);
        let skip = self.residual.as_ref().zip(state.inputs.as_mut());
        let skip = skip.map(|(filter, inputs)| long_conv(inputs, filter, swap_axes(x, self.form), self.form));
        let y = gate::after(y, parts, skip, self.form);
        Ok(linear(&self.out_linear, y, self.form))
    }

    fn check_causal(&self) -> Result<(), MixerError> {
        match self.config.bidirectional {
            true => Err(MixerError::Bidirectional { mixer: NAME }),
            false => Ok(()),
        }
    }

    fn check_width(&self, x: &Tensor<3>) {
        let (d_model, [_, _, got]) = (self.config.d_model, x.dims());
        assert_eq!(got, d_model, "{NAME} has d_model = {d_model}, got an input of width {got}");
    }

    fn filters(&self) -> impl Iterator<Item = &ImplicitFilter> {
        std::iter::once(&self.filter).chain(&self.residual)
    }
}

impl SequenceMixer for M2 {
    type State = M2State;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.check_width(&x);
        self.check_length(x.dims()[1]).unwrap_or_else(|e| panic!("{e}"));
        let ([_, seq, _], form) = (x.dims(), self.form);
        let x = swap_axes(x, form); // [batch, d_model, seq]
        let projected = linear_of_channels(&self.in_linear, x.clone(), form);
        let short = (self.short_weight.val(), self.short_bias.val());
        let residual = self.residual.as_ref().map(|filter| (x, filter.lags(seq, form)));
        let y = gated_conv(projected, short, self.filter.lags(seq, form), residual, self.config.conv, form);
        swap_axes(linear_of_channels(&self.out_linear, y, form), form)
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        mut state: M2State,
    ) -> Result<(Tensor<3>, M2State), MixerError> {
        let y = self.advance(x, &mut state, History::chunk)?;
        Ok((y, state))
    }

    /// A direct sum over the past. The first step of a state draws the whole filter and keeps it there.
    fn step(&self, x: Tensor<2>, state: &mut M2State) -> Result<Tensor<2>, MixerError> {
        let y = self.advance(x.unsqueeze_dim(1), state, History::token)?;
        Ok(y.squeeze_dim(1))
    }

    fn init_state(&self, batch: usize) -> Result<M2State, MixerError> {
        self.check_causal()?;
        let device = self.short_bias.val().device();
        Ok(M2State {
            projected: Tensor::zeros([batch, SHORT_PAST, 3 * self.config.d_model], &device),
            gated: History::default(),
            inputs: self.residual.as_ref().map(|_| History::default()),
        })
    }

    fn state_size(&self, seq: usize) -> Option<usize> {
        let d_model = self.config.d_model;
        let size = self.filters().count() * seq * d_model + SHORT_PAST * 3 * d_model;
        (!self.config.bidirectional).then_some(size)
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        let l_max = self.config.l_max;
        match seq <= l_max {
            true => Ok(()),
            false => Err(MixerError::TooLong { mixer: NAME, l_max, seq }),
        }
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let M2Config { filter_lr, filter_weight_decay, position_lr, .. } = self.config;
        let filter = ParameterGroup {
            name: "filter",
            parameters: self.filters().flat_map(ImplicitFilter::network_parameters).collect(),
            learning_rate: LearningRate::AtMost(filter_lr),
            weight_decay: WeightDecay::Fixed(filter_weight_decay),
        };
        let position = ParameterGroup {
            name: "position",
            parameters: self.filters().map(|filter| filter.z.id).collect(),
            learning_rate: LearningRate::AtMost(position_lr),
            weight_decay: WeightDecay::Fixed(0.0),
        };
        vec![filter, position]
    }
}
