//! Initial values of the systems of a layer, in f64 on the host.
//!
//! A layer has `n_ssm` systems and shares them among its channels. An init that is a mixture gives equal blocks of
//! neighbouring systems to its parts.

mod diagonal;
mod low_rank;

pub use diagonal::S4dInit;
pub use low_rank::{DplrSystem, S4Init};

use crate::hippo::{Measure, NormalPair};
use crate::number::Complex;

/// One conjugate pair of the continuous system: `A = -decay + i frequency`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mode {
    /// How fast it forgets, positive; the layer stores it through `real_transform`.
    pub decay: f64,
    /// How fast it oscillates, not negative.
    pub frequency: f64,
    /// Real part of `B`.
    pub b_re: f64,
    /// Imaginary part of `B`.
    pub b_im: f64,
}

/// What an init requires of a layer's other options.
pub(crate) struct Demands {
    /// The init as configs write it.
    pub(crate) word: &'static str,
    /// Kinds of system in it, in equal numbers.
    pub(crate) parts: usize,
    /// Whether some states have no decay of their own, and start at the least there is.
    pub(crate) hardly_decays: bool,
    /// Whether decays start at 1 and above; those of all other inits are below.
    pub(crate) decays_fast: bool,
}

/// LegT and FouT oscillate without any decay of their own, which `real_transform` cannot store. The published layer
/// starts them here too.
const LEAST_DECAY: f64 = 1e-4;

impl Mode {
    fn unit(decay: f64, frequency: f64) -> Self {
        Self { decay, frequency, b_re: 1.0, b_im: 0.0 }
    }

    fn new(NormalPair { a, b, .. }: &NormalPair, b_clip: Option<f64>) -> Self {
        let b_im = b_clip.map_or(b.im, |limit| b.im.clamp(-limit, limit));
        Self { decay: (-a.re).max(LEAST_DECAY), frequency: a.im, b_re: b.re, b_im }
    }
}

/// The normal part of a HiPPO system, and what its low-rank part is made of: `P`, one row for each rank.
fn normal_part(measure: Measure, d_state: usize, b_clip: Option<f64>) -> DplrSystem {
    let pairs = measure.pairs(d_state);
    let row = |r: usize| pairs.iter().map(|pair| pair.p[r]).collect::<Vec<Complex>>();
    DplrSystem {
        modes: pairs.iter().map(|pair| Mode::new(pair, b_clip)).collect(),
        p: (0..measure.rank()).map(row).collect(),
    }
}

/// How many of these there are: half of the states.
///
/// # Panics
/// If `d_state` is odd.
fn pairs(d_state: usize) -> usize {
    assert!(d_state.is_multiple_of(2), "states come in conjugate pairs, so d_state = {d_state} must be even");
    d_state / 2
}

/// The systems of each part of a mixture.
///
/// # Panics
/// If the parts of a mixture cannot have the same number of systems.
fn share(n_ssm: usize, parts: usize) -> usize {
    assert!(n_ssm.is_multiple_of(parts), "{parts} inits cannot share n_ssm = {n_ssm} systems equally");
    n_ssm / parts
}
