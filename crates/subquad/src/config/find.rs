//! Config files on disk: which there are, what they hold, and the study they belong to.

use std::path::{Path, PathBuf};

use super::{ConfigError, Origin, Problem};

/// The config files that `path` means: the file itself, or the `.toml` files of a folder by name (not those
/// of its subfolders).
pub fn find_configs(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.is_dir() => configs_in(path),
        Ok(_) => Ok(vec![path.to_owned()]),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The name of the folder that holds a config: the slug that its experiment and results share.
pub fn slug(path: &Path) -> Result<String, ConfigError> {
    if let Some(name) = path.parent().and_then(Path::file_name) {
        return Ok(name.to_string_lossy().into_owned());
    }
    let full = fs_err::canonicalize(path).map_err(|error| unreadable(path, &error))?;
    let name = full.parent().and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| error(path, Problem::NoFolder))
}

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let bytes = fs_err::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|_| error(path, Problem::NotUtf8))
}

fn configs_in(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = fs_err::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let paths = entries.map_err(|error| unreadable(folder, &error))?.into_iter().map(|entry| entry.path());
    let mut configs: Vec<_> = paths.filter(|path| path.is_file() && is_toml(path)).collect();
    configs.sort();
    if configs.is_empty() { Err(error(folder, Problem::NoConfigs)) } else { Ok(configs) }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn unreadable(path: &Path, cause: &std::io::Error) -> ConfigError {
    match cause.kind() {
        std::io::ErrorKind::NotFound => error(path, Problem::NoSuchPath),
        // The kind alone: the message of fs_err would name the path a second time.
        kind => error(path, Problem::Unreadable { reason: kind.to_string() }),
    }
}

fn error(path: &Path, problem: Problem) -> ConfigError {
    ConfigError::new(Origin::file(path), problem)
}
