//! The program from outside: what it prints, writes and answers.
#![allow(clippy::unwrap_used)]

mod check;
mod configs;
mod damage;
mod dependencies;
mod failing;
mod flags;
mod help;
mod interrupt;
mod kill;
mod lab;
mod plot;
mod process;
mod rerun;
mod run;
mod table;
mod verify;
