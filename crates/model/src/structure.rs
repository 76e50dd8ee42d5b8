//! What a model is besides its mixers: the order of a block, positions, the shape of the head, how weights start.

/// Options that published models differ in. [`default`](Self::default) is a plain pre-norm model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Structure {
    /// Where norms and skips of a block stand.
    pub order: BlockOrder,
    /// Whether a norm stands behind the last block of a [`PreNorm`](BlockOrder::PreNorm) model. Without, as in the S4
    /// repository's example, the head reads what the skips have added up. The other orders end with a norm of their own: for
    /// them it must be true.
    pub last_norm: bool,
    /// What every norm adds to the variance: 1e-5 as in PyTorch; BERT has 1e-12.
    pub norm_eps: f64,
    /// Learned vectors of positions `0..positions`, added to the encoder's; longer sequences are refused. `None`: none.
    pub positions: Option<usize>,
    /// Learned vectors of token types, added to those of tokens; 0: none. A token is of type 0 unless
    /// [`Input::TypedTokens`](crate::Input::TypedTokens) says otherwise.
    pub token_types: usize,
    /// Whether a norm stands behind the encoder, and dropout behind that, as in BERT.
    pub embedding_norm: bool,
    /// What the head begins with.
    pub head_transform: HeadTransform,
    /// Whether logits are products with the encoder's table of tokens, plus a bias, instead of a linear map's.
    pub tied_head: bool,
    /// How dense layers and tables start.
    pub init: Init,
    /// A token whose row of the table learns nothing from being read, only from a tied head: PyTorch's `padding_idx`. `None`:
    /// every row learns from both.
    pub padding: Option<usize>,
    /// Where activations are dropped in training.
    pub dropout: DropoutSites,
}

impl Default for Structure {
    fn default() -> Self {
        Self {
            order: BlockOrder::PreNorm,
            last_norm: true,
            norm_eps: 1e-5,
            positions: None,
            token_types: 0,
            embedding_norm: false,
            head_transform: HeadTransform::None,
            tied_head: false,
            init: Init::Layers,
            padding: None,
            dropout: DropoutSites::Branches,
        }
    }
}

/// Where norms and skips of a block stand. Which norm, and whether there are skips at all, is said elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockOrder {
    /// `h = h + mixer(norm(h)); h = h + channel_mixer(norm(h))`, and, unless [`last_norm`](Structure::last_norm) is false, a
    /// last norm in front of the head.
    PreNorm,
    /// `h = norm(h + mixer(h)); h = norm(h + channel_mixer(h))`, as in BERT.
    PostNorm,
    /// `h = mixer(h); h = norm(h + channel_mixer(h))`, as in M2-BERT, whose mixer has a skip of its own.
    M2Bert,
}

impl Structure {
    /// Whether a norm stands behind the last block that is not the block's own.
    pub(crate) fn has_last_norm(&self) -> bool {
        self.last_norm && self.order.norms_inputs()
    }
}

impl BlockOrder {
    /// Whether a norm stands in front of the sequence mixer.
    pub(crate) fn norms_inputs(self) -> bool {
        self == Self::PreNorm
    }

    /// Whether a norm belongs to the sequence mixer, before or after it.
    pub(crate) fn norms_mixer(self) -> bool {
        self != Self::M2Bert
    }
}

/// What a head begins with, of the model's width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadTransform {
    /// Nothing: the head is its last map.
    None,
    /// `norm(gelu(linear(h)))`, as where BERT tells masked tokens.
    GeluNorm,
    /// `tanh(linear(h))`: the pooler in front of BERT's classifier.
    Pooler,
}

/// Where activations are dropped in training. What mixers drop inside themselves is theirs to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropoutSites {
    /// On what every sequence mixer and every channel mixer makes, and behind a norm of the embeddings.
    Branches,
    /// Behind a norm of the embeddings, inside every channel mixer in front of its last layer, and between a pooler and the
    /// classifier: as M2-BERT was trained.
    M2Bert,
}

/// How dense layers and tables start. Everything else always starts as its own layer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// As burn's: dense layers uniform within `1 / sqrt(inputs)`, tables N(0, 1).
    Layers,
    /// Weights and tables N(0, 0.02), biases 0, inside mixers too, as in BERT and GPT-2.
    Normal,
}
