//! A checkpoint as a folder, with an index that shows whether the folder is complete.
//!
//! ```text
//! checkpoint/step-<n>/
//!     index.json     the run's name, size and SHA-256 of all other files here, and of the rows until then; written last
//!     <name>         the files that training passed on
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use fs_err::PathExt;
use serde::{Deserialize, Serialize};

use crate::RecordError;
use crate::atomic::{TEMPORARY_ENDING, sync_folder, write_synced};
use crate::digest::Digest;
use crate::error::{read_json, to_json};

const INDEX: &str = "index.json";
const PREFIX: &str = "step-";

/// How many checkpoints are kept: if the newest is damaged, there is one before it.
const KEPT: usize = 2;

/// Everything that a later process needs to continue a training.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Optimiser steps taken.
    pub step: usize,
    /// Contents of files, by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The contents of `index.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Index {
    /// Name of the run's folder.
    pub(crate) run: String,
    step: usize,
    /// The digest of `metrics.jsonl` at that step.
    pub(crate) rows: Digest,
    files: BTreeMap<String, Digest>,
}

impl Index {
    pub(crate) fn read(place: &Path) -> Result<Self, RecordError> {
        read_json(&place.join(INDEX))
    }

    /// The error that it is another run's.
    pub(crate) fn foreign(&self, folder: &Path) -> RecordError {
        RecordError::damaged(&place(folder, self.step).join(INDEX), format!("of run {}", self.run))
    }
}

pub(crate) fn place(folder: &Path, step: usize) -> PathBuf {
    folder.join(format!("{PREFIX}{step}"))
}

/// Writes a checkpoint of `run` into `folder`, then removes all but the newest: a kill or a full disk at any time
/// leaves the older ones unchanged, and nothing that looks like a new one.
pub(crate) fn write(folder: &Path, run: &str, checkpoint: &Checkpoint, rows: Digest) -> io::Result<()> {
    let temporary = folder.join(format!(".{PREFIX}{}{TEMPORARY_ENDING}", checkpoint.step));
    let written = write_files(&temporary, run, checkpoint, rows);
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs_err::remove_dir_all(&temporary);
    }
    written?;
    let place = place(folder, checkpoint.step);
    fs_err::rename(&temporary, &place)?;
    sync_folder(&place)?;
    list(folder)?.into_iter().skip(KEPT).try_for_each(|(_, place)| fs_err::remove_dir_all(place))
}

fn write_files(temporary: &Path, run: &str, checkpoint: &Checkpoint, rows: Digest) -> io::Result<()> {
    if temporary.fs_err_try_exists()? {
        fs_err::remove_dir_all(temporary)?;
    }
    fs_err::create_dir_all(temporary)?;
    for (name, bytes) in &checkpoint.files {
        write_synced(&temporary.join(name), bytes)?;
    }
    let digests = checkpoint.files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes)));
    let index = Index { run: run.into(), step: checkpoint.step, rows, files: digests.collect() };
    let path = temporary.join(INDEX);
    write_synced(&path, &to_json(&index)?)?;
    sync_folder(&path)?;
    sync_folder(temporary)
}

/// The checkpoint of `step`, and its index.
///
/// # Errors
/// If it is not complete, with the name of the file.
pub(crate) fn read(folder: &Path, step: usize) -> Result<(Checkpoint, Index), RecordError> {
    let place = place(folder, step);
    let index = Index::read(&place)?;
    if index.step != step {
        return Err(RecordError::damaged(&place.join(INDEX), format!("of step {}", index.step)));
    }
    let file = |(name, digest): (&String, &Digest)| {
        if Path::new(name).file_name() != Some(OsStr::new(name)) {
            let what = format!("names `{name}`, which is not in its folder");
            return Err(RecordError::damaged(&place.join(INDEX), what));
        }
        let path = place.join(name);
        let bytes = fs_err::read(&path)?;
        digest.check(&path, &bytes)?;
        Ok((name.clone(), bytes))
    };
    let files = index.files.iter().map(file).collect::<Result<_, RecordError>>()?;
    Ok((Checkpoint { step, files }, index))
}

/// Step and path of every checkpoint in `folder`, complete or not, the newest first; none if the folder does not exist.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<(usize, PathBuf)>> {
    if !folder.fs_err_try_exists()? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let step = entry.file_name().to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        found.extend(step.map(|step| (step, entry.path())));
    }
    found.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
    Ok(found)
}

/// Removes every folder in `folder` but the checkpoints up to `step`.
pub(crate) fn remove_after(folder: &Path, step: usize) -> io::Result<()> {
    let kept = list(folder)?.into_iter().filter(|(other, _)| *other <= step);
    let kept: Vec<PathBuf> = kept.map(|(_, place)| place).collect();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !kept.contains(&path) {
            fs_err::remove_dir_all(path)?;
        }
    }
    Ok(())
}
