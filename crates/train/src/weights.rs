//! Weights as a `.safetensors` file.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, TensorView, serialize};
use safetensors::{SafeTensorError, SafeTensors};
use subquad_mixer::published::{first_not_finite, json};
use subquad_model::named_parameters;

/// The bytes of a `.safetensors` file with every parameter under its path of field names, as f32.
pub fn to_safetensors<M: Module>(model: &M, metadata: HashMap<String, String>) -> Vec<u8> {
    let parameters: Vec<(String, Vec<usize>, Vec<u8>)> = named_parameters(model)
        .into_iter()
        .map(|p| (p.path, p.data.shape().to_vec(), p.data.iter::<f32>().flat_map(f32::to_le_bytes).collect()))
        .collect();
    let views = parameters.iter().map(|(path, shape, bytes)| {
        let view =
            TensorView::new(Dtype::F32, shape.clone(), bytes).expect("four bytes a value of the shape");
        (path, view)
    });
    serialize(views, Some(metadata)).expect("the header of named f32 tensors is valid")
}

/// `model` with the weights of a `.safetensors` file, as [`to_safetensors`] writes it. Names and shapes must be the model's,
/// all of them and no others, and every weight finite; the device and form stay the model's. Weights that burn has not
/// drawn yet are never drawn.
///
/// # Errors
/// The first difference between the file and the model.
pub fn from_safetensors<M: Module>(bytes: &[u8], model: M) -> Result<M, WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    json::check_header(bytes).map_err(WeightsError::Twice)?;
    let mut load = Load { file: &file, path: vec![], loaded: vec![], problem: None };
    let model = model.map(&mut load);
    let Load { loaded, problem, .. } = load;
    if let Some(problem) = problem {
        return Err(problem);
    }
    // In alphabetical order, because the file's own order is arbitrary.
    let unknown = file.names().into_iter().filter(|name| !loaded.iter().any(|path| path == name)).min();
    match unknown {
        Some(path) => Err(WeightsError::Unknown { path: path.into() }),
        None => Ok(model),
    }
}

/// Why a file does not hold the weights of a model.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // Each message says what its fields are.
pub enum WeightsError {
    /// It is not a `.safetensors` file, or only part of one.
    #[error("not a complete .safetensors file: {0}")]
    Damaged(#[from] SafeTensorError),
    /// Its header says something twice.
    #[error("{0}")]
    Twice(String),
    /// A parameter is missing.
    #[error("holds no `{path}`, which the model has")]
    Missing { path: String },
    /// It contains something else.
    #[error("holds `{path}`, which the model does not have")]
    Unknown { path: String },
    /// A parameter has a different shape.
    #[error("`{path}` has shape {got:?} there, but {wanted:?} in the model")]
    Shape { path: String, got: Vec<usize>, wanted: Vec<usize> },
    /// A parameter is of another number type.
    #[error("`{path}` is {got} there; weights are F32")]
    Dtype { path: String, got: Dtype },
    /// A weight is infinite or NaN, so every output of the model would be as well.
    #[error("`{path}` holds {value} at {index:?} there, but weights are finite")]
    NotFinite { path: String, index: Vec<usize>, value: String },
}

/// Puts the file's values for the model's, until something does not fit.
struct Load<'a> {
    file: &'a SafeTensors<'a>,
    path: Vec<String>,
    loaded: Vec<String>,
    problem: Option<WeightsError>,
}

impl Load<'_> {
    fn values(&self, path: &str, wanted: Vec<usize>) -> Result<TensorData, WeightsError> {
        let path = || path.to_owned();
        let view = self.file.tensor(&path()).map_err(|_| WeightsError::Missing { path: path() })?;
        if view.dtype() != Dtype::F32 {
            return Err(WeightsError::Dtype { path: path(), got: view.dtype() });
        }
        if view.shape() != wanted {
            return Err(WeightsError::Shape { path: path(), got: view.shape().to_vec(), wanted });
        }
        let floats = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let floats: Vec<f32> = floats.collect();
        match first_not_finite(floats.iter().copied().map(f64::from), &wanted) {
            None => Ok(TensorData::new(floats, wanted)),
            Some((index, value)) => {
                Err(WeightsError::NotFinite { path: path(), index, value: format!("{value:?}") })
            }
        }
    }
}

impl ModuleMapper for Load<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.problem.is_some() {
            return param;
        }
        let path = self.path.join(".");
        match self.values(&path, param.lazy_shape().to_vec()) {
            Ok(values) => {
                self.loaded.push(path);
                let (id, device) = (param.id, param.lazy_device());
                param.transform_for_load(Tensor::from_data(values, &device), id)
            }
            Err(problem) => {
                self.problem = Some(problem);
                param
            }
        }
    }
}
