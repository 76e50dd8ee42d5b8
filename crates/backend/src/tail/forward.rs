//! The forward pass: a tile of tokens at a time.

use rayon::prelude::*;

use super::sizes::{Sizes, TOKENS, stride};
use crate::kernel::{Part, Unwritten};
use crate::micro::{Scalars, product_of_rows};
use crate::pointwise::Activation;
use crate::simd::functions::sigmoid;
use crate::simd::{Simd, WithSimd, dispatch, save};

/// `[batch, seq, d_out]`, and with a gate the sigmoids of the second parts.
pub(super) fn forward(
    sizes: Sizes,
    activation: Activation,
    y: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> (Vec<f32>, Option<Vec<f32>>) {
    let weight = &sizes.packed_weight(weight, bias)[..];
    let tile = sizes.d_out * TOKENS;
    let numbers = || Unwritten::new(sizes.tokens() * sizes.d_out);
    let (mut out, mut gate) = (numbers(), (sizes.parts > 1).then(numbers));
    let outs = out.parts(tile);
    let mut gates: Vec<_> = gate.iter_mut().flat_map(|gate| gate.parts(tile)).map(Some).collect();
    gates.resize_with(outs.len(), || None);
    outs.into_par_iter().zip(gates).enumerate().for_each_init(
        || vec![1.0; sizes.inputs() * stride(TOKENS)],
        |hidden, (index, (out, gate))| {
            let (out, gate) = (out.zeros(), gate.map_or(&mut [][..], Part::zeros));
            dispatch(Tile { sizes, activation, y, weight, index, hidden, out, gate });
        },
    );
    (out.into_vec(), gate.map(Unwritten::into_vec))
}

struct Tile<'a> {
    sizes: Sizes,
    activation: Activation,
    y: &'a [f32],
    /// In vectors.
    weight: &'a [f32],
    index: usize,
    /// `[inputs, TOKENS]`; the last row is 1 where there is a bias.
    hidden: &'a mut [f32],
    /// `[tokens, d_out]`
    out: &'a mut [f32],
    /// The same, or nothing.
    gate: &'a mut [f32],
}

impl WithSimd for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, activation, y, weight, index, hidden, out, gate } = self;
        let tile = sizes.tile(index);
        sizes.gather(y, tile.clone(), hidden);
        for row in hidden.chunks_exact_mut(stride(TOKENS)).take(sizes.channels) {
            activation.apply(simd, &mut row[..TOKENS]);
        }
        let a = Scalars::columns(hidden, stride(TOKENS));
        let b = (weight, stride(sizes.packed()));
        let all = [tile.len(), sizes.parts * sizes.vectors(), sizes.inputs()];
        let columns = |j: usize| j * S::F32_LANES..sizes.d_out.min((j + 1) * S::F32_LANES);
        if gate.is_empty() {
            product_of_rows(
                simd,
                a,
                b,
                all,
                #[inline(always)]
                |i, j, sum| save(simd, &mut out[i * sizes.d_out..][columns(j)], sum),
            );
            return;
        }
        let mut value = simd.splat_f32s(0.0);
        product_of_rows(
            simd,
            a,
            b,
            all,
            #[inline(always)]
            |i, j, sum| {
                if j % 2 == 0 {
                    value = sum;
                    return;
                }
                let s = sigmoid(simd, sum);
                save(simd, &mut out[i * sizes.d_out..][columns(j / 2)], simd.mul_f32s(value, s));
                save(simd, &mut gate[i * sizes.d_out..][columns(j / 2)], s);
            },
        );
    }
}
