//! Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files.
//!
//! The library behind the `subquad` program: strict [`config`]s, their expansion into runs ([`plan`], [`study`]), one run
//! ([`execute`]), the comparison ([`report`]), text from a trained run ([`generate`]), and the [`commands`] that tie them together. Commands write results to
//! the writer they are given and messages to standard error.

mod budget;
mod child_process;
pub mod cli;
pub mod commands;
pub mod config;
pub mod execute;
mod failure;
mod fma_peak;
pub mod generate;
mod memory;
pub mod model;
pub mod plan;
pub mod program;
mod progress;
pub mod registry;
pub mod report;
pub mod repository;
mod results;
pub mod scaling;
mod scheduler;
mod select;
mod session;
mod staleness;
mod stop;
pub mod study;
mod study_files;
mod study_results;
mod summary;
mod threads;

use std::process::ExitCode;

use subquad_mixer::Mixers;

pub use failure::Failure;
pub use program::Program;
pub use registry::Registry;
pub use session::Session;
pub use stop::{CTRL_C, Signal, Stop};

/// The program with the mixers of a registry: reads the command line, runs the command, answers with its exit code.
///
/// Peaks of memory are measured where [`Counting`](subquad_bench::memory::Counting) is the program's allocator.
pub fn main<C: Mixers>() -> ExitCode {
    cli::main(Program::of::<C>())
}

/// The examples of the repository's README, compiled as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
