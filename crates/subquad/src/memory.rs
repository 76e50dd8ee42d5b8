//! The program's allocator: bytes alive are counted, and freed pages kept for a while.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// mimalloc's option of how many milliseconds freed pages wait before they go back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Makes mimalloc keep freed pages for seconds, where its default is milliseconds. A training step frees what the next one asks
/// for: new pages each time cost 5 to 20 % of it, measured. A value that the environment sets (`MIMALLOC_PURGE_DELAY`) wins.
///
/// To be called before the program starts threads.
pub fn keep_freed_pages() {
    // SAFETY: the option exists (tested below), and no other thread runs yet.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 1000) }
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// An allocator that counts the bytes alive. Every counter is a statistic: no memory is reached through it, so relaxed
/// ordering is enough.
#[derive(Debug)]
pub struct Counting<A>(pub A);

// SAFETY: every call is passed on unchanged to an allocator that keeps the trait's contract; counting touches no
// memory of the caller and cannot panic.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises about `layout` are those that the inner allocator asks for.
        let block = unsafe { self.0.alloc(layout) };
        count_new(block, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let block = unsafe { self.0.alloc_zeroed(layout) };
        count_new(block, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: `block` came from this allocator with this layout, hence from the inner one.
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`, and the caller promises that `new_size` is valid for the alignment.
        let moved = unsafe { self.0.realloc(block, layout, new_size) };
        if !moved.is_null() {
            ALIVE.fetch_sub(layout.size(), Relaxed);
        }
        count_new(moved, new_size)
    }
}

fn count_new(block: *mut u8, size: usize) -> *mut u8 {
    if !block.is_null() {
        let alive = ALIVE.fetch_add(size, Relaxed) + size;
        PEAK.fetch_max(alive, Relaxed);
        ALLOCATIONS.fetch_add(1, Relaxed);
    }
    block
}

/// Measures the most bytes alive above a level.
#[derive(Debug)]
pub struct Meter {
    level: usize,
    allocations: usize,
}

impl Meter {
    /// Starts at the present level. One meter at a time: the peak belongs to the process.
    pub fn start() -> Self {
        let level = ALIVE.load(Relaxed);
        PEAK.store(level, Relaxed);
        Self { level, allocations: ALLOCATIONS.load(Relaxed) }
    }

    /// Does `work` without counting what it needs while it goes on; what it leaves behind counts.
    pub fn uncounted<T>(work: impl FnOnce() -> T) -> T {
        let peak = PEAK.load(Relaxed);
        let done = work();
        PEAK.store(peak.max(ALIVE.load(Relaxed)), Relaxed);
        done
    }

    /// Bytes alive now above the level of the start. `None` as for [`peak_bytes`](Self::peak_bytes).
    pub fn alive_bytes(&self) -> Option<u64> {
        let counted = PEAK.load(Relaxed) > 0;
        counted.then(|| ALIVE.load(Relaxed).saturating_sub(self.level) as u64)
    }

    /// Blocks of memory that were asked for since the start, by all threads. `None` as for [`peak_bytes`](Self::peak_bytes).
    pub fn allocations(&self) -> Option<u64> {
        let counted = PEAK.load(Relaxed) > 0;
        counted.then(|| (ALLOCATIONS.load(Relaxed) - self.allocations) as u64)
    }

    /// Most bytes alive since the start above the level of the start. `None` where [`Counting`] is not the program's
    /// allocator.
    pub fn peak_bytes(&self) -> Option<u64> {
        let peak = PEAK.load(Relaxed);
        (peak > 0).then(|| (peak.saturating_sub(self.level)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const VARIABLE: &str = "MIMALLOC_PURGE_DELAY";
    const VALUE: &str = "4321";

    /// mimalloc numbers its options, but its environment has names: another process of this test reads one by the other.
    #[test]
    fn the_option_is_the_one_that_the_environment_calls_purge_delay() {
        if std::env::var(VARIABLE).is_ok_and(|value| value == VALUE) {
            keep_freed_pages();
            // SAFETY: the option's number is below those that mimalloc has.
            assert_eq!(unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }.to_string(), VALUE);
            return;
        }
        let name = "memory::tests::the_option_is_the_one_that_the_environment_calls_purge_delay";
        let mut other = Command::new(std::env::current_exe().expect("a test has a program"));
        let status = other.args([name, "--exact"]).env(VARIABLE, VALUE).status().expect("it runs");
        assert!(status.success());
    }
}
