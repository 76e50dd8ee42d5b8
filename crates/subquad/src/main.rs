//! The `subquad` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use subquad::memory::Counting;

/// mimalloc: burn allocates every result anew, and the system's allocator returns large blocks each time.
#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting(MiMalloc);

fn main() -> ExitCode {
    subquad::cli::main()
}
