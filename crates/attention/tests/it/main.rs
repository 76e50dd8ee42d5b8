//! Attention against its definition, and against the contract of every sequence mixer.
#![allow(clippy::unwrap_used)]

mod cases;
mod config;
mod dot_product;
mod flops;
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
use subquad_testkit::cpu;

const FORMS: [Form; 2] = [Form::Portable, Form::Fused];

fn autodiff_device() -> Device {
    cpu().autodiff()
}
