//! Tests of the Monarch Mixer layers.
#![allow(clippy::unwrap_used)]

mod block_diagonal;
mod channel;
mod config;
mod dft;
mod filter;
mod hyena;
mod m2;
mod module;
mod monarch_conv;
mod monarch_linear;
mod projection;
mod published;
mod published_hyena;
mod reference;
mod sequence;
mod threads;

use subquad_backend::Form;

const FORMS: [Form; 2] = [Form::Portable, Form::Fused];
