//! Config of a Monarch linear layer.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::Refusal;

use super::MonarchLinear;
use super::init::{MonarchInit, factors, first_bias};
use super::shape::{MonarchShape, near_root};
use crate::block_diagonal::{narrow, zero};

/// The most factors of a matrix: a width of 2^32 cut into axes of 2.
const MOST_FACTORS: usize = 32;

/// Config of a [`MonarchLinear`].
#[derive(Config, Debug)]
pub struct MonarchLinearConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Blocks of both factors: the input is seen as `[n_blocks, ..]`, the output as `[.., n_blocks]`. `None` cuts both
    /// widths near their root.
    #[config(default = "None")]
    pub n_blocks: Option<usize>,
    /// The input as a row-major array of `order` axes that hold at least `d_input` numbers, instead of `n_blocks`.
    #[config(default = "None")]
    pub input_shape: Option<Vec<usize>>,
    /// The same for the output.
    #[config(default = "None")]
    pub output_shape: Option<Vec<usize>>,
    /// Number of factors, at least 2. More make long layers cheaper: about `order * n^(1 + 1/order)` parameters.
    #[config(default = 2)]
    pub order: usize,
    /// Number of Monarch matrices that are summed; parameters and time grow with it. With two factors it is the rank of
    /// the slices, so at most the smaller side of a slice.
    #[config(default = 1)]
    pub rank: usize,
    /// Whether the first factor reads the input's slowest axis instead of its fastest, as the DFT does.
    #[config(default = false)]
    pub pre_permute: bool,
    /// Whether a bias is added.
    #[config(default = true)]
    pub bias: bool,
    /// The initial values.
    #[config(default = "MonarchInit::Dense")]
    pub init: MonarchInit,
}

impl MonarchLinearConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a size of 0, shapes that do not cover the widths, two ways to cut the
    /// layer, or a rank or an identity that does not fit the shapes. What depends on sizes or shapes is checked only
    /// once those are right.
    pub fn refusals(&self) -> Vec<Refusal> {
        let stages = [Self::wrong_sizes, Self::wrong_cuts, Self::wrong_fit].into_iter();
        stages.map(|stage| stage(self)).find(|refused| !refused.is_empty()).unwrap_or_default()
    }

    fn wrong_sizes(&self) -> Vec<Refusal> {
        let (n_blocks, order) = (self.n_blocks.unwrap_or(1), self.order);
        let factors = Refusal::when(!(2..=MOST_FACTORS).contains(&order), &["order"], || {
            format!("order must be an integer from 2 to {MOST_FACTORS}, got {order}")
        });
        let widths = [narrow("d_input", self.d_input, n_blocks), narrow("d_output", self.d_output, n_blocks)];
        let sizes = [zero("n_blocks", n_blocks), zero("rank", self.rank), factors];
        widths.into_iter().chain(sizes).flatten().collect()
    }

    fn wrong_cuts(&self) -> Vec<Refusal> {
        let order = self.order;
        let blocks_of_more = Refusal::when(
            self.n_blocks.is_some() && order > 2,
            &["n_blocks", "order"],
            || {
                format!(
                    "n_blocks cuts a layer of two factors; with order = {order} give input_shape and output_shape instead"
                )
            },
        );
        let shapes = [
            self.wrong_shape("input_shape", &self.input_shape, "d_input", self.d_input),
            self.wrong_shape("output_shape", &self.output_shape, "d_output", self.d_output),
        ];
        blocks_of_more.into_iter().chain(shapes.into_iter().flatten()).collect()
    }

    fn wrong_shape(
        &self,
        what: &'static str,
        shape: &Option<Vec<usize>>,
        width_name: &'static str,
        width: usize,
    ) -> Option<Refusal> {
        let (shape, order) = (shape.as_ref()?, self.order);
        if self.n_blocks.is_some() {
            let reason = format!("n_blocks and {what} both cut the layer; leave one of them out");
            return Some(Refusal::new(reason, &["n_blocks", what]));
        }
        let wrong = |fields: &[&'static str], reason: String| {
            Some(Refusal::new(format!("{what} = {shape:?} {reason}"), fields))
        };
        match shape.iter().try_fold(1usize, |product, axis| product.checked_mul(*axis)) {
            _ if shape.len() != order => wrong(
                &[what, "order"],
                format!("has {} axes, but order = {order} needs {order}", shape.len()),
            ),
            None => wrong(&[what], "holds more numbers than can be counted; choose smaller axes".into()),
            Some(n) if n < width => wrong(
                &[what, width_name],
                format!("holds {n} numbers, fewer than {width_name} = {width}; choose larger axes"),
            ),
            Some(_) => None,
        }
    }

    fn wrong_fit(&self) -> Vec<Refusal> {
        let (MonarchShape { input, output, .. }, rank) = (self.shape(), self.rank);
        let (rows, columns) = (output[0], input[self.order - 1]);
        let most = rows.min(columns);
        let high_rank = Refusal::when(self.order == 2 && rank > most, &["rank"], || {
            format!("rank = {rank}, but slices of {rows} x {columns} have at most rank {most}; lower it")
        });
        let is_uneven = self.init == MonarchInit::Identity && (input != output || self.pre_permute);
        let no_identity = Refusal::when(
            is_uneven,
            &["init", "input_shape", "output_shape", "pre_permute"],
            || {
                format!(
                    "the identity needs input and output cut alike and no pre_permute, but they are {input:?} and {output:?}; \
                 give equal input_shape and output_shape"
                )
            },
        );
        [high_rank, no_identity].into_iter().flatten().collect()
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> MonarchLinear {
        self.check().unwrap_or_else(|e| panic!("MonarchLinearConfig: {e}"));
        let Self { d_input, d_output, bias, init, .. } = *self;
        let shape = self.shape();
        MonarchLinear {
            factors: factors(&shape, init, d_input, device).into_iter().map(Param::from_tensor).collect(),
            bias: bias.then(|| Param::from_tensor(first_bias(init, d_input, d_output, device))),
            d_input,
            d_output,
            shape,
            form: Form::for_device(device),
        }
    }

    /// Number of parameters of the layer, including the bias. Allocates nothing on a device.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn n_parameters(&self) -> usize {
        self.check().unwrap_or_else(|e| panic!("MonarchLinearConfig: {e}"));
        self.shape().n_weights() + if self.bias { self.d_output } else { 0 }
    }

    /// Floating point operations for one row: two for each weight, as for a dense layer; the bias is not counted.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn flops(&self) -> usize {
        self.check().unwrap_or_else(|e| panic!("MonarchLinearConfig: {e}"));
        2 * self.shape().n_weights()
    }

    /// The shape of a config without contradictions.
    pub(crate) fn shape(&self) -> MonarchShape {
        let Self { d_input, d_output, order, rank, pre_permute, .. } = *self;
        let blocks = |cut: fn(usize, usize) -> Vec<usize>, width: usize| self.n_blocks.map(|n| cut(n, width));
        let input =
            self.input_shape.clone().or_else(|| blocks(|n, width| vec![n, width.div_ceil(n)], d_input));
        let output =
            self.output_shape.clone().or_else(|| blocks(|n, width| vec![width.div_ceil(n), n], d_output));
        let input = input.unwrap_or_else(|| near_root(d_input, order));
        let output = output.unwrap_or_else(|| near_root(d_output, order));
        MonarchShape::new(input, output, rank, pre_permute)
    }
}
