//! The memory of a state-space layer.

use burn::tensor::Tensor;
use subquad_mixer::MixerState;

use crate::complex::Pair;

/// Complex state of every channel and pair.
#[derive(Debug, Clone)]
pub struct S4State {
    /// Real part, `[batch, d_model, d_state / 2]`.
    pub re: Tensor<3>,
    /// Imaginary part, the same shape.
    pub im: Tensor<3>,
}

impl MixerState for S4State {
    fn floats(&self) -> usize {
        let [_, d_model, pairs] = self.re.dims();
        2 * d_model * pairs
    }
}

impl From<Pair<3>> for S4State {
    fn from(Pair { re, im }: Pair<3>) -> Self {
        Self { re, im }
    }
}

impl From<S4State> for Pair<3> {
    fn from(S4State { re, im }: S4State) -> Self {
        Self { re, im }
    }
}
