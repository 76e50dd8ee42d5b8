//! Recorded cases on disk: one run of a published layer in a `.safetensors` file.

use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::{Case, json};

/// Reads a case: metadata `layer` and `config`, parameters under `param.<name>`, and any other tensors.
///
/// # Errors
/// If the file cannot be read, is not a safetensors file, says something twice, lacks the metadata, has a config that
/// is not an object, or holds a tensor that is empty or neither f32 nor (for tokens) i32.
pub fn read(path: impl AsRef<Path>) -> Result<Case, FileError> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| FileError::Io { path: path.into(), source })?;
    parse(&bytes).map_err(|problem| FileError::Format { path: path.into(), problem })
}

fn parse(bytes: &[u8]) -> Result<Case, String> {
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|e| format!("not a safetensors file: {e}"))?;
    json::check_header(bytes)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let entry = |key: &str| metadata.get(key).cloned().ok_or(format!("the metadata has no `{key}`"));
    let config = config(&entry("config")?)?;
    let mut case =
        Case { layer: entry("layer")?, config, parameters: Default::default(), tensors: Default::default() };
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    for (name, view) in file.tensors() {
        let data = numbers(&name, view.dtype(), view.shape(), view.data())?;
        match name.strip_prefix("param.") {
            Some(parameter) => case.parameters.insert(parameter.into(), data),
            None => case.tensors.insert(name, data),
        };
    }
    Ok(case)
}

/// The config must be keys and values: a list would give options by their order.
fn config(text: &str) -> Result<Value, String> {
    match json::parse(text).map_err(|e| format!("metadata `config`: {e}"))? {
        object @ Value::Object(_) => Ok(object),
        _ => Err("metadata `config` is not an object of options by name, as in {\"d_model\": 8}".into()),
    }
}

fn numbers(name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Result<TensorData, String> {
    if bytes.is_empty() {
        return Err(format!("tensor `{name}` has shape {shape:?}, but a case has no empty tensors"));
    }
    let (words, _) = bytes.as_chunks::<4>();
    let words = words.iter();
    match dtype {
        Dtype::F32 => {
            let values: Vec<f32> = words.map(|word| f32::from_le_bytes(*word)).collect();
            Ok(TensorData::new(values, shape.to_vec()))
        }
        Dtype::I32 if may_be_integers(name) => {
            let values: Vec<i32> = words.map(|word| i32::from_le_bytes(*word)).collect();
            Ok(TensorData::new(values, shape.to_vec()))
        }
        _ => Err(format!("tensor `{name}` is {dtype:?}, but cases are F32, and tokens I32")),
    }
}

/// Only tokens and what belongs to them, not what layers compute with or return.
fn may_be_integers(name: &str) -> bool {
    let (first, _) = name.split_once('.').unwrap_or((name, ""));
    !["param", "input", "output", "grad", "grad_output"].contains(&first)
}

/// Why a file is not a case.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// It is not a case.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
