//! The published `s4_block`: its parameters become ours and back, and our results get its names.
//!
//! It keeps the member of each conjugate pair with the *negative* frequency. Ours has the positive one, so the imaginary
//! parts of `B`, `C` and `P`, and of their gradients, change sign; the kernel is the same. Its linear weights are
//! `[out, in]`, burn's `[in, out]`. Its `C` of the kernel `s4` is what the layer learns, `C (I - a_bar^l_max)`.

mod block;
mod names;
mod replay;
mod shapes;

pub use replay::replay;

use std::collections::BTreeMap;

use burn::tensor::{Device, TensorData};
use subquad_mixer::published::{Case, CaseError};

use crate::{S4, S4d};

use block::Block;

impl S4d {
    /// The layer with published parameters, which are taken out of `case`.
    ///
    /// # Errors
    /// If a parameter is missing, has another shape or holds a number that is infinite or none, or the case is another layer
    /// or uses an option that this one does not have.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        let block = Block::read(case)?;
        let mut layer = block.diagonal(case)?.init(device);
        names::load(&mut layer, case, device)?;
        Ok(layer)
    }

    /// The parameters under their published names and in their published layout: what the published state dict holds.
    pub fn to_published(&self) -> BTreeMap<String, TensorData> {
        names::save(self)
    }
}

impl S4 {
    /// The layer with published parameters, which are taken out of `case`. The length at which its `C` was made is `l_max` of
    /// the case's config.
    ///
    /// # Errors
    /// As for [`S4d::from_published`], and if `l_max` is above
    /// [`LONGEST`](subquad_mixer::published::LONGEST), because no tensor shows it.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        let block = Block::read(case)?;
        let mut layer = block.dplr(case)?.unset(device);
        names::load(&mut layer, case, device)?;
        Ok(layer)
    }

    /// The parameters under their published names and in their published layout: what the published state dict holds.
    pub fn to_published(&self) -> BTreeMap<String, TensorData> {
        names::save(self)
    }
}
