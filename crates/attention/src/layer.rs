//! Multi-head softmax attention: the quadratic baseline.
//!
//! ```text
//! (q, k, v) = x W_qkv + b_qkv         columns: heads of q, heads of k, heads of v
//! y = concat over heads of softmax(q k^T / sqrt(d_head)) v, times W_out, plus b_out
//! ```
//! Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>, section 3.2, with one linear layer for q, k and v. Between
//! the lines, as the config chooses: norms of q and k, rotary positions, and the rules of [`Rules`].

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::{Form, linear::linear};
use subquad_mixer::{Contract, Kept, MixerError, MixerState, Origin, SequenceMixer, SliceStepper};
use subquad_options::word;

use crate::dot_product::{Heads, attend_cache, self_attention};
use crate::head_norm::norm_heads;
use crate::state::FIRST_CAPACITY;
use crate::{
    AttentionConfig, AttentionState, Position, Rotary, Rules, Segments, WeightDropout, scaled_dot_product,
};

/// Every token reads every token it may see, weighted by how well its query fits their keys. O(seq^2), or with a window
/// O(seq window).
///
/// Built by [`AttentionConfig`](crate::AttentionConfig); run through [`SequenceMixer`].
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values of every head: `[d_model, (n_heads + 2 n_kv_heads) d_head]`.
    pub qkv: Linear,
    /// Mixes the heads: `[d_model, d_model]`.
    pub output: Linear,
    /// The gains of the queries' features after the norm if `qk_norm`: `[d_head]`, the same for every head.
    pub q_gain: Option<Param<Tensor<1>>>,
    /// The gains of the keys' features after the norm if `qk_norm`: `[d_head]`, the same for every head.
    pub k_gain: Option<Param<Tensor<1>>>,
    #[module(skip)]
    pub(crate) config: AttentionConfig,
    #[module(skip)]
    pub(crate) form: Form,
}

impl Attention {
    /// The state before the first token, with room for `capacity` tokens before it grows. Pass the length of the
    /// sequence if it is known, so that no more than that is allocated.
    ///
    /// # Errors
    /// If the layer is bidirectional.
    pub fn init_state_with_capacity(
        &self,
        batch: usize,
        capacity: usize,
    ) -> Result<AttentionState, MixerError> {
        self.require_causal()?;
        let device = self.output.weight.val().device();
        let shape = [batch, self.config.kv_heads(), capacity, self.config.d_head()];
        Ok(AttentionState::empty(shape, self.origin(), self.config.window, &device))
    }

    /// Runs a chunk that follows the tokens of `state`, and adds it to the state. The state is never cloned, so that it
    /// can be written in place.
    fn carry_on(&self, x: Tensor<3>, state: &mut AttentionState) -> Result<Tensor<3>, MixerError> {
        self.require_causal()?;
        self.check_call(&x, state)?;
        let [q, k, v] = self.project(x, state.seq());
        let rules = self.rules(None, None);
        let y = match (self.form, q.dims()[2]) {
            (Form::Fused, 1) => {
                state.put(k, v);
                attend_cache(q, state.buffers(), state.slots_in_use(), &rules)
            }
            (Form::Fused | Form::Portable, _) => {
                let [k, v] = state.extend(k, v);
                scaled_dot_product(q, k, v, &rules, self.form)
            }
        };
        Ok(self.merge(y))
    }

    /// [`forward`](SequenceMixer::forward) of rows that hold padding, or several sequences one after another: a token
    /// sees only tokens of its own sequence.
    ///
    /// A sequence's output does not depend on what else is in its row, nor on its place in the row: rotary
    /// positions count from the start of the row, but only their differences matter. The output of padding is the bias of
    /// [`output`](Self::output).
    ///
    /// # Shapes
    /// - `x`: `[batch, seq, d_model]`, as many rows and tokens as `segments`
    /// - output: `[batch, seq, d_model]`
    ///
    /// # Panics
    /// As [`forward`](SequenceMixer::forward), and if `x` does not have as many rows and tokens as `segments`.
    pub fn forward_segments(&self, x: Tensor<3>, segments: &Segments) -> Tensor<3> {
        self.forward_with(x, Some(segments), None)
    }

    /// [`forward`](SequenceMixer::forward) with [segments](Self::forward_segments), with
    /// [dropout](SequenceMixer::forward_train), with both or with neither. Shapes and panics are as for
    /// [`forward_segments`](Self::forward_segments).
    pub fn forward_with(
        &self,
        x: Tensor<3>,
        segments: Option<&Segments>,
        dropout_seed: Option<u64>,
    ) -> Tensor<3> {
        self.assert_reads(&x);
        let rules = self.rules(segments, dropout_seed);
        match self.form {
            Form::Fused => self.forward_packed(x, rules),
            Form::Portable => {
                let [q, k, v] = self.project(x, 0);
                self.merge(scaled_dot_product(q, k, v, &rules, self.form))
            }
        }
    }

    /// The whole sequence without cutting the projections apart.
    fn forward_packed(&self, x: Tensor<3>, rules: Rules) -> Tensor<3> {
        let rotary = self.rotary(0, x.dims()[1]);
        let gains = self.q_gain.as_ref().zip(self.k_gain.as_ref()).map(|(q, k)| [q.val(), k.val()]);
        let heads = Heads { queries: self.config.n_heads, keys: self.config.kv_heads() };
        let qkv = linear(&self.qkv, x, self.form);
        linear(&self.output, self_attention(qkv, gains, heads, rotary, rules), self.form)
    }

