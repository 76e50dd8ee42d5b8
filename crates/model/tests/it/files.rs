//! Published tensors in files.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use subquad_model::{M2BertConfig, SequenceModel, named_parameters};

use crate::undisturbed;
use subquad_testkit::cpu;

pub(crate) type Tensors = BTreeMap<String, TensorData>;

/// Every parameter by name.
pub(crate) fn bits(model: &SequenceModel) -> Vec<(String, Vec<u8>)> {
    named_parameters(model).into_iter().map(|p| (p.path, p.data.as_bytes().to_vec())).collect()
}

pub(crate) fn load(config: &M2BertConfig, path: &Path) -> SequenceModel {
    undisturbed(|| config.load(path, &cpu())).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn write(path: &Path, tensors: &Tensors) {
    let views = tensors.iter().map(|(name, data)| {
        let kind = if data.dtype() == DType::I64 { Dtype::I64 } else { Dtype::F32 };
        (name, TensorView::new(kind, data.shape().to_vec(), data.as_bytes()).unwrap())
    });
    serialize_to_file(views, None, path).unwrap();
}

/// The tensors with a prefix in front of every name.
pub(crate) fn under(prefix: &str, tensors: &Tensors) -> Tensors {
    tensors.iter().map(|(name, data)| (format!("{prefix}{name}"), data.clone())).collect()
}

/// The tensor with 1 added to its first number.
pub(crate) fn changed(data: &TensorData) -> TensorData {
    let mut values: Vec<f32> = data.iter::<f32>().collect();
    values[0] += 1.0;
    TensorData::new(values, data.shape().to_vec())
}
