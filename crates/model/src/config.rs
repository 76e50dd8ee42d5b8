//! What a model consists of.

use burn::module::Module;
use burn::nn::{EmbeddingConfig, LinearConfig};
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::{Refusal, SequenceMixerConfig};
use subquad_options::Pattern;

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
pub struct ModelConfig<C = MixerConfig> {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// The sequence mixers, which alternate over the blocks; `config.into()` for the same one in every block.
    pub mixer: Pattern<C>,
    /// The channel mixers, which alternate over the blocks.
    pub channel_mixer: Pattern<ChannelMixerConfig>,
    /// The kind of every norm; `structure` says where the norms are.
    pub norm: NormKind,
    /// Whether every mixer's output is added to its input. If false, it replaces the input.
    pub residual: bool,
    /// What the input is.
    pub encoder: Encoder,
    /// What the output is.
    pub head: Head,
    /// Other ways in which published models differ.
    pub structure: Structure,
}

/// How inputs become vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// Vectors of `features` reals, mapped linearly.
    Linear {
        /// Reals per token.
        features: usize,
    },
    /// Tokens `0..vocab`, looked up in a table that starts as N(0, 1).
    Embedding {
        /// Number of tokens.
        vocab: usize,
    },
}

/// How vectors become outputs: logits of classes, or real numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Once per sequence: the mean over tokens, then a linear map.
    Pool {
        /// Number of classes or reals.
        outputs: usize,
    },
    /// Once per sequence: a linear map of the first token, which BERT adds for this purpose.
    First {
        /// Number of classes or reals.
        outputs: usize,
    },
    /// Once per sequence: a linear map of the last token.
    Last {
        /// Number of classes or reals.
        outputs: usize,
    },
    /// Once per token: a linear map.
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

impl<C: SequenceMixerConfig> ModelConfig<C> {
    /// Whether the model can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals), those of the sequence mixer before the others.
    pub fn check(&self) -> Result<(), Refusal> {
        let mixer = self
            .mixer
            .parts()
            .iter()
            .flat_map(SequenceMixerConfig::refusals)
            .map(|refusal| Refusal { reason: format!("sequence mixer: {}", refusal.reason), ..refusal });
        Refusal::first(mixer.chain(self.refusals()).collect())
    }

    /// Everything that keeps the model from being built, except what the sequence mixer refuses: a size of 0, a mixer
    /// that is not as wide as the model, sizes that the channel mixer refuses, or a structure that needs what encoder
    /// and head do not have.
    pub fn refusals(&self) -> Vec<Refusal> {
        let sizes = self.zero_sizes();
        if !sizes.is_empty() {
            return sizes;
        }
        let channel = self
            .channel_mixer
            .parts()
            .iter()
            .flat_map(ChannelMixerConfig::refusals)
            .map(|refusal| Refusal { reason: format!("channel mixer: {}", refusal.reason), ..refusal });
        let structure = [self.wrong_eps(), self.no_last_norm(), self.types_of_reals()];
        let rest = [self.untied_head(), self.strange_padding()];
        let patterns = [
            left_out(("mixer", "the pattern of sequence mixers"), &self.mixer, self.n_layers),
            left_out(("channel_mixer", "the pattern of channel mixers"), &self.channel_mixer, self.n_layers),
        ];
        let rest = structure.into_iter().chain(rest).chain(patterns).flatten();
        channel.chain(self.other_widths()).chain(rest).collect()
    }

    fn other_widths(&self) -> impl Iterator<Item = Refusal> {
        let sequence = self.mixer.parts().iter().map(|mixer| ("sequence mixer", mixer.d_model()));
        let channel =
            self.channel_mixer.parts().iter().filter_map(|mixer| Some(("channel mixer", mixer.d_model()?)));
        sequence.chain(channel).filter_map(|(what, d_model)| self.other_width(what, d_model))
    }

    fn zero_sizes(&self) -> Vec<Refusal> {
        let (encoder, vocab) = self.encoder.size();
        let sizes = [
            ("d_model", self.d_model),
            ("n_layers", self.n_layers),
            (encoder, vocab),
            ("outputs", self.head.outputs()),
            ("positions", self.structure.positions.unwrap_or(1)),
        ];
        let zero = |(what, size)| {
            Refusal::when(size == 0, &[what], || format!("{what} = 0, but a model needs at least 1"))
        };
        sizes.into_iter().filter_map(zero).collect()
    }

    fn other_width(&self, what: &str, got: usize) -> Option<Refusal> {
        let wanted = self.d_model;
        Refusal::when(got != wanted, &["d_model"], || {
            format!("the {what} has d_model = {got}, but the model has d_model = {wanted}")
        })
    }

    fn wrong_eps(&self) -> Option<Refusal> {
        let norm_eps = self.structure.norm_eps;
        Refusal::when(!(norm_eps > 0.0 && norm_eps.is_finite()), &["norm_eps"], || {
            format!("norm_eps = {norm_eps:?}, but it must be a finite number greater than 0")
        })
    }

