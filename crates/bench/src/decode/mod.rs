//! Decoding: what one more token costs after contexts of several lengths.
//!
//! The context is read at once and not timed. Then every way of decoding that a layer has repeats a few steps from
//! there, alternating with the others.

mod cell;
mod decoder;
mod models;

use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};
use subquad_backend::with_seed;
use subquad_mixer::published::{OUTPUT_LIMIT, rel_error, to_f64};
use subquad_record::{DecodeCell, Provenance};

pub use cell::ModelCell;
pub(super) use decoder::decoders;
pub use decoder::{Decoder, STEPS};
pub use models::{ModelSizes, ModelSubject, VOCAB};

use crate::memory::Meter;
use crate::quartiles::Quartiles;
use crate::trial::sync;
use crate::{BenchError, Layer, Site, Sizes, Subject};

/// Seed of weights and tokens.
const SEED: u64 = 0;
/// Each way of decoding goes back to its context this often, whatever the time limit.
const MIN_ROUNDS: usize = 3;
/// The context of the check: small, and not a multiple of anything that a kernel works in.
const CHECK_CONTEXT: usize = 19;
/// Number of steps of the check.
const CHECK_STEPS: usize = 3;

/// Whether the layer can continue token by token.
pub fn can_decode(subject: &Subject, sizes: &Sizes, device: &Device) -> bool {
    (subject.build)(sizes, device).state_floats(sizes.seq_len).is_some()
}

