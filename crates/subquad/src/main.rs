//! The `subquad` program.

use std::process::ExitCode;

use libmimalloc_sys::{mi_option_get, mi_option_set_default, mi_option_t};
use mimalloc::MiMalloc;
use subquad_bench::memory::Counting;
use subquad_model::MixerConfig;

/// burn allocates every result anew, and the system's allocator would return large blocks to the system each time;
/// mimalloc keeps them.
#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting(MiMalloc);

/// Number of mimalloc's option `purge_delay`, in milliseconds, which its crate does not name.
const PURGE_DELAY: mi_option_t = 15;

fn main() -> ExitCode {
    keep_freed_memory();
    subquad::main::<MixerConfig>()
}

/// Freed memory goes back to the system after 10 seconds instead of one: steps that take longer than a second would otherwise get
/// fresh pages each time, which the system clears first.
#[allow(unsafe_code)]
fn keep_freed_memory() {
    // SAFETY: no other thread runs yet. Both functions use one entry of a table, and the number is below its length. A user's
    // `MIMALLOC_PURGE_DELAY` stays, and so does whatever another version keeps under this number, unless it is the default of 1,000.
    unsafe {
        if mi_option_get(PURGE_DELAY) == 1_000 {
            mi_option_set_default(PURGE_DELAY, 10_000);
        }
    }
}
