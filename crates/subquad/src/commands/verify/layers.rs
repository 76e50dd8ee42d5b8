//! The published layers whose recorded runs can be replayed: those that the layer crates and the models know.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};

/// A whole model, whose weights are in a separate file.
const M2_BERT: &str = "m2_bert";

type ReplayLayer = fn(&mut Case, Form, &Device) -> Result<Replay, CaseError>;

/// The layers that a crate knows, as cases name them, and how it replays them.
fn crates() -> [(Vec<&'static str>, ReplayLayer); 3] {
    [
        (subquad_s4::published::layers().collect(), subquad_s4::published::replay),
        (subquad_monarch::published::layers().collect(), subquad_monarch::published::replay),
        (subquad_model::published::layers().collect(), subquad_model::published::replay),
    ]
}

/// The names of each crate's layers, the whole model among those of the last.
pub(super) fn families() -> [String; 3] {
    let [s4, monarch, model] = crates().map(|(names, _)| names.join(", "));
    [s4, monarch, format!("{model}, {M2_BERT}")]
}

/// What our layer computes for the case in `file`.
///
/// # Errors
/// If no crate knows the layer, or the one that does cannot replay the case.
pub(super) fn replay(case: &mut Case, file: &Path, form: Form, device: &Device) -> Result<Replay, String> {
    if case.layer == M2_BERT {
        let replayed = subquad_model::published::replay_m2_bert(case, &weights_of(file)?, form, device);
        return replayed.map_err(|error| error.to_string());
    }
    let own = crates().into_iter().find(|(names, _)| names.contains(&case.layer.as_str()));
    match own {
        Some((_, replay)) => replay(case, form, device).map_err(|error| error.to_string()),
        None => Err(format!("unknown layer `{}` (known: {})", case.layer, families().join(", "))),
    }
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
