//! A linear layer whose matrix has blocks on its diagonal and zeros elsewhere.
//!
//! ```text
//! y = diag(W_1 .. W_n) x + bias          W_i: ceil(d_output / n) rows, ceil(d_input / n) columns
//! ```
//! It has `n` times fewer parameters and operations than a dense layer. A width that `n` does not divide is padded with
//! zeros on the way in and cut on the way out. It is one factor of a Monarch matrix: Dao et al. 2022,
//! <https://arxiv.org/abs/2204.00595>, section 3; Fu et al. 2023 use it on its own, <https://arxiv.org/abs/2310.12109>.

mod fused;

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_mixer::Refusal;

use crate::init::uniform;
use crate::matrix::pad;
use crate::row_factors::RowFactors;

/// Config of a [`BlockDiagonalLinear`].
#[derive(Config, Debug)]
pub struct BlockDiagonalLinearConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Blocks on the diagonal; 1 is a dense layer.
    pub n_blocks: usize,
    /// Whether a bias is added.
    #[config(default = true)]
    pub bias: bool,
}

/// Refuses a size of 0.
pub(crate) fn zero(name: &'static str, size: usize) -> Option<Refusal> {
    Refusal::when(size == 0, &[name], || format!("{name} must be an integer >= 1, got 0"))
}

/// Refuses a width of 0, or of fewer features than blocks: some blocks would then hold nothing but padding.
pub(crate) fn narrow(name: &'static str, width: usize, n_blocks: usize) -> Option<Refusal> {
    let crowded = || {
        Refusal::when(n_blocks > width, &["n_blocks", name], || {
            format!("{n_blocks} blocks cannot share {name} = {width}; choose n_blocks of at most {width}")
        })
    };
    zero(name, width).or_else(crowded)
}

impl BlockDiagonalLinearConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a size of 0, or more blocks than inputs or outputs.
    pub fn refusals(&self) -> Vec<Refusal> {
        let Self { d_input, d_output, n_blocks, bias: _ } = *self;
        let widths = [narrow("d_input", d_input, n_blocks), narrow("d_output", d_output, n_blocks)];
        widths.into_iter().chain([zero("n_blocks", n_blocks)]).flatten().collect()
    }

    /// Number of parameters of the layer, including bias and padding. Allocates nothing on a device.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn n_parameters(&self) -> usize {
        self.n_weights() + if self.bias { self.d_output } else { 0 }
    }

    /// Floating point operations for one row: two for each weight, as for a dense layer; the bias is not counted.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn flops(&self) -> usize {
        2 * self.n_weights()
    }

    fn n_weights(&self) -> usize {
        self.weight_shape().into_iter().product()
    }

    /// `[n_blocks, outputs of a block, inputs of a block]`
    pub(crate) fn weight_shape(&self) -> [usize; 3] {
        self.check().unwrap_or_else(|e| panic!("BlockDiagonalLinearConfig: {e}"));
        let Self { d_input, d_output, n_blocks, bias: _ } = *self;
        [n_blocks, d_output.div_ceil(n_blocks), d_input.div_ceil(n_blocks)]
    }

    /// Draws weights uniformly in `+-1/sqrt(inputs of a block)` and the bias in `+-1/sqrt(d_output)`.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> BlockDiagonalLinear {
        let (weight, &Self { d_input, d_output, bias, .. }) = (self.weight_shape(), self);
        BlockDiagonalLinear {
            weight: uniform(weight, weight[2], device),
            bias: bias.then(|| uniform([d_output], d_output, device)),
            d_input,
            d_output,
            form: Form::for_device(device),
        }
    }
}

/// A block-diagonal linear layer: see [`BlockDiagonalLinearConfig`].
#[derive(Module, Debug)]
pub struct BlockDiagonalLinear {
    /// The blocks: `[n_blocks, outputs of a block, inputs of a block]`.
    pub weight: Param<Tensor<3>>,
    /// `[d_output]`
    pub bias: Option<Param<Tensor<1>>>,
    d_input: usize,
    d_output: usize,
    #[module(skip)]
    form: Form,
}

impl BlockDiagonalLinear {
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
        assert_eq!(got, d_input, "a block-diagonal layer of d_input = {d_input} got an input of width {got}");
        dims[D - 1] = self.d_output;
        let bias = self.bias.as_ref().map(Param::val);
        self.product(x.reshape([-1, d_input as i64]), bias).reshape(dims)
    }

    /// The equivalent dense matrix, `[d_output, d_input]`: the blocks applied to the identity.
    pub fn dense_weight(&self) -> Tensor<2> {
        self.product(Tensor::eye(self.d_input, &self.weight.val().device()), None).transpose()
    }

    /// A copy of the present weights that maps one row at a time, over plain slices.
    pub(crate) fn row_factors(&self) -> RowFactors {
        let bias = self.bias.as_ref().map(Param::val);
        RowFactors::new(vec![self.weight.val()], bias, [self.d_input, self.d_output])
    }

    /// `[rows, d_input]` to `[rows, d_output]`.
    fn product(&self, x: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
        let (weight, d_output) = (self.weight.val(), self.d_output);
        match (self.form, bias) {
            (Form::Fused, bias) => fused::product(x, weight, bias, d_output),
            (Form::Portable, None) => portable(x, weight, d_output),
            (Form::Portable, Some(bias)) => portable(x, weight, d_output) + bias.unsqueeze::<2>(),
        }
    }
}

/// The portable form, `[rows, d_input]` to `[rows, d_output]`: one matrix product per block, in one batch. A block's
/// share of a width that it does not fill is zero on the way in and dropped on the way out.
fn portable(x: Tensor<2>, weight: Tensor<3>, d_output: usize) -> Tensor<2> {
    let ([rows, _], [n_blocks, block_out, block_in]) = (x.dims(), weight.dims());
    let x = pad(x, n_blocks * block_in).reshape([rows, n_blocks, block_in]).swap_dims(0, 1);
    let y = x.matmul(weight.swap_dims(1, 2)); // [n_blocks, rows, block_out]
    y.swap_dims(0, 1).reshape([rows, n_blocks * block_out]).narrow(1, 0, d_output)
}
