//! The products of H3. Those of a head lie in the batch: it has one kernel for all of them.

use burn::tensor::Tensor;

/// `k_i v_j` for every pair of features of a head.
///
/// # Shapes
/// - `k`, `v`: `[batch, n_heads head_dim, seq]`
/// - output: `[batch i j, n_heads, seq]`
pub(super) fn outer(k: Tensor<3>, v: Tensor<3>, head_dim: usize) -> Tensor<3> {
    let (k, v) = (features(k, head_dim), features(v, head_dim));
    let [batch, _, n_heads, seq] = k.dims();
    let products = k.unsqueeze_dim::<5>(2) * v.unsqueeze_dim(1);
    products.reshape([batch * head_dim * head_dim, n_heads, seq])
}

/// `sum over i of q_i y_{i,j}`.
///
/// # Shapes
/// - `q`: `[batch, n_heads head_dim, seq]`
/// - `y`: as [`outer`] makes it
/// - output: `[batch, j n_heads, seq]`
pub(super) fn weighted(q: Tensor<3>, y: Tensor<3>, head_dim: usize) -> Tensor<3> {
    let q = features(q, head_dim);
    let [batch, _, n_heads, seq] = q.dims();
    let y = y.reshape([batch, head_dim, head_dim, n_heads, seq]);
    let terms = q.unsqueeze_dim::<5>(2) * y;
    let sums = if head_dim == 1 { terms } else { terms.sum_dim(1) };
    sums.reshape([batch, head_dim * n_heads, seq])
}

/// `[batch, n_heads head_dim, seq]` to `[batch, head_dim, n_heads, seq]`.
fn features(x: Tensor<3>, head_dim: usize) -> Tensor<4> {
    let [batch, d_model, seq] = x.dims();
    x.reshape([batch, d_model / head_dim, head_dim, seq]).swap_dims(1, 2)
}
