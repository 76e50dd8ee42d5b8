//! A lock that is released when its holder ends, however it ends.
//!
//! The operating system keeps the lock, on an open file; the file's text only says who holds it. The file itself is never
//! removed: a process that had just opened the old file would lock something that no other process can find any more.

use std::fmt;
use std::fs::TryLockError;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use fs_err::{File, OpenOptions};
use serde::{Deserialize, Serialize};

use crate::{RecordError, timestamp};

/// A lock that this process holds until the value is dropped, or the process ends in any way.
#[derive(Debug)]
#[must_use = "dropping the lock releases it"]
pub struct Lock {
    file: File,
}

/// The result of trying to take a lock.
#[derive(Debug)]
#[must_use]
pub enum Attempt {
    /// This process has it now.
    Taken(Lock),
    /// Another holder has it.
    Held(Held),
}

/// Who holds a lock. As text: `held by process 123 on host since 2026-11-23T17:04:05Z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The holder, if it can be read: not at the moment in which it takes the lock, and never on Windows, where no
    /// other process can read a locked file.
    pub by: Option<Holder>,
}

/// The text of a lock's file, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Number of the process.
    pub pid: u32,
    /// Name of the machine it runs on.
    pub host: String,
    /// When it took the lock, as [`timestamp`](crate::timestamp) writes it.
    pub since: String,
    /// Its command line, one argument per item.
    pub command: Vec<String>,
}

impl Lock {
    /// Tries to take the lock of the file at `path` and to sign it; makes the file, and the folders above it, if
    /// missing. Does not wait.
    ///
    /// # Errors
    /// If the file cannot be opened or written, or its file system has no locks.
    pub fn try_take(path: &Path) -> Result<Attempt, RecordError> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match is_held(file.try_lock(), path)? {
            true => Ok(Attempt::Held(Held::read(file))),
            false => {
                let mut lock = Self { file };
                lock.sign()?;
                Ok(Attempt::Taken(lock))
            }
        }
    }

    fn sign(&mut self) -> io::Result<()> {
        let text = serde_json::to_vec(&Holder::this_process())?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.write_all(b"\n")
    }
}

/// The text is removed before the lock, so that nobody reads a holder that no longer holds it.
impl Drop for Lock {
    fn drop(&mut self) {
        // A text that stays matters less than the lock itself, which ends when the file is closed right after.
        let _ = self.file.set_len(0);
    }
}

impl Held {
    /// Who holds the lock of the file at `path` now, if anyone.
    ///
    /// # Errors
    /// If the file exists but cannot be opened, or its file system has no locks.
    pub fn at(path: &Path) -> Result<Option<Self>, RecordError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        // The lock is shared, so that two processes that only look do not see each other.
        Ok(is_held(file.try_lock_shared(), path)?.then(|| Self::read(file)))
    }

    fn read(mut file: File) -> Self {
        let mut text = String::new();
        let read = file.read_to_string(&mut text);
        Self { by: read.ok().and_then(|_| serde_json::from_str(&text).ok()) }
    }
}

fn is_held(tried: Result<(), TryLockError>, path: &Path) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => {
            let message =
                format!("{}: cannot be locked ({error}); try a folder on another disk", path.display());
            Err(io::Error::new(error.kind(), message))
        }
    }
}

impl Holder {
    fn this_process() -> Self {
        let command = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        Self { pid: std::process::id(), host: host(), since: timestamp(), command: command.collect() }
    }
}

/// The machine's name: from Linux, or from what shells and Windows set.
fn host() -> String {
    let kernel = fs_err::read_to_string("/proc/sys/kernel/hostname").ok();
    let variable = |name| std::env::var(name).ok();
    let name = kernel.or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"));
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or("unknown host".into())
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some(Holder { pid, host, since, .. }) => {
                write!(f, "held by process {pid} on {host} since {since}")
            }
            None => f.write_str("held by another process"),
        }
    }
}
