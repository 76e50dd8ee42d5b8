//! The machine's peak around a run, of which the run's speed is a share.

use subquad_backend::DeviceKind;
use subquad_backend::simd::fma_peak_gflops;

use crate::session::Session;

/// What was measured before a run. It takes 50 ms.
pub(crate) struct FmaPeak(Option<f64>);

impl FmaPeak {
    /// Measures the peak if the run's operations are `counted`, run on the CPU, and have the machine to themselves.
    pub(crate) fn before_run(counted: bool, session: &Session<'_>) -> Self {
        let is_comparable = counted && session.opened.kind == DeviceKind::Cpu && session.jobs == 1;
        Self(is_comparable.then(fma_peak_gflops))
    }

    /// Measures it again. The better of the two is nearer to what the machine can do, because other programs only take from it.
    pub(crate) fn after_run(self) -> Option<f64> {
        self.0.map(|before| before.max(fma_peak_gflops()))
    }
}
