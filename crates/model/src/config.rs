//! What a model is made of.

use burn::module::Module;
use burn::nn::{EmbeddingConfig, LinearConfig};
use burn::tensor::Device;
use subquad_backend::Form;

use crate::additions::Additions;
use crate::groups::named_parameters;
use crate::head::{Decoder, Transform};
use crate::init::normal;
use crate::model::EncoderKind;
use crate::{
    Block, BlockOrder, ChannelMixerConfig, HeadTransform, Init, MixerConfig, Norm, NormKind, SequenceModel,
    Structure,
};

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
    /// What every norm is; where norms stand, `structure` says.
    pub norm: NormKind,
    /// Whether every mixer's output is added to its input. False: it takes its place.
    pub residual: bool,
    /// What the input is.
    pub encoder: Encoder,
    /// What the output is.
    pub head: Head,
    /// What else published models differ in.
    pub structure: Structure,
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
    /// Once a sequence: a linear map of the first token, which BERT puts there for it.
    First {
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
    /// Number of classes or reals.
    pub fn outputs(self) -> usize {
        match self {
            Self::Pool { outputs }
            | Self::First { outputs }
            | Self::Last { outputs }
            | Self::Token { outputs } => outputs,
        }
    }
}

impl ModelConfig {
    /// Whether the model can be built.
    ///
    /// # Errors
    /// If a size is 0, a mixer refuses its own or is of another width than the model, or the structure asks for what
    /// encoder and head do not have.
    pub fn check(&self) -> Result<(), ModelError> {
        let sizes = [
            ("d_model", self.d_model),
            ("n_layers", self.n_layers),
            self.encoder.size(),
            ("outputs", self.head.outputs()),
            ("positions", self.structure.positions.unwrap_or(1)),
        ];
        if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(ModelError::ZeroSize { what });
        }
        self.mixer.check()?;
        self.channel_mixer.check()?;
        self.check_width("sequence mixer", self.mixer.d_model())?;
        self.check_width("channel mixer", self.channel_mixer.d_model().unwrap_or(self.d_model))?;
        self.check_structure()
    }

    fn check_structure(&self) -> Result<(), ModelError> {
        let Structure { norm_eps, token_types, tied_head, padding, .. } = self.structure;
        if !(norm_eps > 0.0 && norm_eps.is_finite()) {
            return Err(ModelError::NormEps { norm_eps: format!("{norm_eps:?}") });
        }
        self.check_last_norm()?;
        match (self.encoder, self.head.outputs()) {
            (Encoder::Linear { .. }, _) if token_types > 0 => Err(ModelError::TypesOfReals),
            (Encoder::Linear { .. }, _) if tied_head => Err(ModelError::TiedToReals),
            (Encoder::Linear { .. }, _) if padding.is_some() => Err(ModelError::PaddingOfReals),
            (Encoder::Embedding { vocab }, _) if padding.is_some_and(|padding| padding >= vocab) => {
                Err(ModelError::Padding { padding: padding.unwrap_or_default(), vocab })
            }
            (Encoder::Embedding { vocab }, outputs) if tied_head && vocab != outputs => {
                Err(ModelError::TiedHead { vocab, outputs })
            }
            (Encoder::Linear { .. } | Encoder::Embedding { .. }, _) => Ok(()),
        }
    }

    /// Whether leaving the last norm out leaves anything out.
    fn check_last_norm(&self) -> Result<(), ModelError> {
        let Structure { order, last_norm, .. } = self.structure;
        match (last_norm, order) {
            (true, _) | (false, BlockOrder::PreNorm) => Ok(()),
            (false, BlockOrder::PostNorm | BlockOrder::M2Bert) => Err(ModelError::NoLastNorm { order }),
        }
    }

    fn check_width(&self, what: &'static str, got: usize) -> Result<(), ModelError> {
        match got == self.d_model {
            true => Ok(()),
            false => Err(ModelError::Width { what, got, wanted: self.d_model }),
        }
    }

    /// How many numbers the model learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let (d_model, structure) = (self.d_model, self.structure);
        let inputs = match self.encoder {
            Encoder::Linear { features } => (features + 1) * d_model,
            Encoder::Embedding { vocab } => vocab * d_model,
        };
        let tables = (structure.positions.unwrap_or(0) + structure.token_types) * d_model;
        inputs
            + tables
            + self.n_layers * self.n_block_parameters()
            + self.n_norms()
            + self.n_head_parameters()
    }

    fn n_block_parameters(&self) -> usize {
        let mixes_channels = !matches!(self.channel_mixer, ChannelMixerConfig::None);
        let norms = usize::from(self.structure.order.norms_mixer()) + usize::from(mixes_channels);
        let norms = norms * self.norm.n_parameters(self.d_model);
        norms + self.mixer.n_parameters() + self.channel_mixer.n_parameters()
    }

    /// Parameters of the norms outside blocks.
    fn n_norms(&self) -> usize {
        let norms = usize::from(self.structure.has_last_norm()) + usize::from(self.structure.embedding_norm);
        norms * self.norm.n_parameters(self.d_model)
    }

    fn n_head_parameters(&self) -> usize {
        let (d_model, outputs, Structure { head_transform, tied_head, .. }) =
            (self.d_model, self.head.outputs(), self.structure);
        let dense = (d_model + 1) * d_model;
        let transform = match head_transform {
            HeadTransform::None => 0,
            HeadTransform::GeluNorm => dense + Norm::n_parameters(d_model),
            HeadTransform::Pooler => dense,
        };
        transform + outputs + if tied_head { 0 } else { d_model * outputs }
    }

    /// A model with fresh weights, drawn from burn's generator of the device.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> SequenceModel {
        self.check().unwrap_or_else(|e| panic!("ModelConfig: {e}"));
        let model = self.init_layers(device);
        match self.structure.init {
            Init::Layers => model,
            Init::Normal => normal(model),
        }
    }

    fn init_layers(&self, device: &Device) -> SequenceModel {
        let Structure { norm_eps, padding, dropout, .. } = self.structure;
        let Decoder { head, tied_bias } = Decoder::new(self, device);
        SequenceModel {
            encoder: self.init_encoder(device),
            additions: Additions::new(self, device),
            blocks: (0..self.n_layers).map(|_| Block::new(self, device)).collect(),
            norm: self.last_norm(norm_eps, device),
            head_transform: Transform::new(self, device),
            head,
            tied_bias,
            answers: self.head,
            padding,
            sites: dropout,
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

    fn last_norm(&self, eps: f64, device: &Device) -> Option<Norm> {
        self.structure.has_last_norm().then(|| self.norm.init(self.d_model, eps, device)).flatten()
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
    /// What norms add to the variance is no positive number.
    #[error("norm_eps = {norm_eps}, but it must be a finite number greater than 0")]
    NormEps {
        /// The number asked for.
        norm_eps: String,
    },
    /// A norm is to be left out that is not there.
    #[error(
        "last_norm = false leaves the norm out that ends a PreNorm model, but blocks of {order:?} end with norms of their \
        own; choose last_norm = true"
    )]
    NoLastNorm {
        /// The order asked for.
        order: BlockOrder,
    },
    /// Reals have no token types.
    #[error("token types belong to tokens, but the encoder reads reals; choose token_types = 0")]
    TypesOfReals,
    /// Reals have no table to tie a head to.
    #[error("a tied head shares the table of tokens, but the encoder reads reals; choose tied_head = false")]
    TiedToReals,
    /// Reals have no padding token.
    #[error(
        "a padding token belongs to a table of tokens, but the encoder reads reals; choose padding = None"
    )]
    PaddingOfReals,
    /// The padding token is not among the tokens.
    #[error("padding = {padding}, but the tokens are 0 to {}", vocab.saturating_sub(1))]
    Padding {
        /// The token asked for.
        padding: usize,
        /// Number of tokens.
        vocab: usize,
    },
    /// The table has not one row an output.
    #[error(
        "a tied head has one output a token, but there are {vocab} tokens and {outputs} outputs; choose tied_head = false"
    )]
    TiedHead {
        /// Tokens.
        vocab: usize,
        /// Outputs.
        outputs: usize,
    },
    /// The sequence mixer refuses its sizes.
    #[error("sequence mixer: {0}")]
    Mixer(String),
    /// The channel mixer refuses its sizes.
    #[error("channel mixer: {0}")]
    ChannelMixer(String),
}
