//! Tools that test a sequence mixer: relative errors, published cases, the battery every mixer passes, finite
//! differences. The comparison and the reader of published cases also serve `subquad verify`.

pub mod battery;
mod compare;
mod difference;
pub mod golden;
mod seeded;

pub use compare::{Values, assert_rel_close, rel_error, to_f64};
pub use difference::finite_difference;
pub use seeded::{seeded, seeded_tensor, with_seed};

/// Lengths at which implementations tend to differ: tiny, around a power of two, no multiple of anything.
pub const AWKWARD_LENGTHS: [usize; 7] = [1, 2, 3, 63, 64, 65, 1000];
