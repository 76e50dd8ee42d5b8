//! Tasks and data sets for sequence models: a seed gives plain integers and floats.
//!
//! A [`Task`] gives a [`Batch`] for a step number: a pure function of (seed, step), so a resumed run sees the data it
//! would have seen, and a change of the model never changes the data. [`tasks`] lists all tasks, a [`TaskConfig`]
//! chooses one and its options, and [`TaskOptions::open`] makes it. All randomness comes from [`Stream`]. A task is scored by a
//! [`Metric`], computed from a [`Tally`]; everything about a metric is in one entry, in `metric.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod adding;
mod associative_recall;
mod batch;
mod bytes;
mod copying;
mod delay;
mod digits;
mod drawn;
mod epochs;
mod error;
mod few;
mod files;
mod idx;
mod induction_heads;
mod lengths;
mod masked_bytes;
mod metric;
mod mnist;
mod mqar;
mod noise;
mod options;
mod parity;
mod reconstruct;
mod registry;
mod resize;
mod rng;
mod selective_copying;
mod state_tracking;
mod task;
mod text;

pub use adding::AddingConfig;
pub use associative_recall::AssociativeRecallConfig;
pub use batch::{Batch, Inputs, Targets};
pub use bytes::BytesConfig;
pub use copying::CopyingConfig;
pub use delay::DelayConfig;
pub use digits::DigitsConfig;
pub use drawn::{Draw, DrawnOptions, ExampleOptions, Purpose, TokenExample};
pub use error::TaskError;
pub use few::FewTests;
pub use induction_heads::InductionHeadsConfig;
pub use lengths::{Lengths, Stage, VariedLengths};
pub use masked_bytes::MaskedBytesConfig;
pub use metric::{Extent, Formula, Loss, Metric, MetricInfo, Score, Tally, brief};
pub use mnist::{MnistConfig, Permutation};
pub use mqar::{MqarConfig, MqarSize};
pub use options::TaskOptions;
pub use parity::ParityConfig;
pub use reconstruct::ReconstructConfig;
pub use registry::{TaskConfig, TaskEntry, tasks};
pub use rng::{Draws, Stream};
pub use selective_copying::SelectiveCopyingConfig;
pub use state_tracking::{Group, StateTrackingConfig};
pub use subquad_options::Share;
pub use task::{Condition, HeldOut, InputKind, TargetKind, Task, TaskInfo, TaskSpec};