    /// The rotations of `seq` positions from `first` on, if the layer has rotary positions.
    fn rotary(&self, first: usize, seq: usize) -> Option<Rotary> {
        match self.config.position {
            Position::Alibi | Position::None => None,
            Position::Rope => Some(Rotary::new(first, seq, self.config.d_rot(), self.config.rope_base)),
        }
    }

    /// Queries `[batch, n_heads, seq, d_head]`, keys and values `[batch, n_kv_heads, seq, d_head]`, of tokens whose first
    /// has position `first`.
    fn project(&self, x: Tensor<3>, first: usize) -> [Tensor<4>; 3] {
        let rotary = self.rotary(first, x.dims()[1]);
        let qkv = linear(&self.qkv, x, self.form);
        let (n_heads, n_kv_heads) = (self.config.n_heads, self.config.kv_heads());
        let heads = |first, count| self.split_heads(qkv.clone(), first, count);
        let q = self.norm(heads(0, n_heads), &self.q_gain);
        let k = self.norm(heads(n_heads, n_kv_heads), &self.k_gain);
        let v = heads(n_heads + n_kv_heads, n_kv_heads);
        match rotary {
            None => [q, k, v],
            Some(rotary) => [rotary.apply(q, self.form), rotary.apply(k, self.form), v],
        }
    }

    fn norm(&self, heads: Tensor<4>, gain: &Option<Param<Tensor<1>>>) -> Tensor<4> {
        match gain {
            None => heads,
            Some(gain) => norm_heads(heads, gain.val()),
        }
    }

    /// Heads `first..first + count` of those side by side in `x`: `[batch, count, seq, d_head]`.
    fn split_heads(&self, x: Tensor<3>, first: usize, count: usize) -> Tensor<4> {
        let ([batch, seq, _], d_head) = (x.dims(), self.config.d_head());
        x.narrow(2, first * d_head, count * d_head).reshape([batch, seq, count, d_head]).swap_dims(1, 2)
    }

    /// From heads side by side back to tokens: `[batch, seq, d_model]`.
    fn merge(&self, y: Tensor<4>) -> Tensor<3> {
        let [batch, _, seq, _] = y.dims();
        linear(&self.output, y.swap_dims(1, 2).reshape([batch, seq, self.config.d_model]), self.form)
    }

    fn rules(&self, segments: Option<&Segments>, dropout_seed: Option<u64>) -> Rules {
        let AttentionConfig { causal, window, softcap, position, dropout, .. } = self.config;
        let dropout = dropout_seed.map(|seed| WeightDropout { rate: dropout, seed });
        Rules {
            causal,
            window,
            softcap,
            alibi: position == Position::Alibi,
            segments: segments.cloned(),
            dropout: dropout.filter(|dropout| dropout.rate > 0.0),
        }
    }

    /// The origin of the states that the layer makes.
    pub(crate) fn origin(&self) -> Origin {
        let AttentionConfig { d_model, n_heads, window, position, rope_base, qk_norm, .. } = self.config;
        let settings = [
            ("d_model", d_model.into()),
            ("n_heads", n_heads.into()),
            ("n_kv_heads", self.config.kv_heads().into()),
            ("window", window.into()),
            ("position", word(&position).into()),
            ("rope_base", rope_base.into()),
            ("rotated features", self.config.d_rot().into()),
            ("qk_norm", qk_norm.into()),
        ];
        Origin::new("attention", settings)
    }

    pub(crate) fn require_causal(&self) -> Result<(), MixerError> {
        match self.config.causal {
            true => Ok(()),
            false => Err(MixerError::Bidirectional { mixer: "attention" }),
        }
    }
}

impl SequenceMixer for Attention {
    type State = AttentionState;

    fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_with(x, None, None)
    }

    /// Attention weights are dropped at the rate of the config, and the others grow to make up for it. The same seed drops
    /// the same weights: use another at every step and in every layer.
    fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        self.forward_with(x, None, Some(seed))
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        mut state: AttentionState,
    ) -> Result<(Tensor<3>, AttentionState), MixerError> {
        let y = self.carry_on(x, &mut state)?;
        Ok((y, state))
    }

    fn step(&self, x: Tensor<2>, state: &mut AttentionState) -> Result<Tensor<2>, MixerError> {
        Ok(self.carry_on(x.unsqueeze_dim(1), state)?.squeeze_dim(1))
    }

    fn slice_stepper(&self, state: &AttentionState, room: usize) -> Option<Box<dyn SliceStepper>> {
        let mut stepper = self.stepper(state.seq() + room).ok()?;
        stepper.resume(state);
        Some(Box::new(stepper))
    }

    fn init_state(&self, batch: usize) -> Result<AttentionState, MixerError> {
        self.init_state_with_capacity(batch, FIRST_CAPACITY)
    }

    fn contract(&self) -> Contract {
        Contract::new("attention", self.config.d_model, &self.qkv.weight)
    }

    fn check_state(&self, batch: usize, state: &AttentionState) -> Result<(), MixerError> {
        let of_one = [1, self.config.kv_heads(), state.capacity(), self.config.d_head()];
        let kept = state.tensors().map(|(name, tensor)| Kept { name, tensor, of_one });
        self.contract().check_state(batch, state.origin(), &self.origin(), &kept)
    }

    fn state_size(&self, seq: usize) -> Option<usize> {
        let held = seq.min(self.config.window.unwrap_or(usize::MAX));
        self.config.causal.then(|| 2 * held * self.config.kv_heads() * self.config.d_head())
    }
}
