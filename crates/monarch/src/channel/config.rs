//! Configs of channel mixers.

use burn::config::Config;
use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_mixer::Refusal;

use super::{Between, BlockDiagonalMlp, DenseMlp, Mlp, MonarchMlp};
use crate::block_diagonal::{narrow, zero};
use crate::{BlockDiagonalLinearConfig, MonarchLinearConfig};

/// Config of a [`DenseMlp`], the channel mixer of Transformers.
#[derive(Config, Debug)]
pub struct DenseMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width, after the gate.
    pub d_hidden: usize,
    /// Whether there is a gate between the layers, for which the first layer is twice as wide.
    #[config(default = false)]
    pub gated: bool,
}

/// Config of a [`DenseMlp`] around a SiLU gate and without biases, the channel mixer of LLaMA.
///
/// Shazeer 2020, <https://arxiv.org/abs/2002.05202>, section 2, FFN_SwiGLU; Touvron et al. 2023,
/// <https://arxiv.org/abs/2302.13971>. With two thirds of the hidden width it has as many weights as a plain MLP.
#[derive(Config, Debug)]
pub struct SwigluConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width, after the gate.
    pub d_hidden: usize,
}

/// Config of a [`BlockDiagonalMlp`], Monarch Mixer's channel mixer.
///
/// Fu et al. 2023, <https://arxiv.org/abs/2310.12109>, section 4. There is no permutation between the layers, so in the
/// gated form with 4 blocks, output block 0 reads input blocks 0 and 2, and output block 3 reads 1 and 3; in the plain
/// form each block reads only its own.
#[derive(Config, Debug)]
pub struct BlockDiagonalMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width, after the gate; M2-BERT has `4 * d_model`.
    pub d_hidden: usize,
    /// Blocks of both layers: 4 as in M2-BERT. Parameters fall in proportion.
    #[config(default = 4)]
    pub n_blocks: usize,
    /// Whether there is a gate between the layers, as in M2-BERT, for which the first layer is twice as wide.
    #[config(default = true)]
    pub gated: bool,
}

/// Config of a [`MonarchMlp`].
///
/// The MLP of Transformers with Monarch matrices of two factors in place of its dense ones: Dao et al. 2022,
/// <https://arxiv.org/abs/2204.00595>, section 4. Every output reads every input, unlike with block-diagonal matrices.
#[derive(Config, Debug)]
pub struct MonarchMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width, after the gate.
    pub d_hidden: usize,
    /// Blocks of the factors of both layers. `None` cuts each width near its square root, which costs least.
    #[config(default = "None")]
    pub n_blocks: Option<usize>,
    /// Whether there is a gate between the layers, for which the first layer is twice as wide.
    #[config(default = false)]
    pub gated: bool,
}

/// What all kinds do in the same way with their `layers` and what is `between` them.
macro_rules! two_layers {
    ($Config:ident, $Mlp:ident) => {
        impl $Config {
            /// Whether the layer can be built.
            ///
            /// # Errors
            /// The first of the [refusals](Self::refusals).
            pub fn check(&self) -> Result<(), Refusal> {
                Refusal::first(self.refusals())
            }

            /// # Panics
            /// If [`check`](Self::check) fails.
            pub fn init(&self, device: &Device) -> $Mlp {
                self.check().unwrap_or_else(|e| panic!("{}: {e}", stringify!($Config)));
                Mlp::new(self.layers().map(|layer| layer.init(device)), self.between(), device)
            }

            /// Number of parameters of both layers, including biases and padding.
            ///
            /// # Panics
            /// If [`check`](Self::check) fails.
            pub fn n_parameters(&self) -> usize {
                self.layers().iter().map(|layer| layer.n_parameters()).sum()
            }

            /// Floating point operations of both layers for one token: two for each weight. Biases and what is between the layers are not
            /// counted.
            ///
            /// # Panics
            /// If [`check`](Self::check) fails.
            pub fn flops(&self) -> usize {
                self.layers().iter().map(|layer| layer.flops()).sum()
            }
        }
    };
}

two_layers!(DenseMlpConfig, DenseMlp);
two_layers!(SwigluConfig, DenseMlp);
two_layers!(BlockDiagonalMlpConfig, BlockDiagonalMlp);
two_layers!(MonarchMlpConfig, MonarchMlp);

