//! Hyena: gates and convolutions as long as the sequence, in turn.
//!
//! ```text
//! x_0, .., x_{P-1}, v = split(short_conv(W_in x))     P the order; causal, each channel separately
//! v   = long_conv_o(v * x_{P-1-o})                    o = 0, .., P-2: the last chunk gates first, x_1 last of these
//! out = W_out (v * x_0)                               the first chunk gates at the end
//! ```
//! Poli et al. 2023, <https://arxiv.org/abs/2302.10866>, definition 3.1. The chunks are in the order of the published
//! code. With order 2 this is a causal [`M2`](crate::M2), whose chunks are in the order `x_1, x_0, v`.
//!
//! The P - 1 filters are one [`ImplicitFilter`] of `(P - 1) d_model` channels: channel `h (P - 1) + o` filters channel
//! `h` in `long_conv_o`. So every `long_conv_o` has slow and fast channels, and one network draws all taps.

mod config;

use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::Tensor;
use std::cell::OnceCell;
use subquad_backend::linear::{linear, linear_of_channels};
use subquad_backend::row_linear::RowLinear;
use subquad_backend::{Form, short_conv::short_conv, swap_axes};
use subquad_mixer::{
    Contract, MeasuredMixer, MixerError, Origin, ParameterGroup, SequenceMixer, SliceStepper,
};

use crate::drops::Drops;
use crate::gate;
use crate::history::{Advance, History, LongConvState, LongFilter, no_past, short_conv_after};
use crate::m2::gated_conv::gated_conv;
use crate::stepper::{LongConvParts, LongConvStepper, ShortTaps};
use crate::{ConvAlgorithm, ImplicitFilter};
pub use config::HyenaConfig;

/// The name in configs and errors.
const NAME: &str = <HyenaConfig as MeasuredMixer>::NAME;

/// The Hyena operator: see [`HyenaConfig`]. It is causal.
///
/// O(order seq log seq) for a whole sequence by FFT, O(order seq) for one more token; the state grows with the sequence.
#[derive(Module, Debug)]
pub struct Hyena {
    pub(crate) in_linear: Linear,
    /// `[(order + 1) d_model, short_filter]`, the last tap is the present.
    pub(crate) short_weight: Param<Tensor<2>>,
    pub(crate) short_bias: Param<Tensor<1>>,
    pub(crate) filter: ImplicitFilter,
    pub(crate) out_linear: Linear,
    #[module(skip)]
    pub(crate) config: HyenaConfig,
    #[module(skip)]
    form: Form,
}

impl Hyena {
    /// The filters without their biases, in the order in which they run: `[order - 1, d_model, seq]`.
    ///
    /// # Panics
    /// If `seq` is above `l_max`.
    pub fn kernels(&self, seq: usize) -> Tensor<3> {
        self.by_filter(self.filter.kernel(seq)).swap_dims(0, 1)
    }

