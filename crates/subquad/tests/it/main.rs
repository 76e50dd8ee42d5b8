//! The program from outside: what it prints, writes and returns.
#![allow(clippy::unwrap_used)]

mod bench;
mod budget;
mod check;
mod config;
mod configs;
mod damage;
mod dependencies;
mod failing;
mod flags;
mod generate;
mod help;
mod interrupt;
mod jobs;
mod kill;
mod lab;
mod layers;
mod memory;
mod names;
mod pages;
mod plot;
mod process;
mod proof;
mod ranges;
mod read_only;
mod rerun;
mod run;
mod scaling;
mod sharing;
mod staleness;
mod table;
mod tasks;
mod texts;
mod verify;
mod verify_claims;
mod wgpu;
