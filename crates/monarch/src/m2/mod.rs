//! M2: the sequence mixer of Monarch Mixer, a gated convolution as long as the sequence.
//!
//! ```text
//! x1, x2, v = split(short_conv(W_in x))          width 3, causal, each channel separately
//! y   = long_conv(v * x1) * x2                   filter and bias: `filter`
//! y   = y + long_conv2(x)                        with `residual`: a second filter on the layer's own input
//! out = W_out y
//! ```
//! Fu et al. 2023, <https://arxiv.org/abs/2310.12109>, section 4. The Monarch matrices along the sequence are the DFT and
//! its inverse, as in all trained models, so the long convolution runs as an FFT, or as products with Monarch matrices (`conv`).
//!
//! There is neither a residual nor, without `input_norm`, a norm inside the layer. Padding at the end of rows reaches
//! earlier outputs if the layer is bidirectional, as in the published one: [`M2::forward_padded`] keeps it out.

mod config;
pub(crate) mod gated_conv;
mod short;

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::linear::{linear, linear_of_channels};
use subquad_backend::row_linear::RowLinear;
use subquad_backend::row_norm::RowNorm;
use subquad_backend::{Form, layer_norm::layer_norm, short_conv::short_conv, swap_axes};
use subquad_mixer::{
    Contract, MeasuredMixer, MixerError, Origin, ParameterGroup, SequenceMixer, SliceStepper,
};

use crate::drops::Drops;
use crate::gate;
use crate::history::{Advance, History, LongConvState, LongFilter, no_past, short_conv_after};
use crate::stepper::{LongConvParts, LongConvStepper, ShortTaps};
use crate::{ConvAlgorithm, ImplicitFilter};
pub use config::M2Config;
use gated_conv::gated_conv;

/// The name in configs and errors.
const NAME: &str = <M2Config as MeasuredMixer>::NAME;
/// The epsilon of the input's layer norm: PyTorch's.
const EPS: f64 = 1e-5;
/// Where numbers are dropped.
const GATED: u64 = 0;
const OUTPUT: u64 = 1;

/// The M2 sequence mixer: see [`M2Config`].
///
/// O(seq log seq) for a whole sequence (by FFT; Monarch products take more operations), O(seq) for one more token; the state grows with the sequence.
#[derive(Module, Debug)]
pub struct M2 {
    pub(crate) norm: Option<LayerNorm>,
    pub(crate) in_linear: Linear,
    /// `[3 d_model, short_filter]`, the last tap is the present.
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
    /// [`forward`](SequenceMixer::forward) of rows that end with padding: a row's first tokens, as many as its length,
    /// give what they would give without the padding, whatever finite numbers it holds. The output of padding means
    /// nothing; leave it out of the loss. The published layer has no such mask.
    ///
    /// # Shapes
    /// - `x`: `[batch, seq, d_model]`, as many rows as `lengths`
    /// - output: `[batch, seq, d_model]`
    ///
    /// # Panics
    /// As [`forward`](SequenceMixer::forward), and if there is not one length per row, or one is above `seq`.
    pub fn forward_padded(&self, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        self.forward_with(x, Some(lengths), None)
    }

