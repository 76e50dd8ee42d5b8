//! Run folders and studies, on a disk.

#![allow(clippy::unwrap_used)]

mod cells;
mod examples;
mod run_dir;
mod study;
