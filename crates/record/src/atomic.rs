//! Files that are either old or new, never half written.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fs_err::File;

pub(crate) const TEMPORARY_ENDING: &str = ".tmp";

/// Puts `bytes` at `path`, replacing what is there, so that a kill or a power cut at any time leaves either the old
/// file or the new one: a temporary file in the same folder, flushed to the disk, then renamed.
///
/// # Errors
/// If any of that fails; the text names the path, the old file is untouched and the temporary one removed.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let path = path.as_ref();
    let temporary = temporary_beside(path)?;
    let written = write_synced(&temporary, bytes).and_then(|()| fs_err::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; this one could only repeat it.
        let _ = fs_err::remove_file(&temporary);
    }
    written?;
    sync_folder(path)
}

/// Writes a new file and waits until it is on the disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the folder that holds `path` has its new name on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    // Only Unix opens folders as files; elsewhere the rename itself must be enough.
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// A name that no other writer uses, hidden, and recognisable after a kill: `.<name>.<process>-<count>.tmp`.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` does not name a file", path.display()))
    })?;
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    Ok(path.with_file_name(format!(".{}.{process}-{count}{TEMPORARY_ENDING}", name.to_string_lossy())))
}
