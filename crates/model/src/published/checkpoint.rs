//! Named tensors of a `.safetensors` or PyTorch file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, TensorData};
use pytorch_reader::{PytorchError, PytorchReader};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use subquad_mixer::published::{CaseError, first_not_finite, json};

use super::pickle::repeated_name;

/// File endings of PyTorch's files.
const PYTORCH: [&str; 4] = ["pt", "pth", "bin", "ckpt"];

/// The tensors of a file that `choose` picks from all sorted names, as f32.
pub(super) fn read(
    path: &Path,
    choose: impl FnOnce(&[&str]) -> Result<Vec<String>, CheckpointError>,
) -> Result<BTreeMap<String, TensorData>, CheckpointError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match ending {
        "safetensors" => read_safetensors(path, choose),
        _ if PYTORCH.contains(&ending) => read_pytorch(path, choose),
        _ => Err(CheckpointError::Ending { path: path.into() }),
    }
}

fn read_safetensors(
    path: &Path,
    choose: impl FnOnce(&[&str]) -> Result<Vec<String>, CheckpointError>,
) -> Result<BTreeMap<String, TensorData>, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Io { path: path.into(), source })?;
    let damaged = |source| CheckpointError::Safetensors { path: path.into(), source };
    let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    json::check_header(&bytes).map_err(|what| CheckpointError::Twice { path: path.into(), what })?;
    let data = |name: String| {
        let view = file.tensor(&name).map_err(damaged)?;
        let kind = match view.dtype() {
            Dtype::F64 => Some(DType::F64),
            Dtype::F32 => Some(DType::F32),
            Dtype::F16 => Some(DType::F16),
            Dtype::BF16 => Some(DType::BF16),
            _ => None,
        };
        let got = format!("{:?}", view.dtype());
        let data = floats(path, &name, kind.ok_or(got), view.shape(), view.data().to_vec())?;
        Ok((name, data))
    };
    let mut names = file.names();
    names.sort_unstable();
    choose(&names)?.into_iter().map(data).collect()
}

fn read_pytorch(
    path: &Path,
    choose: impl FnOnce(&[&str]) -> Result<Vec<String>, CheckpointError>,
) -> Result<BTreeMap<String, TensorData>, CheckpointError> {
    use pytorch_reader::DType as Kind;
    let damaged = |source| match source {
        PytorchError::Io(source) => CheckpointError::Io { path: path.into(), source },
        source => CheckpointError::Pytorch { path: path.into(), source: Box::new(source) },
    };
    let file = PytorchReader::new(path).map_err(damaged)?;
    let root = PytorchReader::read_pickle_data(path, None).map_err(damaged)?;
    if let Some(name) = repeated_name(&root) {
        return Err(CheckpointError::Repeated { path: path.into(), name });
    }
    let mut names: Vec<&str> = file.tensors().keys().map(String::as_str).collect();
    names.sort_unstable();
    let data = |name: String| {
        let tensor = &file.tensors()[&name];
        let kind = match tensor.dtype() {
            Kind::F64 => Ok(DType::F64),
            Kind::F32 => Ok(DType::F32),
            Kind::F16 => Ok(DType::F16),
            Kind::BF16 => Ok(DType::BF16),
            Kind::I64 | Kind::I32 | Kind::I16 | Kind::I8 => Err("an integer".to_owned()),
            Kind::U64 | Kind::U32 | Kind::U16 | Kind::U8 | Kind::Bool => Err("an integer".to_owned()),
        };
        let bytes = tensor.read().map_err(|source| CheckpointError::Io { path: path.into(), source })?;
        let data = floats(path, &name, kind, tensor.shape(), bytes)?;
        Ok((name, data))
    };
    let chosen = choose(&names)?;
    check_bytes(path, chosen.iter().map(|name| &file.tensors()[name]))?;
    chosen.into_iter().map(data).collect()
}

/// How often a part of a file may be read: tensors that share a parameter read it several times. PyTorch's views can
/// repeat one number without limit.
const SHARED: u64 = 4;

