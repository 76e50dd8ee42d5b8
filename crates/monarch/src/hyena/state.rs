//! What Hyena remembers between two calls.

use burn::tensor::Tensor;
use subquad_mixer::{MixerState, Origin};

use crate::history::History;

/// State of a [`Hyena`](crate::Hyena): what each long filter has read, because it is as long as the sequence, and the last
/// projected inputs of the short convolution. It belongs to the parameters that made it.
#[derive(Debug, Clone)]
pub struct HyenaState {
    pub(super) origin: Origin,
    /// `[batch, short_filter - 1, (order + 1) d_model]`
    pub(super) projected: Tensor<3>,
    /// The histories of the filters in the order in which they run.
    pub(super) gated: Vec<History>,
}

impl HyenaState {
    pub(super) fn tokens(&self) -> usize {
        self.gated.first().map_or(0, History::tokens)
    }
}

impl MixerState for HyenaState {
    fn floats(&self) -> usize {
        let [_, rows, width] = self.projected.dims();
        rows * width + self.gated.iter().map(History::floats).sum::<usize>()
    }

    fn origin(&self) -> Option<&Origin> {
        Some(&self.origin)
    }
}
