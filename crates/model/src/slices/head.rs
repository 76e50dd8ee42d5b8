//! From the last block's vector to outputs, for one token.

use burn::module::Param;
use burn::nn::Linear;
use subquad_backend::pointwise::{Activation, activate_row};
use subquad_backend::row_linear::RowLinear;
use subquad_backend::row_norm::RowNorm;
use subquad_mixer::MixerModule;

use crate::SequenceModel;
use crate::head::Transform;
use crate::norm::Norm;

/// The head of a model.
#[derive(Debug)]
pub(super) struct RowHead {
    transform: Option<RowTransform>,
    last: RowLinear,
}

/// What it begins with: see [`Transform`].
#[derive(Debug)]
struct RowTransform {
    dense: RowLinear,
    norm: Option<RowNorm>,
}

impl RowHead {
    pub(super) fn new<M: MixerModule>(model: &SequenceModel<M>) -> Self {
        let transform = |Transform { dense, norm, .. }: &Transform| RowTransform {
            dense: RowLinear::new(dense),
            norm: norm.as_ref().map(Norm::rows),
        };
        Self { transform: model.head_transform.as_ref().map(transform), last: last(model) }
    }

    /// Replaces `h`, `[d_model]`; `x`, as wide, is scratch space.
    ///
    /// # Panics
    /// If `outputs` is not as long as there are outputs.
    pub(super) fn apply(&self, h: &mut [f32], x: &mut [f32], outputs: &mut [f32]) {
        if let Some(RowTransform { dense, norm }) = &self.transform {
            dense.apply(h, x);
            match norm {
                Some(norm) => {
                    activate_row(x, Activation::Gelu);
                    norm.apply(x);
                }
                None => activate_row(x, Activation::Tanh),
            }
            h.copy_from_slice(x);
        }
        self.last.apply(h, outputs);
    }
}

/// The last map; a tied head multiplies with the encoder's table.
fn last<M: MixerModule>(model: &SequenceModel<M>) -> RowLinear {
    match (&model.head, &model.tied_bias, model.encoder.table()) {
        (Some(head), ..) => RowLinear::new(head),
        (None, Some(bias), Some(table)) => RowLinear::new(&Linear {
            weight: Param::from_tensor(table.transpose()),
            bias: Some(Param::from_tensor(bias.val())),
        }),
        (None, None, _) | (None, _, None) => {
            unreachable!("a model without a map of its own is tied to its table")
        }
    }
}
