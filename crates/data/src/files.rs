//! Data in files: where they are, what they contain, and their digest.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::TaskError;

/// The environment variable that names the folder of data sets.
pub(crate) const DATA: &str = "SUBQUAD_DATA";

/// The folder that [`DATA`] names.
pub(crate) fn data_folder() -> Option<PathBuf> {
    std::env::var_os(DATA).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Where `path` may be: as given, which for a relative path is below the current folder, then below `folder`.
pub(crate) fn places(path: &Path, folder: Option<&Path>) -> Vec<PathBuf> {
    let below = folder.filter(|_| path.is_relative()).map(|folder| folder.join(path));
    std::iter::once(path.to_owned()).chain(below).collect()
}

/// A gzipped text may become this many times longer: far more than real texts do. A file of one repeated letter becomes
/// 1030 times longer.
const MOST_EXPANSION: u64 = 100;
/// Whatever the expansion, this much is not a burden.
const SMALL: u64 = 64 << 20;

/// The contents of a text, gunzipped if it is gzipped.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TaskError> {
    let mut source = Source::open(path)?;
    if !source.gzipped {
        return source.up_to(u64::MAX);
    }
    let limit = SMALL.max(source.bytes.saturating_mul(MOST_EXPANSION));
    let contents = source.up_to(limit + 1)?;
    match contents.len() as u64 <= limit {
        true => Ok(contents),
        false => Err(bad(
            path,
            format!(
                "{} gzipped bytes become more than {limit}, which no text does; gunzip it first",
                source.bytes
            ),
        )),
    }
}

/// A file that is read part by part, gunzipped if it is gzipped.
pub(crate) struct Source {
    path: PathBuf,
    reader: Box<dyn Read>,
    gzipped: bool,
    /// Size of the file on disk.
    bytes: u64,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, TaskError> {
        let unreadable = |error| bad(path, format!("cannot be read: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        let mut file = BufReader::new(file);
        let gzipped = file.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn Read> =
            if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Self { path: path.to_owned(), reader, gzipped, bytes })
    }

    /// The next `limit` bytes; fewer at the end. Memory grows with what is there, not with the limit.
    pub(crate) fn up_to(&mut self, limit: u64) -> Result<Vec<u8>, TaskError> {
        let mut contents = Vec::new();
        match self.reader.by_ref().take(limit).read_to_end(&mut contents) {
            Ok(_) => Ok(contents),
            Err(error) if self.gzipped => {
                Err(bad(&self.path, format!("gzipped, but damaged ({error}); fetch it again")))
            }
            Err(error) => Err(bad(&self.path, format!("cannot be read: {error}"))),
        }
    }
}

/// A file that is not what it should be.
pub(crate) fn bad(path: &Path, problem: impl Into<String>) -> TaskError {
    TaskError::BadData { path: path.to_owned(), problem: problem.into() }
}

/// The first sixteen hex digits of the SHA-256 of all parts together.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    parts.into_iter().for_each(|part| hash.update(part));
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_looked_for_here_and_then_in_the_data_folder() {
        let folder = Some(Path::new("/data"));
        assert_eq!(places(Path::new("a/b.txt"), folder), [Path::new("a/b.txt"), Path::new("/data/a/b.txt")]);
        assert_eq!(places(Path::new("/a/b.txt"), folder), [Path::new("/a/b.txt")]);
        assert_eq!(places(Path::new("a/b.txt"), None), [Path::new("a/b.txt")]);
    }

    #[test]
    fn the_digest_is_the_start_of_sha_256() {
        assert_eq!(digest([&b"ab"[..], b"c"]), "ba7816bf8f01cfea"); // of "abc", as published
    }
}
