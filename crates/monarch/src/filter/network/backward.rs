//! The backward pass: it runs over parts of the tokens, and sums their shares of the gradients in order.
//!
//! ```text
//! p = x W + b, h = sin(w p)      a sine layer, whose h the next one reads
//! dh = dy W'^T                   W', dy: the next layer's weight, and the gradient of its output
//! dp = dh w cos(w p)             dw += dh p cos(w p), db += dp, dW' += h^T dy
//! ```

use rayon::prelude::*;
use subquad_backend::kernel::Unwritten;
use subquad_backend::linear::multiply::{Multiply, Out, Right, Start};
use subquad_backend::linear::sums::{PARTS, sum_of_parts};
use subquad_backend::micro::Scalars;
use subquad_backend::simd::{Lockstep, Simd, WithSimd, dispatch, load, mul_add, save, sin_cos};
use subquad_backend::transpose;

use super::layers::{Network, TOKENS};

pub(super) struct Backward<'a> {
    network: Network<'a>,
    /// Every weight's transpose, at the weight's place.
    turned: Vec<f32>,
    wants_features: bool,
    wants_numbers: bool,
}

/// What is needed of some tokens.
struct Tokens<'a> {
    features: &'a [f32],
    notes: &'a [f32],
    grad: &'a [f32],
    /// The gradient of their features.
    d_features: &'a mut [f32],
}

impl<'a> Backward<'a> {
    pub(super) fn new(network: Network<'a>, [wants_features, wants_numbers]: [bool; 2]) -> Self {
        let sizes = network.sizes;
        let mut turned = vec![0.0; sizes.numbers()];
        for layer in 0..=sizes.sine_layers {
            let [inputs, outputs] = sizes.widths(layer);
            let to = &mut turned[sizes.weight(layer)];
            transpose(network.weight(layer), outputs, [inputs, outputs], to, inputs);
        }
        Self { network, turned, wants_features, wants_numbers }
    }

    /// Returns the gradients of features, frequencies and numbers.
    pub(super) fn run(&self, features: &[f32], notes: &[f32], grad: &[f32]) -> [Vec<f32>; 3] {
        let Network { sizes, frequencies, .. } = self.network;
        let seq = features.len() / sizes.emb_dim;
        if seq == 0 {
            return [vec![], vec![0.0; frequencies.len()], vec![0.0; sizes.numbers()]];
        }
        let part = seq.div_ceil(PARTS).next_multiple_of(TOKENS);
        let mut d_features = vec![0.0; features.len()];
        let len = sizes.numbers() + frequencies.len();
        let mut sums = Unwritten::new(seq.div_ceil(part) * len);
        let parts = d_features.par_chunks_mut(part * sizes.emb_dim);
        let parts = parts.zip(features.par_chunks(part * sizes.emb_dim));
        let parts = parts.zip(notes.par_chunks(part * sizes.notes()));
        let parts = parts.zip(grad.par_chunks(part * sizes.d_model));
        let shares = sums.parts(len).into_par_iter().zip(parts);
        shares.for_each(|(sums, (((d_features, features), notes), grad))| {
            self.part(Tokens { features, notes, grad, d_features }, sums.zeros());
        });
        let mut sums = sum_of_parts(sums.into_vec(), len);
        let frequencies = sums.split_off(sizes.numbers());
        [d_features, frequencies, sums]
    }

    fn part(&self, tokens: Tokens<'_>, sums: &mut [f32]) {
        let sizes = self.network.sizes;
        let Tokens { features, notes, grad, d_features } = tokens;
        let size = TOKENS.min(grad.len() / sizes.d_model) * sizes.order;
        let mut scratch = [(); 3].map(|()| vec![0.0; size]);
        let blocks = features.chunks(TOKENS * sizes.emb_dim).zip(notes.chunks(TOKENS * sizes.notes()));
        let blocks = blocks.zip(grad.chunks(TOKENS * sizes.d_model));
        let blocks = blocks.zip(d_features.chunks_mut(TOKENS * sizes.emb_dim));
        for (((features, notes), grad), d_features) in blocks {
            self.block(Tokens { features, notes, grad, d_features }, &mut scratch, sums);
        }
    }

