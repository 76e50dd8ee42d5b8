//! A linear layer whose matrix is a Monarch matrix: a product of block-diagonal matrices with permutations between.
//!
//! ```text
//! x seen as [k, p], y as [s, c], rank r; i < k, q < p, t < s, l < c, j < r
//! z[i, (j, l)] = sum_q W1[i, (j, l), q] x[i, q]                 k blocks of r c rows, p columns
//! y[t, l]      = sum_i sum_j W2[l, t, (i, j)] z[i, (j, l)]      c blocks of s rows, k r columns
//! ```
//! `r k c (p + s)` parameters and twice as many operations; `4 n^1.5` for a square matrix with all axes `sqrt(n)`,
//! against `2 n^2` when dense. With more factors, `order = p`, input and output have `p` axes: the first factor
//! replaces the last axis, the next factors the first axis, the second one and so on. Widths that the axes do not fill
//! are padded with zeros on the way in and cut on the way out.
//!
//! Dao et al. 2022, *Monarch*, <https://arxiv.org/abs/2204.00595>, section 3; order p: Fu et al. 2023, *Monarch Mixer*,
//! <https://arxiv.org/abs/2310.12109>, section 3.

mod complex;
mod config;
pub(crate) mod dft;
mod fused;
mod init;
mod product;
pub(crate) mod shape;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::row_factors::RowFactors;
pub use complex::{ComplexMonarch, Pair};
pub use config::MonarchLinearConfig;
pub use dft::MonarchDft;
pub use init::MonarchInit;
use shape::MonarchShape;

/// A linear layer with a Monarch matrix: see [`MonarchLinearConfig`].
#[derive(Module, Debug)]
pub struct MonarchLinear {
    /// The factors, the one that reads the input first: `[blocks, rows of a block, columns of a block]`.
    pub factors: Vec<Param<Tensor<3>>>,
    /// `[d_output]`
    pub bias: Option<Param<Tensor<1>>>,
    pub(crate) d_input: usize,
    pub(crate) d_output: usize,
    #[module(skip)]
    pub(crate) shape: MonarchShape,
    #[module(skip)]
    pub(crate) form: Form,
}

impl MonarchLinear {
    /// A layer of two factors as published, `w1 [k, q, p]` and `w2 [c, s, r]` with `k q = c r`. `q` need not be a
    /// multiple of `c`; if it is not, some slices of the matrix have a higher rank than others.
    ///
    /// # Panics
    /// If `k q` is not `c r`, or the factors are smaller than the widths.
    pub fn from_factors(
        factors: [Tensor<3>; 2],
        bias: Option<Tensor<1>>,
        d_input: usize,
        d_output: usize,
    ) -> Self {
        let shape = MonarchShape::of_two(factors[0].dims(), factors[1].dims());
        let (n_input, n_output) = (shape.n_input(), shape.n_output());
        assert!(
            n_input >= d_input && n_output >= d_output,
            "factors of {n_input} and {n_output} numbers are too small"
        );
        Self {
            form: Form::for_device(&factors[0].device()),
            factors: factors.into_iter().map(Param::from_tensor).collect(),
            bias: bias.map(Param::from_tensor),
            d_input,
            d_output,
            shape,
        }
    }

