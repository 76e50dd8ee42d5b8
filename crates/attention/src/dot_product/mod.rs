//! Scaled dot-product attention, the core of the layer.
//!
//! ```text
//! y_i = sum over j of p_ij v_j,    p_ij = exp(s_ij) / sum over j of exp(s_ij),    s_ij = q_i . k_j / sqrt(d_head)
//! ```
//! If causal, j runs over the keys up to the query's own position; all others have a weight of exactly 0.

mod decode;
mod fused;
mod packed;
mod portable;
mod rules;
mod tiled;

use burn::tensor::Tensor;
use subquad_backend::Form;

pub(crate) use decode::attend_cache;
pub(crate) use packed::self_attention;
pub(crate) use rules::SOFTCAPS;
pub use rules::{Rules, WeightDropout, alibi_slopes};
pub(crate) use tiled::Heads;

/// Softmax attention of each head separately.
///
/// Queries are aligned with the last keys: query `i` is at position `seq_k - seq_q + i`. So whole sequences, chunks that
/// follow a cache, and single tokens are the same operation. A query that sees no key gets zeros.
///
/// Each head of `k` and `v` serves `heads / kv_heads` consecutive heads of `q`: grouped-query attention (Ainslie et al. 2023,
/// arXiv 2305.13245), or multi-query attention with one (Shazeer 2019, arXiv 1911.02150).
///
/// # Shapes
/// - `q`: `[batch, heads, seq_q, d_head]`
/// - `k`, `v`: `[batch, kv_heads, seq_k, d_head]`
/// - output: `[batch, heads, seq_q, d_head]`
///
/// # Panics
/// If the shapes or the rules do not fit, if a causal query has no key at its own position (`seq_q > seq_k`), or in the
/// fused form if a tensor is not f32.
pub fn scaled_dot_product(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, rules: &Rules, form: Form) -> Tensor<4> {
    check_shapes(&q, &k, &v, rules.causal);
    check_rules(rules, q.dims(), k.dims());
    match form {
        Form::Portable => portable::attend(q, k, v, rules),
        Form::Fused => fused::attend(q, k, v, rules),
    }
}

fn check_shapes(q: &Tensor<4>, k: &Tensor<4>, v: &Tensor<4>, causal: bool) {
    let ([batch, heads, seq_q, d_head], [_, kv_heads, seq_k, _]) = (q.dims(), k.dims());
    let keys = [batch, kv_heads, seq_k, d_head];
    assert!(
        k.dims() == keys && v.dims() == keys,
        "queries {:?} need keys and values of shape {keys:?}, got {:?} and {:?}",
        q.dims(),
        k.dims(),
        v.dims(),
    );
    assert!(
        kv_heads > 0 && heads.is_multiple_of(kv_heads),
        "{kv_heads} heads of keys and values cannot serve {heads} heads of queries equally"
    );
    assert!(seq_q > 0 && seq_k > 0, "attention needs at least one query and one key");
    assert!(!causal || seq_q <= seq_k, "{seq_q} causal queries need at least {seq_q} keys, got {seq_k}");
}

fn check_rules(rules: &Rules, [batch, _, seq_q, _]: [usize; 4], [_, _, seq_k, _]: [usize; 4]) {
    let Rules { window, softcap, segments, dropout, causal: _, alibi: _ } = rules;
    assert!(*window != Some(0), "a window is at least 1 token wide, got 0");
    if let Some(cap) = softcap {
        assert!(SOFTCAPS.contains(cap), "softcap must be a number from 1e-30 to 1e30, got {cap:?}");
    }
    if let Some(WeightDropout { rate, .. }) = dropout {
        assert!((0.0..1.0).contains(rate), "dropout must be at least 0 and less than 1, got {rate:?}");
    }
    if let Some(segments) = segments {
        let tokens = [batch, seq_q];
        assert_eq!(
            seq_q, seq_k,
            "segments need one key for each query, got {seq_q} queries and {seq_k} keys"
        );
        assert_eq!(segments.dims(), tokens, "segments and tokens must have the same [batch, seq]");
    }
}
