//! The fused form: one operation for all layers.
//!
//! A few tokens at a time go through all layers, forward and backward, while their numbers are in a core's cache.

use subquad_backend::kernel::{Array, CpuKernel, Saved, View};

use super::backward::Backward;
use super::forward::forward;
use super::layers::{Network, Sizes};

/// Inputs: `features [seq, emb_dim]`, `frequencies [rows, order]`, weights and biases as [`Sizes`] finds them; the caller checks
/// their sizes. Output: `[seq, d_model]`.
///
/// Kept for the backward pass are the arguments of the sines before the frequency: `[sine layers, tokens, order]` for
/// each block of [`TOKENS`](super::layers::TOKENS), one block after the other.
#[derive(Debug)]
pub(super) struct Answers(pub(super) Sizes);

impl CpuKernel for Answers {
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let ([seq, _], Sizes { d_model, .. }) = (inputs[0].dims::<2>(), self.0);
        let (out, notes) = forward(self.network(inputs), inputs[0].data, seq);
        let notes = Array::new(notes, [seq, self.0.notes()]);
        (Array::new(out, [seq, d_model]), Some(notes))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let notes = saved.notes.expect("the forward pass notes").data;
        let wanted = [saved.wanted[0], saved.wanted[2]];
        let network = self.network(saved.inputs);
        let grads = Backward::new(network, wanted).run(saved.inputs[0].data, notes, saved.grad.data);
        let grads = grads.into_iter().zip(saved.inputs).zip(saved.wanted);
        grads.map(|((grad, input), wanted)| wanted.then(|| Array::new(grad, input.shape))).collect()
    }
}

impl Answers {
    fn network<'a>(&self, inputs: &[View<'a>]) -> Network<'a> {
        Network { sizes: self.0, frequencies: inputs[1].data, numbers: inputs[2].data }
    }
}
