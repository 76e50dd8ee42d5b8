//! Rotary positions: a token's features are turned, pair by pair, by angles proportional to its position, so that a
//! query and a key meet at the difference of their positions.
//!
//! ```text
//! angle(t, i) = t * base^(-2 i / d_head)                                             i < d_head / 2
//! (x_i, x_{i + d_head/2}) -> (x_i cos - x_{i + d_head/2} sin, x_i sin + x_{i + d_head/2} cos)
//! ```
//! Su et al. 2021, <https://arxiv.org/abs/2104.09864>, section 3.2, with the two halves of a head as pairs ("half
//! split") where the paper pairs neighbours. The two differ by a permutation of the columns of the projections.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use subquad_backend::Form;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

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
    /// Rotations of the positions `first..first + seq`.
    ///
    /// # Panics
    /// If `d_head` is odd.
    pub fn new(first: usize, seq: usize, d_head: usize, base: f64) -> Self {
        assert!(d_head.is_multiple_of(2), "rotary positions turn pairs of features, got d_head = {d_head}");
        let half = d_head / 2;
        let rates: Vec<f64> = (0..half).map(|i| base.powf(-2.0 * i as f64 / d_head as f64)).collect();
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
    /// If `seq` or `d_head` are not those of [`new`](Self::new).
    pub fn apply(&self, x: Tensor<4>, form: Form) -> Tensor<4> {
        let [_, _, seq, d_head] = x.dims();
        assert_eq!([seq, d_head], [self.seq, 2 * self.half], "[seq, d_head] must be those of the rotations");
        match form {
            Form::Portable => self.portable(x),
            Form::Fused => apply(Rotate(self.clone()), [x.into()]),
        }
    }

    fn portable(&self, x: Tensor<4>) -> Tensor<4> {
        let (cos, sin) = (self.table(&self.cos, &x.device()), self.table(&self.sin, &x.device()));
        let a = x.clone().narrow(3, 0, self.half);
        let b = x.narrow(3, self.half, self.half);
        let turned_a = a.clone() * cos.clone() - b.clone() * sin.clone();
        Tensor::cat(vec![turned_a, a * sin + b * cos], 3)
    }

    fn table(&self, values: &[f32], device: &Device) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, 1, self.seq, self.half]), device)
    }

    /// Turns one head, `[seq, d_head]`, forward (`direction` 1) or back (-1).
    fn turn(&self, from: &[f32], to: &mut [f32], direction: f32) {
        let half = self.half;
        let tables = self.cos.chunks_exact(half).zip(self.sin.chunks_exact(half));
        for ((from, to), (cos, sin)) in
            from.chunks_exact(2 * half).zip(to.chunks_exact_mut(2 * half)).zip(tables)
        {
            let ((a, b), (to_a, to_b)) = (from.split_at(half), to.split_at_mut(half));
            for i in 0..half {
                let sin = direction * sin[i];
                to_a[i] = a[i] * cos[i] - b[i] * sin;
                to_b[i] = a[i] * sin + b[i] * cos[i];
            }
        }
    }

    /// Turns the row of token `token` in place, forward (`direction` 1) or back (-1).
    #[inline(always)]
    pub(crate) fn turn_row(&self, token: usize, row: &mut [f32], direction: f32) {
        let at = token * self.half..(token + 1) * self.half;
        let angles = self.cos[at.clone()].iter().zip(&self.sin[at]);
        let (a, b) = row.split_at_mut(self.half);
        for ((a, b), (cos, sin)) in a.iter_mut().zip(b).zip(angles) {
            let sin = direction * sin;
            (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
        }
    }

    pub(crate) fn turn_all(&self, x: &View<'_>, direction: f32) -> Array {
        let head = self.seq * 2 * self.half;
        let mut turned = vec![0.0; x.data.len()];
        let heads = turned.par_chunks_exact_mut(head).zip(x.data.par_chunks_exact(head));
        heads.for_each(|(to, from)| self.turn(from, to, direction));
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
