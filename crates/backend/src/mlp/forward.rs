//! Forward: a few tokens at a time through both layers.

use rayon::prelude::*;

use super::Sizes;
use crate::kernel::{Part, Unwritten};
use crate::linear::multiply::{Multiply, Out, Panels};
use crate::micro::{Scalars, TALLEST};
use crate::pointwise::{Activation, activate_row};

/// Hidden numbers that stay in a core's second cache beside what the products copy.
const HIDDEN: usize = 1 << 16;

/// Most blocks of sums that follow each other.
const TALL_BLOCKS: usize = 8;

/// `y`, and `a` before the activation.
pub(super) fn forward(
    x: &[f32],
    [expand, reduce]: [&[f32]; 2],
    biases: [Option<&[f32]>; 2],
    activation: Activation,
    sizes: Sizes,
) -> (Vec<f32>, Vec<f32>) {
    let Sizes { tokens, d_input, d_hidden, d_output } = sizes;
    let layers = Layers {
        expand: Panels::of_rows(expand, [d_input, d_hidden]),
        reduce: Panels::of_rows(reduce, [d_hidden, d_output]),
        biases,
        activation,
        sizes,
    };
    let (mut y, mut a) = (Unwritten::new(tokens * d_output), Unwritten::new(tokens * d_hidden));
    let rows = (HIDDEN / d_hidden / TALLEST).clamp(1, TALL_BLOCKS) * TALLEST;
    let outputs = y.parts(rows * d_output).into_par_iter().zip(a.parts(rows * d_hidden));
    outputs.zip(x.par_chunks(rows * d_input)).for_each_init(Vec::new, |hidden, ((y, a), x)| {
        layers.rows(x, a, y, hidden);
    });
    (y.into_vec(), a.into_vec())
}

struct Layers<'a> {
    expand: Panels,
    reduce: Panels,
    biases: [Option<&'a [f32]>; 2],
    activation: Activation,
    sizes: Sizes,
}

impl Layers<'_> {
    fn rows(&self, x: &[f32], a: Part<'_>, y: Part<'_>, hidden: &mut Vec<f32>) {
        let Sizes { d_input, d_hidden, d_output, .. } = self.sizes;
        let a = Multiply {
            out: Out::part(a, d_hidden),
            a: Scalars::rows(x, d_input),
            b: self.expand.all(),
            terms: d_input,
            cols: d_hidden,
            start: self.biases[0].into(),
        }
        .run();
        hidden.clear();
        hidden.extend_from_slice(a);
        activate_row(hidden, self.activation);
        Multiply {
            out: Out::part(y, d_output),
            a: Scalars::rows(hidden, d_hidden),
            b: self.reduce.all(),
            terms: d_hidden,
            cols: d_output,
            start: self.biases[1].into(),
        }
        .run();
    }
}
