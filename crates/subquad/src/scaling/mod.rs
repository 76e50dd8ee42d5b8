//! Studies that measure: layers at every length and width that a `[bench]` config asks for, kept size by size, then fits.

mod points;
mod run;
mod study;

pub use points::{Along, Point};
pub use run::{list, run_study, smoke};
pub use study::{BenchStudy, group};
