//! Initial values of the diagonal system, in f64 on the host.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::hippo;

/// Where the eigenvalues of `A` and the input weights `B` start. `n` counts conjugate pairs from 0, `N` is `d_state`.
///
/// Gu, Gupta, Goel, Re 2022, <https://arxiv.org/abs/2206.11893>, section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum S4dInit {
    /// S4D-LegS, the normal part of HiPPO-LegS: `-1/2 + i w_n` ([`hippo::legs`]), and its `B`.
    Legs,
    /// S4D-Lin: `-1/2 + i pi n`, `B = 1`.
    Lin,
    /// S4D-Inv: `-1/2 + i (N / pi) (N / (2n + 1) - 1)`, `B = 1`.
    Inv,
    /// S4D-Real: `-(n + 1)`, `B = 1`.
    Real,
}

/// One conjugate pair of the continuous system: `A = -decay + i frequency`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mode {
    pub(crate) decay: f64,
    pub(crate) frequency: f64,
    pub(crate) b_re: f64,
    pub(crate) b_im: f64,
}

impl S4dInit {
    /// The `d_state / 2` pairs. `b_clip` bounds the imaginary part of `B`.
    pub(crate) fn modes(self, d_state: usize, b_clip: Option<f64>) -> Vec<Mode> {
        let pairs = 0..d_state / 2;
        let unit = |decay, frequency| Mode { decay, frequency, b_re: 1.0, b_im: 0.0 };
        let size = d_state as f64;
        match self {
            Self::Legs => hippo::legs(d_state).into_iter().map(|pair| legs(pair, b_clip)).collect(),
            Self::Lin => pairs.map(|n| unit(0.5, PI * n as f64)).collect(),
            Self::Inv => pairs.map(|n| unit(0.5, size / PI * (size / (2 * n + 1) as f64 - 1.0))).collect(),
            Self::Real => pairs.map(|n| unit((n + 1) as f64, 0.0)).collect(),
        }
    }
}

fn legs(hippo::LegsPair { w, b_re, b_im }: hippo::LegsPair, b_clip: Option<f64>) -> Mode {
    let b_im = b_clip.map_or(b_im, |limit| b_im.clamp(-limit, limit));
    Mode { decay: 0.5, frequency: w, b_re, b_im }
}
