//! IDX files, the format of MNIST: two zero bytes, a type, a number of axes, their big-endian lengths, then the values.
//!
//! LeCun, Cortes, Burges, "The MNIST database of handwritten digits".

use std::path::{Path, PathBuf};

use crate::TaskError;
use crate::files::{bad, read};

/// The type of unsigned bytes.
const BYTES: u8 = 0x08;

/// The values of `path`, unsigned bytes of `AXES` axes, and their lengths.
pub(crate) fn values<const AXES: usize>(path: &Path) -> Result<([usize; AXES], Vec<u8>), TaskError> {
    let mut contents = read(path)?;
    let header = 4 + 4 * AXES;
    if contents.len() < header {
        return Err(bad(path, format!("{} bytes are too few for an IDX header of {header}", contents.len())));
    }
    let magic: [u8; 4] = contents[..4].try_into().expect("four bytes");
    let wanted = [0, 0, BYTES, AXES as u8];
    if magic != wanted {
        let (got, wanted) = (u32::from_be_bytes(magic), u32::from_be_bytes(wanted));
        return Err(bad(
            path,
            format!("starts with {got:#010x}, not the {wanted:#010x} of IDX bytes with {AXES} axes"),
        ));
    }
    let dims = std::array::from_fn(|axis| length(&contents[4 + 4 * axis..]));
    let values = contents.split_off(header);
    // 128 bits: three lengths of 32 bits each.
    let promised: u128 = dims.iter().map(|&length| length as u128).product();
    match values.len() as u128 == promised {
        true => Ok((dims, values)),
        false => Err(bad(
            path,
            format!("holds {} values, but its header promises {promised}; fetch it again", values.len()),
        )),
    }
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
