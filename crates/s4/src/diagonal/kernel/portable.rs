//! The kernel as one batched matrix product of burn.

use burn::tensor::Tensor;

use crate::complex::{Pair, block_len, powers};

pub(super) fn kernel(c: Pair<3>, log_a: Pair<2>, seq: usize) -> Tensor<3> {
    let block = block_len(seq);
    let blocks = seq.div_ceil(block);
    let ([kernels, d_model, _], device) = (c.re.dims(), c.re.device());
    let outer = c.unsqueeze_dim::<4>(3) * powers(&log_a, block, blocks, &device).unsqueeze_dim(0);
    let inner = powers(&log_a, 1, block, &device).unsqueeze_dim::<4>(0);
    // 2 Re(U W) = [2 Re U, -2 Im U] [Re W, Im W]^T, summed over the pairs.
    let left = Tensor::cat(vec![outer.re * 2.0, outer.im * -2.0], 2).swap_dims(2, 3);
    let right = Tensor::cat(vec![inner.re, inner.im], 2);
    left.matmul(right).reshape([kernels, d_model, blocks * block]).narrow(2, 0, seq)
}
