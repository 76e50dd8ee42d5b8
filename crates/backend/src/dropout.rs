//! Masks of dropout (Srivastava et al. 2014) as a function of a seed: a repeated step drops the same.

use burn::tensor::{Device, Tensor, TensorData};

/// One step of SplitMix64 (Steele, Lea, Flood 2014): every bit of `x` reaches every bit of the result.
pub fn split_mix(x: u64) -> u64 {
    stir(spread(x))
}

/// Its first half: neighbouring numbers become distant ones.
pub fn spread(x: u64) -> u64 {
    x.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Its second half.
pub fn stir(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Zero with probability `rate`, `1 / (1 - rate)` otherwise; drawn on the host, the same for the same seed.
///
/// # Panics
/// If `rate` is not in [0, 1).
pub fn mask<const D: usize>(shape: [usize; D], rate: f64, seed: u64, device: &Device) -> Tensor<D> {
    assert!((0.0..1.0).contains(&rate), "a dropout rate must be in [0, 1), got {rate:?}");
    let threshold = (rate * u64::MAX as f64) as u64;
    let gain = (1.0 / (1.0 - rate)) as f32;
    let key = split_mix(seed);
    let draw = |at: usize| if split_mix(key ^ at as u64) < threshold { 0.0 } else { gain };
    let values: Vec<f32> = (0..shape.iter().product()).map(draw).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
