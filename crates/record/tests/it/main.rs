//! Run folders and studies on disk.

#![allow(clippy::unwrap_used)]

mod cells;
mod checkpoints;
mod examples;
mod failed;
mod lock;
mod proof;
mod run_dir;
mod study;
