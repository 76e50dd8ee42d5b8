//! How much memory there is.
//!
//! ```text
//! shared    what all processes of the machine, or of a control group, have left together
//! own       what `ulimit` leaves each process
//! ```
//! What the system does not report is not a bound.

mod cgroup;
mod proc;

pub use proc::own;

/// Bytes that can be had, and what bounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    /// How many.
    pub bytes: u64,
    /// Such as `what the machine has free`.
    pub bound: &'static str,
}

/// Bytes of stack of each thread of the program: as many as Linux gives a main thread by default.
pub const STACK_BYTES: usize = 8 << 20;

/// What one process, such as this one, can still have.
pub fn available() -> Option<Available> {
    tightest([shared(), own()])
}

/// What all processes can still have together.
pub fn shared() -> Option<Available> {
    tightest([proc::free(), cgroup::left()])
}

/// The tightest of some bounds.
pub fn tightest(bounds: impl IntoIterator<Item = Option<Available>>) -> Option<Available> {
    bounds.into_iter().flatten().min_by_key(|available| available.bytes)
}

/// Such as `1.5 GiB (1610612736 bytes)`.
pub fn in_words(bytes: u64) -> String {
    format!("{:.1} GiB ({bytes} bytes)", bytes as f64 / f64::from(1 << 30))
}
