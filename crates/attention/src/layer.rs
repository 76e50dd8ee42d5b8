//! Multi-head softmax attention: the quadratic baseline.
//!
//! ```text
//! (q, k, v) = x W_qkv + b_qkv         columns in the order (3, head, feature)
//! y = concat over heads of softmax(q k^T / sqrt(d_head)) v, times W_out, plus b_out
//! ```
//! Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>, section 3.2, with one linear layer for q, k and v.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::{Form, linear::linear};
use subquad_mixer::{MixerError, ParameterGroup, SequenceMixer};

use crate::dot_product::self_attention;
use crate::state::FIRST_CAPACITY;
use crate::{AttentionState, Position, Rotary, Rules, scaled_dot_product};

/// Every token reads every token it may see, weighted by how well its query fits their keys. O(seq^2).
///
/// Built by [`AttentionConfig`](crate::AttentionConfig); run through [`SequenceMixer`].
#[derive(Module, Debug)]
pub struct Attention {
    /// Queries, keys and values of every head: `[d_model, 3 d_model]`.
    pub qkv: Linear,
    /// Mixes the heads: `[d_model, d_model]`.
    pub output: Linear,
    pub(crate) n_heads: usize,
    pub(crate) causal: bool,
    #[module(skip)]
    pub(crate) position: Position,
    pub(crate) rope_base: f64,
    #[module(skip)]
    pub(crate) form: Form,
}

impl Attention {
    /// The same layer and weights, run in another form.
    pub fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The state before the first token, with room for `capacity` tokens before it grows: no more than what is needed
    /// where the length of the sequence is known.
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
        Ok(AttentionState::empty([batch, self.n_heads, capacity, self.d_head()], None, &device))
    }

    /// A chunk after the tokens of `state`, which takes it in. The state is never cloned, so that it can be written in place.
    fn carry_on(&self, x: Tensor<3>, state: &mut AttentionState) -> Tensor<3> {
        let [q, k, v] = self.project(x, state.seq());
        let [k, v] = state.extend(k, v);
        self.merge(scaled_dot_product(q, k, v, &self.rules(), self.form))
    }

    /// The whole sequence without cutting the projections apart.
    fn forward_packed(&self, x: Tensor<3>) -> Tensor<3> {
        let rotary = self.rotary(0, self.check_width(&x));
        let qkv = linear(&self.qkv, x, self.form);
        let y = self_attention(qkv, self.n_heads, self.causal, rotary);
        linear(&self.output, y, self.form)
    }

    /// The number of tokens, if they have the layer's width.
    fn check_width(&self, x: &Tensor<3>) -> usize {
        let [_, seq, width] = x.dims();
        assert_eq!(width, self.d_model(), "attention got tokens of another width than its d_model");
        seq
    }

    /// The rotations of `seq` positions from `first` on, if the layer has positions.
    fn rotary(&self, first: usize, seq: usize) -> Option<Rotary> {
        match self.position {
            Position::None => None,
            Position::Rope => Some(Rotary::new(first, seq, self.d_head(), self.rope_base)),
        }
    }

    /// Queries, keys and values of tokens whose first has position `first`, each `[batch, heads, seq, d_head]`.
    fn project(&self, x: Tensor<3>, first: usize) -> [Tensor<4>; 3] {
        let rotary = self.rotary(first, self.check_width(&x));
        let parts: [Tensor<3>; 3] =
            linear(&self.qkv, x, self.form).chunk(3, 2).try_into().expect("three parts");
        let [q, k, v] = parts.map(|part| self.split_heads(part));
        match rotary {
            None => [q, k, v],
            Some(rotary) => [rotary.apply(q, self.form), rotary.apply(k, self.form), v],
        }
    }

    fn split_heads(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, seq, _] = x.dims();
        x.reshape([batch, seq, self.n_heads, self.d_head()]).swap_dims(1, 2)
    }

    /// From heads side by side back to tokens: `[batch, seq, d_model]`.
    fn merge(&self, y: Tensor<4>) -> Tensor<3> {
        let [batch, _, seq, _] = y.dims();
        linear(&self.output, y.swap_dims(1, 2).reshape([batch, seq, self.d_model()]), self.form)
    }

    fn rules(&self) -> Rules {
        Rules { causal: self.causal, ..Rules::default() }
    }

    fn d_model(&self) -> usize {
        self.output.weight.dims()[0]
    }

    fn d_head(&self) -> usize {
        self.d_model() / self.n_heads
    }

    fn require_causal(&self) -> Result<(), MixerError> {
        match self.causal {
            true => Ok(()),
            false => Err(MixerError::Bidirectional { mixer: "attention" }),
        }
    }
}

impl SequenceMixer for Attention {
    type State = AttentionState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self.form {
            Form::Fused => self.forward_packed(x),
            Form::Portable => {
                let [q, k, v] = self.project(x, 0);
                self.merge(scaled_dot_product(q, k, v, &self.rules(), self.form))
            }
        }
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        mut state: AttentionState,
    ) -> Result<(Tensor<3>, AttentionState), MixerError> {
        self.require_causal()?;
        Ok((self.carry_on(x, &mut state), state))
    }

    fn step(&self, x: Tensor<2>, state: &mut AttentionState) -> Result<Tensor<2>, MixerError> {
        self.require_causal()?;
        Ok(self.carry_on(x.unsqueeze_dim(1), state).squeeze_dim(1))
    }

    fn init_state(&self, batch: usize) -> Result<AttentionState, MixerError> {
        self.init_state_with_capacity(batch, FIRST_CAPACITY)
    }

    fn state_size(&self, seq: usize) -> Option<usize> {
        self.causal.then(|| 2 * seq * self.d_model())
    }

    /// Always fine: there is no filter of fixed length.
    fn check_length(&self, _: usize) -> Result<(), MixerError> {
        Ok(())
    }

    /// None: every parameter follows the optimiser.
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        Vec::new()
    }
}
