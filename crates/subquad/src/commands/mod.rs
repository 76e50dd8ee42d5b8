//! The commands of the program, one file each.

pub mod bench;
pub mod check;
pub mod flags;
pub mod generate;
pub mod list;
pub mod plot;
pub mod run;
pub mod verify;
