//! The published layers whose recorded runs can be replayed: those that the layer crates and the models know.

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::published::{Case, Replay};

/// Their names, as cases have them, of each crate.
pub(super) fn families() -> [Vec<&'static str>; 3] {
    [
        subquad_s4::published::layers().collect(),
        subquad_monarch::published::layers().collect(),
        subquad_model::published::layers().collect(),
    ]
}

/// What ours makes of a case.
///
/// # Errors
/// If no crate knows the layer, or the one that does cannot replay the case.
pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, String> {
    let is = |name: &str| case.layer == name;
    let replayed = if subquad_s4::published::layers().any(is) {
        subquad_s4::published::replay(case, form, device)
    } else if subquad_monarch::published::layers().any(is) {
        subquad_monarch::published::replay(case, form, device)
    } else if subquad_model::published::layers().any(is) {
        subquad_model::published::replay(case, form, device)
    } else {
        return Err(format!("unknown layer `{}` (known: {})", case.layer, families().concat().join(", ")));
    };
    replayed.map_err(|error| error.to_string())
}