impl DenseMlpConfig {
    /// Everything that keeps the layer from being built: a size of 0.
    pub fn refusals(&self) -> Vec<Refusal> {
        narrow_widths(self.d_model, self.d_hidden, 1).collect()
    }

    pub(crate) fn between(&self) -> Between {
        Between::gelu(self.gated)
    }

    pub(crate) fn layers(&self) -> [LinearConfig; 2] {
        let Self { d_model, d_hidden, gated } = *self;
        [
            LinearConfig::new(d_model, self.between().expanded(d_hidden)).with_bias(!gated),
            LinearConfig::new(d_hidden, d_model),
        ]
    }
}

impl SwigluConfig {
    /// Everything that keeps the layer from being built: a size of 0.
    pub fn refusals(&self) -> Vec<Refusal> {
        narrow_widths(self.d_model, self.d_hidden, 1).collect()
    }

    pub(crate) fn between(&self) -> Between {
        Between::SiluGate
    }

    pub(crate) fn layers(&self) -> [LinearConfig; 2] {
        let Self { d_model, d_hidden } = *self;
        [(d_model, self.between().expanded(d_hidden)), (d_hidden, d_model)]
            .map(|(d_input, d_output)| LinearConfig::new(d_input, d_output).with_bias(false))
    }
}

impl BlockDiagonalMlpConfig {
    /// Everything that keeps the layer from being built: a size of 0, or more blocks than channels.
    pub fn refusals(&self) -> Vec<Refusal> {
        let no_blocks = Refusal::when(self.n_blocks == 0, &["n_blocks"], || {
            "n_blocks = 0 cuts monarch matrices near the square root of their width, which block_diagonal ones cannot be; \
             choose at least 1"
                .into()
        });
        no_blocks.into_iter().chain(narrow_widths(self.d_model, self.d_hidden, self.n_blocks)).collect()
    }

    /// `[n_blocks, outputs of a block, inputs of a block]` of both layers.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn weight_shapes(&self) -> [[usize; 3]; 2] {
        self.layers().map(|layer| layer.weight_shape())
    }

    pub(crate) fn between(&self) -> Between {
        Between::gelu(self.gated)
    }

    pub(crate) fn layers(&self) -> [BlockDiagonalLinearConfig; 2] {
        let Self { d_model, d_hidden, n_blocks, gated } = *self;
        [
            BlockDiagonalLinearConfig::new(d_model, self.between().expanded(d_hidden), n_blocks)
                .with_bias(!gated),
            BlockDiagonalLinearConfig::new(d_hidden, d_model, n_blocks),
        ]
    }
}

impl MonarchMlpConfig {
    /// Everything that keeps the layer from being built: a size of 0, or more blocks than channels.
    pub fn refusals(&self) -> Vec<Refusal> {
        let n_blocks = self.n_blocks.unwrap_or(1);
        let no_blocks = zero("n_blocks", n_blocks);
        no_blocks.into_iter().chain(narrow_widths(self.d_model, self.d_hidden, n_blocks)).collect()
    }

    pub(crate) fn between(&self) -> Between {
        Between::gelu(self.gated)
    }

    pub(crate) fn layers(&self) -> [MonarchLinearConfig; 2] {
        let Self { d_model, d_hidden, n_blocks, gated } = *self;
        [
            MonarchLinearConfig::new(d_model, self.between().expanded(d_hidden)).with_bias(!gated),
            MonarchLinearConfig::new(d_hidden, d_model),
        ]
        .map(|layer| layer.with_n_blocks(n_blocks))
    }
}

/// What burn's config does not count.
trait Counted {
    fn n_parameters(&self) -> usize;
    fn flops(&self) -> usize;
}

impl Counted for LinearConfig {
    fn n_parameters(&self) -> usize {
        self.d_input * self.d_output + if self.bias { self.d_output } else { 0 }
    }

    fn flops(&self) -> usize {
        2 * self.d_input * self.d_output
    }
}

/// Refuses the widths that cannot be cut into `n_blocks` blocks.
fn narrow_widths(d_model: usize, d_hidden: usize, n_blocks: usize) -> impl Iterator<Item = Refusal> {
    [("d_model", d_model), ("d_hidden", d_hidden)]
        .into_iter()
        .filter_map(move |(name, width)| narrow(name, width, n_blocks))
}
