//! The product with a Monarch matrix: one batch of matrix products per factor, and a permutation before each.
//!
//! Between factors the flat index of a row of numbers is read as `(r, l)` and transposed to `(l, r)`: the `l` blocks of
//! the next factor read `r` numbers each. Every step is one copy, as all blocks of a batch are contiguous: `[blocks,
//! rows, ..]`.

use burn::tensor::Tensor;

use super::shape::MonarchShape;

/// `[rows, n_input]` to `[rows, n_output]`, widths of the padded matrix.
pub(super) fn product(x: Tensor<2>, factors: &[Tensor<3>], shape: &MonarchShape) -> Tensor<2> {
    let mut y = cut(x, shape);
    for (t, factor) in factors.iter().enumerate() {
        let [_, _, columns] = factor.dims();
        let x = if t == 0 { y } else { regroup(y, columns) };
        y = multiply(x, factor.clone());
    }
    join(y, shape)
}

/// `[rows, n_input]` to what the first factor reads, `[blocks, rows, a_p]`.
pub(super) fn cut(x: Tensor<2>, shape: &MonarchShape) -> Tensor<3> {
    let ([rows, width], a_p) = (x.dims(), shape.first_read());
    let blocks = width / a_p;
    match shape.pre_permute {
        false => x.reshape([rows, blocks, a_p]).swap_dims(0, 1),
        true => x.reshape([rows, a_p, blocks]).permute([2, 0, 1]),
    }
}

/// `[blocks, rows, columns]` to `[blocks, rows, rows of a block]`.
pub(super) fn multiply(x: Tensor<3>, factor: Tensor<3>) -> Tensor<3> {
    x.matmul(factor.swap_dims(1, 2))
}

/// `[blocks, rows, out]` to `[l, rows, r]` for `blocks * out = l * r`.
pub(super) fn regroup(y: Tensor<3>, r: usize) -> Tensor<3> {
    let [blocks, rows, out] = y.dims();
    let l = blocks * out / r;
    if blocks.is_multiple_of(r) {
        y.reshape([r, blocks / r, rows, out]).permute([1, 3, 2, 0]).reshape([l, rows, r])
    } else if r.is_multiple_of(blocks) {
        y.reshape([blocks, rows, r / blocks, l]).permute([3, 1, 0, 2]).reshape([l, rows, r])
    } else {
        y.swap_dims(0, 1).reshape([rows, r, l]).permute([2, 0, 1])
    }
}

/// From what the last factor wrote, `[blocks, rows, out]`, to `[rows, n_output]`: the axis that the first factor wrote
/// is the slowest here and the fastest in the output.
pub(super) fn join(y: Tensor<3>, shape: &MonarchShape) -> Tensor<2> {
    let ([blocks, rows, out], b_p) = (y.dims(), shape.first_written());
    let y = y.reshape([b_p, blocks / b_p, rows, out]).permute([2, 1, 3, 0]);
    y.reshape([rows, blocks * out])
}
