//! What `bench` measures: causal softmax attention of four heads, without positions.

use subquad_mixer::{MeasuredMixer, Sizes};

use super::{Options, Weights, layer};
use crate::{AttentionConfig, Position};

const N_HEADS: usize = 4;
/// Number of floats alive for each float of the input.
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
}
