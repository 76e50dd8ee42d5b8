//! The parts of a model besides its mixers: the order of a block, positions, the shape of the head, initial weights.

use serde::{Deserialize, Serialize};
use subquad_options::range::{self, LONGEST_SEQ};
use subquad_options::{Choice, Kind, OptionType, Options, Value};

/// Options in which published models differ. [`default`](Self::default) is a plain pre-norm model.
#[derive(Options, Debug, Clone, Copy, PartialEq)]
pub struct Structure {
    /// Where the norms and residual connections are. pre_norm: h + mixer(norm(h)), and a last norm before the head.
    /// post_norm: norm(h + mixer(h)), as in BERT. m2_bert: only mixer(h), then norm(h + channel_mixer(h)), as in
    /// M2-BERT, whose mixer has mixer.m2.residual instead.
    #[config(default = "BlockOrder::PreNorm")]
    #[option(name = "block")]
    pub order: BlockOrder,
    /// Whether pre_norm has a last norm before the head. False, as in the S4 repository's example: the head reads the
    /// residual stream itself. Only with pre_norm: the other orders end with norms of their own.
    #[config(default = true)]
    pub last_norm: bool,
    /// What every norm adds to the variance: 1e-5 as in PyTorch; BERT has 1e-12.
    #[config(default = 1e-5)]
    #[option(range = range::POSITIVE)]
    pub norm_eps: f64,
    /// Number of learned position vectors, which are added to the inputs; 0: none. Longer sequences are refused.
    /// "longest": as many as the longest sequence of the config has tokens.
    #[option(range = 1..=LONGEST_SEQ, none = 0, or = "longest")]
    pub positions: Option<usize>,
    /// Learned vectors of token types, added to those of tokens; 0: none. A token is of type 0 unless
    /// [`Input::TypedTokens`](crate::Input::TypedTokens) says otherwise.
    #[config(default = 0)]
    #[option(given)]
    pub token_types: usize,
    /// A norm after the embeddings, followed by dropout, as in BERT.
    #[config(default = false)]
    pub embedding_norm: bool,
    /// A linear layer, a GELU and a norm before the head, as in BERT.
    #[config(default = "HeadTransform::None")]
    pub head_transform: HeadTransform,
    /// The head reuses the token embeddings and adds a bias. Only for tasks that answer with the tokens that they
    /// read; best with init = "normal".
    #[config(default = false)]
    pub tied_head: bool,
    /// Initial values of dense layers and embedding tables. layers: each layer's own, and N(0, 1) for tables. normal:
    /// N(0, 0.02), and biases of 0, as in BERT and GPT-2.
    #[config(default = "Init::Layers")]
    pub init: Init,
    /// A token whose row of the table gets no gradient where it is read, only through a tied head: PyTorch's
    /// `padding_idx`. `None`: every row learns from both.
    #[option(given, none = "none")]
    pub padding: Option<usize>,
    /// Where activations are dropped in training.
    #[config(default = "DropoutSites::Branches")]
    #[option(skip)]
    pub dropout: DropoutSites,
}

/// Where the norms and skips of a block are. The kind of norm, and whether there are skips at all, are other options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum BlockOrder {
    /// `h = h + mixer(norm(h)); h = h + channel_mixer(norm(h))`, and, unless [`last_norm`](Structure::last_norm) is false, a
    /// last norm before the head.
    PreNorm,
    /// `h = norm(h + mixer(h)); h = norm(h + channel_mixer(h))`, as in BERT.
    PostNorm,
    /// `h = mixer(h); h = norm(h + channel_mixer(h))`, as in M2-BERT, whose mixer has a skip of its own.
    M2Bert,
}

impl Structure {
    /// Whether the last block is followed by a norm that is not the block's own.
    pub(crate) fn has_last_norm(&self) -> bool {
        self.last_norm && self.order.norms_inputs()
    }
}

impl BlockOrder {
    /// Whether there is a norm before the sequence mixer.
    pub(crate) fn norms_inputs(self) -> bool {
        self == Self::PreNorm
    }

    /// Whether a norm belongs to the sequence mixer, before or after it.
    pub(crate) fn norms_mixer(self) -> bool {
        self != Self::M2Bert
    }
}

/// What a head begins with, at the model's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadTransform {
    /// Nothing: the head is only its last map.
    None,
    /// `norm(gelu(linear(h)))`, as where BERT predicts masked tokens.
    GeluNorm,
    /// `tanh(linear(h))`: the pooler before BERT's classifier.
    Pooler,
}

/// In a config it is a boolean: whether there is BERT's transform.
impl OptionType for HeadTransform {
    fn kind() -> Kind {
        Kind::Bool
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self != Self::None)
    }

    fn from_value(value: &Value) -> Option<Self> {
        bool::from_value(value).map(|is_there| if is_there { Self::GeluNorm } else { Self::None })
    }
}

/// Where activations are dropped in training. Mixers decide what they drop internally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropoutSites {
    /// The output of every sequence mixer and every channel mixer, and the output of a norm of the embeddings.
    Branches,
    /// The output of a norm of the embeddings, the input of every channel mixer's last layer, and what a pooler gives
    /// the classifier: as M2-BERT was trained.
    M2Bert,
}

/// Initial values of dense layers and tables. Everything else is always initialised by its own layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// As in burn: dense layers uniform within `1 / sqrt(inputs)`, tables N(0, 1).
    Layers,
    /// Weights and tables N(0, 0.02), biases 0, inside mixers too, as in BERT and GPT-2.
    Normal,
}
