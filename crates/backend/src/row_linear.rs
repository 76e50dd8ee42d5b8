//! A linear layer for one token at a time, over plain slices.

use burn::nn::Linear;

use crate::floats;
use crate::micro::{Scalars, product_of_rows};
use crate::simd::{Lockstep, Simd, WithSimd, dispatch};

/// Columns that are summed together. The cost of a product of one row is reading the weight once: in such strips,
/// every read continues where the last one ended.
const STRIP: usize = 64;

/// `y = x W + b` for one row, with `W` in strips of columns. It allocates nothing.
#[derive(Debug, Clone)]
pub struct RowLinear {
    d_input: usize,
    d_output: usize,
    /// `[strips, d_input, STRIP]`; the excess of the last strip is 0.
    weight: Vec<f32>,
    /// `[strips, STRIP]`
    bias: Vec<f32>,
}

impl RowLinear {
    /// A copy of the layer's present weights.
    ///
    /// # Panics
    /// If they are not f32.
    pub fn new(layer: &Linear) -> Self {
        let [d_input, d_output] = layer.weight.dims();
        let weight = floats(layer.weight.val());
        let bias = layer.bias.as_ref().map_or_else(|| vec![0.0; d_output], |bias| floats(bias.val()));
        Self { d_input, d_output, weight: strips(&weight, d_output), bias: strips(&bias, d_output) }
    }

    /// Width of a result.
    pub fn d_output(&self) -> usize {
        self.d_output
    }

    /// # Shapes
    /// - `x`: `[d_input]`
    /// - `y`: `[d_output]`
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.d_input, "input of a linear layer");
        assert_eq!(y.len(), self.d_output, "output of a linear layer");
        dispatch(Apply { layer: self, x, y });
    }
}

/// From rows of `width` columns to strips of columns.
fn strips(rows: &[f32], width: usize) -> Vec<f32> {
    let strip = |first: usize| {
        let last = (first + STRIP).min(width);
        rows.chunks_exact(width).flat_map(move |row| {
            row[first..last].iter().copied().chain(std::iter::repeat_n(0.0, STRIP - (last - first)))
        })
    };
    (0..width).step_by(STRIP).flat_map(strip).collect()
}

struct Apply<'a> {
    layer: &'a RowLinear,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, x, y } = self;
        let strips =
            layer.weight.chunks_exact(layer.d_input * STRIP).lockstep(layer.bias.chunks_exact(STRIP));
        for (y, (weight, bias)) in y.chunks_mut(STRIP).lockstep(strips) {
            let mut sums = [0.0; STRIP];
            let (to, _) = S::as_mut_simd_f32s(&mut sums);
            product_of_rows(
                simd,
                Scalars::rows(x, x.len()),
                (weight, STRIP),
                [1, STRIP / S::F32_LANES, x.len()],
                #[inline(always)]
                |_, j, sum| to[j] = sum,
            );
            y.iter_mut().lockstep(&sums).lockstep(bias).for_each(|((y, sum), bias)| *y = sum + bias);
        }
    }
}
