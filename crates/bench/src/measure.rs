//! Several layers at one size, measured in turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use burn::tensor::Device;

use crate::memory::Meter;
use crate::trial::{BenchError, Trial};
use crate::{Quartiles, Sizes, Subject};

/// Each layer gets this many turns, so that whatever slows the machine for a while slows all layers alike.
const TURNS: u32 = 10;
/// Each layer gets this many repeats whatever the time limit: fewer have no quartiles.
const MIN_REPEATS: usize = 3;

/// What one layer takes at one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Milliseconds of a forward pass without autodiff.
    pub forward_ms: Quartiles,
    /// Milliseconds of forward, mean of squares, and backward to every parameter and to the input.
    pub forward_backward_ms: Quartiles,
    /// Times that each was repeated.
    pub repeats: usize,
    /// Most bytes alive in forward and backward above the level before layer and input were made; median over the repeats.
    pub peak_bytes: Option<u64>,
    /// Floats that one sequence keeps to decode one more token.
    pub state_floats: Option<usize>,
    /// Numbers the layer learns.
    pub parameters: usize,
}

/// Measures `subjects` side by side, each for about `limit` and at least three repeats.
///
/// Memory is counted where `host_memory` says that the layers' tensors live there.
///
/// # Errors
/// See [`BenchError`].
pub fn measure(
    subjects: &[&Subject],
    sizes: &Sizes,
    limit: Duration,
    device: &Device,
    host_memory: bool,
    stop: &AtomicBool,
) -> Result<Vec<Timing>, BenchError> {
    let mut runners = Vec::with_capacity(subjects.len());
    for subject in subjects {
        runners.push(Runner::start(subject, sizes, device, host_memory)?);
    }
    for turn in 1..=TURNS {
        for runner in &mut runners {
            runner.turn(limit * turn / TURNS, MIN_REPEATS.min(turn as usize), stop)?;
        }
    }
    Ok(runners.into_iter().map(|runner| runner.finish(sizes)).collect())
}

struct Runner {
    trial: Trial,
    /// Bytes of layer and input.
    own_bytes: Option<u64>,
    used: Duration,
    forward_ms: Vec<f64>,
    forward_backward_ms: Vec<f64>,
    /// Most bytes alive in each repeat of forward and backward, layer and input included.
    peak_bytes: Vec<f64>,
}

impl Runner {
    /// Makes the layer and runs it once: threads, transform plans and tables are made where they are first used.
    fn start(
        subject: &Subject,
        sizes: &Sizes,
        device: &Device,
        host_memory: bool,
    ) -> Result<Self, BenchError> {
        // Scratch space that threads make once and keep belongs to no layer: the first one makes it, or, where a thread takes
        // part for the first time later, the second one.
        drop(Trial::new(subject, &Sizes { batch: 1, ..*sizes }, device));
        let made = || {
            let meter = Meter::start();
            let trial = Trial::new(subject, sizes, device);
            (meter.alive_bytes().filter(|_| host_memory), trial)
        };
        let (first_bytes, _) = made();
        let (second_bytes, trial) = made();
        let own_bytes = first_bytes.min(second_bytes);
        trial.time_forward_backward()?;
        Ok(Self {
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

    fn finish(self, sizes: &Sizes) -> Timing {
        Timing {
            repeats: self.forward_ms.len(),
            forward_ms: Quartiles::of(self.forward_ms),
            forward_backward_ms: Quartiles::of(self.forward_backward_ms),
            // A thread that takes part for the first time makes its scratch space, so single repeats may need more.
            peak_bytes: self.own_bytes.map(|_| Quartiles::of(self.peak_bytes).median.round() as u64),
            state_floats: self.trial.plain.state_floats(sizes.seq_len),
            parameters: self.trial.plain.count(),
        }
    }
}
