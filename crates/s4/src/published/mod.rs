//! The published `s4_block`, the minimal `s4d` and `h3`: their parameters become ours and back, and our results get their names.
//!
//! The `s4_block` keeps the member of each conjugate pair with the *negative* frequency. Ours has the positive one, so the imaginary
//! parts of `B`, `C` and `P`, and of their gradients, change sign; the kernel is the same. Its linear weights are
//! `[out, in]`, burn's `[in, out]`. Its `C` of the kernel `s4` is what the layer learns, `C (I - a_bar^l_max)`.

mod block;
mod h3;
mod minimal;
mod names;
mod replay;
mod shapes;

use std::collections::BTreeMap;

use burn::tensor::{Device, Gradients, TensorData};
use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};

use crate::{S4, S4d, SsmLayer};

use block::Block;
use names::{BlockNames, Named, Slopes, Stored, load, save};

/// Runs the layer of a case.
type ReplayLayer = fn(&mut Case, Form, &Device) -> Result<Replay, CaseError>;

const REPLAYS: &[(&str, ReplayLayer)] =
    &[("s4_block", replay::block), (minimal::LAYER, minimal::replay), (h3::LAYER, h3::replay)];

/// The published layers that [`replay`] knows.
pub fn layers() -> impl Iterator<Item = &'static str> {
    REPLAYS.iter().map(|(name, _)| *name)
}

/// Runs the published layer of `case` as one of ours: output, what the layer computes inside, the output token by
/// token if the case has one, and every gradient.
///
/// # Errors
/// If it is not one of [`layers`], a parameter is missing or has another shape, the case has no input, or it uses an
/// option that our layer does not have.
pub fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    match REPLAYS.iter().find(|(name, _)| case.layer == *name) {
        Some((_, replay)) => replay(case, form, device),
        None => Err(CaseError::Unsupported { layer: case.layer.clone(), what: "this layer".into() }),
    }
}

impl S4d {
    /// The layer with published parameters, which are taken out of `case`: an `s4_block`, or the minimal `s4d`. Like
    /// the published block, it cuts its kernels off after `l_max` taps of the case's config;
    /// [`with_max_taps`](Self::with_max_taps) removes the cut. `B` of the minimal one, which is 1, does not train.
    ///
    /// # Errors
    /// If a parameter is missing, has another shape or holds a number that is infinite or NaN, or the case is another
    /// layer or uses an option that this one does not have.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        if case.layer == minimal::LAYER {
            return minimal::from_case(case, device);
        }
        let block = Block::read(case)?;
        let mut layer = block.diagonal(case)?.init(device).with_max_taps(block.max_taps(case)?);
        load::<BlockNames, _>(&mut layer, case, device)?;
        Ok(layer)
    }
}

impl S4 {
    /// The layer with published parameters, which are taken out of `case`. The length at which its `C` was made is `l_max` of
    /// the case's config. Like the published layer, it cuts its kernels off after as many taps;
    /// [`with_max_taps`](Self::with_max_taps) removes the cut.
    ///
    /// # Errors
    /// As for [`S4d::from_published`], and if `l_max` is above
    /// [`LONGEST`](subquad_mixer::published::LONGEST), because no tensor shows it.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        let block = Block::read(case)?;
        let mut layer = block.dplr(case)?.unset(device).with_max_taps(block.max_taps(case)?);
        load::<BlockNames, _>(&mut layer, case, device)?;
        Ok(layer)
    }
}

#[allow(private_bounds, reason = "the state spaces there are have published names")]
impl<S: Named> SsmLayer<S> {
    /// The parameters under the names of the published `s4_block` and in its layout: what its state dict holds.
    pub fn to_published(&self) -> BTreeMap<String, TensorData> {
        save::<BlockNames, _>(self, Stored)
    }

    /// The gradients of the parameters from a backward pass, under the names of
    /// [`to_published`](Self::to_published).
    ///
    /// # Panics
    /// If the loss does not depend on the layer.
    pub fn published_gradients(&self, grads: &Gradients) -> BTreeMap<String, TensorData> {
        save::<BlockNames, _>(self, Slopes(grads))
    }
}