/// Measures what one more token costs each layer after `sizes.seq_len` tokens of one sequence, in all its ways of
/// decoding: one row per way, each for about `limit`.
///
/// # Errors
/// If a way of decoding is not the layer's forward pass, or the device fails.
pub fn measure_decoding(
    subjects: &[&'static Subject],
    sizes: &Sizes,
    limit: Duration,
    site: &Site,
) -> Result<Vec<DecodeCell>, String> {
    let mut runners = vec![];
    for subject in subjects {
        let small = LayerStart::new(subject, &Sizes { seq_len: CHECK_CONTEXT, ..*sizes }, &site.device);
        let error = check(subject.name, &small)?;
        let ways = LayerStart::new(subject, sizes, &site.device).ways();
        runners.extend(ways.into_iter().map(|decoder| Runner::new(subject.name, error, decoder)));
    }
    take_turns(&mut runners, limit, site)?;
    let provenance = site.provenance();
    let place = (sizes.seq_len, sizes.d_model, &provenance);
    Ok(runners.into_iter().map(|runner| runner.cell(place)).collect())
}

/// Measures what one more token costs whole models after a context of `context` tokens, in all their ways of decoding: one row per
/// way, each for about `limit`.
///
/// # Errors
/// If there is no such model, a way of decoding is not the model's forward pass, or the device fails.
pub fn measure_models(
    subjects: &[&'static ModelSubject],
    sizes: &ModelSizes,
    (context, limit): (usize, Duration),
    site: &Site,
) -> Result<Vec<ModelCell>, String> {
    let (mut runners, mut counts) = (vec![], vec![]);
    for subject in subjects {
        accepts_model(subject, sizes, context)?;
        let error = check(subject.name, &*(subject.start)(sizes, CHECK_CONTEXT, &site.device))?;
        let start = (subject.start)(sizes, context, &site.device);
        let ways = start.ways();
        counts.resize(counts.len() + ways.len(), start.parameters());
        runners.extend(ways.into_iter().map(|decoder| Runner::new(subject.name, error, decoder)));
    }
    take_turns(&mut runners, limit, site)?;
    let (provenance, &ModelSizes { d_model, n_layers, d_hidden }) = (site.provenance(), sizes);
    let cells = runners.into_iter().zip(counts).map(|(runner, parameters)| {
        let decode = runner.cell((context, d_model, &provenance));
        ModelCell { decode, n_layers, d_hidden, parameters }
    });
    Ok(cells.collect())
}

/// Whether there is a causal model of these sizes that decodes after a context of `context` tokens.
///
/// # Errors
/// Why not, in the mixer's own words.
pub fn accepts_model(subject: &ModelSubject, sizes: &ModelSizes, context: usize) -> Result<(), String> {
    let first = (subject.refusals)(sizes, context + 1 + STEPS).into_iter().next();
    first.map_or(Ok(()), |refusal| Err(format!("{}: {}", subject.name, refusal.reason)))
}

/// Runs a few steps of each in turn, until each has had its time.
fn take_turns(runners: &mut [Runner], limit: Duration, site: &Site) -> Result<(), String> {
    let mut used = Duration::ZERO;
    let ways = runners.len() as u32;
    let too_few = |runners: &[Runner]| runners.iter().any(|runner| runner.step_us.len() < MIN_ROUNDS * STEPS);
    while used < limit * ways || too_few(runners) {
        for runner in &mut *runners {
            used += runner.round(&site.device).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// What has been made and can read a context.
pub(crate) trait Start {
    /// All its ways of decoding, each after the context. They repeat one token.
    fn ways(&self) -> Vec<Box<dyn Decoder>>;

    /// What the whole sequence gives for the token after the context, and for `steps - 1` repetitions of it.
    fn expected(&self, steps: usize) -> Vec<f64>;
}

/// A layer and what it reads.
struct LayerStart {
    layer: Box<dyn Layer>,
    /// `[1, seq, d_model]`
    context: Tensor<3>,
    /// `[1, d_model]`
    token: Tensor<2>,
}

impl LayerStart {
    fn new(subject: &Subject, sizes: &Sizes, device: &Device) -> Self {
        let normal = Distribution::Normal(0.0, 1.0);
        with_seed(device, SEED, || {
            let layer = (subject.build)(sizes, device);
            layer.draw();
            let context = Tensor::random((subject.input)(sizes), normal, device);
            Self { layer, context, token: Tensor::random([1, sizes.d_model], normal, device) }
        })
    }
}

impl Start for LayerStart {
    fn ways(&self) -> Vec<Box<dyn Decoder>> {
        self.layer.decoders(self.context.clone(), self.token.clone())
    }

    fn expected(&self, steps: usize) -> Vec<f64> {
        let tokens = std::iter::repeat_n(self.token.clone().unsqueeze_dim(1), steps);
        let whole = std::iter::once(self.context.clone()).chain(tokens).collect();
        to_f64(self.layer.forward(Tensor::cat(whole, 1)).narrow(1, self.context.dims()[1], steps))
    }
}

/// The largest error of all ways, relative to the largest output.
fn check(name: &str, start: &dyn Start) -> Result<f64, String> {
    let expected = start.expected(CHECK_STEPS);
    let mut worst = 0.0f64;
    for mut decoder in start.ways() {
        let steps = (0..CHECK_STEPS).flat_map(|_| {
            decoder.step();
            decoder.output()
        });
        let error = rel_error(&steps.collect::<Vec<_>>(), &expected);
        if error.is_nan() || error > OUTPUT_LIMIT {
            return Err(format!(
                "{name}: a step over {} does not agree with the whole sequence, so it is not timed: off by {error:.1e} (limit \
                 {OUTPUT_LIMIT:.0e})",
                decoder.path()
            ));
        }
        worst = worst.max(error);
    }
    Ok(worst)
}

struct Runner {
    name: &'static str,
    error: f64,
    decoder: Box<dyn Decoder>,
    step_us: Vec<f64>,
    /// Blocks of memory that each step requested.
    allocations: Vec<f64>,
    /// The most bytes alive in each step.
    peak_bytes: Vec<f64>,
}

impl Runner {
    fn new(name: &'static str, error: f64, decoder: Box<dyn Decoder>) -> Self {
        Self { name, error, decoder, step_us: vec![], allocations: vec![], peak_bytes: vec![] }
    }

    /// Runs a few steps after the context, and one before them that is not timed: it copies what it shares with the context.
    fn round(&mut self, device: &Device) -> Result<Duration, BenchError> {
        let start = Instant::now();
        self.decoder.rewind();
        self.decoder.step();
        for _ in 0..STEPS {
            sync(device)?;
            let (meter, start) = (Meter::start(), Instant::now());
            self.decoder.step();
            sync(device)?;
            let taken = start.elapsed();
            self.allocations.extend(meter.allocations().map(|count| count as f64));
            self.peak_bytes.extend(meter.peak_bytes().map(|bytes| bytes as f64));
            self.step_us.push(taken.as_secs_f64() * 1e6);
        }
        Ok(start.elapsed())
    }

    fn cell(mut self, (context, d_model, provenance): (usize, usize, &Provenance)) -> DecodeCell {
        self.decoder.rewind();
        let median = |values: Vec<f64>| (!values.is_empty()).then(|| Quartiles::of(values).median);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (steps, step_us) = (self.step_us.len(), Quartiles::of(self.step_us));
        DecodeCell {
            mixer: self.name.into(),
            path: self.decoder.path().into(),
            context,
            d_model,
            step_us: step_us.median,
            step_us_q1: step_us.q1,
            step_us_q3: step_us.q3,
            steps,
            tokens_per_second: 1e6 / step_us.median,
            state_bytes: self.decoder.state_bytes(),
            step_allocations: (!self.allocations.is_empty()).then(|| mean(&self.allocations)),
            step_peak_bytes: median(self.peak_bytes).map(|bytes| bytes as u64),
            check_error: self.error,
            provenance: Provenance { threads: self.decoder.threads(), ..provenance.clone() },
        }
    }
}
