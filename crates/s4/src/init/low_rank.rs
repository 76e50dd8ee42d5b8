//! Systems that are diagonal plus low rank.

use serde::{Deserialize, Serialize};
use subquad_mixer::Choice;
use subquad_options::word;

use super::{Demands, Mode, normal_part, pairs, share};
use crate::hippo::Measure;
use crate::number::{Complex, real};

/// Where a system `A = Lambda - P P*` starts: at a HiPPO system in the eigenvectors of its normal part, see
/// [`hippo`](crate::hippo).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum S4Init {
    /// HiPPO-LegS, all of the past, rank 1: `-1/2 + i w_n`. Gu, Goel, Re 2021, <https://arxiv.org/abs/2111.00396>.
    Legs,
    /// HiPPO-FouT, a window of 2 units of time, rank 1: `i pi n`, all of the decay in the low-rank term. Gu, Johnson,
    /// Timalsina, Rudra, Re 2022, <https://arxiv.org/abs/2206.12037>.
    Fout,
    /// HiPPO-LegT, a window of 2 units of time, rank 2: `i w_n`, all of the decay in the low-rank term. Gu, Dao, Ermon,
    /// Rudra, Re 2020, <https://arxiv.org/abs/2008.07669>.
    Legt,
    /// Half of the systems [`Legs`](Self::Legs), half [`Fout`](Self::Fout).
    Hippo,
}

/// The stored half of a system: its conjugate pairs, and `P` for each rank and pair.
#[derive(Debug, Clone, PartialEq)]
pub struct DplrSystem {
    /// `Lambda` and `B`.
    pub modes: Vec<Mode>,
    /// `[rank][pair]`.
    pub p: Vec<Vec<Complex>>,
}

impl S4Init {
    /// The parts of a mixture, or the init itself: `n_ssm` is a multiple of their number.
    pub fn parts(self) -> &'static [Self] {
        match self {
            Self::Legs => &[Self::Legs],
            Self::Fout => &[Self::Fout],
            Self::Legt => &[Self::Legt],
            Self::Hippo => &[Self::Legs, Self::Fout],
        }
    }

    /// The lowest rank that can hold the init.
    pub fn rank(self) -> usize {
        self.parts().iter().map(|part| part.measure().rank()).max().unwrap_or(0)
    }

    /// The systems of a layer, `d_state / 2` pairs each; rows of `P` that the init has no use for are zero. `b_clip` bounds
    /// the imaginary part of `B`; without it they are exact HiPPO, up to a decay of 1e-4 where HiPPO has none.
    ///
    /// # Panics
    /// If `d_state` is odd, `rank` below [`rank`](Self::rank), or `n_ssm` is not a multiple of the number of
    /// [`parts`](Self::parts).
    pub fn systems(self, d_state: usize, n_ssm: usize, rank: usize, b_clip: Option<f64>) -> Vec<DplrSystem> {
        let least = self.rank();
        assert!(rank >= least, "{self:?} needs a low-rank term of rank {least}, not {rank}");
        let each = share(n_ssm, self.parts().len());
        let system = |part: &Self| {
            let mut system = normal_part(part.measure(), d_state, b_clip);
            system.p.resize(rank, vec![real(0.0); pairs(d_state)]);
            system
        };
        self.parts().iter().flat_map(|part| vec![system(part); each]).collect()
    }

    /// What it requires of a layer's other options.
    pub(crate) fn demands(self) -> Demands {
        Demands {
            word: word(&self),
            parts: self.parts().len(),
            hardly_decays: self != Self::Legs,
            decays_fast: false,
        }
    }

    /// The eigenvectors of the first part, if there are several.
    fn measure(self) -> Measure {
        match self {
            Self::Legs | Self::Hippo => Measure::Legs,
            Self::Fout => Measure::Fout,
            Self::Legt => Measure::Legt,
        }
    }
}
