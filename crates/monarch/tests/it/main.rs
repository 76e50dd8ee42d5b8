//! Tests of the Monarch Mixer layers.
#![allow(clippy::unwrap_used)]

mod block_diagonal;
mod channel;
mod config;
mod dft;
mod filter;
mod flops;
mod hyena;
mod long;
mod m2;
mod monarch_conv;
mod monarch_linear;
mod projection;
mod published;
mod published_hyena;
mod reference;
mod sequence;
mod threads;

use burn::module::Module;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_testkit::{cpu, values, with_seed};

const FORMS: [Form; 2] = [Form::Portable, Form::Fused];

/// A module whose parameters are all drawn, always to the same values.
fn seeded_module<M: Module>(build: impl FnOnce(&Device) -> M) -> M {
    with_seed(&cpu(), 11, || {
        let module = build(&cpu());
        values(&module);
        module
    })
}
