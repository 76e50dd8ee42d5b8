//! The state of a mixer that remembers one tensor.

use burn::tensor::{Device, Tensor};

use crate::{Contract, Kept, MixerError, MixerState, Origin};

/// One tensor, its first axis the batch, and how many tokens have been seen.
#[derive(Debug, Clone)]
pub struct TensorState<const D: usize> {
    /// What is remembered.
    pub tensor: Tensor<D>,
    /// Tokens seen so far.
    pub seq: usize,
    origin: Origin,
}

impl<const D: usize> TensorState<D> {
    /// Zeros of this shape, before the first token.
    pub fn zeros(shape: [usize; D], origin: Origin, device: &Device) -> Self {
        Self { tensor: Tensor::zeros(shape, device), seq: 0, origin }
    }

    /// The first state of a layer with this contract that remembers one tensor of this shape, its first axis the batch, if no
    /// setting besides the width changes what the numbers mean.
    pub fn first(contract: &Contract, shape: [usize; D]) -> Self {
        Self::zeros(shape, contract.origin(), contract.device())
    }

    /// The state `seq` tokens later.
    #[must_use]
    pub fn after(self, seq: usize, tensor: Tensor<D>) -> Self {
        Self { tensor, seq: self.seq + seq, ..self }
    }
}

impl<const D: usize> MixerState for TensorState<D> {
    fn floats(&self) -> usize {
        self.tensor.dims()[1..].iter().product()
    }

    fn origin(&self) -> Option<&Origin> {
        Some(&self.origin)
    }

    fn check_like(&self, contract: &Contract, batch: usize, state: &Self) -> Result<(), MixerError> {
        let kept = Kept { name: "state", tensor: &state.tensor, of_one: self.tensor.dims() };
        contract.check_state(batch, state.origin(), &self.origin, &[kept])
    }
}
