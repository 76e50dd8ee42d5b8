//! Which instructions fused kernels use.

use std::str::FromStr;
use std::sync::OnceLock;

use pulp::{Scalar, Simd, WithSimd};

/// Vector instructions that fused kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstructionSet {
    /// Whatever the build's target always has: SSE2 on x86-64. Slow.
    Baseline,
    /// 128 bits, ARM.
    Neon,
    /// 256 bits with fused multiply-add, x86.
    Avx2,
    /// 512 bits, x86.
    Avx512,
}

/// Names that [`InstructionSet`] is read from, beside those of records.
pub const INSTRUCTION_SETS: [&str; 4] = ["avx512", "avx2", "neon", "baseline"];

impl InstructionSet {
    /// As written in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Neon => "neon",
            Self::Avx2 => "avx2+fma",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine can run it.
    pub fn is_there(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => pulp::aarch64::Neon::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().is_some(),
            // Sets of other processors.
            _ => false,
        }
    }

    /// The widest that this machine has.
    fn best() -> Self {
        let wide = [Self::Avx512, Self::Avx2, Self::Neon].into_iter().find(|set| set.is_there());
        wide.unwrap_or(Self::Baseline)
    }
}

impl FromStr for InstructionSet {
    type Err = SimdError;

    fn from_str(name: &str) -> Result<Self, SimdError> {
        let sets = [Self::Avx512, Self::Avx2, Self::Neon, Self::Baseline].into_iter();
        let mut named = INSTRUCTION_SETS.into_iter().zip(sets);
        let found = named.find(|(short, set)| [*short, set.as_str()].contains(&name));
        found.map(|(_, set)| set).ok_or_else(|| SimdError::Unknown { name: name.to_owned() })
    }
}

/// Why kernels cannot use an instruction set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimdError {
    /// There is no such set.
    #[error("unknown instruction set `{name}` (known: {})", INSTRUCTION_SETS.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The machine cannot run it.
    #[error("this machine has no {}; the best it has is {}", wanted.as_str(), best.as_str())]
    Missing {
        /// What was asked for.
        wanted: InstructionSet,
        /// What there is.
        best: InstructionSet,
    },
    /// Kernels have run, or another set was chosen.
    #[error("kernels already use {}: choose {} before anything runs", used.as_str(), wanted.as_str())]
    TooLate {
        /// What was asked for.
        wanted: InstructionSet,
        /// What runs.
        used: InstructionSet,
    },
}

static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();

/// Makes all fused kernels of this process use `wanted` instead of the best that the machine has: to measure one
/// against another. It must be called before anything runs. It does not affect what other crates compute (burn,
/// `gemm`).
///
/// # Errors
/// If the machine lacks it or kernels have run with another.
pub fn use_instruction_set(wanted: InstructionSet) -> Result<(), SimdError> {
    if !wanted.is_there() {
        return Err(SimdError::Missing { wanted, best: InstructionSet::best() });
    }
    match *CHOSEN.get_or_init(|| wanted) {
        used if used == wanted => Ok(()),
        used => Err(SimdError::TooLate { wanted, used }),
    }
}

/// The instruction set that fused kernels use in this process.
pub fn instruction_set() -> InstructionSet {
    *CHOSEN.get_or_init(InstructionSet::best)
}

/// Runs `work` compiled for [`instruction_set`]: with its vectors, and everything inlined into it in its instructions.
#[inline(always)]
pub fn dispatch<W: WithSimd>(work: W) -> W::Output {
    match instruction_set() {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => on(pulp::x86::V4::try_new(), work),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => on(pulp::x86::V3::try_new(), work),
        #[cfg(target_arch = "aarch64")]
        InstructionSet::Neon => on(pulp::aarch64::Neon::try_new(), work),
        _ => Scalar.vectorize(work),
    }
}

#[inline(always)]
fn on<S: Simd, W: WithSimd>(simd: Option<S>, work: W) -> W::Output {
    Simd::vectorize(simd.expect("the set was found when it was chosen"), work)
}
