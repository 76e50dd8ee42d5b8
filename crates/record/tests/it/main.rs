//! Run folders and studies on disk.

#![allow(clippy::unwrap_used)]

mod atomic;
mod cells;
mod checkpoints;
mod examples;
mod failed;
mod lock;
mod names;
mod proof;
mod rows;
mod run_dir;
mod study;
