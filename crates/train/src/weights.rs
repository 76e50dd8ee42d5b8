//! Weights as a `.safetensors` file.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, TensorView, serialize};
use subquad_model::{SequenceModel, named_parameters};

/// The bytes of a `.safetensors` file with every parameter under its path of field names, as f32.
pub fn to_safetensors(model: &SequenceModel, metadata: HashMap<String, String>) -> Vec<u8> {
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
