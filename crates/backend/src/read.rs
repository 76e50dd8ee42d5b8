//! From the device to the host.

use burn::tensor::{Tensor, TensorData};

/// The values of `tensor`, copied now. To keep values while more is computed, use this and not `into_data`.
///
/// burn 0.22.1 copies data from a GPU when they are first looked at, and does not count them among the owners of the tensor's
/// memory: an operation in between may overwrite it.
pub fn read<const D: usize>(tensor: Tensor<D>) -> TensorData {
    let data = tensor.into_data();
    data.as_bytes();
    data
}

/// The numbers of a weight or a state, row-major, for a decoder over slices.
///
/// # Panics
/// If they are not f32.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    read(tensor).try_into_vec().expect("decoders over slices take f32; cast the layer first")
}
