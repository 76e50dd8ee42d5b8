//! Whole layers timed side by side: forward, forward and backward, decoding, memory, state; each checked against its definition first.
//!
//! ```text
//! subjects  ->  check  ->  trials, interleaved  ->  cells
//!  layers        once a      one a layer, at        one row a layer
//!  by name       layer       one size               and size
//! ```
//! A sequence mixer says itself what is measured ([`MeasuredMixer`](subquad_mixer::MeasuredMixer)); [`Subjects::of`] lists those of a
//! registry, and the layers along the width beside them. [`memory`] counts bytes, [`available`] says how many there are.

pub mod available;
mod cells;
mod check;
mod decode;
mod layer;
mod limits;
mod measure;
pub mod memory;
mod quartiles;
mod subjects;
mod trial;

pub use cells::{Checked, Site, check_all, measure_cells};
pub use check::{Check, check};
pub use decode::{Decoder, STEPS, can_decode, measure_decoding};
pub use layer::Layer;
pub use limits::{accepts, available_at, check_sizes, fits_in_memory};
pub use measure::{Timing, measure};
pub use quartiles::Quartiles;
pub use subjects::{Definition, Hidden, Subject, Subjects, UnknownSubject};
pub use subquad_mixer::Sizes;
pub use trial::BenchError;

/// States a channel of a state space wherever times are taken.
pub const D_STATE: usize = 64;
