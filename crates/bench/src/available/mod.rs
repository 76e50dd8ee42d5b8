//! How much memory is available.
//!
//! ```text
//! shared    what is left for all processes of the machine, or of a control group, together
//! own       what `ulimit` leaves each process
//! ```
//! A limit that the system does not report is not a bound.

mod cgroup;
mod proc;

pub use proc::own;

/// Available bytes, and what bounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    /// Number of bytes.
    pub bytes: u64,
    /// What bounds them, such as `what the machine has free`.
    pub bound: &'static str,
}

impl Available {
    /// In words, that so many bytes are more: `about 1.5 GiB (1610612736 bytes) of memory, but only ..`.
    pub fn shortage(&self, wanted: u64) -> String {
        let words = |bytes: u64| format!("{:.1} GiB ({bytes} bytes)", bytes as f64 / f64::from(1 << 30));
        format!(
            "about {} of memory, but only {} is available: {}",
            words(wanted),
            words(self.bytes),
            self.bound
        )
    }
}

/// Bytes of stack of each thread of the program: the default that Linux gives a main thread.
pub const STACK_BYTES: usize = 8 << 20;

/// What one process, such as this one, can still allocate.
pub fn available() -> Option<Available> {
    tightest([shared(), own()])
}

/// What all processes can still allocate together.
pub fn shared() -> Option<Available> {
    tightest([proc::free(), cgroup::left()])
}

/// The tightest of some bounds.
pub fn tightest(bounds: impl IntoIterator<Item = Option<Available>>) -> Option<Available> {
    bounds.into_iter().flatten().min_by_key(|available| available.bytes)
}
