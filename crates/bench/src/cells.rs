//! Measurements as rows for the record.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use burn::tensor::Device;
use subquad_backend::simd::fma_peak_gflops;
use subquad_backend::{DeviceKind, Form, OpenDevice};
use subquad_record::{Cell, Machine, Provenance, timestamp};

use crate::{BenchError, Check, Hidden, Sizes, Subject, Timing, check, measure};

/// A layer that is what its definition says.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// The layer.
    pub subject: &'static Subject,
    /// How close it is.
    pub check: Check,
}

/// Checks every layer on `device`.
///
/// # Errors
/// The words of each check that fails.
pub fn check_all(subjects: &[&'static Subject], device: &Device) -> Result<Vec<Checked>, Vec<String>> {
    let (mut checked, mut wrong) = (vec![], vec![]);
    for subject in subjects {
        match check(subject, device) {
            Ok(check) => checked.push(Checked { subject, check }),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

/// Where, and by which program, layers are measured.
#[derive(Debug)]
pub struct Site {
    /// The device.
    pub device: Device,
    /// The kind of that device.
    pub device_kind: DeviceKind,
    /// The commit that the program was built from, where that is known.
    pub build_commit: Option<&'static str>,
}

impl Site {
    /// A device that is open, and the program's commit.
    pub fn new(opened: OpenDevice, build_commit: Option<&'static str>) -> Self {
        Self { device: opened.device, device_kind: opened.kind, build_commit }
    }

    /// Where measurements that end now come from: all threads of the pool ran them.
    pub(crate) fn provenance(&self) -> Provenance {
        Provenance {
            form: Form::for_device(&self.device).as_str().into(),
            device: self.device_kind.as_str().into(),
            threads: rayon::current_num_threads(),
            instruction_set: subquad_backend::instruction_set().as_str().into(),
            program_version: env!("CARGO_PKG_VERSION").into(),
            build_commit: self.build_commit.map(Into::into),
            measured: timestamp(),
            machine: Machine::detect(),
        }
    }

    /// Whether tensors of the device are in the memory that the program's allocator counts.
    pub(crate) fn is_host(&self) -> bool {
        self.device_kind == DeviceKind::Cpu
    }
}

/// Measures these layers side by side at one size: a row a layer, in their order. All rows have the same time of
/// measurement, which tells what was measured together.
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
    let subjects: Vec<&Subject> = checked.iter().map(|checked| checked.subject).collect();
    let counted = site.is_host() && subjects.iter().any(|subject| (subject.flops)(sizes).is_some());
    let peak = || if counted { fma_peak_gflops() } else { 0.0 };
    let before = peak();
    let timings = measure(&subjects, sizes, limit, &site.device, site.is_host(), stop)?;
    let (fma_peak_gflops, provenance) = (counted.then(|| before.max(peak())), site.provenance());
    let row = |(checked, timing)| cell(checked, sizes, timing, fma_peak_gflops, &provenance);
    Ok(checked.iter().zip(timings).map(row).collect())
}

/// Operations are counted where the peak that they are compared with was measured.
fn cell(
    checked: &Checked,
    sizes: &Sizes,
    timing: Timing,
    fma_peak_gflops: Option<f64>,
    provenance: &Provenance,
) -> Cell {
    let Checked { subject, check } = checked;
    let (d_hidden, n_blocks) = match subject.hidden {
        Hidden::Nothing => (None, None),
        Hidden::Width => (Some(sizes.d_hidden()), None),
        Hidden::Blocks => (None, Some(sizes.n_blocks)),
        Hidden::WidthInBlocks => (Some(sizes.d_hidden()), Some(sizes.n_blocks)),
    };
    let flops = fma_peak_gflops.and_then(|_| (subject.flops)(sizes));
    let Timing { forward_ms, forward_backward_ms, repeats, peak_bytes, state_floats, parameters } = timing;
    Cell {
        mixer: subject.name.into(),
        seq_len: sizes.seq_len,
        batch: sizes.batch,
        d_model: sizes.d_model,
        d_hidden,
        n_blocks,
        parameters,
        forward_ms: forward_ms.median,
        forward_ms_q1: forward_ms.q1,
        forward_ms_q3: forward_ms.q3,
        forward_backward_ms: forward_backward_ms.median,
        forward_backward_ms_q1: forward_backward_ms.q1,
        forward_backward_ms_q3: forward_backward_ms.q3,
        repeats,
        tokens_per_second: sizes.tokens() as f64 / (forward_backward_ms.median / 1e3),
        flops,
        fma_peak_gflops: fma_peak_gflops.filter(|_| flops.is_some()),
        peak_bytes,
        state_floats,
        check_error: check.error(),
        check_value_error: check.value_error,
        check_gradient_error: check.gradient_error,
        check_against: Check::AGAINST.into(),
        provenance: provenance.clone(),
    }
}
