//! Several layers at one size, measured in turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use subquad_backend::simd::fma_peak_gflops;
use subquad_record::{Cell, Provenance};

use crate::memory::Meter;
use crate::quartiles::Quartiles;
use crate::trial::{BenchError, Trial};
use crate::{Check, Checked, Site, Sizes};

/// Number of turns that each layer gets: whatever slows the machine for a while then affects all layers alike.
const TURNS: u32 = 10;
/// Each layer gets this many repeats whatever the time limit: fewer have no quartiles.
const MIN_REPEATS: usize = 3;

/// Measures these layers side by side at one size, each for about `limit` and at least three repeats: one row per layer, in their
/// order. All rows have the same time of measurement, which shows what was measured together.
///
/// # Errors
/// See [`BenchError`].
pub fn measure_cells(
    checked: &[Checked],
    sizes: &Sizes,
    limit: Duration,
    site: &Site,
    stop: &AtomicBool,
) -> Result<Vec<Cell>, BenchError> {
    let counted = site.is_host() && checked.iter().any(|layer| (layer.subject.flops)(sizes).is_some());
    let peak = || if counted { fma_peak_gflops() } else { 0.0 };
    let before = peak();
    let mut runners = Vec::with_capacity(checked.len());
    for layer in checked {
        runners.push(Runner::start(layer, sizes, site)?);
    }
    for turn in 1..=TURNS {
        for runner in &mut runners {
            runner.turn(limit * turn / TURNS, MIN_REPEATS.min(turn as usize), stop)?;
        }
    }
    let (fma_peak_gflops, provenance) = (counted.then(|| before.max(peak())), site.provenance());
    Ok(runners.into_iter().map(|runner| runner.cell(sizes, fma_peak_gflops, &provenance)).collect())
}

struct Runner<'a> {
    layer: &'a Checked,
    trial: Trial,
    /// Bytes of the layer and its input, if its tensors are in host memory.
    own_bytes: Option<u64>,
    used: Duration,
    forward_ms: Vec<f64>,
    forward_backward_ms: Vec<f64>,
    /// Most bytes alive in each repeat of forward and backward, layer and input included.
    peak_bytes: Vec<f64>,
}

impl<'a> Runner<'a> {
    /// Makes the layer and runs it once: threads, transform plans and tables are made when they are first used.
    fn start(layer: &'a Checked, sizes: &Sizes, site: &Site) -> Result<Self, BenchError> {
        let (subject, device) = (layer.subject, &site.device);
        // Scratch space that threads make once and keep belongs to no layer: the first trial makes it, or the second,
        // if a thread takes part only then.
        drop(Trial::new(subject, &Sizes { batch: 1, ..*sizes }, device));
        let made = || {
            let meter = Meter::start();
            let trial = Trial::new(subject, sizes, device);
            (meter.alive_bytes().filter(|_| site.is_host()), trial)
        };
        let (first_bytes, _) = made();
        let (second_bytes, trial) = made();
        let own_bytes = first_bytes.min(second_bytes);
        trial.time_forward_backward()?;
        Ok(Self {
            layer,
            trial,
            own_bytes,
            used: Duration::ZERO,
            forward_ms: vec![],
            forward_backward_ms: vec![],
            peak_bytes: vec![],
        })
    }

    /// Repeats until `share` of the time is used and there are `min_repeats` repeats.
    fn turn(&mut self, share: Duration, min_repeats: usize, stop: &AtomicBool) -> Result<(), BenchError> {
        while self.used < share || self.forward_ms.len() < min_repeats {
            if stop.load(Ordering::Relaxed) {
                return Err(BenchError::Stopped);
            }
            self.repeat()?;
        }
        Ok(())
    }

    fn repeat(&mut self) -> Result<(), BenchError> {
        let forward = self.trial.time_forward()?;
        let meter = Meter::start();
        let both = self.trial.time_forward_backward()?;
        let peak_bytes = self.own_bytes.zip(meter.peak_bytes()).map(|(own, peak)| (own + peak) as f64);
        self.used += forward + both;
        self.forward_ms.push(forward.as_secs_f64() * 1e3);
        self.forward_backward_ms.push(both.as_secs_f64() * 1e3);
        self.peak_bytes.extend(peak_bytes);
        Ok(())
    }

    /// Operations are counted where the peak that they are compared with was measured.
    fn cell(self, sizes: &Sizes, fma_peak_gflops: Option<f64>, provenance: &Provenance) -> Cell {
        let Checked { subject, check } = self.layer;
        let flops = fma_peak_gflops.and_then(|_| (subject.flops)(sizes));
        let repeats = self.forward_ms.len();
        let [forward, both] = [self.forward_ms, self.forward_backward_ms].map(Quartiles::of);
        Cell {
            mixer: subject.name.into(),
            seq_len: sizes.seq_len,
            batch: sizes.batch,
            d_model: sizes.d_model,
            d_hidden: subject.has_hidden.then(|| sizes.d_hidden()),
            n_blocks: subject.has_blocks.then_some(sizes.n_blocks),
            parameters: self.trial.plain.count(),
            forward_ms: forward.median,
            forward_ms_q1: forward.q1,
            forward_ms_q3: forward.q3,
            forward_backward_ms: both.median,
            forward_backward_ms_q1: both.q1,
            forward_backward_ms_q3: both.q3,
            repeats,
            tokens_per_second: sizes.tokens() as f64 / (both.median / 1e3),
            flops,
            fma_peak_gflops: fma_peak_gflops.filter(|_| flops.is_some()),
            // A thread that takes part for the first time makes its scratch space, so single repeats may need more.
            peak_bytes: self.own_bytes.map(|_| Quartiles::of(self.peak_bytes).median.round() as u64),
            state_floats: self.trial.plain.state_floats(sizes.seq_len),
            check_error: check.error(),
            check_value_error: check.value_error,
            check_gradient_error: check.gradient_error,
            check_against: Check::AGAINST.into(),
            provenance: provenance.clone(),
        }
    }
}
