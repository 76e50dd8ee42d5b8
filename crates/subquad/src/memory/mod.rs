//! Memory: how much a run will need, how much there is, and whether the run may start.
//!
//! A run needs [`wanted_bytes`], a margin above the estimate of its peak; `bench::available` says how much there is.

mod estimate;

use subquad_bench::available::{Available, own, shared, tightest};

pub(crate) use estimate::wanted_bytes;

/// Whether a run may start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The memory that it needs is free.
    Yes,
    /// The memory that it needs is free once other runs have ended.
    Later,
    /// Why it can never start here.
    Never(String),
}

/// The memory that the runs of a command share.
#[derive(Debug, Default)]
pub(crate) struct MemoryBudget {
    /// What all processes have left together, as last seen while no run was in progress.
    shared: Option<Available>,
}

impl MemoryBudget {
    /// Whether a run that needs this many bytes may start next to runs that were promised that many.
    pub(crate) fn admits(&mut self, wanted: u64, promised: u64) -> Admission {
        if promised == 0 {
            self.shared = shared();
        }
        admission(wanted, promised, self.shared, own())
    }
}

fn admission(wanted: u64, promised: u64, shared: Option<Available>, own: Option<Available>) -> Admission {
    let too_large = |had: &Available| wanted > had.bytes;
    if let Some(had) = tightest([shared, own]).filter(too_large) {
        let shortage = had.shortage(wanted);
        return Admission::Never(format!("needs {shortage}; choose a smaller batch, length or width"));
    }
    match shared {
        Some(had) if promised > 0 && wanted.saturating_add(promised) > had.bytes => Admission::Later,
        _ => Admission::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn available(bytes: u64) -> Option<Available> {
        Some(Available { bytes, bound: "a test" })
    }

    #[test]
    fn a_run_starts_waits_or_never_starts() {
        assert_eq!(admission(100, 0, available(100), None), Admission::Yes);
        assert_eq!(admission(60, 40, available(100), None), Admission::Yes);
        assert_eq!(admission(61, 40, available(100), None), Admission::Later);
        assert_eq!(admission(61, 40, None, available(100)), Admission::Yes, "a limit of each process");
        assert_eq!(admission(u64::MAX, 40, None, None), Admission::Yes, "nothing is known");
        for (shared, own) in [
            (available(100), None),
            (None, available(100)),
            (available(100), available(200)),
            (available(200), available(100)),
        ] {
            let Admission::Never(why) = admission(101, 0, shared, own) else { panic!("{shared:?} {own:?}") };
            assert_eq!(
                why,
                "needs about 0.0 GiB (101 bytes) of memory, but only 0.0 GiB (100 bytes) is available: a test; choose a \
                 smaller batch, length or width"
            );
        }
    }
}
