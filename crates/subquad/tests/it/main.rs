//! The program from outside: what it prints, writes and answers.
#![allow(clippy::unwrap_used)]

mod assemble;
mod bench;
mod check;
mod configs;
mod damage;
mod dependencies;
mod failing;
mod flags;
mod gated;
mod generate;
mod help;
mod interrupt;
mod jobs;
mod kill;
mod lab;
mod memory;
mod monarchs;
mod names;
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
mod state_spaces;
mod table;
mod tasks;
mod texts;
mod verify;
mod verify_claims;
mod wgpu;
