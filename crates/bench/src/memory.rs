//! Bytes alive, counted by the program's allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LARGE_ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// Bytes of a block that [`Meter::large_allocations`] counts, at least: more than what a thread works in.
pub const LARGE: usize = 1 << 20;

/// An allocator that counts the bytes alive. Every counter is a statistic: no memory is accessed through it, so relaxed
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
        LARGE_ALLOCATIONS.fetch_add(usize::from(size >= LARGE), Relaxed);
    }
    block
}

/// Measures the most bytes alive above a level.
#[derive(Debug)]
pub struct Meter {
    level: usize,
    allocations: usize,
    large_allocations: usize,
}

impl Meter {
    /// Starts at the present level. One meter at a time: the peak belongs to the process.
    pub fn start() -> Self {
        let level = ALIVE.load(Relaxed);
        PEAK.store(level, Relaxed);
        let [allocations, large_allocations] =
            [&ALLOCATIONS, &LARGE_ALLOCATIONS].map(|count| count.load(Relaxed));
        Self { level, allocations, large_allocations }
    }

    /// Does `work` without counting what it needs while it runs; what it leaves allocated counts.
    pub fn uncounted<T>(work: impl FnOnce() -> T) -> T {
        let peak = PEAK.load(Relaxed);
        let done = work();
        PEAK.store(peak.max(ALIVE.load(Relaxed)), Relaxed);
        done
    }

    /// Bytes alive now, above the level at the start. `None` as for [`peak_bytes`](Self::peak_bytes).
    pub fn alive_bytes(&self) -> Option<u64> {
        counted(|| ALIVE.load(Relaxed).saturating_sub(self.level))
    }

    /// Number of blocks of memory that all threads have requested since the start. `None` as for
    /// [`peak_bytes`](Self::peak_bytes).
    pub fn allocations(&self) -> Option<u64> {
        counted(|| ALLOCATIONS.load(Relaxed) - self.allocations)
    }

    /// How many of these blocks have [`LARGE`] bytes or more: arrays that grow with the tokens, if there are enough tokens. `None` as
    /// for [`peak_bytes`](Self::peak_bytes).
    pub fn large_allocations(&self) -> Option<u64> {
        counted(|| LARGE_ALLOCATIONS.load(Relaxed) - self.large_allocations)
    }

    /// The most bytes alive since the start, above the level at the start. `None` if [`Counting`] is not the program's
    /// allocator.
    pub fn peak_bytes(&self) -> Option<u64> {
        counted(|| PEAK.load(Relaxed).saturating_sub(self.level))
    }
}

/// `number`, if there is an allocator that counts: such a program has allocated before its `main`.
fn counted(number: impl FnOnce() -> usize) -> Option<u64> {
    (PEAK.load(Relaxed) > 0).then(|| number() as u64)
}
