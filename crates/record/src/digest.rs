//! Whether bytes are still those that were written.

use std::io::{self, Write};
use std::path::Path;

use fs_err::File;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::RecordError;

/// Size and SHA-256 of some bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digester = Digester::default();
        digester.add(bytes);
        digester.digest()
    }

    /// Whether `bytes`, read from `path`, are those that this was made of.
    pub(crate) fn check(&self, path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
        self.check_size(path, bytes.len() as u64)?;
        self.check_bytes(path, &Self::of(bytes))
    }

    /// Whether the file at `path` contains what this was made of.
    pub(crate) fn check_file(&self, path: &Path) -> Result<(), RecordError> {
        // Size and kind are checked first, so that reading ends.
        let found = fs_err::metadata(path)?;
        if !found.is_file() {
            return Err(RecordError::damaged(path, "no file"));
        }
        self.check_size(path, found.len())?;
        let mut digester = Digester::default();
        io::copy(&mut File::open(path)?, &mut digester)?;
        self.check_bytes(path, &digester.digest())
    }

    fn check_size(&self, path: &Path, bytes: u64) -> Result<(), RecordError> {
        match bytes == self.bytes {
            true => Ok(()),
            false => Err(RecordError::damaged(path, format!("{bytes} bytes of {}", self.bytes))),
        }
    }

    fn check_bytes(&self, path: &Path, now: &Self) -> Result<(), RecordError> {
        match now == self {
            true => Ok(()),
            false => Err(RecordError::damaged(path, "not the bytes that were written")),
        }
    }
}

/// Makes a [`Digest`] of bytes that come one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digester {
    bytes: u64,
    sha256: Sha256,
}

impl Digester {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
    }

    /// The digest of everything so far.
    pub(crate) fn digest(&self) -> Digest {
        let sha256 = self.sha256.clone().finalize();
        Digest { bytes: self.bytes, sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

impl Write for Digester {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_length_and_sha_256() {
        // printf abc | sha256sum
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into();
        assert_eq!(Digest::of(b"abc"), Digest { bytes: 3, sha256 });
    }

    #[test]
    fn bytes_in_pieces_have_the_digest_of_the_whole() {
        let mut digester = Digester::default();
        for piece in [b"a".as_slice(), b"", b"bc"] {
            digester.add(piece);
        }
        assert_eq!(digester.digest(), Digest::of(b"abc"));
    }

    #[test]
    fn other_bytes_are_damaged_and_the_words_name_the_file() {
        let (digest, path) = (Digest::of(b"abc"), Path::new("a/model.bpk"));
        assert!(digest.check(path, b"abc").is_ok());
        let words = |bytes: &[u8]| digest.check(path, bytes).unwrap_err().to_string();
        assert_eq!(words(b"ab"), "a/model.bpk: damaged (2 bytes of 3)");
        assert_eq!(words(b"abd"), "a/model.bpk: damaged (not the bytes that were written)");
    }
}
