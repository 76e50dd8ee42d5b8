//! A causal convolution between a triangular Monarch matrix and its inverse.
//!
//! ```text
//! y = T' ((T k) * (T x))        T unit lower triangular, T' its inverse, * the causal convolution, k an implicit filter
//! T = (I + across) (I + within), the strictly lower parts of the factors of a Monarch matrix
//! ```
//! The columns of T are coefficients of polynomials, the j-th without powers below j: T x is the sum of these
//! polynomials weighted by x, the convolution multiplies two such sums, and T' recovers the weights of the result. A
//! product has no power below those of its factors, so no later token affects an earlier output. T = I is the plain convolution.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use subquad_backend::fft_conv::causal_conv;
use subquad_backend::{Form, swap_axes};

use super::MatrixState;
use crate::ImplicitFilter;
use crate::history::append;
use crate::matrix::pad;
use crate::sequence::{Entries, Lines, inverse, product};
use crate::stepper::RowSandwich;

/// The factors and the filter.
#[derive(Module, Debug)]
pub(crate) struct Sandwich {
    /// `[n_heads, n_blocks, block, block]`
    pub(crate) within: Param<Tensor<4>>,
    /// `[n_heads, block, n_blocks, n_blocks]`
    pub(crate) across: Param<Tensor<4>>,
    pub(crate) filter: ImplicitFilter,
}

impl Sandwich {
    /// `[batch, seq, d_model]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        let ([_, seq, _], [_, _, block, _]) = (x.dims(), self.within.dims());
        let triangle = Triangle::new(self, seq.div_ceil(block), form);
        let x = swap_axes(triangle.apply(x), form); // [batch, d_model, seq]
        let kernel = self.kernel(&triangle, seq);
        triangle.solve(swap_axes(causal_conv(x, kernel, form), form))
    }

    /// `T k`: `[d_model, seq]`.
    fn kernel(&self, triangle: &Triangle, seq: usize) -> Tensor<2> {
        let lags = self.filter.lags(seq, triangle.form); // [1, d_model, seq]
        swap_axes(triangle.apply(swap_axes(lags, triangle.form)), triangle.form).squeeze_dim(0)
    }

    /// A copy of the present weights for decoding over slices, up to `l_max` tokens.
    pub(super) fn rows(&self, l_max: usize, form: Form) -> RowSandwich {
        let [_, n_blocks, _, _] = self.within.dims();
        let kernel = self.kernel(&Triangle::new(self, n_blocks, form), l_max);
        RowSandwich::new(self.within.val(), self.across.val(), kernel)
    }

    /// Runs a chunk or a token that follows the state. Its outputs depend on all earlier inputs, so the whole sequence
    /// is computed again.
    pub(super) fn chunk(&self, x: Tensor<3>, state: &mut MatrixState, form: Form) -> Tensor<3> {
        let (before, [_, seq, _]) = (state.tokens(), x.dims());
        let all = append(state.inputs.take(), x, 1);
        state.inputs = Some(all.clone());
        self.forward(all, form).narrow(1, before, seq)
    }
}

/// The T of the first blocks.
struct Triangle {
    within: Tensor<4>,
    across: Tensor<4>,
    form: Form,
}

impl Triangle {
    fn new(sandwich: &Sandwich, blocks: usize, form: Form) -> Self {
        let within = sandwich.within.val().narrow(1, 0, blocks);
        let across = sandwich.across.val().narrow(2, 0, blocks).narrow(3, 0, blocks);
        Self { within, across, form }
    }

    fn apply(&self, x: Tensor<3>) -> Tensor<3> {
        let [_, seq, _] = x.dims();
        let x = self.pad(x);
        let strict = Entries::Lower(-1);
        let x = x.clone() + product(x, self.within.clone(), Lines::Within, strict, self.form);
        let x = x.clone() + product(x, self.across.clone(), Lines::Across, strict, self.form);
        x.narrow(1, 0, seq)
    }

    fn solve(&self, y: Tensor<3>) -> Tensor<3> {
        let [_, seq, _] = y.dims();
        let inverse = |factor: &Tensor<4>| inverse(factor.clone(), self.form);
        let lower = Entries::Lower(0);
        let y = product(self.pad(y), inverse(&self.across), Lines::Across, lower, self.form);
        product(y, inverse(&self.within), Lines::Within, lower, self.form).narrow(1, 0, seq)
    }

    fn pad(&self, x: Tensor<3>) -> Tensor<3> {
        let [_, blocks, block, _] = self.within.dims();
        pad(x, blocks * block)
    }
}
