//! S4D against its f64 reference, the published implementation, and its own other forms.

#![allow(clippy::unwrap_used)]

mod config;
mod gradients;
mod hippo;
mod kernel;
mod layer;
mod oracle;
mod published;
