//! Long convolution along the sequence in O(seq log seq), at any length.
//!
//! ```text
//! causal      y_t = sum over s <= t of k_{t-s} u_s
//! two-sided   y_t = the same + sum over s > t of r_{s-t-1} u_s
//! ```
//! `r_0` acts on the *next* token: lag 0 belongs only to `k`, as in the published bidirectional S4 and M2 layers.

mod channel;
mod fused;
#[doc(hidden)]
pub mod reference;
mod weighted;

use burn::signal::{irfft, rfft};
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
    conv(u, kernel, None, form)
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
    conv(u, kernel, Some(reverse), form)
}

fn conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Option<Tensor<2>>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => portable(u, kernel, reverse),
        Form::Fused => fused::conv(u, kernel, reverse),
    }
}

fn check(u: &Tensor<3>, kernel: &Tensor<2>) {
    let ([_, channels, seq], [kernel_channels, len]) = (u.dims(), kernel.dims());
    assert_eq!(channels, kernel_channels, "a convolution needs one kernel per channel");
    assert!(seq > 0 && len > 0, "a convolution needs at least one token and one tap");
}

/// The portable form, by burn's own transforms, which take powers of two only: both kernels as one circular kernel of `n >= 2 seq - 1` taps, so that no lag wraps onto another.
fn portable(u: Tensor<3>, kernel: Tensor<2>, reverse: Option<Tensor<2>>) -> Tensor<3> {
    let [_, _, seq] = u.dims();
    let n = (2 * seq - 1).next_power_of_two().max(2);
    let circular = circular_kernel(kernel, reverse, seq, n);
    let (k_re, k_im) = rfft(circular.unsqueeze::<3>(), 2, Some(n));
    let (u_re, u_im) = rfft(u, 2, Some(n));
    let y_re = u_re.clone() * k_re.clone() - u_im.clone() * k_im.clone();
    let y_im = u_re * k_im + u_im * k_re;
    irfft(y_re, y_im, 2, Some(n)).narrow(2, 0, seq)
}

/// Lags `0..` at the front, lag `-1` at the very end, lag `-2` before it.
fn circular_kernel(kernel: Tensor<2>, reverse: Option<Tensor<2>>, seq: usize, n: usize) -> Tensor<2> {
    let [channels, len] = kernel.dims();
    let kernel = kernel.narrow(1, 0, len.min(seq));
    let reverse = reverse.and_then(|r| {
        let used = r.dims()[1].min(seq - 1);
        (used > 0).then(|| r.narrow(1, 0, used).flip([1]))
    });
    let Some(reverse) = reverse else { return kernel };
    let gap = n - kernel.dims()[1] - reverse.dims()[1];
    let zeros = Tensor::zeros([channels, gap], &kernel.device());
    Tensor::cat(vec![kernel, zeros, reverse], 1)
}
