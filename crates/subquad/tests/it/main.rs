//! The program from outside: what it prints, writes and answers.
#![allow(clippy::unwrap_used)]

mod check;
mod configs;
mod dependencies;
mod failing;
mod flags;
mod help;
mod interrupt;
mod lab;
mod plot;
mod rerun;
mod run;
mod table;
mod verify;
mod wgpu;
