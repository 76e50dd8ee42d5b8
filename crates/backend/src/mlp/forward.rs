//! Forward: a few tokens at a time through both layers.

use std::ops::Range;

use rayon::prelude::*;

use super::Sizes;
use crate::kernel::{Part, Unwritten};
use crate::linear::multiply::{Multiply, Out, Panels, Start, TERMS, ranges};
use crate::micro::{Scalars, TALLEST};
use crate::pointwise::{Activation, activate_row};

/// Tokens that go through both layers together: so many read weights that do not stay in a core's second cache.
const ROWS: usize = 8 * TALLEST;

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
    let outputs = y.parts(ROWS * d_output).into_par_iter().zip(a.parts(ROWS * d_hidden));
    outputs.zip(x.par_chunks(ROWS * d_input)).for_each_init(Vec::new, |hidden, ((y, a), x)| {
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
    /// 256 hidden numbers at a time, which stay in a core's second cache.
    fn rows(&self, x: &[f32], a: Part<'_>, y: Part<'_>, hidden: &mut Vec<f32>) {
        let Sizes { d_input, d_hidden, .. } = self.sizes;
        let (mut a, y) = (a.parts(d_hidden), y.zeros());
        for columns in ranges(d_hidden, TERMS) {
            hidden.resize(x.len() / d_input * columns.len(), 0.0);
            self.expand(x, hidden, &columns);
            let rows = a.into_iter().zip(hidden.chunks(columns.len()));
            a = rows.map(|(a, row)| copied_to_first(a, row)).collect();
            activate_row(hidden, self.activation);
            self.reduce(hidden, y, &columns);
        }
    }

    fn expand(&self, x: &[f32], a: &mut [f32], columns: &Range<usize>) {
        let d_input = self.sizes.d_input;
        Multiply {
            out: Out::whole(a, columns.len()),
            a: Scalars::rows(x, d_input),
            b: self.expand.from([0, columns.start]),
            terms: d_input,
            cols: columns.len(),
            start: self.biases[0].map(|bias| &bias[columns.clone()]).into(),
        }
        .run();
    }

    fn reduce(&self, hidden: &[f32], y: &mut [f32], columns: &Range<usize>) {
        let d_output = self.sizes.d_output;
        Multiply {
            out: Out::whole(y, d_output),
            a: Scalars::rows(hidden, columns.len()),
            b: self.reduce.from([columns.start, 0]),
            terms: columns.len(),
            cols: d_output,
            start: if columns.start == 0 { self.biases[1].into() } else { Start::Out },
        }
        .run();
    }
}

/// The part after `values`, which become its first numbers.
fn copied_to_first<'a>(part: Part<'a>, values: &[f32]) -> Part<'a> {
    let (first, rest) = part.split_at(values.len());
    first.copied(values);
    rest
}
