//! Tasks and data sets for sequence models: a seed gives plain integers and floats.
//!
//! A [`Task`] hands out a [`Batch`] for a step number: a pure function of (seed, step), so a resumed run sees the
//! data it would have seen, and a change of the model never changes the data. [`tasks`] lists what there is,
//! [`check`] says whether a length fits, [`open`] gives the task. All randomness comes from [`Stream`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
mod digits;
mod epochs;
mod resize;
mod rng;
mod task;

pub use batch::{Batch, Inputs, Targets};
pub use digits::Digits;
pub use rng::{Draws, Stream, philox4x32_10};
pub use task::{InputKind, TargetKind, Task, TaskError, TaskInfo, check, open, tasks};
