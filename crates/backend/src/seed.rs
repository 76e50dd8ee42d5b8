//! Numbers that are the same on every machine, and burn's generator for one caller at a time.

use std::sync::Mutex;

use burn::tensor::{Device, Tensor, TensorData};

use crate::dropout::stir;

/// `n` numbers uniform in [-1, 1), exactly representable in f32.
pub fn seeded(n: usize, seed: u64) -> Vec<f64> {
    let mix = |x: u64| stir(x.wrapping_add(0x9e37_79b9_7f4a_7c15));
    (0..n as u64).map(|i| unit(mix(seed ^ mix(i)))).collect()
}

/// [`seeded`] as a tensor.
pub fn seeded_tensor<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let values: Vec<f32> = seeded(shape.iter().product(), seed).into_iter().map(|v| v as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Runs `build` with burn's generator seeded. That generator belongs to the process, so others that seed it this way wait.
pub fn with_seed<R>(device: &Device, seed: u64, build: impl FnOnce() -> R) -> R {
    static GENERATOR: Mutex<()> = Mutex::new(());
    let _guard = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    device.seed(seed);
    build()
}

/// 24 bits in [-1, 1): as many as an f32 holds.
fn unit(bits: u64) -> f64 {
    (bits >> 40) as f64 / f64::from(1 << 23) - 1.0
}
