//! Where tests run.

use burn::tensor::Device;
use subquad_backend::simd::use_instruction_set;

/// The CPU. Fused kernels use the instructions that the variable `SUBQUAD_TEST_SIMD` names, or otherwise the best
/// that the machine has.
///
/// # Panics
/// If the machine does not have those instructions, or a kernel has already run with others: every tensor of a test
/// must be on the device from this function.
pub fn cpu() -> Device {
    if let Ok(name) = std::env::var("SUBQUAD_TEST_SIMD") {
        let chosen = name.parse().and_then(use_instruction_set);
        chosen.unwrap_or_else(|e| panic!("SUBQUAD_TEST_SIMD: {e}"));
    }
    Device::flex()
}
