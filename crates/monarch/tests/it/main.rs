//! Tests of the Monarch Mixer layers.
#![allow(clippy::unwrap_used)]

mod block_diagonal;
mod channel;
mod config;
mod filter;
mod hyena;
mod m2;
mod module;
mod published;
mod reference;

use subquad_backend::Form;

const FORMS: [Form; 2] = [Form::Portable, Form::Fused];
