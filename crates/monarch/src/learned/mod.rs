//! Two learned Monarch matrices along the sequence: the sequence mixing that the Monarch Mixer starts from.
//!
//! ```text
//! y = M2 act(K (.) M1 x)        M1, M2: order-2 Monarch matrices of the length; K [tokens, d_model]; (.) elementwise
//! M x: z[i, l] = sum over q of W1[i, l, q] x[i, q]        token i m + q: blocks of m neighbours,
//!      y[t, l] = sum over i of W2[l, t, i] z[i, l]        then of every m-th token
//! ```
//! Fu et al. 2023, <https://arxiv.org/abs/2310.12109>, section 3. With M1 the DFT, M2 its inverse and K the spectrum of a
//! filter this is a long convolution, and so are all published models ([`M2`](crate::M2)); here all three are learned from
//! where [`SequenceInit`](crate::SequenceInit) puts them. The published listing draws unscaled normal factors, with which
//! outputs grow with the length.
//!
//! Every token sees every token: the layer is bidirectional. [`CausalMonarch`](crate::CausalMonarch) is not.

mod config;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::pointwise::activate;
use subquad_mixer::{Contract, MeasuredMixer, MixerError, SequenceMixer, TensorState};

use crate::matrix::pad;
use crate::sequence::{Entries, Gates, Lines, product};
pub use config::LearnedMonarchConfig;

/// The name in configs and errors.
const NAME: &str = <LearnedMonarchConfig as MeasuredMixer>::NAME;

/// Learned Monarch matrices along the sequence: see [`LearnedMonarchConfig`]. O(seq^1.5) for a whole sequence.
#[derive(Module, Debug)]
pub struct LearnedMonarch {
    pub(crate) gates: Option<Gates>,
    pub(crate) first: Matrix,
    /// `[tokens of all blocks, d_model]`
    pub(crate) between: Param<Tensor<2>>,
    pub(crate) second: Matrix,
    #[module(skip)]
    config: LearnedMonarchConfig,
    #[module(skip)]
    form: Form,
}

/// The factors of a Monarch matrix.
#[derive(Module, Debug)]
pub(crate) struct Matrix {
    /// `[n_heads, n_blocks, block, block]`
    pub(crate) within: Param<Tensor<4>>,
    /// `[n_heads, block, n_blocks, n_blocks]`
    pub(crate) across: Param<Tensor<4>>,
}

impl Matrix {
    /// Applies the matrix to an input that fills its first blocks, `[batch, tokens, d_model]`; returns the first
    /// `outputs` blocks of the result.
    fn apply(&self, x: Tensor<3>, outputs: usize, form: Form) -> Tensor<3> {
        let (within, across) = (self.within.val(), self.across.val());
        let [_, _, block, _] = within.dims();
        let inputs = x.dims()[1] / block;
        let z = product(x, within.narrow(1, 0, inputs), Lines::Within, Entries::All, form);
        let across = across.narrow(2, 0, outputs).narrow(3, 0, inputs);
        product(z, across, Lines::Across, Entries::All, form)
    }
}

impl LearnedMonarch {
    /// `M2 act(K (.) M1 x)`
    fn mix(&self, x: Tensor<3>) -> Tensor<3> {
        let ([_, seq, _], split) = (x.dims(), self.config.split());
        let used = split.used(seq);
        let z = self.first.apply(pad(x, used * split.block), split.n_blocks, self.form);
        let z = activate(z * self.between.val().unsqueeze::<3>(), self.config.activation, self.form);
        self.second.apply(z, used, self.form).narrow(1, 0, seq)
    }
}

impl SequenceMixer for LearnedMonarch {
    /// There is none: the layer is bidirectional.
    type State = TensorState<3>;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_reads(&x);
        match &self.gates {
            None => self.mix(x),
            Some(gates) => gates.around(gates.parts(x, self.form), self.form, |x| self.mix(x)),
        }
    }

    fn forward_with_state(
        &self,
        _: Tensor<3>,
        _: TensorState<3>,
    ) -> Result<(Tensor<3>, TensorState<3>), MixerError> {
        Err(MixerError::Bidirectional { mixer: NAME })
    }

    fn init_state(&self, _: usize) -> Result<TensorState<3>, MixerError> {
        Err(MixerError::Bidirectional { mixer: NAME })
    }

    fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    fn contract(&self) -> Contract {
        Contract::new(NAME, self.config.d_model, &self.between)
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        MixerError::check_length(NAME, self.config.l_max, seq)
    }
}
