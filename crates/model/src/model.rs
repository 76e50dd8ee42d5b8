//! The whole model.

use burn::module::{Module, Param};
use burn::nn::{Embedding, Linear};
use burn::tensor::{DType, Device, Int, Tensor};
use subquad_backend::Form;
use subquad_backend::cross_entropy::{Classified, classify, linear_cross_entropy};
use subquad_mixer::{Contract, MixerError, MixerModule, ParameterGroup};

use crate::additions::Additions;
use crate::groups::parameter_groups;
use crate::head::Transform;
use crate::norm::normed;
use crate::{Block, Dropout, DropoutSites, Head, MixerKind, Norm, OneToken};

/// What a model reads.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a model is given one")]
pub enum Input {
    /// `[batch, seq, features]`
    Reals(Tensor<3>),
    /// `[batch, seq]`
    Tokens(Tensor<2, Int>),
    /// Tokens, and the type of each: both `[batch, seq]`.
    TypedTokens(Tensor<2, Int>, Tensor<2, Int>),
}

impl Input {
    /// Number of rows in the batch, and of tokens in each.
    pub(crate) fn sizes(&self) -> [usize; 2] {
        match self {
            Self::Reals(x) => [x.dims()[0], x.dims()[1]],
            Self::Tokens(x) | Self::TypedTokens(x, _) => x.dims(),
        }
    }
}

#[derive(Module, Debug)]
pub(crate) enum EncoderKind {
    Linear(Linear),
    Embedding(Embedding),
}

/// The model's own name in errors about what it reads.
pub(crate) const NAME: &str = "model";

impl EncoderKind {
    /// Whether `input` can be read: it needs at least one token, on the model's device; reals also need the model's
    /// number of features, in f32. Input of the other kind is left to the encoder.
    fn check(&self, input: &Input) -> Result<(), MixerError> {
        match (self, input) {
            (_, input) if input.sizes()[1] == 0 => Err(MixerError::EmptySequence { mixer: NAME }),
            (Self::Linear(_), Input::Reals(x)) => self.contract().check_input(x),
            (Self::Embedding(_), Input::Tokens(x) | Input::TypedTokens(x, _)) => {
                self.contract().check_device("tokens", &x.device())
            }
            (Self::Linear(_) | Self::Embedding(_), _) => Ok(()),
        }
    }

    fn contract(&self) -> Contract {
        match self {
            Self::Linear(Linear { weight, .. }) => {
                Contract::with_width(NAME, ("features", weight.dims()[0]), weight)
            }
            Self::Embedding(Embedding { weight, .. }) => Contract::new(NAME, weight.dims()[1], weight),
        }
    }

    pub(crate) fn device(&self) -> Device {
        match self {
            Self::Linear(Linear { weight, .. }) | Self::Embedding(Embedding { weight, .. }) => {
                weight.device()
            }
        }
    }

    pub(crate) fn dtype(&self) -> DType {
        match self {
            Self::Linear(Linear { weight, .. }) | Self::Embedding(Embedding { weight, .. }) => {
                weight.val().dtype()
            }
        }
    }

    /// Number of features, or of tokens.
    fn n_inputs(&self) -> usize {
        match self {
            Self::Linear(Linear { weight, .. }) | Self::Embedding(Embedding { weight, .. }) => {
                weight.dims()[0]
            }
        }
    }

    /// A row for every token, `[vocab, d_model]`; `None` for reals.
    pub(crate) fn table(&self) -> Option<Tensor<2>> {
        match self {
            Self::Embedding(encoder) => Some(encoder.weight.val()),
            Self::Linear(_) => None,
        }
    }
}

/// Encoder, residual blocks, final norm, head.
#[derive(Module, Debug)]
pub struct SequenceModel<M = MixerKind> {
    pub(crate) encoder: EncoderKind,
    pub(crate) additions: Additions,
    pub(crate) blocks: Vec<Block<M>>,
    /// Present only if blocks leave vectors without a norm.
    pub(crate) norm: Option<Norm>,
    pub(crate) head_transform: Option<Transform>,
    /// `None` if the head is tied.
    pub(crate) head: Option<Linear>,
    /// Present only if the head is tied.
    pub(crate) tied_bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    pub(crate) answers: Head,
    /// A token whose row gets no gradient where it is read.
    #[module(skip)]
    pub(crate) padding: Option<usize>,
    #[module(skip)]
    pub(crate) sites: DropoutSites,
    #[module(skip)]
    pub(crate) form: Form,
}

