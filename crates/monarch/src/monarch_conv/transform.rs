//! From rows to spectra and back: one batch of matrix products per factor.
//!
//! The spectra stay in the order in which the factors write them, `[rows, q_1, .., q_(p-1), (2, q_p)]`: they are multiplied
//! point by point and read back by the same matrices transposed, so nothing depends on their order.

use burn::tensor::{Device, Tensor, TensorData};

use super::tables::{Factor, factors};

pub(super) struct Transform {
    axes: Vec<usize>,
    factors: Vec<Tensor<3>>,
}

impl Transform {
    pub(super) fn new(axes: &[usize], device: &Device) -> Self {
        let tensor =
            |(values, shape): &Factor| Tensor::from_data(TensorData::new(values.clone(), *shape), device);
        Self { axes: axes.to_vec(), factors: factors(axes).iter().map(tensor).collect() }
    }

    /// Number of points.
    pub(super) fn points(&self) -> usize {
        self.axes.iter().product()
    }

    /// `[rows, n]` to `[rows * n / n_p, 2, n_p]`.
    pub(super) fn spectrum(&self, x: Tensor<2>) -> Tensor<3> {
        let ([rows, n], n_1) = (x.dims(), self.axes[0]);
        let x = x.reshape([rows, n_1, n / n_1]).permute([2, 0, 1]); // [rest, rows, n_1]
        let mut y = x.matmul(self.factors[0].clone()); // [rest, rows, (2, n_1)]
        for (t, factor) in self.factors.iter().enumerate().skip(1) {
            let ([rest, rows, _], written, read) = (y.dims(), self.axes[t - 1], self.axes[t]);
            let y_by_digit = y.reshape([read, rest / read, rows, 2, written]);
            let x = y_by_digit.permute([1, 2, 4, 3, 0]).reshape([rest / read, rows * written, 2 * read]);
            y = x.matmul(factor.clone());
        }
        let n_p = self.axes[self.axes.len() - 1];
        y.reshape([rows * n / n_p, 2, n_p])
    }

    /// `[rows * n / n_p, 2, n_p]` to the real parts of the `n` points, `[rows, n]`, times `n`.
    pub(super) fn invert(&self, y: Tensor<3>) -> Tensor<2> {
        let ([lines, _, n_p], n_1) = (y.dims(), self.axes[0]);
        let (mut x, n) = (y.reshape([1, lines, 2 * n_p]), self.points());
        for (t, factor) in self.factors.iter().enumerate().skip(1).rev() {
            let z = x.matmul(factor.clone().swap_dims(1, 2));
            let ([rest, lines, _], written, read) = (z.dims(), self.axes[t - 1], self.axes[t]);
            let z_by_digit = z.reshape([rest, lines / written, written, 2, read]);
            x = z_by_digit.permute([4, 0, 1, 3, 2]).reshape([read * rest, lines / written, 2 * written]);
        }
        let rows = lines * n_p / n;
        let z = x.matmul(self.factors[0].clone().swap_dims(1, 2)); // [rest, rows, n_1]
        z.permute([1, 2, 0]).reshape([rows, n_1 * (n / n_1)])
    }
}
