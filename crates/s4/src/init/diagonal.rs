//! Diagonal systems.

use std::f64::consts::{FRAC_1_PI, PI};

use serde::{Deserialize, Serialize};
use subquad_mixer::Choice;
use subquad_options::word;

use super::{Demands, Mode, normal_part, pairs, share};
use crate::hippo::Measure;

/// Initial eigenvalues of `A` and initial input weights `B`. `n` counts conjugate pairs from 0, `N` is `d_state`.
///
/// Gu, Gupta, Goel, Re 2022, <https://arxiv.org/abs/2206.11893>, sections 4 and 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum S4dInit {
    /// S4D-LegS, the normal part of HiPPO-LegS: `-1/2 + i w_n` and its `B` ([`Measure::Legs`]). As the
    /// state grows its kernels become those of LegS itself (theorem 3, with half of this `B`).
    Legs,
    /// The normal part of HiPPO-FouT: `-1e-4 + i pi n`, `B = 1`, the first `1 / sqrt 2`. This is S4's init without
    /// the low-rank term: nearly undamped oscillators, one for each multiple of half a turn in a unit of time.
    Fout,
    /// S4D-Lin: `-1/2 + i pi n`, `B = 1`. The frequencies of FouT, damped: evenly spread.
    Lin,
    /// S4D-Inv: `-1/2 + i (N / pi) (N / (2n + 1) - 1)`, `B = 1`. Follows the frequencies of LegS, in a formula: many slow
    /// ones, few fast ones.
    Inv,
    /// `-1/2 + i (2n + 1)^2 / pi`, `B = 1`. Frequencies that spread quadratically; a control of the law of `Inv`.
    Quad,
    /// S4D-Real: `-(n + 1)`, `B = 1`. The eigenvalues of LegS itself, which are real; a control without oscillation.
    Real,
    /// `-1/2 + i e^g`, `g` a standard normal drawn for each pair of each system, `B = 1`. A control without
    /// structure.
    Rand,
    /// Half of the systems [`Inv`](Self::Inv), half [`Lin`](Self::Lin).
    Diag,
    /// Half of the systems [`Legs`](Self::Legs), half [`Fout`](Self::Fout).
    Hippo,
}

impl S4dInit {
    /// The parts of a mixture, or the init itself: `n_ssm` is a multiple of their number.
    pub fn parts(self) -> &'static [Self] {
        match self {
            Self::Legs => &[Self::Legs],
            Self::Fout => &[Self::Fout],
            Self::Lin => &[Self::Lin],
            Self::Inv => &[Self::Inv],
            Self::Quad => &[Self::Quad],
            Self::Real => &[Self::Real],
            Self::Rand => &[Self::Rand],
            Self::Diag => &[Self::Inv, Self::Lin],
            Self::Hippo => &[Self::Legs, Self::Fout],
        }
    }

    /// The `d_state / 2` pairs of each system. `b_clip` bounds the imaginary part of `B`, which only
    /// [`Legs`](Self::Legs) exceeds; `normal` draws standard normals, only for [`Rand`](Self::Rand).
    ///
    /// # Panics
    /// If `d_state` is odd, or `n_ssm` is not a multiple of the number of [`parts`](Self::parts).
    pub fn systems(
        self,
        d_state: usize,
        n_ssm: usize,
        b_clip: Option<f64>,
        normal: &mut dyn FnMut() -> f64,
    ) -> Vec<Vec<Mode>> {
        let spread = |mode: fn(f64, f64) -> Mode| {
            let modes = (0..pairs(d_state)).map(|n| mode(n as f64, d_state as f64)).collect();
            vec![modes; n_ssm]
        };
        match self {
            Self::Legs => vec![normal_part(Measure::Legs, d_state, b_clip).modes; n_ssm],
            Self::Fout => vec![normal_part(Measure::Fout, d_state, b_clip).modes; n_ssm],
            Self::Lin => spread(|n, _| Mode::unit(0.5, PI * n)),
            Self::Inv => spread(|n, size| Mode::unit(0.5, size * FRAC_1_PI * (size / (2.0 * n + 1.0) - 1.0))),
            Self::Quad => spread(|n, _| Mode::unit(0.5, FRAC_1_PI * (2.0 * n + 1.0).powi(2))),
            Self::Real => spread(|n, _| Mode::unit(n + 1.0, 0.0)),
            Self::Rand => (0..n_ssm).map(|_| random(pairs(d_state), normal)).collect(),
            Self::Diag | Self::Hippo => {
                let each = share(n_ssm, self.parts().len());
                self.parts().iter().flat_map(|part| part.systems(d_state, each, b_clip, normal)).collect()
            }
        }
    }

    /// What it requires of a layer's other options.
    pub(crate) fn demands(self) -> Demands {
        Demands {
            word: word(&self),
            parts: self.parts().len(),
            hardly_decays: self.parts().contains(&Self::Fout),
            decays_fast: self == Self::Real,
        }
    }
}

fn random(pairs: usize, normal: &mut dyn FnMut() -> f64) -> Vec<Mode> {
    (0..pairs).map(|_| Mode::unit(0.5, normal().exp())).collect()
}
