//! The growing `metrics.jsonl`.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err::{File, OpenOptions};

use crate::digest::{Digest, Digester};
use crate::{RecordError, Row};

/// An open `metrics.jsonl` that knows the digest of its rows.
#[derive(Debug)]
pub(crate) struct Metrics {
    file: File,
    digester: Digester,
}

impl Metrics {
    /// A new file without rows.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, digester: Digester::default() })
    }

    /// Opens the file with the rows that `rows` was made of; everything after them is cut off, whether complete rows or
    /// half of one.
    pub(crate) fn cut(path: &Path, rows: &Digest) -> Result<Self, RecordError> {
        let mut digester = Digester::default();
        digester.add(&read_first(path, rows)?);
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(rows.bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, digester })
    }

    /// Writes one line at once, then flushes: a killed run keeps every row it finished.
    pub(crate) fn push(&mut self, row: &Row) -> io::Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.flush()?;
        self.digester.add(&line);
        Ok(())
    }

    /// Waits until the rows are on the disk, and gives their digest.
    pub(crate) fn sync(&self) -> io::Result<Digest> {
        self.file.sync_all()?;
        Ok(self.digester.digest())
    }
}

/// The start of `path`, which is what `rows` was made of.
pub(crate) fn read_first(path: &Path, rows: &Digest) -> Result<Vec<u8>, RecordError> {
    let mut bytes = fs_err::read(path)?;
    bytes.truncate(usize::try_from(rows.bytes).unwrap_or(usize::MAX));
    rows.check(path, &bytes)?;
    Ok(bytes)
}
