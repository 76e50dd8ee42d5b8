//! What a causal M2 remembers between two calls.

use burn::tensor::Tensor;
use subquad_mixer::{MixerState, Origin};

use crate::history::History;

/// State of a causal [`M2`](crate::M2): every gated input so far, because its filter is as long as the sequence, and the
/// last projected inputs of the short convolution. It belongs to the parameters that made it.
#[derive(Debug, Clone)]
pub struct M2State {
    pub(super) origin: Origin,
    /// `[batch, short_filter - 1, 3 d_model]`
    pub(super) projected: Tensor<3>,
    /// The history of `v * x1`.
    pub(super) gated: History,
    /// The history of the layer's input, if the layer has a residual filter.
    pub(super) inputs: Option<History>,
}

impl MixerState for M2State {
    fn floats(&self) -> usize {
        let [_, rows, width] = self.projected.dims();
        rows * width + self.gated.floats() + self.inputs.as_ref().map_or(0, History::floats)
    }

    fn origin(&self) -> Option<&Origin> {
        Some(&self.origin)
    }
}