    /// The same layer in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// # Shapes
    /// - `x`: `[.., d_input]`
    /// - output: `[.., d_output]`
    ///
    /// # Panics
    /// If the last axis is not `d_input`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut dims = x.dims();
        let (d_input, got) = (self.d_input, dims[D - 1]);
        assert_eq!(got, d_input, "a Monarch layer of d_input = {d_input} got an input of width {got}");
        dims[D - 1] = self.d_output;
        let bias = self.bias.as_ref().map(Param::val);
        self.product(x.reshape([-1, d_input as i64]), bias).reshape(dims)
    }

    /// The dense matrix that the factors make, `[d_output, d_input]`: entry by entry, not by products with the identity
    /// unless the middle is not a whole rank.
    pub fn dense_weight(&self) -> Tensor<2> {
        match self.shape.rank() {
            Some(_) => {
                entries(&self.values(), &self.shape).narrow(0, 0, self.d_output).narrow(1, 0, self.d_input)
            }
            None => {
                self.product(Tensor::eye(self.d_input, &self.factors[0].val().device()), None).transpose()
            }
        }
    }

    /// A copy of the present weights that maps one row at a time, over plain slices.
    pub(crate) fn row_factors(&self) -> RowFactors {
        let bias = self.bias.as_ref().map(Param::val);
        RowFactors::of_monarch(self.values(), bias, [self.d_input, self.d_output], &self.shape)
    }

    /// `[rows, d_input]` to `[rows, d_output]`. Only two factors have a kernel of their own; more are burn operations in either
    /// form.
    fn product(&self, x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        match (self.form, <[Tensor<3>; 2]>::try_from(self.values())) {
            (Form::Fused, Ok(two)) => fused::product(x, two, bias, self.shape.pre_permute, self.d_output),
            (Form::Fused | Form::Portable, _) => self.portable_product(x, bias),
        }
    }

    fn portable_product(&self, x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        let y = product::product(pad(x, self.shape.n_input()), &self.values(), &self.shape);
        let y = y.narrow(1, 0, self.d_output);
        match bias {
            Some(bias) => y + bias.unsqueeze::<2>(),
            None => y,
        }
    }

    fn values(&self) -> Vec<Tensor<3>> {
        self.factors.iter().map(Param::val).collect()
    }
}

/// Pads axis 1, the width of a row or the tokens of a sequence, with zeros at its end, up to `len`.
pub(crate) fn pad<const D: usize>(x: Tensor<D>, len: usize) -> Tensor<D> {
    let mut dims = x.dims();
    if dims[1] == len {
        return x;
    }
    dims[1] = len - dims[1];
    let zeros = Tensor::zeros(dims, &x.device());
    Tensor::cat(vec![x, zeros], 1)
}

/// The entries of the matrix by their formula, `[n_output, n_input]`, for a middle of whole ranks. For two factors
///
/// ```text
/// M[(t, l), (i, q)] = sum_j W2[l, t, (i, j)] W1[i, (j, l), q]          j < rank
/// ```
/// and in general a product of one entry of each factor, summed over the rank. It costs as many multiplications as the matrix has
/// entries, times the rank; pushing the identity through the factors costs the square root of its size more.
fn entries(factors: &[Tensor<3>], shape: &MonarchShape) -> Tensor<2> {
    let [blocks, out, a_p] = factors[0].dims();
    let first = factors[0].clone().reshape([blocks * out, a_p]);
    let read = shape.input.iter();
    let product = factors[1..].iter().zip(read).fold(first, |m, (factor, read)| extend(m, factor, *read));
    in_order(product, shape)
}

/// `m` maps the input axes read so far to what its factors have written; `factor` reads one axis more, and the rank if
/// it reads more numbers than that axis has.
fn extend(m: Tensor<2>, factor: &Tensor<3>, read: usize) -> Tensor<2> {
    let ([_, columns], [l, s, r]) = (m.dims(), factor.dims());
    let rank = r / read;
    let m = m.reshape([read, rank, l, columns]).permute([2, 0, 1, 3]); // [l, read, rank, columns]
    let factor = factor.clone().reshape([l, s, read, rank]).swap_dims(1, 2); // [l, read, s, rank]
    factor.matmul(m).permute([0, 2, 3, 1]).reshape([l * s, columns * read])
}

/// The first factor wrote the slowest row axis and read the slowest column axis; both are the fastest of the layer.
fn in_order(m: Tensor<2>, shape: &MonarchShape) -> Tensor<2> {
    let ([n_output, n_input], b_p, a_p) = (m.dims(), shape.first_written(), shape.first_read());
    let m = m.reshape([b_p, n_output / b_p, a_p, n_input / a_p]);
    let m = if shape.pre_permute { m.permute([1, 0, 2, 3]) } else { m.permute([1, 0, 3, 2]) };
    m.reshape([n_output, n_input])
}