    /// Refuses to leave out the last norm if there is none to leave out.
    fn no_last_norm(&self) -> Option<Refusal> {
        let Structure { order, last_norm, .. } = self.structure;
        Refusal::when(!last_norm && order != BlockOrder::PreNorm, &["last_norm", "block"], || {
            format!(
                "last_norm = false leaves out the norm that ends a PreNorm model, but blocks of {order:?} end with norms of \
                 their own; choose last_norm = true"
            )
        })
    }

    fn types_of_reals(&self) -> Option<Refusal> {
        let wrong = self.structure.token_types > 0 && !self.reads_tokens();
        Refusal::when(wrong, &["token_types"], || {
            "token types belong to tokens, but the encoder reads reals; choose token_types = 0".into()
        })
    }

    fn untied_head(&self) -> Option<Refusal> {
        let (outputs, fields) = (self.head.outputs(), &["tied_head"]);
        match self.encoder {
            _ if !self.structure.tied_head => None,
            Encoder::Linear { .. } => Some(Refusal::new(
                "a tied head shares the table of tokens, but the encoder reads reals; choose tied_head = false",
                fields,
            )),
            Encoder::Embedding { vocab } => Refusal::when(vocab != outputs, fields, || {
                format!(
                    "a tied head has one output a token, but there are {vocab} tokens and {outputs} outputs; choose \
                     tied_head = false"
                )
            }),
        }
    }

    fn strange_padding(&self) -> Option<Refusal> {
        let (padding, fields) = (self.structure.padding?, &["padding"]);
        match self.encoder {
            Encoder::Linear { .. } => Some(Refusal::new(
                "a padding token belongs to a table of tokens, but the encoder reads reals; choose padding = None",
                fields,
            )),
            Encoder::Embedding { vocab } => Refusal::when(padding >= vocab, fields, || {
                format!("padding = {padding}, but the tokens are 0 to {}", vocab.saturating_sub(1))
            }),
        }
    }

    fn reads_tokens(&self) -> bool {
        matches!(self.encoder, Encoder::Embedding { .. })
    }

    /// How many numbers the model learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let (d_model, structure) = (self.d_model, self.structure);
        let inputs = match self.encoder {
            Encoder::Linear { features } => (features + 1) * d_model,
            Encoder::Embedding { vocab } => vocab * d_model,
        };
        let tables = (structure.positions.unwrap_or(0) + structure.token_types) * d_model;
        inputs + tables + self.n_blocks_parameters() + self.n_norms() + self.n_head_parameters()
    }

    /// Of all blocks. Every mixer is counted once: some are built for it.
    fn n_blocks_parameters(&self) -> usize {
        let (mixer, channel_mixer) = (
            self.mixer.map(C::n_parameters),
            self.channel_mixer.map(|mixer| self.n_channel_parameters(mixer)),
        );
        let norms = usize::from(self.structure.order.norms_mixer()) * self.norm.n_parameters(self.d_model);
        let blocks = mixer.first(self.n_layers).zip(channel_mixer.first(self.n_layers));
        blocks.map(|(mixer, channel_mixer)| norms + mixer + channel_mixer).sum()
    }

    /// Of a channel mixer and its norm.
    fn n_channel_parameters(&self, mixer: &ChannelMixerConfig) -> usize {
        let norms = usize::from(!matches!(mixer, ChannelMixerConfig::None));
        norms * self.norm.n_parameters(self.d_model) + mixer.n_parameters()
    }

    /// Number of parameters of the norms outside blocks.
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
    pub fn init(&self, device: &Device) -> SequenceModel<C::Mixer> {
        self.check().unwrap_or_else(|e| panic!("ModelConfig: {e}"));
        let model = self.init_layers(device);
        match self.structure.init {
            Init::Layers => model,
            Init::Normal => normal(model),
        }
    }

    fn init_layers(&self, device: &Device) -> SequenceModel<C::Mixer> {
        let Structure { norm_eps, padding, dropout, .. } = self.structure;
        let Decoder { head, tied_bias } = Decoder::new(self, device);
        SequenceModel {
            encoder: self.init_encoder(device),
            additions: Additions::new(self, device),
            blocks: (0..self.n_layers).map(|index| Block::new(self, index, device)).collect(),
            norm: self.last_norm(norm_eps, device),
            head_transform: Transform::new(self, device),
            head,
            tied_bias,
            answers: self.head,
            padding,
            sites: dropout,
            form: Form::for_device(device),
        }
    }

    /// The model of one seed: the same weights on every device. This seeds burn's generator, which belongs to the process.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init_seeded(&self, seed: u64, device: &Device) -> SequenceModel<C::Mixer> {
        let cpu = Device::flex();
        cpu.seed(seed);
        let model = self.init(&cpu);
        // burn draws a parameter when it is first read: read all of them in field order before anything else does.
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

/// Refuses a pattern with more places than a model has blocks: some would silently be left out. `field` has the pattern, and
/// messages call it `name`.
pub fn left_out<T>(
    (field, name): (&'static str, &str),
    pattern: &Pattern<T>,
    n_layers: usize,
) -> Option<Refusal> {
    let places = pattern.parts().len();
    Refusal::when(places > n_layers, &["n_layers", field], || {
        format!(
            "{name} has {places} places, but n_layers = {n_layers} leaves some out; choose at least {places}"
        )
    })
}
