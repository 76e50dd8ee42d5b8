//! Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files.
//!
//! The library behind the `subquad` program: strict [`config`]s, their expansion into runs ([`plan`]), one run
//! ([`execute`]), the comparison ([`report`]), text from a trained run ([`generate`]), and the [`commands`] that tie them together. Commands write results to
//! the writer they are given and messages to standard error.

mod begin;
mod child_process;
pub mod cli;
pub mod commands;
pub mod config;
mod crew;
pub mod execute;
mod failure;
mod found;
pub mod generate;
pub mod model;
pub mod plan;
pub mod program;
mod progress;
pub mod report;
pub mod repository;
mod results;
mod room;
pub mod scaling;
mod session;
mod staleness;
mod stop;
mod study_files;
mod summary;
mod threads;

use std::process::ExitCode;

use subquad_mixer::Mixers;

pub use failure::Failure;
pub use program::{Program, Registered};
pub use stop::{CTRL_C, Signal, Stop};

/// The program with the mixers of a registry: reads the command line, runs the command, answers with its exit code.
///
/// Peaks of memory are measured where [`Counting`](subquad_bench::memory::Counting) is the program's allocator.
pub fn main<C: Mixers>() -> ExitCode {
    cli::main(Registered::<C>::program())
}

/// The examples of the repository's README, compiled as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
