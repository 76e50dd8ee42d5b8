//! A channel mixer of Monarch matrices of two factors.

use burn::config::Config;
use burn::tensor::Device;
use subquad_mixer::Refusal;

use super::{Mlp, MonarchMlp, expanded, narrow_widths};
use crate::MonarchLinearConfig;
use crate::block_diagonal::zero;

/// Config of a [`MonarchMlp`].
///
/// The MLP of Transformers with Monarch matrices in place of its dense ones: Dao et al. 2022,
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

impl MonarchMlpConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a size of 0, or more blocks than channels.
    pub fn refusals(&self) -> Vec<Refusal> {
        let n_blocks = self.n_blocks.unwrap_or(1);
        let no_blocks = zero("n_blocks", n_blocks);
        no_blocks.into_iter().chain(narrow_widths(self.d_model, self.d_hidden, n_blocks)).collect()
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> MonarchMlp {
        self.check().unwrap_or_else(|e| panic!("MonarchMlpConfig: {e}"));
        Mlp::new(self.layers().map(|layer| layer.init(device)), self.gated, device)
    }

    /// Number of parameters of both layers, including biases and padding.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn n_parameters(&self) -> usize {
        self.layers().iter().map(MonarchLinearConfig::n_parameters).sum()
    }

    /// Floating point operations of both layers for one token: two for each weight. Biases, GELU and gate are not counted.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn flops(&self) -> usize {
        self.layers().iter().map(MonarchLinearConfig::flops).sum()
    }

    fn layers(&self) -> [MonarchLinearConfig; 2] {
        let Self { d_model, d_hidden, n_blocks, gated } = *self;
        [
            MonarchLinearConfig::new(d_model, expanded(d_hidden, gated)).with_bias(!gated),
            MonarchLinearConfig::new(d_hidden, d_model),
        ]
        .map(|layer| layer.with_n_blocks(n_blocks))
    }
}
