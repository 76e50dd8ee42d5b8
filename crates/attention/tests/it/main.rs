//! Attention against its definition, and against the contract of every sequence mixer.
#![allow(clippy::unwrap_used)]

mod cases;
mod config;
mod dot_product;
mod layer;
mod options;
mod rotary;
mod segments;
mod state;
mod steep;
mod stepper;
mod training;
mod variants;
mod weights;

use burn::tensor::Device;
use subquad_backend::Form;
use subquad_backend::simd::use_instruction_set;

const FORMS: [Form; 2] = [Form::Portable, Form::Fused];

/// The CPU, with the instructions that `SUBQUAD_TEST_SIMD` names or else the best that it has.
fn device() -> Device {
    if let Ok(name) = std::env::var("SUBQUAD_TEST_SIMD") {
        use_instruction_set(name.parse().unwrap()).unwrap();
    }
    Device::flex()
}

fn autodiff_device() -> Device {
    device().autodiff()
}
