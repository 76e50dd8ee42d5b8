//! Published residual classifiers with state-space layers: `s4_model`, the example script of the S4 repository, and
//! `s4_sequence_model`, its `SequenceModel` between a linear encoder and a decoder that reads the mean.
//!
//! ```text
//! s4_model            h = h + s4(norm(h)), or norm(h + s4(h))                              in each layer
//! s4_sequence_model   the same, then h = h + ffn(norm(h)), or norm(h + ffn(h))             in each layer
//! ```
//! The first has no norm after its last layer in either order, the second has one with pre-norm.

mod config;
mod names;
mod replay;

use std::collections::BTreeMap;

use burn::tensor::{Device, TensorData};
use subquad_mixer::published::{Case, CaseError};

use crate::SequenceModel;

use config::Published;
use names::{Layout, Save, Wanted, load};

pub(super) use replay::replay;

/// The classes under their names in cases.
pub(super) const LAYERS: [(&str, ClassifierNames); 2] =
    [("s4_model", ClassifierNames::Example), ("s4_sequence_model", ClassifierNames::Backbone)];

/// The published class of a classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassifierNames {
    /// `S4Model` of the S4 repository's example script: one sequence mixer per layer.
    Example,
    /// Its `SequenceModel` with encoder and decoder: one sequence mixer and one feed-forward block per layer.
    Backbone,
}

/// The published class of its sequence mixers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum StateSpaceNames {
    /// `S4Block`.
    #[serde(rename = "s4_block")]
    Block,
    /// The minimal `S4D`.
    #[serde(rename = "s4d")]
    Minimal,
}

impl SequenceModel {
    /// The classifier with published parameters, which are taken out of `case`, whose layer is `s4_model` or
    /// `s4_sequence_model`. Sequence mixers cut their kernels as published:
    /// [`S4d::from_published`](subquad_s4::S4d::from_published).
    ///
    /// # Errors
    /// If a parameter is missing or has another shape, or the case is another layer or uses an option that ours does not have.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        load(&Published::read(case)?, case, device)
    }

    /// The parameters under the names of a published classifier and in its layout: its state dict.
    ///
    /// # Errors
    /// If the model has parts that the published one lacks, or lacks some of its parts.
    pub fn to_published(
        &self,
        names: ClassifierNames,
        mixers: StateSpaceNames,
    ) -> Result<BTreeMap<String, TensorData>, CaseError> {
        let mut save = Save::new(Wanted::Values, mixers);
        Layout(names).walk(&mut self.clone(), &mut save)?;
        Ok(save.found)
    }
}
