//! What happens after the convolution: activation, and a linear layer across the channels of every token.

use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use subquad_backend::linear::linear;
use subquad_backend::pointwise::{Activation, activate, glu};
use subquad_backend::{Form, swap_axes, tail};
use subquad_mixer::Choice;

/// What mixes the channels of a token at the end. The published `final_act` calls them `glu`, `id` and none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum OutputMix {
    /// A linear layer to twice the width, whose second half gates the first.
    Glu,
    /// A linear layer.
    Linear,
    /// Nothing: channels are not mixed.
    None,
}

impl OutputMix {
    /// What follows the linear layer, if there is one.
    fn after(self) -> Option<tail::Output> {
        match self {
            Self::Glu => Some(tail::Output::Glu),
            Self::Linear => Some(tail::Output::Linear),
            Self::None => None,
        }
    }

    /// Outputs of the linear layer, if there is one.
    pub(crate) fn width(self, d_model: usize) -> Option<usize> {
        self.after().map(|output| output.parts() * d_model)
    }

    /// A whole sequence, `[batch, rows, seq]` to `[batch, seq, d_model]`.
    pub(crate) fn sequence(
        self,
        y: Tensor<3>,
        activation: Activation,
        layer: Option<&Linear>,
        form: Form,
    ) -> Tensor<3> {
        match self.after().zip(layer) {
            Some((output, layer)) => tail::mix_channels(y, activation, layer, output, form),
            None => swap_axes(activate(y, activation, form), form),
        }
    }

    /// The linear layer alone, for numbers that have been through the activation: `[.., rows]` to `[.., d_model]`.
    pub(crate) fn mix<const D: usize>(
        self,
        hidden: Tensor<D>,
        layer: Option<&Linear>,
        form: Form,
    ) -> Tensor<D> {
        match (self, layer) {
            (Self::Glu, Some(layer)) => glu(linear(layer, hidden, form), form),
            (Self::Linear, Some(layer)) => linear(layer, hidden, form),
            (Self::None, _) | (_, None) => hidden,
        }
    }
}
