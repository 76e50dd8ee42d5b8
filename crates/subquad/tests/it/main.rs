//! The program from outside: what it prints, writes and answers.
#![allow(clippy::unwrap_used)]

mod check;
mod configs;
mod dependencies;
mod failing;
mod flags;
mod help;
mod interrupt;
mod jobs;
mod lab;
mod names;
mod plot;
mod rerun;
mod run;
mod sharing;
mod staleness;
mod table;
mod verify;
