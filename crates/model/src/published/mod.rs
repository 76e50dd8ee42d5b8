//! Published checkpoints: named tensors of a file become a model, and a model's tensors get published names.

mod checkpoint;
mod m2_bert;
mod pickle;
mod s4_classifier;
mod source;

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};

pub use checkpoint::CheckpointError;
pub use m2_bert::{ReplayError, replay_m2_bert};
pub use s4_classifier::{ClassifierNames, StateSpaceNames};
pub use source::Checkpoint;

/// The published models that [`replay`] knows.
pub fn layers() -> impl Iterator<Item = &'static str> {
    s4_classifier::LAYERS.iter().map(|(name, _)| *name)
}

/// Runs our model with the parameters of a published one, in `form`: its output, hidden vectors, and the gradients of
/// `sum(output * grad_output)`.
///
/// # Errors
/// If it is not one of [`layers`], a parameter is missing or has another shape, the case has no input, or it uses an
/// option that our model does not have.
pub fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    s4_classifier::replay(case, form, device)
}
