//! The memory of H3.

use burn::tensor::Tensor;
use subquad_mixer::{MixerState, Origin};

use crate::S4State;

/// The state of both state spaces.
#[derive(Debug, Clone)]
pub struct H3State {
    /// The last keys of every channel, oldest first: `[batch, d_model, d_state]`.
    pub keys: Tensor<3>,
    /// Of every product and pair: `[batch head_dim head_dim, n_heads, d_state / 2]`.
    pub products: S4State,
}

impl MixerState for H3State {
    fn floats(&self) -> usize {
        let ([batch, d_model, d_state], [rows, _, _]) = (self.keys.dims(), self.products.re.dims());
        d_model * d_state + rows / batch * self.products.floats()
    }

    fn origin(&self) -> Option<&Origin> {
        self.products.origin()
    }
}
