//! The forward pass.

use rayon::prelude::*;
use subquad_backend::kernel::Unwritten;
use subquad_backend::linear::multiply::{Multiply, Out, Right, Start};
use subquad_backend::micro::Scalars;
use subquad_backend::simd::{Lockstep, Simd, WithSimd, dispatch, load, save, sin_cos};

use super::layers::{Network, TOKENS};

/// Returns the outputs, `[seq, d_model]`, and the arguments of the sines.
pub(super) fn forward(network: Network<'_>, features: &[f32], seq: usize) -> (Vec<f32>, Vec<f32>) {
    let sizes = network.sizes;
    let (mut out, mut notes) = (Unwritten::new(seq * sizes.d_model), Unwritten::new(seq * sizes.notes()));
    let blocks = out.parts(TOKENS * sizes.d_model).into_par_iter();
    let blocks = blocks.zip(notes.parts(TOKENS * sizes.notes()));
    let blocks = blocks.zip(features.par_chunks(TOKENS * sizes.emb_dim));
    let hidden = || vec![0.0; TOKENS.min(seq) * sizes.order];
    blocks.for_each_init(hidden, |hidden, ((out, notes), features)| {
        network.answer(features, notes.zeros(), hidden, Out::part(out, sizes.d_model));
    });
    (out.into_vec(), notes.into_vec())
}

impl Network<'_> {
    /// Runs some tokens through all layers.
    fn answer(self, features: &[f32], notes: &mut [f32], hidden: &mut [f32], out: Out<'_>) {
        let size = notes.len() / self.sizes.sine_layers;
        let hidden = &mut hidden[..size];
        for (layer, before) in notes.chunks_exact_mut(size).enumerate() {
            let x = if layer == 0 { features } else { &*hidden };
            let (out, bias) = (Out::whole(before, self.sizes.order), Start::Columns(self.bias(layer)));
            self.layer(layer, x, out, bias);
            dispatch(Sines { out: hidden, of: before, frequency: self.frequency(layer) });
        }
        self.layer(self.sizes.sine_layers, hidden, out, Start::Zeros);
    }

    /// `x W + b`
    fn layer(self, layer: usize, x: &[f32], out: Out<'_>, start: Start<'_>) {
        let [inputs, outputs] = self.sizes.widths(layer);
        let (a, b) = (Scalars::rows(x, inputs), Right::Rows { data: self.weight(layer), stride: outputs });
        Multiply { out, a, b, terms: inputs, cols: outputs, start }.run();
    }
}

/// `out = sin(w of)`, both `[tokens, order]`.
struct Sines<'a> {
    out: &'a mut [f32],
    of: &'a [f32],
    /// `[order]`
    frequency: &'a [f32],
}

impl WithSimd for Sines<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, of, frequency } = self;
        let order = frequency.len();
        for from in (0..order).step_by(S::F32_LANES) {
            let to = order.min(from + S::F32_LANES);
            let w = load(simd, &frequency[from..to]);
            for (out, of) in out.chunks_exact_mut(order).lockstep(of.chunks_exact(order)) {
                let (sin, _) = sin_cos(simd, simd.mul_f32s(w, load(simd, &of[from..to])));
                save(simd, &mut out[from..to], sin);
            }
        }
    }
}
