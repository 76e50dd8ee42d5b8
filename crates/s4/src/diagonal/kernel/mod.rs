//! The convolution kernel of a diagonal state-space model.
//!
//! ```text
//! K_l = 2 Re( sum over n of c_n a_bar_n^l )        one n a conjugate pair, hence the 2 and the real part
//! ```
//! Both forms cut the lag into `l = q T + r` with `T` near `sqrt(seq)`: `a_bar^l = a_bar^(q T) a_bar^r`, so a few
//! powers and one matrix product take the place of `seq` powers.

mod fused;
mod portable;
mod row;

use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::complex::Pair;

/// # Shapes
/// - `c`: `[kernels, d_model, pairs]`
/// - `log_a`: `[d_model, pairs]`, the logarithm of `a_bar`, in f64 on the host
/// - output: `[kernels, d_model, seq]`
pub(crate) fn kernel(c: Pair<3>, log_a: Pair<2>, seq: usize, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => portable::kernel(c, log_a, seq),
        Form::Fused => fused::kernel(c, log_a, seq),
    }
}
