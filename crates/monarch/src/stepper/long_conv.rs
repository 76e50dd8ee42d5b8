//! [`M2`](crate::M2) and [`Hyena`](crate::Hyena) token by token.

use std::sync::Arc;

use burn::tensor::Tensor;
use subquad_backend::row_linear::RowLinear;
use subquad_backend::row_norm::RowNorm;
use subquad_backend::simd;
use subquad_mixer::SliceStepper;

use super::filter::{LongPast, LongTaps};
use super::short::{ShortPast, ShortTaps};
use crate::LongConvState;

/// What a layer consists of. No token changes it.
#[derive(Debug)]
pub(crate) struct LongConvParts {
    /// Of the layer's input.
    pub(crate) norm: Option<RowNorm>,
    pub(crate) in_linear: RowLinear,
    pub(crate) short: ShortTaps,
    /// In the order in which they run, `[d_model, l_max]` each by lag.
    pub(crate) filters: Vec<Tensor<2>>,
    /// The chunk of the projection that gates before each filter.
    pub(crate) gates: Vec<usize>,
    /// The chunk that gates at the end.
    pub(crate) last_gate: usize,
    /// The chunk that is filtered.
    pub(crate) value: usize,
    /// A filter of the layer's own input, which is added at the end.
    pub(crate) residual: Option<Tensor<2>>,
    pub(crate) out_linear: RowLinear,
}

#[derive(Debug)]
struct Layer {
    parts: LongConvParts,
    filters: Vec<LongTaps>,
    residual: Option<LongTaps>,
}

/// One sequence through a layer: its weights, what its filters have read, and scratch space.
#[derive(Debug, Clone)]
pub(crate) struct LongConvStepper {
    layer: Arc<Layer>,
    short: ShortPast,
    pasts: Vec<LongPast>,
    inputs: Option<LongPast>,
    scratch: Scratch,
}

#[derive(Debug, Clone)]
struct Scratch {
    /// The input after its norm: `[d_model]`.
    x: Vec<f32>,
    projected: Vec<f32>,
    /// The chunks after the short convolution, side by side.
    chunks: Vec<f32>,
    /// What a filter reads: `[d_model]`.
    gated: Vec<f32>,
    /// What it answers: `[d_model]`.
    value: Vec<f32>,
}

impl LongConvStepper {
    /// Continues from `state`, of one sequence, with room for `room` more tokens.
    pub(crate) fn new(mut parts: LongConvParts, state: &LongConvState, room: usize) -> Self {
        let filters: Vec<_> = std::mem::take(&mut parts.filters).into_iter().map(LongTaps::new).collect();
        let residual = parts.residual.take().map(LongTaps::new);
        let d_model = parts.out_linear.d_output();
        let read = state.histories.iter().map(|history| history.past());
        let all = filters.iter().chain(&residual);
        let mut pasts: Vec<_> =
            read.zip(all).map(|(past, taps)| LongPast::new(past, d_model, room, taps)).collect();
        let inputs = residual.is_some().then(|| pasts.pop()).flatten();
        Self {
            short: ShortPast::of_state(&parts.short, state.projected.clone()),
            scratch: Scratch::new(parts.short.channels(), d_model),
            layer: Arc::new(Layer { parts, filters, residual }),
            pasts,
            inputs,
        }
    }

    fn all_pasts(&self) -> impl Iterator<Item = &LongPast> {
        self.pasts.iter().chain(&self.inputs)
    }
}

impl Scratch {
    fn new(width: usize, d_model: usize) -> Self {
        let [x, gated, value] = [(); 3].map(|()| vec![0.0; d_model]);
        Self { x, projected: vec![0.0; width], chunks: vec![0.0; width], gated, value }
    }
}

impl SliceStepper for LongConvStepper {
    fn step(&mut self, x: &[f32], y: &mut [f32]) {
        let Self { layer, short, pasts, inputs, scratch } = self;
        let Scratch { x: input, projected, chunks, gated, value } = scratch;
        let (Layer { parts, filters, residual }, d_model) = (&**layer, input.len());
        assert_eq!([x.len(), y.len()], [d_model; 2], "a stepper's tokens are as wide as its layer");
        input.copy_from_slice(x);
        if let Some(norm) = &parts.norm {
            norm.apply(input);
        }
        parts.in_linear.apply(input, projected);
        short.advance(&parts.short, projected, chunks);
        let chunk = |i: usize| &chunks[i * d_model..][..d_model];
        value.copy_from_slice(chunk(parts.value));
        for ((past, taps), gate) in pasts.iter_mut().zip(filters).zip(&parts.gates) {
            simd::multiply(gated, value, chunk(*gate));
            past.push(taps, gated);
            past.filter(taps, value);
        }
        simd::multiply(gated, value, chunk(parts.last_gate));
        if let Some((past, taps)) = inputs.as_mut().zip(residual.as_ref()) {
            past.push(taps, input);
            past.filter(taps, value);
            simd::add(gated, value);
        }
        parts.out_linear.apply(gated, y);
    }

    fn seq(&self) -> usize {
        self.pasts.first().map_or(0, LongPast::tokens)
    }

    fn state_bytes(&self) -> usize {
        (self.short.floats() + self.all_pasts().map(LongPast::floats).sum::<usize>()) * size_of::<f32>()
    }

    fn reset(&mut self) {
        self.short.clear();
        self.pasts.iter_mut().chain(&mut self.inputs).for_each(LongPast::clear);
    }

    fn boxed(&self) -> Box<dyn SliceStepper> {
        Box::new(self.clone())
    }
}
