//! Causal softmax attention of four heads, without positions.

use burn::tensor::{Device, Tensor};
use subquad_attention::{Attention, AttentionConfig, Position, reference};

use super::linear_flops;
use crate::bench::decode::{STEPS, read_context, slices, tensors};
use crate::bench::layer::decoding;
use crate::bench::{Decoder, Layer, Sizes};

const N_HEADS: usize = 4;

fn config(sizes: &Sizes) -> AttentionConfig {
    AttentionConfig::new(sizes.d_model).with_n_heads(N_HEADS).with_position(Position::None)
}

pub(super) fn check(sizes: &Sizes) -> Result<(), String> {
    config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    decoding(config(sizes).init(device), decoders)
}

fn decoders(layer: &Attention, context: Tensor<3>, token: Tensor<2>) -> Vec<Box<dyn Decoder>> {
    let mut ways = tensors(layer, context.clone(), token.clone());
    if let (Some(state), Ok(mut stepper)) =
        (read_context(layer, context.clone()), layer.stepper(context.dims()[1] + STEPS + 1))
    {
        stepper.resume(&state);
        ways.push(slices(stepper, token));
    }
    ways
}

pub(super) fn definition(_: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    let [qkv, qkv_bias, output, output_bias] = parameters else { panic!("four tensors") };
    let [qkv, qkv_bias, output, output_bias] = [qkv, qkv_bias, output, output_bias].map(Clone::clone);
    let weights = reference::Weights { qkv, qkv_bias, output, output_bias, gains: None };
    reference::layer(x, 1, &weights, &reference::Options::causal(N_HEADS))
}

pub(super) fn alive(sizes: &Sizes) -> f64 {
    ACTIVATIONS * sizes.elements() as f64 + 8.0 * (sizes.d_model as f64).powi(2)
}

/// Seven products of a query and a key each: scores and output; and backward the scores again, the gradients of weights,
/// values, queries and keys. Of the `seq (seq + 1) / 2` pairs that a causal sequence has, `d_head` multiply-adds for each of
/// the heads. Then the projections to q, k, v and from the output.
pub(super) fn flops(sizes: &Sizes) -> f64 {
    let (seq, d_model) = (sizes.seq_len as f64, sizes.d_model);
    let pairs = sizes.batch as f64 * seq * (seq + 1.0) / 2.0;
    7.0 * 2.0 * pairs * d_model as f64 + linear_flops((3 + 1) * d_model * d_model, sizes)
}

/// Floats alive for each float of the input.
const ACTIVATIONS: f64 = 17.0;
