//! Tasks and data sets for sequence models: a seed gives plain integers and floats.
//!
//! A [`Task`] gives a [`Batch`] for a step number: a pure function of (seed, step), so a resumed run sees the data it
//! would have seen, and a change of the model never changes the data. [`tasks`] lists all tasks, a [`TaskConfig`]
//! chooses one and its options, and [`open`] makes it. All randomness comes from [`Stream`]. A task is scored by a
//! [`Metric`], computed from a [`Tally`]; everything about a metric is in one entry, in `metric.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
mod bytes;
mod config;
mod delay;
mod digits;
mod epochs;
mod error;
mod few;
mod files;
mod idx;
mod masked_bytes;
mod metric;
mod mnist;
mod mqar;
mod noise;
mod parity;
mod reconstruct;
mod resize;
mod rng;
mod tally;
mod task;
mod text;

pub use batch::{Batch, Inputs, Targets};
pub use bytes::{Bytes, BytesConfig};
pub use config::{TaskConfig, TaskEntry, TaskOptions, open, tasks};
pub use delay::{Delay, DelayConfig};
pub use digits::{Digits, DigitsConfig};
pub use error::TaskError;
pub use few::FewTests;
pub use masked_bytes::{MaskedBytes, MaskedBytesConfig};
pub use metric::{Extent, Formula, Loss, Metric, MetricInfo, Score, brief};
pub use mnist::{Mnist, MnistConfig, Permutation};
pub use mqar::{Mqar, MqarConfig, MqarSize};
pub use parity::{Parity, ParityConfig};
pub use reconstruct::{Reconstruct, ReconstructConfig};
pub use rng::{Draws, Stream, philox4x32_10};
pub use subquad_options::Share;
pub use tally::Tally;
pub use task::{Condition, InputKind, TargetKind, Task, TaskInfo};
