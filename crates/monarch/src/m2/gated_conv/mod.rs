//! The middle of M2, and of Hyena of order 2, as one fused operation: everything between the two linear layers, on
//! sequences stored channel by channel.
//!
//! ```text
//! x1, x2, v = split(short_conv(projected))
//! y = conv(v * x1) * x2 (+ conv2(x))
//! ```
//! A thread takes a channel: while a sequence's row is in its cache, it goes through the short convolution, the gates
//! and the transforms, and only `y` and the second gate's other operand are written to memory.

mod grads;

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::fft_conv::{Convolver, Filter, rows_by_channel};
use subquad_backend::kernel::{Array, CpuKernel, Operand, Part, Saved, Unwritten, View, apply};
use subquad_backend::simd;

use self::grads::{ChannelGrads, Grads, next_row};
use super::short::Short;
use crate::gate::{V, X1, X2};

/// # Shapes
/// - `projected`: `[batch, 3 d_model, seq]`
/// - `short_weight`, `short_bias`: `[3 d_model, width]`, `[3 d_model]`
/// - `lags`: `[sides, d_model, seq]`, as [`ImplicitFilter::lags`](crate::ImplicitFilter::lags) makes them
/// - `residual`: the layer's input `[batch, d_model, seq]`, and the lags of its filter
/// - output: `[batch, d_model, seq]`
pub(crate) fn gated_conv(
    projected: Tensor<3>,
    (short_weight, short_bias): (Tensor<2>, Tensor<1>),
    lags: Tensor<3>,
    residual: Option<(Tensor<3>, Tensor<3>)>,
) -> Tensor<3> {
    let inputs: [Operand; 4] = [projected.into(), short_weight.into(), short_bias.into(), lags.into()];
    match residual {
        None => apply(GatedConv, inputs),
        Some((x, lags)) => {
            let [a, b, c, d] = inputs;
            apply(GatedConv, [a, b, c, d, x.into(), lags.into()])
        }
    }
}

/// Inputs: `projected`, `short_weight`, `short_bias`, `lags` and, with a residual filter, `x` and its `lags`. Notes the long
/// convolution's output.
#[derive(Debug)]
struct GatedConv;

impl CpuKernel for GatedConv {
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let inputs = Inputs::new(inputs);
        let [batch, d_model, seq] = inputs.sizes();
        let [mut y, mut filtered] = [(); 2].map(|()| Unwritten::new(batch * d_model * seq));
        let rows = rows_by_channel(y.parts(seq).into_iter().zip(filtered.parts(seq)), d_model);
        rows.into_par_iter().enumerate().for_each_init(
            || Work::new(seq),
            |work, (channel, rows)| {
                work.load(&inputs, channel);
                for (b, (y, filtered)) in rows.into_iter().enumerate() {
                    work.forward(&inputs, [b, channel], y.zeros(), filtered.zeros());
                }
            },
        );
        let shape = [batch, d_model, seq];
        (Array::new(y.into_vec(), shape), Some(Array::new(filtered.into_vec(), shape)))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let inputs = Inputs::new(saved.inputs);
        let mut grads = Grads::new(saved.inputs);
        let wants_x = saved.wanted.get(4).is_some_and(|wanted| *wanted);
        grads.by_channel(&inputs).into_par_iter().enumerate().for_each_init(
            || Work::new(inputs.sizes()[2]),
            |work, (channel, grads)| work.backward(&inputs, saved, channel, grads, wants_x),
        );
        grads.into_arrays(saved)
    }
}

/// The inputs by their roles.
struct Inputs<'a> {
    projected: View<'a>,
    short_weight: View<'a>,
    short_bias: View<'a>,
    lags: View<'a>,
    residual: Option<[View<'a>; 2]>,
}

impl<'a> Inputs<'a> {
    fn new(views: &[View<'a>]) -> Self {
        let [projected, short_weight, short_bias, lags, residual @ ..] = views else {
            panic!("four inputs or six, got {}", views.len())
        };
        Self {
            projected: *projected,
            short_weight: *short_weight,
            short_bias: *short_bias,
            lags: *lags,
            residual: residual.try_into().ok(),
        }
    }

    /// `[batch, d_model, seq]`
    fn sizes(&self) -> [usize; 3] {
        let [batch, width, seq] = self.projected.dims();
        [batch, width / 3, seq]
    }

    fn part(&self, part: usize, [b, channel]: [usize; 2]) -> &'a [f32] {
        let [_, d_model, seq] = self.sizes();
        row(&self.projected, (b * 3 + part) * d_model + channel, seq)
    }

    fn short(&self, part: usize, channel: usize) -> Short<'a> {
        let ([_, d_model, _], [_, width]) = (self.sizes(), self.short_weight.dims());
        let at = part * d_model + channel;
        Short { taps: row(&self.short_weight, at, width), bias: self.short_bias.data[at] }
    }
}

