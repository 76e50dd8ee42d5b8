//! Tools for testing a sequence mixer: relative errors, published cases, the battery that every mixer passes, finite
//! differences, long sequences, the parameters of any module.

pub mod battery;
mod compare;
mod device;
mod difference;
pub mod golden;
mod long;
mod parameters;

pub use compare::assert_rel_close;
pub use device::cpu;
pub use difference::finite_difference;
pub use long::assert_long;
pub use parameters::{
    Parameter, every_gradient, gradients, parameters, paths_of, values, with_changes, with_frozen,
    with_values,
};
pub use subquad_backend::{seeded, seeded_tensor, with_seed};
pub use subquad_mixer::published::{Values, rel_error, to_f64};

/// Lengths at which implementations tend to differ: tiny, around a power of two, not a multiple of anything.
pub const AWKWARD_LENGTHS: [usize; 7] = [1, 2, 3, 63, 64, 65, 1000];
