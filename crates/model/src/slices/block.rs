//! One residual block, for one token: see [`Block`](crate::Block).

use subquad_backend::row_norm::RowNorm;
use subquad_backend::simd;
use subquad_mixer::{MixerModule, SliceStepper};
use subquad_monarch::RowMlp;

use crate::norm::Norm;
use crate::{Block, BlockOrder};

/// A block without its sequence mixer.
#[derive(Debug)]
pub(super) struct RowBlock {
    mixer_norm: Option<RowNorm>,
    channel_norm: Option<RowNorm>,
    channel_mixer: Option<RowMlp>,
    residual: bool,
    order: BlockOrder,
}

/// What goes through the blocks.
#[derive(Debug, Clone)]
pub(super) struct Buffers {
    /// The residual stream: `[d_model]`.
    pub(super) h: Vec<f32>,
    /// What a mixer reads: `[d_model]`.
    pub(super) x: Vec<f32>,
    /// What it answers: `[d_model]`.
    y: Vec<f32>,
    /// Of the channel mixers.
    scratch: Vec<f32>,
}

impl Buffers {
    pub(super) fn new(d_model: usize, scratch: usize) -> Self {
        let [h, x, y] = [(); 3].map(|()| vec![0.0; d_model]);
        Self { h, x, y, scratch: vec![0.0; scratch] }
    }
}

impl RowBlock {
    pub(super) fn new<M: MixerModule>(block: &Block<M>) -> Self {
        Self {
            mixer_norm: block.mixer_norm.as_ref().map(Norm::rows),
            channel_norm: block.channel_norm.as_ref().map(Norm::rows),
            channel_mixer: block.channel_mixer.as_ref().map(|mixer| mixer.rows()),
            residual: block.residual,
            order: block.order,
        }
    }

    pub(super) fn scratch_len(&self) -> usize {
        self.channel_mixer.as_ref().map_or(0, RowMlp::scratch_len)
    }

    pub(super) fn step(&self, mixer: &mut dyn SliceStepper, buffers: &mut Buffers) {
        let Buffers { h, x, y, scratch } = buffers;
        self.read(&self.mixer_norm, h, x);
        mixer.step(x, y);
        self.join(&self.mixer_norm, h, y, self.residual && self.order != BlockOrder::M2Bert);
        if let Some(channel_mixer) = &self.channel_mixer {
            self.read(&self.channel_norm, h, x);
            channel_mixer.apply(x, scratch, y);
            self.join(&self.channel_norm, h, y, self.residual);
        }
    }

    /// Fills `x` with what a mixer with this norm reads.
    fn read(&self, norm: &Option<RowNorm>, h: &[f32], x: &mut [f32]) {
        x.copy_from_slice(h);
        if let Some(norm) = norm.as_ref().filter(|_| self.order.norms_inputs()) {
            norm.apply(x);
        }
    }

    /// What follows a mixer with this norm, in `h`.
    fn join(&self, norm: &Option<RowNorm>, h: &mut [f32], mixed: &[f32], skip: bool) {
        match skip {
            true => simd::add(h, mixed),
            false => h.copy_from_slice(mixed),
        }
        if let Some(norm) = norm.as_ref().filter(|_| !self.order.norms_inputs()) {
            norm.apply(h);
        }
    }
}
