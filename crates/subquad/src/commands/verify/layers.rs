//! The published layers whose recorded runs can be replayed: those that the layer crates and the models know.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::published::{Case, Replay};

/// A whole model, whose weights are in a separate file.
const M2_BERT: &str = "m2_bert";

/// The names of each crate's layers, as cases have them.
pub(super) fn families() -> [Vec<&'static str>; 3] {
    [
        subquad_s4::published::layers().collect(),
        subquad_monarch::published::layers().collect(),
        subquad_model::published::layers().chain([M2_BERT]).collect(),
    ]
}

/// What our layer computes for the case in `file`.
///
/// # Errors
/// If no crate knows the layer, or the one that does cannot replay the case.
pub(super) fn replay(case: &mut Case, file: &Path, form: Form, device: &Device) -> Result<Replay, String> {
    let is = |name: &str| case.layer == name;
    let replayed = if subquad_s4::published::layers().any(is) {
        subquad_s4::published::replay(case, form, device)
    } else if subquad_monarch::published::layers().any(is) {
        subquad_monarch::published::replay(case, form, device)
    } else if subquad_model::published::layers().any(is) {
        subquad_model::published::replay(case, form, device)
    } else if is(M2_BERT) {
        let replayed = subquad_model::published::replay_m2_bert(case, &weights_of(file)?, form, device);
        return replayed.map_err(|error| error.to_string());
    } else {
        return Err(format!("unknown layer `{}` (known: {})", case.layer, families().concat().join(", ")));
    };
    replayed.map_err(|error| error.to_string())
}

/// A whole model's weights are next to its run.
fn weights_of(run: &Path) -> Result<PathBuf, String> {
    let name = run.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_suffix("_run"));
    match name {
        Some(name) => Ok(run.with_file_name(format!("{name}.safetensors"))),
        None => Err("a whole model has two files, the run NAME_run.safetensors and the weights NAME.safetensors; name the \
             run"
            .to_owned()),
    }
}
