//! What a model is made of.

use burn::module::Module;
use burn::nn::{EmbeddingConfig, LinearConfig};
use burn::tensor::Device;
use subquad_backend::Form;

use crate::groups::named_parameters;
use crate::model::EncoderKind;
use crate::{BlockConfig, ChannelMixerConfig, MixerConfig, Norm, SequenceModel};

/// Sizes of a [`SequenceModel`].
#[derive(Debug, Clone)]
pub struct ModelConfig {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// The sequence mixer of every block.
    pub mixer: MixerConfig,
    /// The channel mixer of every block.
    pub channel_mixer: ChannelMixerConfig,
    /// What the input is.
    pub encoder: Encoder,
    /// What the output is.
    pub head: Head,
}

/// How inputs become vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// Vectors of `features` reals, by a linear map.
    Linear {
        /// Reals a token.
        features: usize,
    },
    /// Tokens `0..vocab`, by a table, N(0, 1) at first.
    Embedding {
        /// Number of tokens.
        vocab: usize,
    },
}

/// How vectors become logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// One class a sequence: the mean over tokens, then a linear map.
    Pool {
        /// Number of classes.
        classes: usize,
    },
    /// One class a token: a linear map.
    Token {
        /// Number of classes.
        classes: usize,
    },
}

impl Head {
    fn classes(self) -> usize {
        match self {
            Self::Pool { classes } | Self::Token { classes } => classes,
        }
    }
}

impl ModelConfig {
    /// Whether the model can be built.
    ///
    /// # Errors
    /// If a size is 0 or a layer refuses its own.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.d_model == 0 || self.n_layers == 0 {
            return Err(ModelError::Empty { d_model: self.d_model, n_layers: self.n_layers });
        }
        self.mixer.check()?;
        self.channel_mixer.check()
    }

    /// A model with fresh weights, drawn from burn's generator of the device.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> SequenceModel {
        self.check().unwrap_or_else(|e| panic!("ModelConfig: {e}"));
        let block =
            BlockConfig { d_model: self.d_model, mixer: self.mixer.clone(), channel_mixer: self.channel_mixer.clone() };
        SequenceModel {
            encoder: self.init_encoder(device),
            blocks: (0..self.n_layers).map(|_| block.init(device)).collect(),
            norm: Norm::new(self.d_model, device),
            head: LinearConfig::new(self.d_model, self.head.classes()).init(device),
            pooled: matches!(self.head, Head::Pool { .. }),
        }
    }

    /// The model of one seed: the same weights on every device. Seeds burn's generator, which belongs to the process.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init_seeded(&self, seed: u64, device: &Device) -> SequenceModel {
        let cpu = Device::flex();
        cpu.seed(seed);
        let model = self.init(&cpu);
        // burn draws a parameter when it is first read: read all in field order before anything else does.
        named_parameters(&model);
        model.fork(device).with_form(Form::for_device(device))
    }

    fn init_encoder(&self, device: &Device) -> EncoderKind {
        match self.encoder {
            Encoder::Linear { features } => {
                EncoderKind::Linear(LinearConfig::new(features, self.d_model).init(device))
            }
            Encoder::Embedding { vocab } => {
                EncoderKind::Embedding(EmbeddingConfig::new(vocab, self.d_model).init(device))
            }
        }
    }
}

/// Why a model cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// There is nothing to build.
    #[error("a model needs d_model >= 1 and n_layers >= 1, got d_model = {d_model}, n_layers = {n_layers}")]
    Empty {
        /// Width.
        d_model: usize,
        /// Depth.
        n_layers: usize,
    },
    /// The sequence mixer refuses its sizes.
    #[error("sequence mixer: {0}")]
    Mixer(String),
    /// The channel mixer refuses its sizes.
    #[error("channel mixer: {0}")]
    ChannelMixer(String),
}
