//! The same by burn's own transforms, which take powers of two only.

use burn::signal::{irfft, rfft};
use burn::tensor::Tensor;

/// Both kernels as one circular kernel of `n >= 2 seq - 1` taps, so that no lag wraps onto another.
pub(super) fn conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Option<Tensor<2>>) -> Tensor<3> {
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
