//! Studies that measure: layers at every length and width that a `[bench]` config asks for, kept size by size, then fits.

mod measurements;
mod points;
mod run;
mod size;
mod study;

pub use points::{Along, Point};
pub use run::{list, run_study, smoke};
pub(crate) use size::{OneSize, measure_one};
pub use study::{BenchStudy, group};
