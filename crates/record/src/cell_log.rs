//! The growing `cells.jsonl`, in which every line has its own digest.
//!
//! ```text
//! {"mixer":"s4d", .. ,"run":"layers-1b9d3f07","sha256":"ba78.."}
//!  the cell           the folder's name       of the line before `,"sha256"`
//! ```
//! The folder's name ends in the hash of the conditions under which its cells were measured.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::digest::Digest;
use crate::files::{ASIDE, folder_name};
use crate::{Cell, RecordError, write_atomic};

/// What separates a line's contents from their digest.
const SHA256: &str = ",\"sha256\":\"";
const END: &str = "\"}";

/// The contents of a `cells.jsonl`.
#[derive(Debug, Default)]
pub struct CellLog {
    /// The cells that are unchanged and belong to this folder.
    pub cells: Vec<Cell>,
    /// What is wrong with each other line.
    pub damaged: Vec<RecordError>,
}

/// Writes `cells` to `path`, one per line, replacing what is there atomically.
///
/// # Errors
/// If that fails.
pub fn write_cells(path: &Path, cells: &[Cell]) -> Result<(), RecordError> {
    let run = run(path);
    let lines = cells.iter().map(|cell| line(cell, &run)).collect::<Result<String, _>>();
    Ok(write_atomic(path, lines.map_err(std::io::Error::from)?.as_bytes())?)
}

/// The cells at `path`; none if there is no file.
///
/// # Errors
/// If the file cannot be read. A line that is not a cell, or another folder's, is not an error, but
/// [damaged](CellLog::damaged).
pub fn read_cells(path: &Path) -> Result<CellLog, RecordError> {
    let mut log = CellLog::default();
    if !path.try_exists()? {
        return Ok(log);
    }
    let (bytes, run) = (fs_err::read(path)?, run(path));
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match read_line(line, &run) {
            Ok(cell) => log.cells.push(cell),
            Err(what) => {
                log.damaged.push(RecordError::DamagedLine { path: path.into(), line: index + 1, what })
            }
        }
    }
    Ok(log)
}

/// Keeps a copy of the cells at `path` in a folder next to them, replacing that of an earlier call. Returns the copy's path.
///
/// # Errors
/// If that fails.
pub fn set_cells_aside(path: &Path) -> Result<PathBuf, RecordError> {
    let aside = path.with_file_name(ASIDE).join(folder_name(path));
    fs_err::create_dir_all(path.with_file_name(ASIDE))?;
    write_atomic(&aside, &fs_err::read(path)?)?;
    Ok(aside)
}

/// The name of the folder that holds the file.
fn run(path: &Path) -> String {
    path.parent().map(folder_name).unwrap_or_default()
}

/// The line of a cell, with a newline at its end.
fn line(cell: &Cell, run: &str) -> serde_json::Result<String> {
    let (cell, run) = (serde_json::to_string(cell)?, serde_json::to_string(run)?);
    let contents = format!("{},\"run\":{run}", cell.strip_suffix('}').unwrap_or(&cell));
    let sha256 = Digest::of(contents.as_bytes()).sha256;
    Ok(format!("{contents}{SHA256}{sha256}{END}\n"))
}

fn read_line(line: &[u8], run: &str) -> Result<Cell, String> {
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?.trim_end();
    let (contents, digest) =
        line.rsplit_once(SHA256).ok_or("no digest at its end; earlier versions wrote none")?;
    if digest.strip_suffix(END) != Some(Digest::of(contents.as_bytes()).sha256.as_str()) {
        return Err("not the bytes that were written".into());
    }
    let Owner { run: owner } = parse(line)?;
    match owner == run {
        true => parse(line),
        false => Err(format!("of {owner}")),
    }
}

#[derive(Deserialize)]
struct Owner {
    run: String,
}

fn parse<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}
