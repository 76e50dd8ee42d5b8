//! What happens to a query or key before products are taken: it is normalised, scaled and turned by its position.
//!
//! ```text
//! z = r x g        r = 1 / sqrt(mean of x^2 + eps)        then turned by the rotary angles of the position
//! ```
//! Backwards, with `dz` turned back and `c = mean of (dz g x)`:  `dg += r dz x`,  `dx = r (dz g - r^2 c x)`.

use crate::Rotary;
use crate::head_norm::HEAD_NORM_EPS;
use subquad_backend::simd::{self, Lockstep};

/// How rows of queries, or of keys, are prepared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Prepare<'a> {
    /// Gains `[d_head]` of a root-mean-square norm.
    pub(crate) gain: Option<&'a [f32]>,
    pub(crate) rotary: Option<&'a Rotary>,
}

impl Prepare<'_> {
    /// Row `x` of token `token`, prepared, times `scale`.
    #[inline(always)]
    pub(super) fn forward(&self, token: usize, x: &[f32], scale: f32, to: &mut [f32]) {
        let to = &mut to[..x.len()];
        let r = self.gain.map_or(1.0, |_| inverse_rms(x)) * scale;
        match self.gain {
            None => to.iter_mut().lockstep(x).for_each(|(to, x)| *to = x * r),
            Some(gain) => {
                to.iter_mut().lockstep(x).lockstep(gain).for_each(|((to, x), gain)| *to = x * r * gain)
            }
        }
        if let Some(rotary) = self.rotary {
            rotary.turn_row(token, to, 1.0);
        }
    }

    /// Turns `grad`, the gradient of a prepared row, into the gradient of `x`, and adds the gradient of the gains to
    /// `d_gain`.
    #[inline(always)]
    pub(super) fn backward(
        &self,
        token: usize,
        x: &[f32],
        grad: &mut [f32],
        to: &mut [f32],
        d_gain: &mut [f32],
    ) {
        if let Some(rotary) = self.rotary {
            rotary.turn_row(token, grad, -1.0);
        }
        match self.gain {
            None => to.copy_from_slice(grad),
            Some(gain) => norm_backward(x, gain, grad, to, d_gain),
        }
    }
}

#[inline(always)]
fn norm_backward(x: &[f32], gain: &[f32], grad: &[f32], to: &mut [f32], d_gain: &mut [f32]) {
    let r = inverse_rms(x);
    let dot = simd::total(grad.iter().lockstep(gain).lockstep(x).map(|((grad, gain), x)| grad * gain * x));
    let pull = r * r * dot / x.len() as f32;
    for (i, x) in x.iter().enumerate() {
        d_gain[i] += r * grad[i] * x;
        to[i] = r * (grad[i] * gain[i] - pull * x);
    }
}

#[inline(always)]
fn inverse_rms(x: &[f32]) -> f32 {
    let squares = simd::total(x.iter().map(|x| x * x));
    1.0 / (squares / x.len() as f32 + HEAD_NORM_EPS as f32).sqrt()
}
