//! Long convolution along the sequence in O(seq log seq), at any length.
//!
//! ```text
//! causal      y_t = sum over s <= t of k_{t-s} u_s
//! two-sided   y_t = the same + sum over s > t of r_{s-t-1} u_s
//! ```
//! `r_0` acts on the *next* token: lag 0 belongs to `k` alone, as in the published bidirectional S4 and M2 layers.

mod channel;
mod fused;
mod portable;
#[doc(hidden)]
pub mod reference;
mod weighted;

use burn::tensor::Tensor;

use crate::Form;

pub use self::channel::{Convolver, Filter, rows_by_channel};

/// Causal convolution of every channel with its own kernel.
///
/// # Shapes
/// - `u`: `[batch, channels, seq]`
/// - `kernel`: `[channels, kernel_len]`, any `kernel_len >= 1`; taps beyond `seq` are not used
/// - output: `[batch, channels, seq]`
///
/// # Panics
/// If the channels differ, a length is 0, or a tensor is not f32 in the fused form.
pub fn causal_conv(u: Tensor<3>, kernel: Tensor<2>, form: Form) -> Tensor<3> {
    check(&u, &kernel);
    match form {
        Form::Portable => portable::conv(u, kernel, None),
        Form::Fused => fused::causal_conv(u, kernel),
    }
}

/// Convolution of every channel with a kernel for the past and one for the future.
///
/// # Shapes
/// - `u`: `[batch, channels, seq]`
/// - `kernel`: `[channels, kernel_len]`: lags `0, 1, ..`
/// - `reverse`: `[channels, reverse_len]`: lags `-1, -2, ..`
/// - output: `[batch, channels, seq]`
///
/// # Panics
/// As for [`causal_conv`].
pub fn two_sided_conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Tensor<2>, form: Form) -> Tensor<3> {
    check(&u, &kernel);
    check(&u, &reverse);
    match form {
        Form::Portable => portable::conv(u, kernel, Some(reverse)),
        Form::Fused => fused::two_sided_conv(u, kernel, reverse),
    }
}

fn check(u: &Tensor<3>, kernel: &Tensor<2>) {
    let ([_, channels, seq], [kernel_channels, len]) = (u.dims(), kernel.dims());
    assert_eq!(channels, kernel_channels, "a convolution needs one kernel a channel");
    assert!(seq > 0 && len > 0, "a convolution needs at least one token and one tap");
}
