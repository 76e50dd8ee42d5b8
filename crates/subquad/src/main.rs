//! The `subquad` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use subquad_bench::memory::Counting;
use subquad_model::MixerConfig;

/// burn allocates every result anew, and the system's allocator would return large blocks to the system each time;
/// mimalloc keeps them.
#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting(MiMalloc);

fn main() -> ExitCode {
    subquad::main::<MixerConfig>()
}
