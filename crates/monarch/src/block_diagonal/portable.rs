//! The portable form: rows are cut into one batch of rows per block, and put together again. What a block has beyond
//! the width is zero on the way in and dropped on the way out.

use burn::tensor::Tensor;

use crate::matrix::pad;

/// One matrix product per block, in one batch: `[rows, d_input]` to `[rows, d_output]`.
pub(super) fn product(x: Tensor<2>, weight: Tensor<3>, d_output: usize) -> Tensor<2> {
    let ([rows, _], [n_blocks, block_out, block_in]) = (x.dims(), weight.dims());
    let x = pad(x, n_blocks * block_in).reshape([rows, n_blocks, block_in]).swap_dims(0, 1);
    let y = x.matmul(weight.swap_dims(1, 2)); // [n_blocks, rows, block_out]
    y.swap_dims(0, 1).reshape([rows, n_blocks * block_out]).narrow(1, 0, d_output)
}
