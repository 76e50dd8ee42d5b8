//! Rotary positions: a token's features are turned, pair by pair, by angles proportional to its position, so that a
//! query and a key meet at the difference of their positions.
//!
//! ```text
//! angle(t, i) = t * base^(-2 i / d_rot)                                              i < d_rot / 2
//! (x_i, x_{i + d_rot/2}) -> (x_i cos - x_{i + d_rot/2} sin, x_i sin + x_{i + d_rot/2} cos)
//! ```
//! Su et al. 2021, <https://arxiv.org/abs/2104.09864>, section 3.2, with the two halves as pairs ("half split") where the
//! paper pairs neighbours. The two differ by a permutation of the columns of the projections. Features of a head from
//! `d_rot` on stay as they are: partial rotation, as in GPT-NeoX (Black et al. 2022, <https://arxiv.org/abs/2204.06745>,
//! section 2.1).

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use subquad_backend::Form;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

/// Radians per token, for each pair of features.
pub(crate) fn rates(d_rot: usize, base: f64) -> Vec<f64> {
    (0..d_rot / 2).map(|i| base.powf(-2.0 * i as f64 / d_rot as f64)).collect()
}

/// The rotations of consecutive positions. Angles are computed in f64: f32 would lose the fast pairs of late tokens.
#[derive(Debug, Clone)]
pub struct Rotary {
    seq: usize,
    half: usize,
    /// `[seq, half]`
    cos: Arc<[f32]>,
    /// `[seq, half]`
    sin: Arc<[f32]>,
}

impl Rotary {
    /// Rotations of the positions `first..first + seq` that turn the first `d_rot` features of a head: `d_head`, or fewer.
    ///
    /// # Panics
    /// If `d_rot` is odd or 0.
    pub fn new(first: usize, seq: usize, d_rot: usize, base: f64) -> Self {
        assert!(
            d_rot > 0 && d_rot.is_multiple_of(2),
            "rotary positions turn pairs of features, got d_rot = {d_rot}"
        );
        let half = d_rot / 2;
        let rates = rates(d_rot, base);
        let angles = (first..first + seq).flat_map(|t| rates.iter().map(move |rate| t as f64 * rate));
        let (cos, sin): (Vec<f32>, Vec<f32>) =
            angles.map(|angle| (angle.cos() as f32, angle.sin() as f32)).unzip();
        Self { seq, half, cos: cos.into(), sin: sin.into() }
    }

    /// Every token turned by its position.
    ///
    /// # Shapes
    /// - `x`: `[batch, heads, seq, d_head]`
    /// - output: `[batch, heads, seq, d_head]`
    ///
    /// # Panics
    /// If `seq` differs from that given to [`new`](Self::new), or `d_head` is less than its `d_rot`.
    pub fn apply(&self, x: Tensor<4>, form: Form) -> Tensor<4> {
        let ([_, _, seq, d_head], d_rot) = (x.dims(), 2 * self.half);
        assert_eq!(seq, self.seq, "{} rotations cannot turn {seq} tokens", self.seq);
        assert!(d_head >= d_rot, "rotations of {d_rot} features cannot turn heads of {d_head}");
        match form {
            Form::Portable => self.portable(x),
            Form::Fused => apply(Rotate(self.clone()), [x.into()]),
        }
    }

    fn portable(&self, x: Tensor<4>) -> Tensor<4> {
        let (cos, sin) = (self.table(&self.cos, &x.device()), self.table(&self.sin, &x.device()));
        let a = x.clone().narrow(3, 0, self.half);
        let b = x.clone().narrow(3, self.half, self.half);
        let turned = [a.clone() * cos.clone() - b.clone() * sin.clone(), a * sin + b * cos];
        let kept = x.dims()[3] - 2 * self.half;
        let rest = (kept > 0).then(|| x.narrow(3, 2 * self.half, kept));
        Tensor::cat(turned.into_iter().chain(rest).collect(), 3)
    }

    fn table(&self, values: &[f32], device: &Device) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, 1, self.seq, self.half]), device)
    }

    /// Turns a token's row of one head, in place, forward (`direction` 1) or back (-1).
    #[inline(always)]
    pub(crate) fn turn_row(&self, token: usize, row: &mut [f32], direction: f32) {
        let half = self.half;
        let (cos, sin) = (&self.cos[token * half..][..half], &self.sin[token * half..][..half]);
        let (a, b) = row[..2 * half].split_at_mut(half);
        for i in 0..half {
            let sin = direction * sin[i];
            (a[i], b[i]) = (a[i] * cos[i] - b[i] * sin, a[i] * sin + b[i] * cos[i]);
        }
    }

    /// Turns every head of `x [batch, heads, seq, d_head]`, forward (`direction` 1) or back (-1).
    fn turn_all(&self, x: &View<'_>, direction: f32) -> Array {
        let [_, _, seq, d_head] = x.dims();
        let mut turned = x.data.to_vec();
        turned.par_chunks_exact_mut(seq * d_head).for_each(|head| {
            let rows = head.chunks_exact_mut(d_head).enumerate();
            rows.for_each(|(token, row)| self.turn_row(token, row, direction));
        });
        Array::new(turned, x.shape)
    }
}

/// Input: `x [batch, heads, seq, d_head]`. A rotation's gradient is the rotation back, so nothing is kept.
#[derive(Debug)]
struct Rotate(Rotary);

impl CpuKernel for Rotate {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        self.0.turn_all(&inputs[0], 1.0)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        vec![saved.wanted[0].then(|| self.0.turn_all(&saved.grad, -1.0))]
    }
}
