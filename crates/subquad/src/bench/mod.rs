//! Whole layers timed side by side: forward, forward and backward, memory, state; each checked against its definition first.
//!
//! ```text
//! subjects  ->  check  ->  trials, interleaved  ->  cells
//!  a table      once a      one a layer, at        one row a layer
//!  of layers    layer       one size               and size
//! ```
//! A new layer is one entry in [`SEQUENCE`] or [`CHANNEL`].

mod cells;
mod check;
mod decode;
mod layer;
mod measure;
mod quartiles;
mod room;
mod sizes;
mod subjects;
mod trial;

pub use cells::{Checked, Place, check_all, measure_cells};
pub use check::{Check, check};
pub use decode::{Decoder, decodes, measure_decoding};
pub use layer::Layer;
pub use measure::{BenchError, Timing, measure};
pub use quartiles::Quartiles;
pub use room::check_sizes;
pub(crate) use room::{can_be, fits, had_at};
pub(crate) use sizes::D_STATE;
pub use sizes::Sizes;
pub use subjects::{
    CHANNEL, CHANNEL_NAMES, Definition, Hidden, SEQUENCE, SEQUENCE_NAMES, Subject, UnknownSubject, find,
};
