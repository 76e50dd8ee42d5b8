//! By burn's own operations. All scores exist at once: `[batch, heads, seq_q, seq_k]`.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

pub(super) fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal: bool) -> Tensor<4> {
    let scale = 1.0 / (q.dims()[3] as f64).sqrt();
    let scores = (q * scale).matmul(k.swap_dims(2, 3));
    let scores = match causal {
        true => hide_future(scores),
        false => scores,
    };
    softmax(scores, 3).matmul(v)
}

/// Minus infinity, not a large number: the future then has weight 0 exactly, whatever the other scores.
fn hide_future(scores: Tensor<4>) -> Tensor<4> {
    let [_, _, seq_q, seq_k] = scores.dims();
    let future = Tensor::<2, Bool>::tril_mask([seq_q, seq_k], (seq_k - seq_q) as i64, &scores.device());
    scores.mask_fill(future.unsqueeze::<4>(), f32::NEG_INFINITY)
}