    /// `scratch` has room for the tokens' hidden numbers and two gradients, `[tokens, order]` each.
    fn block(&self, tokens: Tokens<'_>, scratch: &mut [Vec<f32>; 3], sums: &mut [f32]) {
        let sizes = self.network.sizes;
        let size = tokens.notes.len() / sizes.sine_layers;
        let [hidden, mut outer, mut inner] = scratch.each_mut().map(|numbers| &mut numbers[..size]);
        for (layer, before) in tokens.notes.chunks_exact(size).enumerate().rev() {
            let dy = if layer + 1 == sizes.sine_layers { tokens.grad } else { &*outer };
            self.input_grad(layer + 1, dy, inner);
            self.sine_grad(layer, before, hidden, inner, sums);
            self.add_weight_grad(layer + 1, hidden, dy, sums);
            std::mem::swap(&mut outer, &mut inner);
        }
        self.add_weight_grad(0, tokens.features, outer, sums);
        if self.wants_features {
            self.input_grad(0, outer, tokens.d_features);
        }
    }

    /// `dx = dy W^T`
    fn input_grad(&self, layer: usize, dy: &[f32], dx: &mut [f32]) {
        let sizes = self.network.sizes;
        let [inputs, outputs] = sizes.widths(layer);
        let b = Right::Rows { data: &self.turned[sizes.weight(layer)], stride: inputs };
        let (out, a) = (Out::whole(dx, inputs), Scalars::rows(dy, outputs));
        Multiply { out, a, b, terms: outputs, cols: inputs, start: Start::Zeros }.run();
    }

    /// `dW += x^T dy`
    fn add_weight_grad(&self, layer: usize, x: &[f32], dy: &[f32], sums: &mut [f32]) {
        if !self.wants_numbers {
            return;
        }
        let sizes = self.network.sizes;
        let [inputs, outputs] = sizes.widths(layer);
        let out = Out::whole(&mut sums[sizes.weight(layer)], outputs);
        let (a, b) = (Scalars::columns(x, inputs), Right::Rows { data: dy, stride: outputs });
        Multiply { out, a, b, terms: dy.len() / outputs, cols: outputs, start: Start::Out }.run();
    }

    fn sine_grad(
        &self,
        layer: usize,
        before: &[f32],
        hidden: &mut [f32],
        grad: &mut [f32],
        sums: &mut [f32],
    ) {
        let (network, sizes) = (self.network, self.network.sizes);
        let (numbers, frequencies) = sums.split_at_mut(sizes.numbers());
        dispatch(SineGrad {
            before,
            frequency: network.frequency(layer),
            hidden,
            grad,
            d_bias: &mut numbers[sizes.bias(layer)],
            d_frequency: &mut frequencies[network.row(layer)],
        });
    }
}

/// A sine layer's gradients; the letters are at the top of the file.
struct SineGrad<'a> {
    /// `p [tokens, order]`
    before: &'a [f32],
    /// `w [order]`
    frequency: &'a [f32],
    /// Becomes `h [tokens, order]`.
    hidden: &'a mut [f32],
    /// `dh [tokens, order]`, becomes `dp`.
    grad: &'a mut [f32],
    d_bias: &'a mut [f32],
    d_frequency: &'a mut [f32],
}

impl WithSimd for SineGrad<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { before, frequency, hidden, grad, d_bias, d_frequency } = self;
        let order = frequency.len();
        for from in (0..order).step_by(S::F32_LANES) {
            let at = from..order.min(from + S::F32_LANES);
            let w = load(simd, &frequency[at.clone()]);
            let [mut db, mut dw] = [load(simd, &d_bias[at.clone()]), load(simd, &d_frequency[at.clone()])];
            let rows = before.chunks_exact(order).lockstep(hidden.chunks_exact_mut(order));
            for ((before, hidden), grad) in rows.lockstep(grad.chunks_exact_mut(order)) {
                let p = load(simd, &before[at.clone()]);
                let (sin, cos) = sin_cos(simd, simd.mul_f32s(w, p));
                let slope = simd.mul_f32s(load(simd, &grad[at.clone()]), cos);
                let dp = simd.mul_f32s(w, slope);
                (db, dw) = (simd.add_f32s(db, dp), mul_add(simd, p, slope, dw));
                save(simd, &mut hidden[at.clone()], sin);
                save(simd, &mut grad[at.clone()], dp);
            }
            save(simd, &mut d_bias[at.clone()], db);
            save(simd, &mut d_frequency[at], dw);
        }
    }
}
