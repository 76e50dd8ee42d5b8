//! IDX files, the format of MNIST: two zero bytes, a type, a number of axes, their big-endian lengths, then the values.
//!
//! LeCun, Cortes, Burges, "The MNIST database of handwritten digits".

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::TaskError;
use crate::files::{Source, bad};

/// The type of unsigned bytes.
const BYTES: u8 = 0x08;

/// The values of `path`, unsigned bytes with `AXES` axes, and the lengths of the axes, which `check` may refuse before
/// values are read. No more is read than the header promises.
pub(crate) fn values<const AXES: usize>(
    path: &Path,
    check: impl FnOnce([usize; AXES]) -> Result<(), String>,
) -> Result<([usize; AXES], Vec<u8>), TaskError> {
    let mut source = Source::open(path)?;
    let dims = lengths(&source.up_to(4 + 4 * AXES as u64)?).map_err(|problem| bad(path, problem))?;
    check(dims).map_err(|problem| bad(path, problem))?;
    // 128 bits are enough for three lengths of 32 bits each.
    let promised: u128 = dims.iter().map(|&length| length as u128).product();
    let values = source.up_to(u64::try_from(promised + 1).unwrap_or(u64::MAX))?;
    let there = values.len() as u128;
    match there.cmp(&promised) {
        Ordering::Equal => Ok((dims, values)),
        Ordering::Less => Err(bad(
            path,
            format!("holds {there} values, but its header promises {promised}; fetch it again"),
        )),
        Ordering::Greater => Err(bad(
            path,
            format!("holds more than the {promised} values that its header promises; fetch it again"),
        )),
    }
}

/// What the header says.
fn lengths<const AXES: usize>(header: &[u8]) -> Result<[usize; AXES], String> {
    let whole = 4 + 4 * AXES;
    if header.len() < whole {
        return Err(format!("{} bytes are too few for an IDX header of {whole}", header.len()));
    }
    let magic: [u8; 4] = header[..4].try_into().expect("four bytes");
    let wanted = [0, 0, BYTES, AXES as u8];
    if magic != wanted {
        let (got, wanted) = (u32::from_be_bytes(magic), u32::from_be_bytes(wanted));
        return Err(format!("starts with {got:#010x}, not the {wanted:#010x} of IDX bytes with {AXES} axes"));
    }
    Ok(std::array::from_fn(|axis| length(&header[4 + 4 * axis..])))
}

fn length(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes[..4].try_into().expect("the header was checked")) as usize
}

/// The file of this name in `folder`, gzipped or not.
pub(crate) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    [format!("{name}.gz"), name.to_owned()]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
}
