//! Where a measurement comes from.

use serde::{Deserialize, Serialize};

use crate::Machine;

/// What ran a measured layer, on which machine, and when: the last fields of every measured cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The form of the operations that ran: `"fused"`, `"portable"`.
    pub form: String,
    /// The device that ran, for example `"cpu"`.
    pub device: String,
    /// Threads used.
    pub threads: usize,
    /// The instruction set that the fused kernels ran, for example `"avx2+fma"`.
    pub instruction_set: String,
    /// Version of the program.
    pub program_version: String,
    /// Commit the program was built from, where known.
    pub build_commit: Option<String>,
    /// When, as [`timestamp`](crate::timestamp) writes it. Cells that were measured together have the same time.
    pub measured: String,
    /// The machine.
    pub machine: Machine,
}