    /// Runs gates, filters and output on every token's projection after its short convolution, `[batch, seq, (order + 1) d_model]`
    /// in the order of the gates. `long_conv` is filter number `o` on `[batch, d_model, seq]`.
    fn gated(
        &self,
        projected: Tensor<3>,
        drops: Drops,
        mut long_conv: impl FnMut(usize, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let d_model = self.config.d_model;
        // First gate, last gate and `v`, as M2's gates take them.
        let outer = projected.clone().narrow(2, 0, 3 * d_model);
        let first = drops.drop(gate::before_conv(outer.clone(), self.form), 0);
        let mut v = long_conv(0, first);
        for o in 1..self.filters() {
            let gate = swap_axes(projected.clone().narrow(2, (2 + o) * d_model, d_model), self.form);
            v = long_conv(o, drops.drop(v * gate, o as u64));
        }
        linear(&self.out_linear, gate::after_conv(v, outer, None, self.form), self.form)
    }

    /// Projection and short convolution in the order of the gates. Weights are reordered because they are fewer than
    /// the numbers that they make.
    fn weights_in_gate_order(&self) -> (Linear, (Tensor<2>, Tensor<1>)) {
        let Linear { weight, bias } = &self.in_linear;
        let bias = bias.as_ref().map(|bias| derived(self.in_gate_order(bias.val(), 0)));
        let in_linear = Linear { weight: derived(self.in_gate_order(weight.val(), 1)), bias };
        let short_weight = self.in_gate_order(self.short_weight.val(), 0);
        (in_linear, (short_weight, self.in_gate_order(self.short_bias.val(), 0)))
    }

    /// [`forward`](SequenceMixer::forward) where everything between the linear layers is the operation that M2 has there.
    fn fused(&self, x: Tensor<3>) -> Tensor<3> {
        let ([_, seq, _], form) = (x.dims(), self.form);
        let (in_linear, short) = self.weights_in_gate_order();
        let projected = linear_of_channels(&in_linear, swap_axes(x, form), form);
        let y = gated_conv(projected, short, self.filter.lags(seq, form), None);
        swap_axes(linear_of_channels(&self.out_linear, y, form), form)
    }

    /// Runs a chunk or a token, which differ in how a filter continues from what it has read.
    fn advance(&self, x: Tensor<3>, state: &mut LongConvState, on: Advance) -> Result<Tensor<3>, MixerError> {
        self.check_call(&x, state)?;
        self.check_length(state.tokens() + x.dims()[1])?;
        let (weight, bias) = (self.short_weight.val(), self.short_bias.val());
        let projected = linear(&self.in_linear, x, self.form);
        let projected = short_conv_after(&mut state.projected, projected, weight, bias, self.form);
        let projected = self.in_gate_order(projected, 2);
        let (drawn, histories) = (OnceCell::new(), &mut state.histories);
        Ok(self.gated(projected, Drops::new(0.0, None), |o, v| {
            // All filters draw the same number of taps from one network, so it runs once.
            let taps = |n| {
                self.filter_of(drawn.get_or_init(|| self.filter.kernel_with_bias(n, self.form)).clone(), o)
            };
            let HyenaConfig { l_max, conv, .. } = self.config;
            on(&mut histories[o], v, LongFilter { taps: &taps, l_max, conv, form: self.form })
        }))
    }

    /// Reorders the chunks of `axis` from the published order `x_0, .., x_{P-1}, v` to `x_{P-1}, x_0, v` as M2 has
    /// them, and then `x_{P-2}, .., x_1` as they gate.
    fn in_gate_order<const D: usize>(&self, projected: Tensor<D>, axis: usize) -> Tensor<D> {
        let (order, d_model) = (self.config.order, self.config.d_model);
        let places = [order - 1, 0, order].into_iter().chain((1..order - 1).rev());
        let chunk = |place: usize| projected.clone().narrow(axis, place * d_model, d_model);
        Tensor::cat(places.map(chunk).collect(), axis)
    }

    /// A copy of the present weights for decoding over slices. Chunks stay in the published order.
    fn rows(&self) -> LongConvParts {
        let HyenaConfig { order, l_max, .. } = self.config;
        let taps = self.filter.kernel_with_bias(l_max, self.form);
        LongConvParts {
            norm: None,
            in_linear: RowLinear::new(&self.in_linear),
            short: ShortTaps::new(self.short_weight.val(), self.short_bias.val()),
            filters: (0..self.filters()).map(|o| self.filter_of(taps.clone(), o)).collect(),
            gates: (1..order).rev().collect(),
            last_gate: 0,
            value: order,
            residual: None,
            out_linear: RowLinear::new(&self.out_linear),
        }
    }

    fn filters(&self) -> usize {
        self.config.order - 1
    }

    /// Taps of all channels, `[(order - 1) d_model, taps]`, to `[d_model, order - 1, taps]`.
    fn by_filter(&self, taps: Tensor<2>) -> Tensor<3> {
        let [_, n] = taps.dims();
        taps.reshape([self.config.d_model, self.filters(), n])
    }

    /// The taps of filter number `o`: `[d_model, taps]`.
    fn filter_of(&self, taps: Tensor<2>, o: usize) -> Tensor<2> {
        self.by_filter(taps).narrow(1, o, 1).squeeze_dim(1)
    }

    /// The origin of the states that the layer makes.
    fn origin(&self) -> Origin {
        let HyenaConfig { d_model, order, short_filter, l_max, .. } = self.config;
        let settings =
            [("d_model", d_model), ("l_max", l_max), ("order", order), ("short_filter", short_filter)];
        Origin::new(NAME, settings.map(|(name, size)| (name, size.into())))
    }

    fn forward_dropping(&self, x: Tensor<3>, drops: Drops) -> Tensor<3> {
        self.assert_reads(&x);
        let [_, seq, _] = x.dims();
        let is_one_operation =
            (self.config.order, self.form, self.config.conv) == (2, Form::Fused, ConvAlgorithm::Fft);
        if is_one_operation && drops.is_none() {
            return self.fused(x);
        }
        let kernels = self.filter.kernel_with_bias(seq, self.form);
        let (in_linear, (weight, bias)) = self.weights_in_gate_order();
        let projected = short_conv(linear(&in_linear, x, self.form), weight, bias, self.form);
        self.gated(projected, drops, |o, v| {
            self.config.conv.convolve(v, self.filter_of(kernels.clone(), o), None, self.form)
        })
    }
}

/// A value derived from a parameter, used in its place: autodiff knows where it came from.
fn derived<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::initialized(ParamId::new(), value)
}

impl SequenceMixer for Hyena {
    type State = LongConvState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_dropping(x, Drops::new(0.0, None))
    }

    fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        self.forward_dropping(x, Drops::new(self.config.dropout, Some(seed)))
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        mut state: LongConvState,
    ) -> Result<(Tensor<3>, LongConvState), MixerError> {
        let y = self.advance(x, &mut state, History::chunk)?;
        Ok((y, state))
    }

    /// This is a direct sum over the past for each filter. The first step of a state draws the whole filters and keeps
    /// them there.
    fn step(&self, x: Tensor<2>, state: &mut LongConvState) -> Result<Tensor<2>, MixerError> {
        let y = self.advance(x.unsqueeze_dim(1), state, History::token)?;
        Ok(y.squeeze_dim(1))
    }

    /// The whole filters are drawn now.
    fn slice_stepper(&self, state: &LongConvState, room: usize) -> Option<Box<dyn SliceStepper>> {
        self.check_state(1, state).unwrap_or_else(|e| panic!("{e}"));
        Some(Box::new(LongConvStepper::new(self.rows(), state, room)))
    }

    fn init_state(&self, batch: usize) -> Result<LongConvState, MixerError> {
        let projected = no_past(batch, &self.short_weight);
        Ok(LongConvState::new(self.origin(), projected, self.filters()))
    }

    fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    fn contract(&self) -> Contract {
        Contract::new(NAME, self.config.d_model, &self.short_weight)
    }

    fn state_size(&self, seq: usize) -> Option<usize> {
        let HyenaConfig { d_model, order, short_filter, .. } = self.config;
        Some(self.filters() * seq * d_model + (short_filter - 1) * (order + 1) * d_model)
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        MixerError::check_length(NAME, self.config.l_max, seq)
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        self.config.groups(&[&self.filter])
    }
}
