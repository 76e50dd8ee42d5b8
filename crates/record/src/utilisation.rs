//! How much of the machine a training used.

use serde::{Deserialize, Serialize};

/// Operations of a training step, how fast they were done, and how fast the machine could do them: "model FLOPs utilisation", MFU, of
/// Chowdhery et al. 2022, <https://arxiv.org/abs/2204.02311>, appendix B. What is not known is `None`, and records of older programs
/// know nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Utilisation {
    /// Floating-point operations of a training step, counted from the sizes of the model; `None` if the mixer does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flops_per_step: Option<f64>,
    /// Billions of these operations per second, in the median step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Billions of operations per second of multiply-adds that never leave the registers, on all threads: the better of a moment
    /// before and a moment after the run. `None` if it was not measured: on a GPU, or while other runs shared the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fma_peak_gflops: Option<f64>,
    /// The share of that peak that the training reached, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfu: Option<f64>,
}

impl Utilisation {
    /// From what was counted and measured. Numbers that are not finite, such as the speed of a training without steps, are left out.
    pub fn new(flops_per_step: Option<f64>, step_seconds: f64, fma_peak_gflops: Option<f64>) -> Self {
        let gflops = flops_per_step.map(|flops| flops / step_seconds / 1e9).filter(|x| x.is_finite());
        let mfu = gflops.zip(fma_peak_gflops).map(|(gflops, peak)| gflops / peak);
        Self { flops_per_step, gflops, fma_peak_gflops, mfu: mfu.filter(|x| x.is_finite()) }
    }
}