    /// [`forward`](SequenceMixer::forward) with [padding](Self::forward_padded), with
    /// [dropout](SequenceMixer::forward_train), with both or with neither. Shapes and panics are as for
    /// [`forward_padded`](Self::forward_padded).
    pub fn forward_with(
        &self,
        x: Tensor<3>,
        lengths: Option<&[usize]>,
        dropout_seed: Option<u64>,
    ) -> Tensor<3> {
        self.assert_reads(&x);
        let [batch, seq, _] = x.dims();
        let drops = Drops::new(self.config.dropout, dropout_seed);
        let tokens = lengths.map(|lengths| tokens_of(lengths, [batch, seq], &x.device()));
        let x = self.normed(x);
        let has_kernel = (self.form, self.config.conv) == (Form::Fused, ConvAlgorithm::Fft);
        if has_kernel && tokens.is_none() && drops.is_none() {
            return self.fused(x);
        }
        let (weight, bias) = (self.short_weight.val(), self.short_bias.val());
        let parts = short_conv(linear(&self.in_linear, x.clone(), self.form), weight, bias, self.form);
        let gated = drops.drop(gate::before_conv(parts.clone(), self.form), GATED);
        let y = self.filter.convolve(without_padding(gated, &tokens), self.form);
        let skip = self
            .residual
            .as_ref()
            .map(|filter| filter.convolve(without_padding(swap_axes(x, self.form), &tokens), self.form));
        let y = drops.drop(gate::after_conv(y, parts, skip, self.form), OUTPUT);
        linear(&self.out_linear, y, self.form)
    }

    /// The normed input to the output, with one operation between the linear layers.
    fn fused(&self, x: Tensor<3>) -> Tensor<3> {
        let ([_, seq, _], form) = (x.dims(), self.form);
        let x = swap_axes(x, form); // [batch, d_model, seq]
        let projected = linear_of_channels(&self.in_linear, x.clone(), form);
        let short = (self.short_weight.val(), self.short_bias.val());
        let residual = self.residual.as_ref().map(|filter| (x, filter.lags(seq, form)));
        let y = gated_conv(projected, short, self.filter.lags(seq, form), residual);
        swap_axes(linear_of_channels(&self.out_linear, y, form), form)
    }

    fn normed(&self, x: Tensor<3>) -> Tensor<3> {
        let Some(LayerNorm { gamma, beta, .. }) = &self.norm else { return x };
        let beta = beta.as_ref().expect("the config leaves burn's norm its shift");
        layer_norm(x, gamma.val(), beta.val(), EPS, self.form)
    }

    /// Runs a chunk or a token, which differ in how a filter continues from what it has read.
    fn advance(&self, x: Tensor<3>, state: &mut LongConvState, on: Advance) -> Result<Tensor<3>, MixerError> {
        self.check_causal()?;
        self.check_call(&x, state)?;
        self.check_length(state.tokens() + x.dims()[1])?;
        let (x, weight, bias) = (self.normed(x), self.short_weight.val(), self.short_bias.val());
        let projected = linear(&self.in_linear, x.clone(), self.form);
        let parts = short_conv_after(&mut state.projected, projected, weight, bias, self.form);
        let long_conv = |history: &mut History, filter: &ImplicitFilter, x| {
            let taps = |n| filter.kernel_with_bias(n, self.form);
            let (l_max, conv, form) = (filter.l_max(), self.config.conv, self.form);
            on(history, x, LongFilter { taps: &taps, l_max, conv, form })
        };
        let (gated, inputs) = state.histories.split_first_mut().expect("each filter has a history");
        let y = long_conv(gated, &self.filter, gate::before_conv(parts.clone(), self.form));
        let skip = self.residual.as_ref().zip(inputs.first_mut());
        let skip = skip.map(|(filter, inputs)| long_conv(inputs, filter, swap_axes(x, self.form)));
        let y = gate::after_conv(y, parts, skip, self.form);
        Ok(linear(&self.out_linear, y, self.form))
    }

    fn check_causal(&self) -> Result<(), MixerError> {
        match self.config.bidirectional {
            true => Err(MixerError::Bidirectional { mixer: NAME }),
            false => Ok(()),
        }
    }

    /// The origin of the states that the layer makes.
    fn origin(&self) -> Origin {
        let settings = [
            ("d_model", self.config.d_model.into()),
            ("l_max", self.config.l_max.into()),
            ("short_filter", self.config.short_filter.into()),
            ("residual", self.config.residual.into()),
        ];
        Origin::new(NAME, settings)
    }

