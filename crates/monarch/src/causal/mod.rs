//! A learned Monarch matrix along the sequence that does not look ahead.
//!
//! Fu et al. 2023, <https://arxiv.org/abs/2310.12109>, section 4, make a Monarch product causal by reading it as evaluation
//! and interpolation of polynomials, and train convolutions. The two forms here are our own, based on that idea:
//! triangular blocks (`blocks.rs`, exactly causal), and a convolution between a triangular Monarch matrix and its
//! inverse (`sandwich.rs`, causal up to what an FFT rounds).

mod blocks;
mod config;
mod sandwich;

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::{
    Contract, Kept, MeasuredMixer, MixerError, MixerState, Origin, ParameterGroup, SequenceMixer,
    SliceStepper,
};
use subquad_options::word;

use crate::ImplicitFilter;
use crate::sequence::Gates;
use crate::stepper::{CausalMonarchStepper, Held, RowMatrix};
use blocks::Blocks;
pub use config::{CausalMonarchConfig, CausalMonarchForm};
use sandwich::Sandwich;

/// The name in configs and errors.
const NAME: &str = <CausalMonarchConfig as MeasuredMixer>::NAME;

/// A causal Monarch matrix along the sequence: see [`CausalMonarchConfig`].
///
/// A whole sequence costs O(seq^1.5). One more token costs O(sqrt(seq)) in blocks, and as much as the whole sequence in
/// a sandwich. The state grows with the sequence.
#[derive(Module, Debug)]
pub struct CausalMonarch {
    pub(crate) gates: Option<Gates>,
    pub(crate) matrix: Matrix,
    #[module(skip)]
    config: CausalMonarchConfig,
    #[module(skip)]
    form: Form,
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a layer holds one, and burn has no module in a box")]
pub(crate) enum Matrix {
    Blocks(Blocks),
    Sandwich(Sandwich),
}

/// State of a [`CausalMonarch`]: a row of `d_model` numbers for each token so far, and the last two projected inputs of the
/// short convolution if the layer is gated. It belongs to the parameters that made it.
#[derive(Debug, Clone)]
pub struct CausalMonarchState {
    origin: Origin,
    batch: usize,
    /// `[batch, 2, 3 d_model]`
    projected: Option<Tensor<3>>,
    matrix: MatrixState,
}

/// What the matrix remembers: as many rows of `d_model` numbers as there were tokens.
#[derive(Debug, Clone, Default)]
struct MatrixState {
    /// Of complete blocks: `[batch, blocks * block, d_model]`; `None` before the first is complete. A sandwich makes none.
    summaries: Option<Tensor<3>>,
    /// Inputs after those that are summarised, `[batch, tokens, d_model]`; `None` if there are none.
    inputs: Option<Tensor<3>>,
}

fn rows(x: &Option<Tensor<3>>) -> usize {
    x.as_ref().map_or(0, |x| x.dims()[1])
}

impl MatrixState {
    fn tokens(&self) -> usize {
        rows(&self.summaries) + rows(&self.inputs)
    }
}

impl CausalMonarchState {
    /// One of the state's tensors, which are all on one device; `None` without gates before the first token.
    fn any(&self) -> Option<&Tensor<3>> {
        let MatrixState { summaries, inputs } = &self.matrix;
        self.projected.as_ref().or(summaries.as_ref()).or(inputs.as_ref())
    }
}

impl MixerState for CausalMonarchState {
    fn floats(&self) -> usize {
        let MatrixState { summaries, inputs } = &self.matrix;
        let kept = [&self.projected, summaries, inputs].into_iter().flatten();
        kept.map(|tensor| tensor.dims()[1] * tensor.dims()[2]).sum()
    }

    fn origin(&self) -> Option<&Origin> {
        Some(&self.origin)
    }
}

impl Matrix {
    fn forward(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        match self {
            Self::Blocks(matrix) => matrix.forward(x, form),
            Self::Sandwich(matrix) => matrix.forward(x, form),
        }
    }

    /// A copy of the present weights for decoding over slices, up to `l_max` tokens.
    fn rows(&self, l_max: usize, form: Form) -> RowMatrix {
        match self {
            Self::Blocks(matrix) => RowMatrix::Blocks(matrix.rows()),
            Self::Sandwich(matrix) => RowMatrix::Sandwich(matrix.rows(l_max, form)),
        }
    }

    fn chunk(&self, x: Tensor<3>, state: &mut MatrixState, form: Form) -> Tensor<3> {
        match self {
            Self::Blocks(matrix) => matrix.chunk(x, state, form),
            Self::Sandwich(matrix) => matrix.chunk(x, state, form),
        }
    }

