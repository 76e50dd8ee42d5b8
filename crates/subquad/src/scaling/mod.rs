//! Studies that measure, as a command runs them: the studies of configs, and a child process for each size.

mod run;
mod size;
mod study;

pub use run::{list, run_study, smoke};
pub(crate) use size::{OneSize, measure_one};
pub use study::{BenchStudy, group};
