//! Data in files: where they are, what they hold, and their digest.

use std::io::Read;
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

/// Where `path` may be: as it stands, which for a relative one is below the current folder, then below `folder`.
pub(crate) fn places(path: &Path, folder: Option<&Path>) -> Vec<PathBuf> {
    let below = folder.filter(|_| path.is_relative()).map(|folder| folder.join(path));
    std::iter::once(path.to_owned()).chain(below).collect()
}

/// What a file holds, gunzipped where it is gzipped.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TaskError> {
    let bytes = std::fs::read(path).map_err(|error| bad(path, format!("cannot be read: {error}")))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut contents = Vec::new();
    match MultiGzDecoder::new(&bytes[..]).read_to_end(&mut contents) {
        Ok(_) => Ok(contents),
        Err(error) => Err(bad(path, format!("gzipped, but damaged ({error}); fetch it again"))),
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
