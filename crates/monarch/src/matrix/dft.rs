//! The discrete Fourier transform as a Monarch matrix, of any composite length.
//!
//! ```text
//! n = n_1 .. n_p, input j = (j_1, .., j_p) with j_1 slowest, output q = q_1 + n_1 q_2 + n_1 n_2 q_3 ..
//! factor t     exp(-2 pi i q_t (j_t, .., j_p) / (n_t .. n_p))       turns j_t into q_t
//! ```
//! where `(j_t, .., j_p)` is the number with these digits. Each factor is a DFT of `n_t` points on the slowest
//! remaining digit, with the twiddles of the smaller transforms that follow folded in: Cooley and Tukey 1965, as
//! matrices with two factors in Dao et al. 2022, <https://arxiv.org/abs/2204.00595>.

use std::f64::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};

use super::complex::{ComplexMonarch, Pair};
use super::shape::MonarchShape;

/// One factor in f64, row-major.
#[derive(Debug)]
pub struct DftFactor {
    /// `[blocks, rows, columns]`
    pub shape: [usize; 3],
    /// Angles as fractions of a turn, clockwise: the entry is `exp(-2 pi i turn)`.
    pub turns: Vec<f64>,
}

/// `e^(-2 pi i numerator / denominator)` is this fraction of a turn away from 1. The fraction is reduced before it is rounded.
pub(crate) fn turn(numerator: usize, denominator: usize) -> f64 {
    (numerator % denominator) as f64 / denominator as f64
}

/// The factors of the DFT of `axes[0] * axes[1] * ..` points.
pub fn factors(axes: &[usize]) -> Vec<DftFactor> {
    (0..axes.len()).map(|t| factor(axes, t)).collect()
}

/// The blocks are the digits not read yet, then those written.
fn factor(axes: &[usize], t: usize) -> DftFactor {
    let (n, after, before) = (axes[t], product(&axes[t + 1..]), product(&axes[..t]));
    let block = |rest: usize| {
        let entry = move |q: usize, j: usize| turn(q * (j * after + rest), n * after);
        (0..n * n).map(move |at| entry(at / n, at % n))
    };
    let turns = (0..after * before).flat_map(|b| block(b / before)).collect();
    DftFactor { shape: [after * before, n, n], turns }
}

fn product(axes: &[usize]) -> usize {
    axes.iter().product()
}

/// The DFT as a product of block-diagonal matrices: `X_q = sum over j of x_j e^(-2 pi i q j / n)`.
#[derive(Debug, Clone)]
pub struct MonarchDft {
    axes: Vec<usize>,
    matrix: ComplexMonarch,
}

impl MonarchDft {
    /// A DFT of as many points as the product of `axes`, with one factor per axis. Tables are computed in f64 and
    /// rounded once.
    ///
    /// # Panics
    /// If there are fewer than two axes, or one is 0.
    pub fn new(axes: &[usize], device: &Device) -> Self {
        assert!(
            axes.len() >= 2 && !axes.contains(&0),
            "a Monarch DFT needs two axes or more, none 0: {axes:?}"
        );
        let factors = factors(axes).iter().map(|factor| pair(factor, device)).collect();
        // The digit j_1 is read first, out of the slowest place, and q_1 is written to the fastest one.
        let rotated = [&axes[1..], &axes[..1]].concat();
        let shape = MonarchShape::new(rotated.clone(), rotated, 1, true);
        Self { axes: axes.to_vec(), matrix: ComplexMonarch::new(factors, shape) }
    }

    /// A DFT of `n` points by `order` factors, as equal as the divisors of `n` allow. A prime number has only itself
    /// and ones.
    ///
    /// # Panics
    /// If `n` is 0 or `order` below 2.
    pub fn of(n: usize, order: usize, device: &Device) -> Self {
        Self::new(&even_axes(n, order), device)
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        product(&self.axes)
    }

    /// The spectra of rows `[rows, n]`, in natural order.
    ///
    /// # Panics
    /// If the width of the rows is not the number of points.
    pub fn forward(&self, x: Pair<2>) -> Pair<2> {
        let (re, im) = self.matrix.forward(x);
        (self.in_natural_order(re), self.in_natural_order(im))
    }

    /// The matrix writes `(q_2, .., q_p, q_1)`; the natural order is `(q_p, .., q_2, q_1)`.
    fn in_natural_order(&self, y: Tensor<2>) -> Tensor<2> {
        let [rows, n] = y.dims();
        let mut done = self.axes[0];
        let mut y = y;
        for axis in &self.axes[1..self.axes.len() - 1] {
            let rest = n / done / axis;
            y = y.reshape([rows, *axis, rest, done]).permute([0, 2, 1, 3]).reshape([rows, n]);
            done *= axis;
        }
        y
    }
}

fn pair(factor: &DftFactor, device: &Device) -> Pair<3> {
    let tensor = |f: fn(f64) -> f64| {
        let values: Vec<f32> = factor.turns.iter().map(|turn| f(TAU * turn) as f32).collect();
        Tensor::from_data(TensorData::new(values, factor.shape), device)
    };
    (tensor(f64::cos), tensor(|angle| -angle.sin()))
}

/// The `order` divisors with product `n` and the smallest sum.
fn even_axes(n: usize, order: usize) -> Vec<usize> {
    if order <= 1 {
        return vec![n];
    }
    let divisors = (1..=n).take_while(|d| d.pow(order as u32) <= n).filter(|d| n.is_multiple_of(*d));
    let with = |first: usize| [even_axes(n / first, order - 1), vec![first]].concat();
    divisors.map(with).min_by_key(|axes| axes.iter().sum::<usize>()).unwrap_or_else(|| vec![n; order])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_as_even_as_the_divisors_allow() {
        assert_eq!(
            [1, 12, 30, 128, 784].map(|n| even_axes(n, 2)),
            [[1, 1], [4, 3], [6, 5], [16, 8], [28, 28]]
        );
        assert_eq!(even_axes(784, 3), [14, 8, 7]);
        assert_eq!(even_axes(13, 2), [13, 1]);
    }
}
