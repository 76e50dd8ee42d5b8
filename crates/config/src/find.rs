//! Config files on disk: which there are, what they contain, and the study they belong to.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use crate::{ConfigError, Origin, Problem};

/// The config files that `path` means: the file itself, or the `.toml` files of a folder by name (not those
/// of its subfolders).
pub fn find_configs(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.is_dir() => configs_in(path),
        Ok(metadata) => check_kind(path, &metadata).map(|()| vec![path.to_owned()]),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Only a file in a folder names a study, and stays the same while its runs continue. A pipe may keep a reader waiting forever.
fn check_kind(path: &Path, metadata: &Metadata) -> Result<(), ConfigError> {
    match metadata.is_file() {
        true if metadata.len() > MOST_BYTES => Err(error(path, Problem::Huge { bytes: metadata.len() })),
        true => Ok(()),
        false => Err(error(path, Problem::NotAFile)),
    }
}

/// A million values take a few megabytes.
const MOST_BYTES: u64 = 1 << 28;

/// The name of the folder that holds a config: the slug that its experiment and results share.
pub fn slug(path: &Path) -> Result<String, ConfigError> {
    if let Some(name) = path.parent().and_then(Path::file_name) {
        return Ok(name.to_string_lossy().into_owned());
    }
    let full = fs_err::canonicalize(path).map_err(|error| unreadable(path, &error))?;
    let name = full.parent().and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| error(path, Problem::NoFolder))
}

/// The text of a config file.
///
/// # Errors
/// If it cannot be read, or is not UTF-8 text.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let metadata = fs_err::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_dir() {
        check_kind(path, &metadata)?;
    }
    let bytes = fs_err::read(path).map_err(|error| unreadable(path, &error))?;
    text_of(bytes).map_err(|problem| error(path, problem))
}

/// UTF-8 text has no zero bytes; UTF-16 is full of them.
fn text_of(bytes: Vec<u8>) -> Result<String, Problem> {
    let is_wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    match bytes.iter().position(|byte| *byte == 0) {
        _ if is_wide => Err(Problem::Utf16),
        Some(before) => Err(Problem::NotText { byte: before + 1 }),
        None => String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            Problem::NotUtf8 {
                line: 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count(),
            }
        }),
    }
}

fn configs_in(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = fs_err::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let paths = entries.map_err(|error| unreadable(folder, &error))?.into_iter().map(|entry| entry.path());
    // A dangling link is not skipped: reading it reports the error.
    let mut configs: Vec<_> = paths.filter(|path| is_toml(path) && !path.is_dir()).collect();
    configs.sort();
    if configs.is_empty() { Err(error(folder, Problem::NoConfigs)) } else { Ok(configs) }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn unreadable(path: &Path, cause: &std::io::Error) -> ConfigError {
    match cause.kind() {
        std::io::ErrorKind::NotFound => error(path, absent(path)),
        // Only the kind is used: the message of fs_err would name the path a second time.
        kind => error(path, Problem::Unreadable { reason: kind.to_string() }),
    }
}

fn absent(path: &Path) -> Problem {
    match std::fs::read_link(path) {
        Ok(target) => Problem::DanglingLink { target: target.display().to_string() },
        Err(_) => Problem::NoSuchPath,
    }
}

fn error(path: &Path, problem: Problem) -> ConfigError {
    ConfigError::new(Origin::file(path), problem)
}
