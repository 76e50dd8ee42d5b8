//! The norm of queries and keys ("QK norm"): however large the weights grow, scores stay within
//! `sqrt(d_head)` times the gains.
//!
//! ```text
//! y = x / sqrt(mean over the head's features of x^2 + eps) * gain
//! ```
//! Henry et al. 2020, <https://arxiv.org/abs/2010.04245> (normalised queries and keys); Dehghani et al. 2023,
//! <https://arxiv.org/abs/2302.05442>, section 2 (with learned gains, against diverging scores); Zhang, Sennrich 2019,
//! <https://arxiv.org/abs/1910.07467> (root mean square).

use burn::tensor::Tensor;

/// Keeps an all-zero head finite.
pub(crate) const HEAD_NORM_EPS: f64 = 1e-6;

/// # Shapes
/// - `x`: `[batch, heads, seq, d_head]`
/// - `gain`: `[d_head]`
/// - output: `[batch, heads, seq, d_head]`
pub(crate) fn norm_heads(x: Tensor<4>, gain: Tensor<1>) -> Tensor<4> {
    let size = (x.clone().square().mean_dim(3) + HEAD_NORM_EPS).sqrt();
    x / size * gain.unsqueeze()
}
