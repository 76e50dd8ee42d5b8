//! Floating-point operations of a training step, counted from sizes.
//!
//! These are *model FLOPs*: what forward and backward must compute, where a multiply-add is two operations. What an implementation computes a
//! second time to save memory, such as attention's scores in the backward pass, is not counted, nor is padding to whole tiles or to
//! lengths that an FFT likes: Chowdhery et al. 2022 (PaLM), <https://arxiv.org/abs/2204.02311>, appendix B. So of two
//! implementations of one layer, the one that wastes fewer operations has the higher utilisation at equal speed.
//!
//! Counted are products of matrices and convolutions, short and long. Not counted is what takes a few operations per number: norms,
//! activations, gates, biases, residuals, rotations, softmax, loss and the optimiser.

use std::iter::Sum;
use std::ops::Add;

/// Operations of forward and backward: see the constructors for what each kind of layer takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flops {
    /// For each sequence.
    pub sequence: f64,
    /// Once for a whole batch: for kernels that all its sequences share.
    pub batch: f64,
}

impl Flops {
    /// Products of matrices that take `forward` operations for a sequence. A product has two gradients, each of which takes as many as
    /// the product.
    pub fn products(forward: f64) -> Self {
        Self { sequence: 3.0 * forward, batch: 0.0 }
    }

    /// Linear layers with `weights` weights, biases not included, on `rows` rows of a sequence.
    pub fn linear(weights: usize, rows: usize) -> Self {
        Self::products(2.0 * weights as f64 * rows as f64)
    }

    /// A convolution of `channels` rows with a few taps each.
    pub fn short_conv(channels: usize, taps: usize, seq_len: usize) -> Self {
        Self::linear(channels * taps, seq_len)
    }

    /// A convolution of `rows` rows of a sequence with `kernels` kernels as long as the sequence, by FFT: [`convolution`](Self::convolution) with
    /// complex transforms of `n = seq_len` points, which take `5 n log2 n` operations by the usual count.
    pub fn fft_conv(rows: usize, kernels: usize, seq_len: usize) -> Self {
        let points = seq_len as f64;
        Self::convolution(rows, kernels, points, 5.0 * points * points.log2())
    }

    /// A convolution by transforms of `points` complex points, of which one takes `transform` operations.
    ///
    /// ```text
    /// a row     forward: a transform, the product of two spectra, a transform back
    ///           backward: the same for its gradient, and a product that is added to the gradient of the kernel's spectrum
    /// a kernel  a transform forward and one backward, whatever the batch
    /// ```
    /// A complex product is 6 operations, adding it 2.
    pub fn convolution(rows: usize, kernels: usize, points: f64, transform: f64) -> Self {
        let row = 4.0 * transform + (6.0 + 6.0 + 8.0) * points;
        Self { sequence: rows as f64 * row, batch: kernels as f64 * 2.0 * transform }
    }

    /// The same operations once for a whole batch.
    pub fn shared(self) -> Self {
        Self { sequence: 0.0, batch: self.sequence + self.batch }
    }

    /// The operations of `count` such layers.
    pub fn times(self, count: usize) -> Self {
        Self { sequence: self.sequence * count as f64, batch: self.batch * count as f64 }
    }

    /// The operations of a step on `batch` sequences.
    pub fn of_step(self, batch: usize) -> f64 {
        batch as f64 * self.sequence + self.batch
    }
}

impl Add for Flops {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { sequence: self.sequence + other.sequence, batch: self.batch + other.batch }
    }
}

impl Sum for Flops {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_layer_takes_six_operations_per_weight_and_row() {
        assert_eq!(Flops::linear(5 * 7, 3), Flops { sequence: 6.0 * 35.0 * 3.0, batch: 0.0 });
        assert_eq!(Flops::short_conv(5, 3, 10), Flops::linear(15, 10));
    }

    /// 8 points take 5 * 8 * 3 = 120 operations.
    #[test]
    fn a_convolution_takes_four_transforms_a_row_and_two_a_kernel() {
        let one = Flops::fft_conv(1, 1, 8);
        assert_eq!(one, Flops { sequence: 4.0 * 120.0 + 20.0 * 8.0, batch: 2.0 * 120.0 });
        assert_eq!(Flops::fft_conv(6, 2, 8), Flops { sequence: 6.0 * one.sequence, batch: 2.0 * one.batch });
        assert_eq!(Flops::fft_conv(1, 1, 1), Flops { sequence: 20.0, batch: 0.0 });
    }

    #[test]
    fn what_is_shared_does_not_grow_with_the_batch() {
        let layer = Flops { sequence: 10.0, batch: 3.0 };
        assert_eq!([1, 2, 8].map(|batch| layer.of_step(batch)), [13.0, 23.0, 83.0]);
        assert_eq!([1, 8].map(|batch| layer.shared().of_step(batch)), [13.0, 13.0]);
        assert_eq!([layer, layer.times(2)].into_iter().sum::<Flops>(), layer.times(3));
    }
}