    /// A copy of the present weights for decoding over slices.
    fn rows(&self) -> LongConvParts {
        let taps = |filter: &ImplicitFilter| filter.kernel_with_bias(filter.l_max(), self.form);
        LongConvParts {
            norm: self.norm.as_ref().map(|LayerNorm { gamma, beta, .. }| {
                let beta = beta.as_ref().expect("the config leaves burn's norm its shift");
                RowNorm::new(gamma.val(), beta.val(), EPS)
            }),
            in_linear: RowLinear::new(&self.in_linear),
            short: ShortTaps::new(self.short_weight.val(), self.short_bias.val()),
            filters: vec![taps(&self.filter)],
            gates: vec![gate::X1],
            last_gate: gate::X2,
            value: gate::V,
            residual: self.residual.as_ref().map(taps),
            out_linear: RowLinear::new(&self.out_linear),
        }
    }

    fn filters(&self) -> impl Iterator<Item = &ImplicitFilter> {
        std::iter::once(&self.filter).chain(&self.residual)
    }
}

impl SequenceMixer for M2 {
    type State = LongConvState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_with(x, None, None)
    }

    fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        self.forward_with(x, None, Some(seed))
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        mut state: LongConvState,
    ) -> Result<(Tensor<3>, LongConvState), MixerError> {
        let y = self.advance(x, &mut state, History::chunk)?;
        Ok((y, state))
    }

    /// This is a direct sum over the past. The first step of a state draws the whole filter and keeps it there.
    fn step(&self, x: Tensor<2>, state: &mut LongConvState) -> Result<Tensor<2>, MixerError> {
        let y = self.advance(x.unsqueeze_dim(1), state, History::token)?;
        Ok(y.squeeze_dim(1))
    }

    /// The whole filter is drawn now.
    fn slice_stepper(&self, state: &LongConvState, room: usize) -> Option<Box<dyn SliceStepper>> {
        self.check_causal().ok()?;
        self.check_state(1, state).unwrap_or_else(|e| panic!("{e}"));
        Some(Box::new(LongConvStepper::new(self.rows(), state, room)))
    }

    fn init_state(&self, batch: usize) -> Result<LongConvState, MixerError> {
        self.check_causal()?;
        let projected = no_past(batch, &self.short_weight);
        Ok(LongConvState::new(self.origin(), projected, self.filters().count()))
    }

    fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    fn contract(&self) -> Contract {
        Contract::new(NAME, self.config.d_model, &self.short_weight)
    }

    fn state_size(&self, seq: usize) -> Option<usize> {
        let d_model = self.config.d_model;
        let past = self.config.short_filter - 1;
        let size = self.filters().count() * seq * d_model + past * 3 * d_model;
        (!self.config.bidirectional).then_some(size)
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        MixerError::check_length(NAME, self.config.l_max, seq)
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        self.config.groups(&self.filters().collect::<Vec<_>>())
    }
}

/// 1 at a row's first tokens, as many as its length, and 0 at the padding after them: `[batch, 1, seq]`.
///
/// # Panics
/// If there is not one length per row, or one is above `seq`.
fn tokens_of(lengths: &[usize], [batch, seq]: [usize; 2], device: &Device) -> Tensor<3> {
    assert_eq!(lengths.len(), batch, "{batch} rows need a length each, got {}", lengths.len());
    let row = |&length: &usize| {
        assert!(length <= seq, "a sequence of {length} tokens does not fit a row of {seq}");
        (0..seq).map(move |t| if t < length { 1.0f32 } else { 0.0 })
    };
    let values: Vec<f32> = lengths.iter().flat_map(row).collect();
    Tensor::from_data(TensorData::new(values, [batch, 1, seq]), device)
}

/// `x [batch, d_model, seq]` with its padding zeroed, where rows have any.
fn without_padding(x: Tensor<3>, tokens: &Option<Tensor<3>>) -> Tensor<3> {
    match tokens {
        Some(tokens) => x * tokens.clone(),
        None => x,
    }
}