    fn step(&self, x: Tensor<3>, state: &mut MatrixState, form: Form) -> Tensor<3> {
        match self {
            Self::Blocks(matrix) => matrix.step(x, state, form),
            Self::Sandwich(matrix) => matrix.chunk(x, state, form),
        }
    }
}

impl CausalMonarch {
    /// Runs a chunk or a token, which differ in how `mix` continues from what the matrix has read.
    fn advance(
        &self,
        x: Tensor<3>,
        state: &mut CausalMonarchState,
        mix: fn(&Matrix, Tensor<3>, &mut MatrixState, Form) -> Tensor<3>,
    ) -> Result<Tensor<3>, MixerError> {
        self.check_call(&x, state)?;
        self.check_length(state.matrix.tokens() + x.dims()[1])?;
        let (form, matrix) = (self.form, &mut state.matrix);
        Ok(match (&self.gates, &mut state.projected) {
            (None, None) => mix(&self.matrix, x, matrix, form),
            (Some(gates), Some(past)) => {
                let parts = gates.parts_after(past, x, form);
                gates.around(parts, form, |x| mix(&self.matrix, x, matrix, form))
            }
            (None, Some(_)) | (Some(_), None) => {
                unreachable!("a state of the layer's own origin has its parts")
            }
        })
    }

    /// The origin of the states that the layer makes.
    fn origin(&self) -> Origin {
        let CausalMonarchConfig { d_model, l_max, form, block, n_heads, gated, .. } = self.config;
        let settings = [
            ("d_model", d_model.into()),
            ("l_max", l_max.into()),
            ("form", word(&form).into()),
            ("block", block.into()),
            ("n_heads", n_heads.into()),
            ("gated", gated.into()),
        ];
        Origin::new(NAME, settings)
    }
}

impl SequenceMixer for CausalMonarch {
    type State = CausalMonarchState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_reads(&x);
        let form = self.form;
        match &self.gates {
            None => self.matrix.forward(x, form),
            Some(gates) => gates.around(gates.parts(x, form), form, |x| self.matrix.forward(x, form)),
        }
    }

    fn forward_with_state(
        &self,
        x: Tensor<3>,
        mut state: CausalMonarchState,
    ) -> Result<(Tensor<3>, CausalMonarchState), MixerError> {
        let y = self.advance(x, &mut state, Matrix::chunk)?;
        Ok((y, state))
    }

    fn step(&self, x: Tensor<2>, state: &mut CausalMonarchState) -> Result<Tensor<2>, MixerError> {
        let y = self.advance(x.unsqueeze_dim(1), state, Matrix::step)?;
        Ok(y.squeeze_dim(1))
    }

    fn slice_stepper(&self, state: &CausalMonarchState, room: usize) -> Option<Box<dyn SliceStepper>> {
        self.check_state(1, state).unwrap_or_else(|e| panic!("{e}"));
        let CausalMonarchState { projected, matrix: MatrixState { summaries, inputs }, .. } = state.clone();
        let CausalMonarchConfig { d_model, l_max, .. } = self.config;
        let weights = (self.gates.as_ref().map(Gates::rows), self.matrix.rows(l_max, self.form));
        let held = Held { projected, summaries, inputs };
        Some(Box::new(CausalMonarchStepper::new(weights, held, d_model, room)))
    }

    fn init_state(&self, batch: usize) -> Result<CausalMonarchState, MixerError> {
        let projected = self.gates.as_ref().map(|gates| gates.past(batch));
        Ok(CausalMonarchState { origin: self.origin(), batch, projected, matrix: MatrixState::default() })
    }

    fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    fn contract(&self) -> Contract {
        let weight = match &self.matrix {
            Matrix::Blocks(Blocks { own, .. }) => own,
            Matrix::Sandwich(Sandwich { within, .. }) => within,
        };
        Contract::new(NAME, self.config.d_model, weight)
    }

    fn check_state(&self, batch: usize, state: &CausalMonarchState) -> Result<(), MixerError> {
        let (contract, origin) = (self.contract(), self.origin());
        let kept = state.any().map(|tensor| {
            let [_, rows, width] = tensor.dims();
            Kept { name: "rows", tensor, of_one: [1, rows, width] }
        });
        contract.check_state(batch, state.origin(), &origin, kept.as_slice())?;
        contract.check_batch(batch, state.batch)
    }

    fn state_size(&self, seq: usize) -> Option<usize> {
        let d_model = self.config.d_model;
        let projected = if self.gates.is_some() { Gates::past_floats(d_model) } else { 0 };
        Some(projected + seq * d_model)
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        MixerError::check_length(NAME, self.config.l_max, seq)
    }

    /// A sandwich has those of its filter's network and positions, as [`M2`](crate::M2) does.
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let Matrix::Sandwich(Sandwich { filter, .. }) = &self.matrix else { return vec![] };
        let CausalMonarchConfig { filter_lr, filter_weight_decay, position_lr, .. } = self.config;
        ImplicitFilter::groups(&[filter], filter_lr, filter_weight_decay, position_lr)
    }
}
