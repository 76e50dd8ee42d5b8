//! Published checkpoints: named tensors of a file become a model, and a model's tensors get published names.

mod checkpoint;
mod m2_bert;
mod s4_classifier;

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};

pub use checkpoint::CheckpointError;
pub use s4_classifier::{ClassifierNames, StateSpaceNames};

/// Runs the model of a case.
pub type ReplayModel = fn(&mut Case, Form, &Device) -> Result<Replay, CaseError>;

/// The published models whose recorded runs we reproduce: outputs, hidden vectors, and the gradients of
/// `sum(output * grad_output)`.
pub const LAYERS: &[(&str, ReplayModel)] =
    &[("s4_model", s4_classifier::replay), ("s4_sequence_model", s4_classifier::replay)];
