//! The names of files and folders, and what is done with them everywhere.

use std::path::Path;

/// Folder of the runs within the folder of a study.
pub(crate) const RUNS: &str = "runs";
pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const METRICS: &str = "metrics.jsonl";
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const PROOF: &str = "proof.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const LOCK: &str = "lock";

/// Every file of a run. The proof is first: once it is gone, no kill leaves a folder that counts as done.
pub(crate) const FILES: [&str; 6] = [PROOF, SUMMARY, MANIFEST, CONFIG, METRICS, WEIGHTS];
/// Where the files of a damaged run go.
pub(crate) const ASIDE: &str = "damaged";

/// The last part of a path.
pub(crate) fn folder_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A removal that succeeds if there is nothing to remove.
pub(crate) fn remove_if_there(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
