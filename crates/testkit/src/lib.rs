//! Tools that test a sequence mixer: relative errors, published cases, the battery every mixer passes, finite
//! differences, the parameters of any module. The comparison and the reader of published cases also serve `subquad verify`.

pub mod battery;
mod compare;
mod device;
mod difference;
pub mod golden;
mod parameters;
mod seeded;

pub use compare::{Values, assert_rel_close, rel_error, to_f64};
pub use device::cpu;
pub use difference::finite_difference;
pub use parameters::{
    Parameter, every_gradient, gradients, parameters, paths_of, values, with_changes, with_frozen,
    with_values,
};
pub use seeded::{seeded, seeded_tensor, with_seed};

/// Lengths at which implementations tend to differ: tiny, around a power of two, no multiple of anything.
pub const AWKWARD_LENGTHS: [usize; 7] = [1, 2, 3, 63, 64, 65, 1000];
