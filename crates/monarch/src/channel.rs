//! Channel mixers: Monarch Mixer's block-diagonal one and the dense one it replaces.
//!
//! ```text
//! block-diagonal   [a, b] = D1 x;  y = D2 (gelu(a) * b) + bias       D1, D2 block-diagonal: `block_diagonal`
//! dense            y = W2 gelu(W1 x + b1) + b2
//! ```
//! The norm and the residual around a channel mixer belong to the model. `gelu` is exact. Fu et al. 2023,
//! <https://arxiv.org/abs/2310.12109>, section 4; no permutation stands between D1 and D2, so with 4 blocks, output block 0
//! reads input blocks 0 and 2, and output block 3 reads 1 and 3.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, linear::linear, pointwise};
use subquad_mixer::ChannelMixer;

use crate::{BlockDiagonalLinear, BlockDiagonalLinearConfig, BlockDiagonalLinearConfigError};

/// Config of a [`BlockDiagonalMlp`].
#[derive(Config, Debug)]
pub struct BlockDiagonalMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Width after the gate; M2-BERT has `4 * d_model`.
    pub d_hidden: usize,
    /// Blocks of both layers, as in M2-BERT. Parameters fall in proportion.
    #[config(default = 4)]
    pub n_blocks: usize,
}

impl BlockDiagonalMlpConfig {
    /// # Errors
    /// If a size is 0, or there are more blocks than channels.
    pub fn check(&self) -> Result<(), BlockDiagonalLinearConfigError> {
        self.expand().check()?;
        self.reduce().check()
    }

    /// How many numbers the channel mixer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        self.expand().n_parameters() + self.reduce().n_parameters()
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> BlockDiagonalMlp {
        self.check().unwrap_or_else(|e| panic!("BlockDiagonalMlpConfig: {e}"));
        BlockDiagonalMlp {
            expand: self.expand().init(device),
            reduce: self.reduce().init(device),
            form: Form::for_device(device),
        }
    }

    /// To both halves of the gate.
    pub(crate) fn expand(&self) -> BlockDiagonalLinearConfig {
        BlockDiagonalLinearConfig::new(self.d_model, 2 * self.d_hidden, self.n_blocks).with_bias(false)
    }

    pub(crate) fn reduce(&self) -> BlockDiagonalLinearConfig {
        BlockDiagonalLinearConfig::new(self.d_hidden, self.d_model, self.n_blocks)
    }
}

/// Two block-diagonal layers around a gate: see [`BlockDiagonalMlpConfig`].
#[derive(Module, Debug)]
pub struct BlockDiagonalMlp {
    pub(crate) expand: BlockDiagonalLinear,
    pub(crate) reduce: BlockDiagonalLinear,
    #[module(skip)]
    pub(crate) form: Form,
}

impl BlockDiagonalMlp {
    /// The same layer in another form.
    pub fn with_form(self, form: Form) -> Self {
        Self { expand: self.expand.with_form(form), reduce: self.reduce.with_form(form), form }
    }

    /// The form of its operations.
    pub fn form(&self) -> Form {
        self.form
    }
}

impl ChannelMixer for BlockDiagonalMlp {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.reduce.forward(pointwise::geglu(self.expand.forward(x), self.form))
    }
}

/// Config of a [`DenseMlp`].
#[derive(Config, Debug)]
pub struct DenseMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Width in between.
    pub d_hidden: usize,
}

/// Why a [`DenseMlpConfig`] is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenseMlpConfigError {
    /// A size is 0.
    #[error("{what} = 0, but a channel mixer needs at least 1")]
    ZeroSize {
        /// The size.
        what: &'static str,
    },
}

impl DenseMlpConfig {
    /// # Errors
    /// If a size is 0.
    pub fn check(&self) -> Result<(), DenseMlpConfigError> {
        match [("d_model", self.d_model), ("d_hidden", self.d_hidden)]
            .into_iter()
            .find(|(_, size)| *size == 0)
        {
            Some((what, _)) => Err(DenseMlpConfigError::ZeroSize { what }),
            None => Ok(()),
        }
    }

    /// How many numbers the channel mixer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        (self.d_model + 1) * self.d_hidden + (self.d_hidden + 1) * self.d_model
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> DenseMlp {
        self.check().unwrap_or_else(|e| panic!("DenseMlpConfig: {e}"));
        DenseMlp {
            expand: LinearConfig::new(self.d_model, self.d_hidden).init(device),
            reduce: LinearConfig::new(self.d_hidden, self.d_model).init(device),
            form: Form::for_device(device),
        }
    }
}

/// Two dense layers around a GELU, as in Transformers: see [`DenseMlpConfig`].
#[derive(Module, Debug)]
pub struct DenseMlp {
    expand: Linear,
    reduce: Linear,
    #[module(skip)]
    form: Form,
}

impl DenseMlp {
    /// The same layer in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// The form of its operations.
    pub fn form(&self) -> Form {
        self.form
    }
}

impl ChannelMixer for DenseMlp {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = pointwise::gelu(linear(&self.expand, x, self.form), self.form);
        linear(&self.reduce, hidden, self.form)
    }
}
