//! Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files.
//!
//! The library behind the `subquad` program: strict [`config`]s, their expansion into runs ([`plan`]), one run
//! ([`execute`]), the comparison ([`report`]), text from a trained run ([`generate`]), and the [`commands`] that tie them together. Commands write results to
//! the writer they are given and messages to standard error.

pub mod assemble;
mod begin;
pub mod bench;
pub mod cli;
pub mod commands;
pub mod config;
mod crew;
pub mod execute;
mod failure;
mod found;
pub mod generate;
pub mod memory;
pub mod plan;
mod progress;
pub mod report;
pub mod repository;
mod results;
mod room;
pub mod scaling;
mod staleness;
mod stop;
mod study_files;
mod threads;

pub use failure::Failure;
pub use stop::{CTRL_C, Signal, Stop};

/// The examples of the repository's README, compiled as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
