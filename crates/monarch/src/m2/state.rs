//! What a causal M2 remembers between two calls.

use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::MixerState;

use crate::ImplicitFilter;

/// State of a causal [`M2`](crate::M2): every gated input so far, because its filter is as long as the sequence, and the
/// last two projected inputs of the short convolution. It belongs to the parameters that made it.
#[derive(Debug, Clone)]
pub struct M2State {
    /// `[batch, 2, 3 d_model]`
    pub(super) projected: Tensor<3>,
    /// Of `v * x1`.
    pub(super) gated: History,
    /// Of the layer's input, if the layer has a residual filter.
    pub(super) inputs: Option<History>,
}

impl MixerState for M2State {
    fn floats(&self) -> usize {
        let [_, rows, width] = self.projected.dims();
        rows * width + self.gated.floats() + self.inputs.as_ref().map_or(0, History::floats)
    }
}

/// What one long filter has read.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// `[batch, d_model, tokens]`; none before the first token.
    past: Option<Tensor<3>>,
    /// The whole filter with the newest token's tap last: `[d_model, l_max]`. Derived from the parameters at the first
    /// step, so that a step does not run the filter's network over all positions; not counted as state.
    taps: Option<Tensor<2>>,
}

impl History {
    pub(super) fn tokens(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.dims()[2])
    }

    fn floats(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.dims()[1] * past.dims()[2])
    }

    /// Filters a chunk `[batch, d_model, seq]` that comes after the past, through the FFT.
    pub(super) fn chunk(&mut self, filter: &ImplicitFilter, x: Tensor<3>, form: Form) -> Tensor<3> {
        let (before, [_, _, seq]) = (self.tokens(), x.dims());
        filter.convolve(self.append(x), form).narrow(2, before, seq)
    }

    /// Filters one token `[batch, d_model, 1]` by the definition: `sum over s <= t of k_{t-s} x_s`.
    pub(super) fn token(&mut self, filter: &ImplicitFilter, x: Tensor<3>, form: Form) -> Tensor<3> {
        let inputs = self.append(x);
        let (l_max, [_, _, tokens]) = (filter.l_max(), inputs.dims());
        let taps = self.taps.get_or_insert_with(|| filter.lags(l_max, form).squeeze_dim::<2>(0).flip([1]));
        let taps = taps.clone().narrow(1, l_max - tokens, tokens);
        (inputs * taps.unsqueeze::<3>()).sum_dim(2)
    }

    fn append(&mut self, x: Tensor<3>) -> Tensor<3> {
        let all = match self.past.take() {
            Some(past) => Tensor::cat(vec![past, x], 2),
            None => x,
        };
        self.past.insert(all).clone()
    }
}
