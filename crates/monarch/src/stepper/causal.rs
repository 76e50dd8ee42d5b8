//! [`CausalMonarch`](crate::CausalMonarch) token by token.

use std::sync::Arc;

use burn::tensor::Tensor;
use subquad_mixer::SliceStepper;

use super::gates::{GateState, RowGates};
use super::matrix::{BlocksState, RowBlocks};
use super::sandwich::{RowSandwich, SandwichState};

/// The weights.
#[derive(Debug)]
struct Layer {
    d_model: usize,
    gates: Option<RowGates>,
    matrix: RowMatrix,
}

/// The matrix in one of its forms.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a layer holds one")]
pub(crate) enum RowMatrix {
    Blocks(RowBlocks),
    Sandwich(RowSandwich),
}

#[derive(Debug, Clone)]
enum MatrixState {
    Blocks(BlocksState),
    Sandwich(SandwichState),
}

/// One sequence through a layer: its weights and what it remembers.
#[derive(Debug, Clone)]
pub(crate) struct CausalMonarchStepper {
    layer: Arc<Layer>,
    gates: Option<GateState>,
    matrix: MatrixState,
}

/// What a state over tensors holds.
pub(crate) struct Held {
    pub(crate) projected: Option<Tensor<3>>,
    pub(crate) summaries: Option<Tensor<3>>,
    pub(crate) inputs: Option<Tensor<3>>,
}

impl CausalMonarchStepper {
    /// Continues from what a state of one sequence holds, with room for `room` more tokens.
    pub(crate) fn new(
        (gates, matrix): (Option<RowGates>, RowMatrix),
        held: Held,
        d_model: usize,
        room: usize,
    ) -> Self {
        let Held { projected, summaries, inputs } = held;
        let state = match &matrix {
            RowMatrix::Blocks(blocks) => {
                MatrixState::Blocks(BlocksState::new(blocks, [summaries, inputs], d_model, room))
            }
            RowMatrix::Sandwich(sandwich) => {
                MatrixState::Sandwich(SandwichState::new(sandwich, inputs, d_model, room))
            }
        };
        let of_gates = gates.as_ref().zip(projected);
        Self {
            gates: of_gates.map(|(gates, projected)| GateState::of_state(gates, projected)),
            layer: Arc::new(Layer { d_model, gates, matrix }),
            matrix: state,
        }
    }
}

impl MatrixState {
    fn step(&mut self, matrix: &RowMatrix, x: &[f32], y: &mut [f32]) {
        match (self, matrix) {
            (Self::Blocks(state), RowMatrix::Blocks(matrix)) => state.step(matrix, x, y),
            (Self::Sandwich(state), RowMatrix::Sandwich(matrix)) => state.step(matrix, x, y),
            (Self::Blocks(_), RowMatrix::Sandwich(_)) | (Self::Sandwich(_), RowMatrix::Blocks(_)) => {
                unreachable!("a state is made for its matrix")
            }
        }
    }

    fn tokens(&self) -> usize {
        match self {
            Self::Blocks(state) => state.tokens(),
            Self::Sandwich(state) => state.tokens(),
        }
    }

    fn floats(&self) -> usize {
        match self {
            Self::Blocks(state) => state.floats(),
            Self::Sandwich(state) => state.floats(),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Blocks(state) => state.clear(),
            Self::Sandwich(state) => state.clear(),
        }
    }
}

impl SliceStepper for CausalMonarchStepper {
    fn step(&mut self, x: &[f32], y: &mut [f32]) {
        let Self { layer, gates, matrix } = self;
        assert_eq!([x.len(), y.len()], [layer.d_model; 2], "a stepper's tokens are as wide as its layer");
        let mut mix = |x: &[f32], y: &mut [f32]| matrix.step(&layer.matrix, x, y);
        match (&layer.gates, gates) {
            (Some(gates), Some(state)) => state.step(gates, x, y, mix),
            (None, _) | (_, None) => mix(x, y),
        }
    }

    fn seq(&self) -> usize {
        self.matrix.tokens()
    }

    fn state_bytes(&self) -> usize {
        let gates = self.gates.as_ref().map_or(0, |gates| gates.past.floats());
        (gates + self.matrix.floats()) * size_of::<f32>()
    }

    fn reset(&mut self) {
        if let Some(gates) = &mut self.gates {
            gates.past.clear();
        }
        self.matrix.clear();
    }

    fn boxed(&self) -> Box<dyn SliceStepper> {
        Box::new(self.clone())
    }
}
