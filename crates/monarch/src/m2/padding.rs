//! Rows that end with padding.

use burn::tensor::{Device, Tensor, TensorData};

/// 1 at a row's first tokens, as many as its length, and 0 at the padding after them: `[batch, 1, seq]`.
///
/// # Panics
/// If there is not one length per row, or one is above `seq`.
pub(super) fn tokens(lengths: &[usize], [batch, seq]: [usize; 2], device: &Device) -> Tensor<3> {
    assert_eq!(lengths.len(), batch, "{batch} rows need a length each, got {}", lengths.len());
    let row = |&length: &usize| {
        assert!(length <= seq, "a sequence of {length} tokens does not fit a row of {seq}");
        (0..seq).map(move |t| if t < length { 1.0f32 } else { 0.0 })
    };
    let values: Vec<f32> = lengths.iter().flat_map(row).collect();
    Tensor::from_data(TensorData::new(values, [batch, 1, seq]), device)
}

/// `x [batch, d_model, seq]` with its padding zeroed, where rows have any.
pub(super) fn without(x: Tensor<3>, tokens: &Option<Tensor<3>>) -> Tensor<3> {
    match tokens {
        Some(tokens) => x * tokens.clone(),
        None => x,
    }
}
