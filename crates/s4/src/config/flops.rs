//! What a training step of these layers computes.

use subquad_mixer::Flops;

use super::options::SsmOptions;
use super::{H3Config, S4Config, S4dConfig};

impl SsmOptions {
    /// Convolution and output layer.
    fn layer_flops(&self, seq_len: usize) -> Flops {
        let rows = self.channels * self.d_model;
        let weights = self.output.width(self.d_model).map_or(0, |width| rows * width);
        Flops::fft_conv(rows, rows, seq_len) + Flops::linear(weights, seq_len)
    }

    /// Kernels of a diagonal system: each tap is a sum over the real and imaginary parts of all pairs, one entry of a product of
    /// matrices. The powers that the matrices consist of, about as many per pair as the square root of the length, are not counted.
    fn diagonal_kernels(&self, seq_len: usize) -> Flops {
        let taps = self.kernels() * self.d_model * seq_len;
        Flops::products(2.0 * taps as f64 * self.d_state as f64).shared()
    }
}

/// A complex `1 / den` from real parts, and `-g^2` times its gradient summed over frequencies.
const DENOMINATOR: f64 = 17.0 + 18.0;

impl S4dConfig {
    pub(super) fn flops(&self, seq_len: usize) -> Flops {
        let options = self.options();
        options.layer_flops(seq_len) + options.diagonal_kernels(seq_len)
    }
}

impl S4Config {
    pub(super) fn flops(&self, seq_len: usize) -> Flops {
        self.options().layer_flops(seq_len) + self.kernels_by_frequency()
    }

    /// The kernels' `l_max` taps by the generating function, at the frequencies of a real transform. Every pair has a denominator per
    /// frequency, which is multiplied by two real numbers of each product of a left with a right factor; then each kernel is transformed
    /// back. Not counted are the solution of the low-rank part, which does not grow with `d_state`, and the few frequencies that are
    /// computed in f64.
    fn kernels_by_frequency(&self) -> Flops {
        let (options, rank) = (self.options(), self.rank());
        let products = (options.kernels() + rank) * (1 + rank);
        let denominators = (self.d_model * options.pairs() * (self.l_max / 2 + 1)) as f64;
        let sums = Flops::products(denominators * (2 * 2 * 2 * products) as f64);
        let inverses = Flops { sequence: denominators * DENOMINATOR, batch: 0.0 };
        let points = self.l_max as f64;
        let transforms = (2 * options.kernels() * self.d_model) as f64 * 5.0 * points * points.log2();
        (sums + inverses + Flops { sequence: transforms, batch: 0.0 }).shared()
    }
}

impl H3Config {
    /// A head has one kernel for its `head_dim` x `head_dim` products. The products themselves are gates, which are not counted.
    pub(super) fn flops(&self, seq_len: usize) -> Flops {
        let Self { d_model, d_state, head_dim, .. } = *self;
        let taps = Flops::fft_conv(d_model, d_model, d_state).shared();
        let shift = Flops::fft_conv(d_model, d_model, seq_len)
            + if self.train_shift_b { taps } else { Flops::default() };
        let products = Flops::fft_conv(head_dim * d_model, self.n_heads(), seq_len);
        let linear = Flops::linear(4 * d_model * d_model, seq_len);
        linear + shift + products + self.options().diagonal_kernels(seq_len)
    }
}
