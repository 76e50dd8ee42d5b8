//! What `bench` measures: causal softmax attention of four heads, without positions.

use subquad_mixer::{MeasuredMixer, Sizes, SliceStepper};

use super::{Options, Weights, layer};
use crate::{Attention, AttentionConfig, AttentionState, Position};

const N_HEADS: usize = 4;
/// Floats alive for each float of the input.
const ACTIVATIONS: f64 = 17.0;

impl MeasuredMixer for AttentionConfig {
    const NAME: &'static str = "attention";
    const SUMMARY: &'static str = "softmax attention, the quadratic baseline";
    const MEASURED: &'static str = "softmax attention: causal, 4 heads, no positions";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model).with_n_heads(N_HEADS).with_position(Position::None)
    }

    fn definition(_: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let [qkv, qkv_bias, output, output_bias] = parameters else { panic!("four tensors") };
        let [qkv, qkv_bias, output, output_bias] = [qkv, qkv_bias, output, output_bias].map(Clone::clone);
        let weights = Weights { qkv, qkv_bias, output, output_bias, gains: None };
        layer(x, 1, &weights, &Options::causal(N_HEADS))
    }

    fn alive(sizes: &Sizes) -> f64 {
        ACTIVATIONS * sizes.elements() as f64 + 8.0 * (sizes.d_model as f64).powi(2)
    }

    /// Seven products of a query and a key each: scores and output; and backward the scores again, the gradients of weights,
    /// values, queries and keys. Of the `seq (seq + 1) / 2` pairs that a causal sequence has, `d_head` multiply-adds for each
    /// of the heads. Then the projections to q, k, v and from the output.
    fn flops(sizes: &Sizes) -> Option<f64> {
        let (seq, d_model) = (sizes.seq_len as f64, sizes.d_model);
        let pairs = sizes.batch as f64 * seq * (seq + 1.0) / 2.0;
        Some(7.0 * 2.0 * pairs * d_model as f64 + sizes.linear_flops((3 + 1) * d_model * d_model))
    }

    fn stepper(layer: &Attention, state: &AttentionState, room: usize) -> Option<Box<dyn SliceStepper>> {
        let mut stepper = layer.stepper(room).ok()?;
        stepper.resume(state);
        Some(Box::new(stepper))
    }
}