impl<M: MixerModule> SequenceModel<M> {
    /// # Shapes
    /// - `input`: `[batch, seq, features]` reals or `[batch, seq]` tokens
    /// - output: logits or reals, `[batch, 1, outputs]` with one output per sequence, `[batch, seq, outputs]` with a
    ///   head on every token
    ///
    /// # Panics
    /// If the input is of the other kind than the encoder's, if [`check_input`](Self::check_input) refuses it, or the mixer
    /// refuses the length.
    pub fn forward(&self, input: Input, dropout: &Dropout<'_>) -> Tensor<3> {
        self.decode(self.features(input, dropout))
    }

    /// What the head's last layer reads, `[batch, answers, d_model]`.
    fn features(&self, input: Input, dropout: &Dropout<'_>) -> Tensor<3> {
        let h = self.blocks(input, dropout);
        let h = match self.answers {
            Head::Pool { .. } => normed(&self.norm, h).mean_dim(1),
            Head::First { .. } => normed(&self.norm, h.narrow(1, 0, 1)),
            Head::Last { .. } => normed(&self.norm, last_token(h)),
            Head::Token { .. } => normed(&self.norm, h),
        };
        self.transformed(h, dropout)
    }

    /// The outputs of some tokens: the same as in [`forward`](Self::forward), without the cost of the others in norm
    /// and head.
    ///
    /// # Shapes
    /// - `input`: as in [`forward`](Self::forward)
    /// - `rows`: `[labels]`, each `sequence * seq + position`
    /// - output: `[labels, outputs]`
    ///
    /// # Panics
    /// As [`forward`](Self::forward); also if the head has one output per sequence, and so none for a single token.
    pub fn forward_at(&self, input: Input, rows: Tensor<1, Int>, dropout: &Dropout<'_>) -> Tensor<2> {
        self.decode(self.features_at(input, rows, dropout)).flatten(0, 1)
    }

    /// [`features`](Self::features) of some tokens, `[1, labels, d_model]`.
    fn features_at(&self, input: Input, rows: Tensor<1, Int>, dropout: &Dropout<'_>) -> Tensor<3> {
        let of_tokens = matches!(self.answers, Head::Token { .. });
        assert!(of_tokens, "this model answers once per sequence, not at single tokens");
        let h: Tensor<2> = self.blocks(input, dropout).flatten(0, 1);
        self.transformed(normed(&self.norm, h.select(0, rows).unsqueeze()), dropout)
    }

    /// The cross-entropy of the logits of [`forward`](Self::forward), or of [`forward_at`](Self::forward_at) for some `rows`, and
    /// how many of them are correct. On the CPU, logits and their gradient are only ever in memory for a part of the rows, unless
    /// the head is tied.
    ///
    /// # Shapes
    /// - `input`, `rows`: as there
    /// - `classes`: one for each row of logits
    ///
    /// # Panics
    /// As these two; also if there are not as many classes as logits' rows, none, or one of them has no logit.
    pub fn classify(
        &self,
        input: Input,
        rows: Option<Tensor<1, Int>>,
        classes: &[i32],
        dropout: &Dropout<'_>,
    ) -> Classified {
        let features = match rows {
            Some(rows) => self.features_at(input, rows, dropout),
            None => self.features(input, dropout),
        };
        match &self.head {
            Some(head) => linear_cross_entropy(head, features.flatten(0, 1), classes, self.form),
            None => classify(self.decode(features).flatten(0, 1), classes, self.form),
        }
    }

    /// The output of the last block, `[batch, seq, d_model]`.
    fn blocks(&self, input: Input, dropout: &Dropout<'_>) -> Tensor<3> {
        self.check_input(&input).unwrap_or_else(|e| panic!("{e}"));
        let blocks = self.blocks.iter().enumerate();
        let h = self.encode(input, 0, dropout);
        blocks.fold(h, |h, (index, block)| block.forward(h, dropout, index))
    }

