//! Self-attention from packed projections to merged heads as one operation.
//!
//! As burn operations, cutting `[batch, seq, 3 d_model]` into heads and merging them again costs as much as attention at
//! short lengths: every cut is a strided copy on one thread, and its gradient a copy into zeros.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

use super::fused::DotProduct;
use crate::Rotary;

/// # Shapes
/// - `qkv`: `[batch, seq, 3 d_model]`, columns in the order (3, head, feature)
/// - output: `[batch, seq, d_model]`, heads side by side
pub(crate) fn self_attention(
    qkv: Tensor<3>,
    n_heads: usize,
    causal: bool,
    rotary: Option<Rotary>,
) -> Tensor<3> {
    apply(SelfAttention { n_heads, inner: DotProduct { causal }, rotary }, [qkv.into()])
}

/// Input: `qkv`.
#[derive(Debug)]
struct SelfAttention {
    n_heads: usize,
    inner: DotProduct,
    rotary: Option<Rotary>,
}

impl CpuKernel for SelfAttention {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let heads = self.turned_heads(&inputs[0]);
        merge_heads(&[self.inner.forward(&heads.each_ref().map(view))])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let heads = self.turned_heads(&saved.inputs[0]);
        let output = saved.output.expect("the kernel keeps its output");
        let [output, grad] = [output, saved.grad].map(|merged| split_heads(&merged, self.n_heads, 0, 1));
        let inputs = heads.each_ref().map(view);
        let inner =
            Saved { inputs: &inputs, output: Some(view(&output)), grad: view(&grad), wanted: &[true; 3] };
        let grads = self.inner.backward(&inner).into_iter().flatten().enumerate();
        let turned_back: Vec<Array> = grads.map(|(part, grad)| self.turn(part, grad, -1.0)).collect();
        vec![Some(merge_heads(&turned_back))]
    }

    fn keeps_output(&self) -> bool {
        true
    }
}

impl SelfAttention {
    /// Queries, keys and values, `[batch, heads, seq, d_head]` each, the first two turned by their positions.
    fn turned_heads(&self, qkv: &View<'_>) -> [Array; 3] {
        [0, 1, 2].map(|part| self.turn(part, split_heads(qkv, self.n_heads, part, 3), 1.0))
    }

    fn turn(&self, part: usize, heads: Array, direction: f32) -> Array {
        match &self.rotary {
            Some(rotary) if part < 2 => rotary.turn_all(&view(&heads), direction),
            _ => heads,
        }
    }
}

fn view(array: &Array) -> View<'_> {
    View { data: &array.data, shape: &array.shape }
}

/// Part `part` of `parts` on the last axis of `[batch, seq, parts d_model]`, as `[batch, heads, seq, d_head]`.
fn split_heads(merged: &View<'_>, n_heads: usize, part: usize, parts: usize) -> Array {
    let [batch, seq, width] = merged.dims();
    let d_head = width / parts / n_heads;
    let mut heads = vec![0.0; batch * seq * n_heads * d_head];
    heads.par_chunks_exact_mut(seq * d_head).enumerate().for_each(|(index, head)| {
        let first = index / n_heads * seq * width + (part * n_heads + index % n_heads) * d_head;
        for (t, token) in head.chunks_exact_mut(d_head).enumerate() {
            token.copy_from_slice(&merged.data[first + t * width..][..d_head]);
        }
    });
    Array::new(heads, [batch, n_heads, seq, d_head])
}

/// The parts, `[batch, heads, seq, d_head]` each, side by side: `[batch, seq, parts d_model]`.
fn merge_heads(parts: &[Array]) -> Array {
    let [batch, n_heads, seq, d_head] = view(&parts[0]).dims();
    let width = parts.len() * n_heads * d_head;
    let mut merged = vec![0.0; batch * seq * width];
    merged.par_chunks_exact_mut(width).enumerate().for_each(|(row, token)| {
        let (b, t) = (row / seq, row % seq);
        for (slot, to) in token.chunks_exact_mut(d_head).enumerate() {
            let from = ((b * n_heads + slot % n_heads) * seq + t) * d_head;
            to.copy_from_slice(&parts[slot / n_heads].data[from..from + d_head]);
        }
    });
    Array::new(merged, [batch, seq, width])
}
