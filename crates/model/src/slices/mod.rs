//! A whole model over plain slices: one sequence, one thread, no burn, no allocation.
//!
//! ```text
//! token -> table + position + type -> blocks [ norm, mixer, residual, norm, channel mixer, residual ] -> norm -> head
//! ```
//! Weights are copied once, in the layout that reads them once per token; the mixers bring their own steppers
//! ([`SequenceMixer::slice_stepper`](subquad_mixer::SequenceMixer::slice_stepper)).

mod block;
mod encoder;
mod head;

use std::sync::Arc;

use subquad_backend::row_norm::RowNorm;
use subquad_mixer::{MixerModule, SliceStepper};

use crate::norm::Norm;
use crate::{ModelState, SequenceModel};

use block::{Buffers, RowBlock};
pub use encoder::OneToken;
use encoder::RowEncoder;
use head::RowHead;

/// A model's present weights. No token changes them.
#[derive(Debug)]
struct Layers {
    encoder: RowEncoder,
    blocks: Vec<RowBlock>,
    norm: Option<RowNorm>,
    head: RowHead,
}

/// One sequence through a model: its weights, the mixers' states and scratch space. A clone shares the weights and goes its own
/// way.
#[derive(Debug)]
pub(crate) struct SliceModel {
    layers: Arc<Layers>,
    /// One a block.
    mixers: Vec<Box<dyn SliceStepper>>,
    buffers: Buffers,
}

impl SliceModel {
    /// Continues from `state`, of one sequence, with room for `room` more tokens; `None` if a mixer has no stepper over slices.
    pub(crate) fn new<M: MixerModule>(
        model: &SequenceModel<M>,
        state: &ModelState<M::State>,
        room: usize,
    ) -> Option<Self> {
        let blocks = model.blocks.iter().zip(&state.blocks);
        let mixers = blocks.map(|(block, state)| block.mixer().slice_stepper(state, room));
        let mixers = mixers.collect::<Option<Vec<_>>>()?;
        let layers = Layers {
            encoder: RowEncoder::new(&model.encoder, &model.additions),
            blocks: model.blocks.iter().map(RowBlock::new).collect(),
            norm: model.norm.as_ref().map(Norm::rows),
            head: RowHead::new(model),
        };
        let scratch = layers.blocks.iter().map(RowBlock::scratch_len).max().unwrap_or(0);
        let buffers = Buffers::new(layers.encoder.d_model(), scratch);
        Some(Self { layers: Arc::new(layers), mixers, buffers })
    }

    /// The token at position `seq`. It was checked by [`check_token`](SequenceModel::check_token).
    pub(crate) fn step(&mut self, token: OneToken<'_>, seq: usize, outputs: &mut [f32]) {
        let Self { layers, mixers, buffers } = self;
        layers.encoder.apply(token, seq, &mut buffers.h);
        for (block, mixer) in layers.blocks.iter().zip(mixers) {
            block.step(&mut **mixer, buffers);
        }
        if let Some(norm) = &layers.norm {
            norm.apply(&mut buffers.h);
        }
        layers.head.apply(&mut buffers.h, &mut buffers.x, outputs);
    }

    /// Floats of the mixers' states.
    pub(crate) fn floats(&self) -> usize {
        self.mixers.iter().map(|mixer| mixer.state_bytes() / size_of::<f32>()).sum()
    }
}

impl Clone for SliceModel {
    fn clone(&self) -> Self {
        let mixers = self.mixers.iter().map(|mixer| mixer.boxed()).collect();
        Self { layers: self.layers.clone(), mixers, buffers: self.buffers.clone() }
    }
}