/// Whether the tensors have hardly more bytes than the file.
fn check_bytes<'a>(
    path: &Path,
    tensors: impl Iterator<Item = &'a pytorch_reader::Tensor>,
) -> Result<(), CheckpointError> {
    let of = |source| CheckpointError::Io { path: path.into(), source };
    let there = std::fs::metadata(path).map_err(of)?.len();
    let wanted = tensors.fold(0u64, |sum, tensor| sum.saturating_add(tensor.byte_len() as u64));
    match wanted <= there.saturating_mul(SHARED) {
        true => Ok(()),
        false => Err(CheckpointError::Inflated { path: path.into(), there, wanted }),
    }
}

fn floats(
    path: &Path,
    name: &str,
    kind: Result<DType, String>,
    shape: &[usize],
    bytes: Vec<u8>,
) -> Result<TensorData, CheckpointError> {
    let kind = kind.map_err(|got| CheckpointError::Dtype { path: path.into(), name: name.into(), got })?;
    let given = TensorData::from_bytes_vec(bytes, shape.to_vec(), kind);
    match first_not_finite(given.iter::<f64>(), shape) {
        None => Ok(given.convert::<f32>()),
        Some((index, value)) => {
            let source = CaseError::NotFinite { name: name.into(), index, value: format!("{value:?}") };
            Err(CheckpointError::Tensor { path: path.into(), source })
        }
    }
}

/// Why a file does not hold a model's weights.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file's name does not show its kind.
    #[error("{}: a checkpoint is a .safetensors file, or one of PyTorch's: .pt, .pth, .bin or .ckpt", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a `.safetensors` file, or only part of one.
    #[error("{}: not a complete .safetensors file: {source}", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SafeTensorError,
    },
    /// Its header says something twice.
    #[error("{}: {what}", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// What.
        what: String,
    },
    /// Its tensors have far more bytes than the file itself.
    #[error(
        "{}: its tensors have {wanted} bytes, but the file has {there}: it repeats numbers or is compressed; save contiguous \
         tensors, uncompressed, as torch.save does",
        path.display()
    )]
    Inflated {
        /// The file.
        path: PathBuf,
        /// Its size.
        there: u64,
        /// The size of the tensors.
        wanted: u64,
    },
    /// It is not a PyTorch file, or only part of one.
    #[error("{}: not a complete PyTorch file: {source}", path.display())]
    Pytorch {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<PytorchError>,
    },
    /// A tensor does not hold floating-point numbers.
    #[error("{}: tensor `{name}` is {got}, but weights are F64, F32, F16 or BF16", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What it holds.
        got: String,
    },
    /// Nothing in the file has the model's names.
    #[error(
        "{}: holds no tensor `{wanted}`, under any prefix, among {count}; the first: {first}", path.display()
    )]
    OtherModel {
        /// The file.
        path: PathBuf,
        /// The name that was looked for.
        wanted: &'static str,
        /// Number of tensors in the file.
        count: usize,
        /// One of their names.
        first: String,
    },
    /// It holds several models, and none was chosen.
    #[error(
        "{}: holds {count} models, whose names begin with {prefixes}; name one of these: Checkpoint::with_prefix",
        path.display()
    )]
    SeveralModels {
        /// The file.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// The prefixes of their names.
        prefixes: String,
    },
    /// It does not hold the model that was chosen.
    #[error("{}: holds no model whose names begin with `{prefix}`, but with {prefixes}", path.display())]
    NoSuchModel {
        /// The file.
        path: PathBuf,
        /// The prefix that was chosen.
        prefix: String,
        /// The prefixes of the models that are there.
        prefixes: String,
    },
    /// Two tensors of nested dictionaries have the same name.
    #[error("{}: holds two tensors named `{name}`, in nested dictionaries", path.display())]
    Repeated {
        /// The file.
        path: PathBuf,
        /// Their name.
        name: String,
    },
    /// A tensor is missing, or not what the config asks for.
    #[error("{}: {source}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CaseError,
    },
    /// The config has no place for some of its tensors.
    #[error(
        "{}: holds `{name}`, which the config has no place for{}; compare n_layers and the options with the file's model",
        path.display(),
        more(*others)
    )]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// One of them.
        name: String,
        /// How many others there are.
        others: usize,
    },
}

fn more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(", and {others} more such tensors") }
}
