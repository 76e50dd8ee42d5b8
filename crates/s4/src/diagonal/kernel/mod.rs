//! The convolution kernel of a diagonal state-space model.
//!
//! ```text
//! K_l = 2 Re( sum over n of c_n a_bar_n^l )        one n per conjugate pair, hence the 2 and the real part
//! ```
//! Both forms cut the lag into `l = q T + r` with `T` near `sqrt(seq)`: `a_bar^l = a_bar^(q T) a_bar^r`, so a few
//! powers and one matrix product take the place of `seq` powers.

mod fused;
mod row;

use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::complex::{Pair, block_len, powers};

/// # Shapes
/// - `c`: `[kernels, d_model, pairs]`
/// - `log_a`: `[d_model, pairs]`, the logarithm of `a_bar`, in f64 on the host
/// - output: `[kernels, d_model, seq]`
pub(crate) fn kernel(c: Pair<3>, log_a: Pair<2>, seq: usize, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => portable(c, log_a, seq),
        Form::Fused => fused::kernel(c, log_a, seq),
    }
}

/// The portable form: one batched matrix product of burn.
fn portable(c: Pair<3>, log_a: Pair<2>, seq: usize) -> Tensor<3> {
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
