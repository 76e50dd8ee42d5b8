//! Backward: threads take parts of the tokens, and each goes through 256 tokens and 256 hidden numbers at a time, so that what
//! passes between the products stays in a core's second cache.

use std::ops::Range;

use rayon::prelude::*;

use super::Sizes;
use crate::kernel::{Part, Unwritten};
use crate::linear::multiply::{Multiply, Out, Panels, Right, Start, TERMS, ranges};
use crate::linear::sums::{PARTS, sum_of_parts, sum_of_rows};
use crate::micro::Scalars;
use crate::pointwise::Activation;
use crate::simd::{self, Lockstep, Simd, WithSimd, dispatch};

/// The transposed weights of both layers, which all threads share.
pub(super) struct Layers {
    expand: Panels,
    reduce: Panels,
    activation: Activation,
    sizes: Sizes,
}

pub(super) struct Grads {
    pub(super) x: Vec<f32>,
    pub(super) weights: [Vec<f32>; 2],
    pub(super) biases: [Vec<f32>; 2],
}

impl Layers {
    pub(super) fn new([expand, reduce]: [&[f32]; 2], activation: Activation, sizes: Sizes) -> Self {
        let Sizes { d_input, d_hidden, d_output, .. } = sizes;
        let expand = Panels::of_columns(expand, [d_hidden, d_input]);
        let reduce = Panels::of_columns(reduce, [d_output, d_hidden]);
        Self { expand, reduce, activation, sizes }
    }

    /// Each part of the tokens sums gradients of its own; the sums are then added in order.
    pub(super) fn grads(&self, x: &[f32], a: &[f32], dy: &[f32]) -> Grads {
        let Sizes { tokens, d_input, d_hidden, d_output } = self.sizes;
        let part = tokens.div_ceil(PARTS);
        let (parts, expand, reduce) = (tokens.div_ceil(part), d_input * d_hidden, d_hidden * d_output);
        let (mut dx, mut bias) = (Unwritten::new(x.len()), vec![0.0; parts * d_hidden]);
        let [mut expands, mut reduces] = [expand, reduce].map(|len| Unwritten::new(parts * len));
        let sums = expands.parts(expand).into_par_iter().zip(reduces.parts(reduce));
        let outs = dx.parts(part * d_input).into_par_iter().zip(sums).zip(bias.par_chunks_mut(d_hidden));
        let tokens = x.par_chunks(part * d_input).zip(a.par_chunks(part * d_hidden));
        outs.zip(tokens.zip(dy.par_chunks(part * d_output))).for_each(
            |(((dx, (expand, reduce)), bias), ((x, a), dy))| {
                let sums = Sums { expand: expand.zeros(), reduce: reduce.zeros(), bias };
                PartOfTokens { layers: self, sums, h: vec![], da: vec![] }.run(dx, [x, a, dy]);
            },
        );
        let weights =
            [(expands, expand), (reduces, reduce)].map(|(parts, len)| sum_of_parts(parts.into_vec(), len));
        let biases = [sum_of_parts(bias, d_hidden), sum_of_rows(dy, d_output)];
        Grads { x: dx.into_vec(), weights, biases }
    }
}

/// Gradients of a part of the tokens.
struct Sums<'a> {
    expand: &'a mut [f32],
    reduce: &'a mut [f32],
    bias: &'a mut [f32],
}

struct PartOfTokens<'a> {
    layers: &'a Layers,
    sums: Sums<'a>,
    /// `h` of some tokens and hidden numbers.
    h: Vec<f32>,
    /// `da` of the same.
    da: Vec<f32>,
}

impl PartOfTokens<'_> {
    fn run(mut self, dx: Part<'_>, [x, a, dy]: [&[f32]; 3]) {
        let Sizes { d_input, d_hidden, d_output, .. } = self.layers.sizes;
        let tokens =
            x.chunks(TERMS * d_input).zip(a.chunks(TERMS * d_hidden)).zip(dy.chunks(TERMS * d_output));
        for (dx, ((x, a), dy)) in dx.parts(TERMS * d_input).into_iter().zip(tokens) {
            let dx = dx.zeros();
            for hidden in ranges(d_hidden, TERMS) {
                self.differentiate(a, dy, &hidden);
                self.add(dx, x, dy, &hidden);
            }
        }
    }

    /// `h` and `da` of these hidden numbers.
    fn differentiate(&mut self, a: &[f32], dy: &[f32], hidden: &Range<usize>) {
        let Sizes { d_hidden, d_output, .. } = self.layers.sizes;
        self.h.clear();
        a.chunks(d_hidden).for_each(|a| self.h.extend_from_slice(&a[hidden.clone()]));
        self.da.resize(self.h.len(), 0.0);
        Multiply {
            out: Out::whole(&mut self.da, hidden.len()),
            a: Scalars::rows(dy, d_output),
            b: self.layers.reduce.from([0, hidden.start]),
            terms: d_output,
            cols: hidden.len(),
            start: Start::Zeros,
        }
        .run();
        dispatch(Slopes { activation: self.layers.activation, x: &mut self.h, d: &mut self.da });
    }

    /// What they add to all gradients.
    fn add(&mut self, dx: &mut [f32], x: &[f32], dy: &[f32], hidden: &Range<usize>) {
        let Self { layers, sums: Sums { expand, reduce, bias }, h, da } = self;
        let Sizes { d_input, d_hidden, d_output, .. } = layers.sizes;
        let (width, tokens, start) = (hidden.len(), x.len() / d_input, Start::Out);
        let d_reduce = Multiply {
            out: Out::whole(&mut reduce[hidden.start * d_output..hidden.end * d_output], d_output),
            a: Scalars::columns(h, width),
            b: Right::Rows { data: dy, stride: d_output },
            terms: tokens,
            cols: d_output,
            start,
        };
        let d_expand = Multiply {
            out: Out::rows(&mut expand[hidden.start..], d_input, d_hidden),
            a: Scalars::columns(x, d_input),
            b: Right::Rows { data: da, stride: width },
            terms: tokens,
            cols: width,
            start,
        };
        let dx = Multiply {
            out: Out::whole(dx, d_input),
            a: Scalars::rows(da, width),
            b: layers.expand.from([hidden.start, 0]),
            terms: width,
            cols: d_input,
            start,
        };
        // There may be more threads than parts.
        rayon::join(|| d_reduce.run(), || rayon::join(|| d_expand.run(), || dx.run()));
        simd::run(
            #[inline(always)]
            || da.chunks(width).for_each(|da| simd::add(&mut bias[hidden.clone()], da)),
        );
    }
}

/// The activation of `x`, and `d` times its slopes, in place.
struct Slopes<'a> {
    activation: Activation,
    x: &'a mut [f32],
    d: &'a mut [f32],
}

impl WithSimd for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut slopes = [0.0; 1 << 10];
        for (x, d) in self.x.chunks_mut(slopes.len()).lockstep(self.d.chunks_mut(slopes.len())) {
            let slopes = &mut slopes[..x.len()];
            self.activation.apply_with_slopes(simd, x, slopes);
            for (d, slope) in d.iter_mut().lockstep(slopes) {
                *d *= *slope;
            }
        }
    }
}