fn row<'a>(view: &View<'a>, at: usize, len: usize) -> &'a [f32] {
    &view.data[at * len..][..len]
}

/// One thread's buffers.
struct Work {
    convolver: Convolver,
    filter: Filter,
    residual: Filter,
    /// The output of the short convolution for one sequence.
    parts: [Vec<f32>; 3],
    row: Vec<f32>,
    other: Vec<f32>,
}

impl Work {
    fn new(seq: usize) -> Self {
        let convolver = Convolver::new(seq);
        let (filter, residual) = (convolver.filter(), convolver.filter());
        let row = || vec![0.0; seq];
        Self { convolver, filter, residual, parts: [row(), row(), row()], row: row(), other: row() }
    }

    fn load(&mut self, inputs: &Inputs<'_>, channel: usize) {
        let mut load = |filter, lags: &View<'_>| {
            let [sides, d_model, seq] = lags.dims();
            let reverse = if sides > 1 { row(lags, d_model + channel, seq) } else { &[] };
            self.convolver.load(filter, row(lags, channel, seq), reverse);
        };
        load(&mut self.filter, &inputs.lags);
        if let Some([_, lags]) = &inputs.residual {
            load(&mut self.residual, lags);
        }
    }

    /// Runs the short convolution of one sequence's channel, and the first gate, into `parts` and `row`.
    fn gate(&mut self, inputs: &Inputs<'_>, at: [usize; 2]) {
        let Self { parts, row, .. } = self;
        simd::run(
            #[inline(always)]
            || {
                for (part, out) in parts.iter_mut().enumerate() {
                    inputs.short(part, at[1]).forward(inputs.part(part, at), out);
                }
                simd::multiply(row, &parts[V], &parts[X1]);
            },
        );
    }

    fn forward(&mut self, inputs: &Inputs<'_>, at: [usize; 2], y: &mut [f32], filtered: &mut [f32]) {
        self.gate(inputs, at);
        self.convolver.convolve(&self.filter, &self.row, filtered);
        let [_, d_model, seq] = inputs.sizes();
        if let Some([x, _]) = &inputs.residual {
            self.convolver.convolve(&self.residual, row(x, at[0] * d_model + at[1], seq), y);
        }
        simd::run(
            #[inline(always)]
            || simd::add_product(y, filtered, &self.parts[X2]),
        );
    }

    /// Computes all gradients of one channel.
    fn backward(
        &mut self,
        inputs: &Inputs<'_>,
        saved: &Saved<'_>,
        channel: usize,
        mut grads: ChannelGrads<'_>,
        wants_x: bool,
    ) {
        self.load(inputs, channel);
        let [batch, d_model, seq] = inputs.sizes();
        let filtered = saved.notes.expect("noted in the forward pass");
        for b in 0..batch {
            let at = b * d_model + channel;
            let (dy, filtered) = (row(&saved.grad, at, seq), row(&filtered, at, seq));
            self.gate(inputs, [b, channel]);
            self.gated_grads(inputs, [b, channel], dy, filtered, &mut grads);
            if let Some([x, _]) = &inputs.residual {
                let dx = wants_x.then(|| next_row(&mut grads.x));
                self.convolver.grads(&mut self.residual, Some(row(x, at, seq)), dy, dx);
            }
        }
        self.tap_grads(grads);
    }

    /// Goes back through the gates, the long and the short convolution of one sequence.
    fn gated_grads(
        &mut self,
        inputs: &Inputs<'_>,
        at: [usize; 2],
        dy: &[f32],
        filtered: &[f32],
        grads: &mut ChannelGrads<'_>,
    ) {
        let Self { convolver, filter, parts: [x1, x2, v], row, other, .. } = self;
        let [projected_x1, projected_x2, d_gated] = grads.projected.each_mut().map(next_row);
        multiply(other, dy, x2);
        let dx2 = x2;
        multiply(dx2, dy, filtered);
        convolver.grads(filter, Some(row), other, Some(d_gated));
        let (dx1, dv) = (other, row);
        multiply(dx1, d_gated, v);
        multiply(dv, d_gated, x1);
        let parts = [(X1, dx1, projected_x1), (X2, dx2, projected_x2), (V, dv, d_gated)];
        for (part, dy, dx) in parts {
            inputs.short(part, at[1]).backward(inputs.part(part, at), dy, dx, &mut grads.short[part]);
        }
    }

    fn tap_grads(&mut self, grads: ChannelGrads<'_>) {
        let filters = [(&mut self.filter, grads.lags), (&mut self.residual, grads.residual_lags)];
        for (filter, mut lags) in filters {
            if let Some(taps) = lags.next() {
                let reverse = lags.next().map(Part::zeros).unwrap_or_default();
                self.convolver.tap_grads(filter, taps.zeros(), reverse);
            }
        }
    }
}

fn multiply(out: &mut [f32], a: &[f32], b: &[f32]) {
    simd::run(
        #[inline(always)]
        || simd::multiply(out, a, b),
    );
}
