//! What happens to a token's queries and keys before products are taken: norm and rotation.

use crate::head_norm::HEAD_NORM_EPS;
use crate::score_row::in_twos;
use subquad_backend::simd::{self, Lockstep};

/// Norm, rotation and scale of the heads of one token.
#[derive(Debug, Clone)]
pub(super) struct Preparation {
    pub(super) q_gain: Option<Vec<f32>>,
    pub(super) k_gain: Option<Vec<f32>>,
    /// Radians per token, for each rotary pair; empty without rotary positions.
    pub(super) rates: Vec<f64>,
}

impl Preparation {
    /// The rotations of position `t`: cosine and sine of each pair.
    pub(super) fn turn_to(&self, t: usize, turns: &mut [[f32; 2]]) {
        for (turn, rate) in turns.iter_mut().lockstep(&self.rates) {
            let (sin, cos) = (t as f64 * rate).sin_cos();
            *turn = [cos as f32, sin as f32];
        }
    }

    /// Prepares one head of queries, scaled so that weights are powers of two of its products with keys.
    pub(super) fn query(&self, head: &mut [f32], turns: &[[f32; 2]]) {
        norm(head, self.q_gain.as_deref());
        turn(head, turns);
        let scale = in_twos(1.0 / (head.len() as f64).sqrt());
        head.iter_mut().for_each(|x| *x *= scale);
    }

    /// Prepares one head of keys.
    pub(super) fn key(&self, head: &mut [f32], turns: &[[f32; 2]]) {
        norm(head, self.k_gain.as_deref());
        turn(head, turns);
    }
}

fn norm(head: &mut [f32], gain: Option<&[f32]>) {
    let Some(gain) = gain else { return };
    let squares = simd::total(head.iter().map(|x| x * x));
    let size = (squares / head.len() as f32 + HEAD_NORM_EPS as f32).sqrt();
    head.iter_mut().lockstep(gain).for_each(|(x, gain)| *x = *x / size * gain);
}

fn turn(head: &mut [f32], turns: &[[f32; 2]]) {
    let (first, rest) = head.split_at_mut(turns.len());
    for ((a, b), [cos, sin]) in first.iter_mut().lockstep(rest).lockstep(turns) {
        (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
    }
}