    /// The first block's input for tokens from position `first` on.
    pub(crate) fn encode(&self, input: Input, first: usize, dropout: &Dropout<'_>) -> Tensor<3> {
        let (h, types) = match (&self.encoder, input) {
            (EncoderKind::Linear(encoder), Input::Reals(x)) => (encoder.forward(x), None),
            (EncoderKind::Embedding(encoder), Input::Tokens(x)) => (self.look_up(encoder, x), None),
            (EncoderKind::Embedding(encoder), Input::TypedTokens(x, types)) => {
                (self.look_up(encoder, x), Some(types))
            }
            (EncoderKind::Linear(_), Input::Tokens(_) | Input::TypedTokens(..)) => {
                panic!("this model reads reals, got tokens")
            }
            (EncoderKind::Embedding(_), Input::Reals(_)) => panic!("this model reads tokens, got reals"),
        };
        // The blocks have two dropout sites each.
        self.additions.forward(h, types, first, dropout, 2 * self.blocks.len())
    }

    /// Whether the model can read `input`, whatever its length.
    ///
    /// # Errors
    /// If it is empty, on another device, or of reals that are not f32 or do not have as many features as the model reads.
    pub fn check_input(&self, input: &Input) -> Result<(), MixerError> {
        self.encoder.check(input)
    }

    /// Whether the model knows `token`; one of the other kind is left to the encoder.
    ///
    /// # Errors
    /// If it is beyond the table of tokens or of types, or has another number of features.
    pub(crate) fn check_token(&self, token: OneToken<'_>) -> Result<(), MixerError> {
        let known = |what, got, count| match got < count {
            true => Ok(()),
            false => Err(MixerError::Unknown { mixer: NAME, what, got, count }),
        };
        let inputs = self.encoder.n_inputs();
        match (&self.encoder, token) {
            (EncoderKind::Linear(_), OneToken::Reals(x)) if x.len() != inputs => {
                Err(MixerError::Width { mixer: NAME, name: "features", wanted: inputs, got: x.len() })
            }
            (EncoderKind::Embedding(_), OneToken::Token(token)) => known("token", token, inputs),
            (EncoderKind::Embedding(_), OneToken::TypedToken(token, kind)) => {
                known("token", token, inputs)?;
                let types = self.additions.token_types.as_ref();
                types.map_or(Ok(()), |types| known("token type", kind, types.weight.dims()[0]))
            }
            (EncoderKind::Linear(_) | EncoderKind::Embedding(_), _) => Ok(()),
        }
    }

    /// The rows of tokens; the row of padding is a constant.
    fn look_up(&self, table: &Embedding, tokens: Tensor<2, Int>) -> Tensor<3> {
        let rows = table.forward(tokens.clone());
        match self.padding {
            Some(padding) if rows.device().is_autodiff() => {
                let is_padding = tokens.equal_elem(padding as i64).unsqueeze_dim::<3>(2).expand(rows.dims());
                rows.clone().mask_where(is_padding, rows.detach())
            }
            Some(_) | None => rows,
        }
    }

    /// Floats that one sequence must keep to decode token `seq + 1`, over all blocks; `None` if bidirectional.
    pub fn state_size(&self, seq: usize) -> Option<usize> {
        self.blocks.iter().map(|block| block.mixer().state_size(seq)).sum()
    }

    /// Whether the model can run on `seq` tokens.
    ///
    /// # Errors
    /// If the mixer refuses the length, or if there are more tokens than learned positions.
    pub fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        if let Some(rows) = self.additions.max_positions().filter(|rows| *rows < seq) {
            return Err(MixerError::Positions { rows, seq });
        }
        self.blocks.iter().try_for_each(|block| block.mixer().check_length(seq))
    }

    /// One group for the norms, biases and embeddings, which are not decayed, followed by the mixers' own. If two name
    /// a parameter, the later one applies.
    pub fn parameter_groups(&self) -> Vec<ParameterGroup> {
        parameter_groups(self)
    }

    /// The same weights in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.blocks = self.blocks.into_iter().map(|block| block.with_form(form)).collect();
        self.norm = self.norm.map(|norm| norm.with_form(form));
        self.additions = self.additions.with_form(form);
        self.form = form;
        self.head_transform = self.head_transform.map(|transform| transform.with_form(form));
        self
    }
}

/// `[batch, seq, d_model]` to `[batch, 1, d_model]`
fn last_token(h: Tensor<3>) -> Tensor<3> {
    let [_, seq, _] = h.dims();
    h.narrow(1, seq - 1, 1)
}
