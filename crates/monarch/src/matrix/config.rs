//! Config of a Monarch linear layer.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::Device;
use subquad_backend::Form;

use super::init::{MonarchInit, factors, first_bias};
use super::shape::{MonarchShape, near_root};
use super::{MonarchLinear, MonarchLinearConfigError};

/// Most factors of a matrix: a width of 2^32 cut into pairs.
const MOST_FACTORS: usize = 32;

/// Config of a [`MonarchLinear`].
#[derive(Config, Debug)]
pub struct MonarchLinearConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Blocks of both factors: the input is seen as `[n_blocks, ..]`, the output as `[.., n_blocks]`. `None` cuts both widths
    /// near their root.
    #[config(default = "None")]
    pub n_blocks: Option<usize>,
    /// The input as a row-major array of `order` axes that hold at least `d_input` numbers, instead of `n_blocks`.
    #[config(default = "None")]
    pub input_shape: Option<Vec<usize>>,
    /// The output, likewise.
    #[config(default = "None")]
    pub output_shape: Option<Vec<usize>>,
    /// Factors: at least 2. More make long layers cheaper: about `order * n^(1 + 1/order)` parameters.
    #[config(default = 2)]
    pub order: usize,
    /// Monarch matrices that are summed; parameters and time grow with it. With two factors, the rank of the slices, so at
    /// most the smaller side of a slice.
    #[config(default = 1)]
    pub rank: usize,
    /// Whether the first factor reads the input's slowest axis instead of its fastest, as the DFT does.
    #[config(default = false)]
    pub pre_permute: bool,
    /// Whether a bias is added.
    #[config(default = true)]
    pub bias: bool,
    /// First values.
    #[config(default = "MonarchInit::Dense")]
    pub init: MonarchInit,
}

impl MonarchLinearConfig {
    /// # Errors
    /// If a size is 0, the shapes do not cover the widths, or the rank or the identity does not fit them.
    pub fn check(&self) -> Result<(), MonarchLinearConfigError> {
        self.check_sizes()?;
        self.check_blocks()?;
        self.check_shape("input_shape", &self.input_shape, "d_input", self.d_input)?;
        self.check_shape("output_shape", &self.output_shape, "d_output", self.d_output)?;
        self.check_fit()
    }

    fn check_sizes(&self) -> Result<(), MonarchLinearConfigError> {
        let Self { d_input, d_output, order, rank, .. } = *self;
        let sizes = [
            ("d_input", d_input),
            ("d_output", d_output),
            ("n_blocks", self.n_blocks.unwrap_or(1)),
            ("rank", rank),
        ];
        match sizes.into_iter().find(|(_, size)| *size == 0) {
            Some((what, _)) => Err(MonarchLinearConfigError::ZeroSize { what }),
            None if !(2..=MOST_FACTORS).contains(&order) => Err(MonarchLinearConfigError::Order { order }),
            None => Ok(()),
        }
    }

    fn check_blocks(&self) -> Result<(), MonarchLinearConfigError> {
        let Some(n_blocks) = self.n_blocks else { return Ok(()) };
        if self.order > 2 {
            return Err(MonarchLinearConfigError::BlocksOfMore { order: self.order });
        }
        for (what, shape) in [("input_shape", &self.input_shape), ("output_shape", &self.output_shape)] {
            if shape.is_some() {
                return Err(MonarchLinearConfigError::CutTwice { what });
            }
        }
        for (what, width) in [("d_input", self.d_input), ("d_output", self.d_output)] {
            if n_blocks > width {
                return Err(MonarchLinearConfigError::TooManyBlocks { what, width, n_blocks });
            }
        }
        Ok(())
    }

    fn check_shape(
        &self,
        what: &'static str,
        shape: &Option<Vec<usize>>,
        width_name: &'static str,
        width: usize,
    ) -> Result<(), MonarchLinearConfigError> {
        let (Some(shape), order) = (shape.clone(), self.order) else { return Ok(()) };
        if shape.len() != order {
            return Err(MonarchLinearConfigError::Axes { what, shape, order });
        }
        if shape.contains(&0) {
            return Err(MonarchLinearConfigError::ZeroSize { what });
        }
        match shape.iter().try_fold(1usize, |product, axis| product.checked_mul(*axis)) {
            None => Err(MonarchLinearConfigError::TooLarge { what, shape }),
            Some(product) if product < width => {
                Err(MonarchLinearConfigError::TooSmall { what, shape, width_name, width })
            }
            Some(_) => Ok(()),
        }
    }

    fn check_fit(&self) -> Result<(), MonarchLinearConfigError> {
        let (MonarchShape { input, output, .. }, rank) = (self.shape(), self.rank);
        let (rows, columns) = (output[0], input[self.order - 1]);
        if self.order == 2 && rank > rows.min(columns) {
            return Err(MonarchLinearConfigError::Rank { rank, rows, columns });
        }
        if self.init == MonarchInit::Identity && (input != output || self.pre_permute) {
            return Err(MonarchLinearConfigError::Identity { input, output });
        }
        Ok(())
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

    /// Parameters of the layer, the bias included. Allocates nothing on a device.
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

    /// Of a config without contradictions.
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
