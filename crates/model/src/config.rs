//! What a model is made of.

use burn::module::Module;
use burn::nn::{EmbeddingConfig, LinearConfig};
use burn::tensor::Device;
use subquad_backend::Form;

use crate::groups::named_parameters;
use crate::model::EncoderKind;
use crate::{Block, ChannelMixerConfig, MixerConfig, NormKind, SequenceModel};

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
    /// What stands in front of every mixer and of the head.
    pub norm: NormKind,
    /// Whether every mixer's output is added to its input. False: it takes its place.
    pub residual: bool,
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

/// How vectors become outputs: logits of classes, or real numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Once a sequence: the mean over tokens, then a linear map.
    Pool {
        /// Number of classes or reals.
        outputs: usize,
    },
    /// Once a sequence: a linear map of the last token.
    Last {
        /// Number of classes or reals.
        outputs: usize,
    },
    /// Once a token: a linear map.
    Token {
        /// Number of classes or reals.
        outputs: usize,
    },
}

impl Encoder {
    fn size(self) -> (&'static str, usize) {
        match self {
            Self::Linear { features } => ("features", features),
            Self::Embedding { vocab } => ("vocab", vocab),
        }
    }
}

impl Head {
    fn outputs(self) -> usize {
        match self {
            Self::Pool { outputs } | Self::Last { outputs } | Self::Token { outputs } => outputs,
        }
    }
}

impl ModelConfig {
    /// Whether the model can be built.
    ///
    /// # Errors
    /// If a size is 0, a mixer refuses its own, or one is of another width than the model.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("d_model", self.d_model),
            ("n_layers", self.n_layers),
            self.encoder.size(),
            ("outputs", self.head.outputs()),
        ];
        if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ModelError::ZeroSize { what });
        }
        self.mixer.check()?;
        self.channel_mixer.check()?;
        self.check_width("sequence mixer", self.mixer.d_model())?;
        self.check_width("channel mixer", self.channel_mixer.d_model().unwrap_or(self.d_model))
    }

    fn check_width(&self, what: &'static str, got: usize) -> Result<(), ModelError> {
        match got == self.d_model {
            true => Ok(()),
            false => Err(ModelError::Width { what, got, wanted: self.d_model }),
        }
    }

    /// A model with fresh weights, drawn from burn's generator of the device.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> SequenceModel {
        self.check().unwrap_or_else(|e| panic!("ModelConfig: {e}"));
        SequenceModel {
            encoder: self.init_encoder(device),
            blocks: (0..self.n_layers).map(|_| Block::new(self, device)).collect(),
            norm: self.norm.init(self.d_model, device),
            head: LinearConfig::new(self.d_model, self.head.outputs()).init(device),
            answers: self.head,
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
    /// A size is 0.
    #[error("{what} = 0, but a model needs at least 1")]
    ZeroSize {
        /// The size.
        what: &'static str,
    },
    /// A mixer was made for another model.
    #[error("the {what} has d_model = {got}, but the model has d_model = {wanted}")]
    Width {
        /// Which mixer.
        what: &'static str,
        /// Its width.
        got: usize,
        /// The model's width.
        wanted: usize,
    },
    /// The sequence mixer refuses its sizes.
    #[error("sequence mixer: {0}")]
    Mixer(String),
    /// The channel mixer refuses its sizes.
    #[error("channel mixer: {0}")]
    ChannelMixer(String),
}
