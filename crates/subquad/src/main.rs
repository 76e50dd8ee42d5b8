//! The `subquad` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use subquad_bench::memory::Counting;
use subquad_model::MixerConfig;

/// mimalloc: burn allocates every result anew, and the system's allocator returns large blocks each time.
#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting(MiMalloc);

fn main() -> ExitCode {
    subquad::main::<MixerConfig>()
}
