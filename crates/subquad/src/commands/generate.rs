//! `subquad generate`: text from a run trained on bytes.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Device;
use indicatif::HumanCount;
use subquad_mixer::{MixerModule, Mixers};
use subquad_model::SequenceModel;
use subquad_options::number;

use super::flags::DeviceFlag;
use crate::Failure;
use crate::generate::{Generator, LanguageModel, Sampler, Sampling, TextWriter, find_run, load};
use crate::progress::Messages;
use crate::registry::Registry;
use crate::stop::Stop;

const EXAMPLE: &str = "\
Only the text goes to standard output, byte for byte; the prompt is not repeated. A terminal shows
\u{FFFD} for bytes that are not text. The same seed gives the same text.

Example:
  subquad generate results/STUDY/s4d-L256-s0 --prompt \"A sequence\" --bytes 400 --temperature 0.8";

/// Continue a text with a model trained on bytes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// Folder of a run; the start of its name is enough, as in results/STUDY/s4d
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Text to continue; without one, the model starts after a newline
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub prompt: String,
    /// Number of bytes to write
    #[arg(long, value_name = "N", default_value = "256", value_parser = at_least_one)]
    pub bytes: usize,
    /// Below 1 prefers likely bytes; 0 always takes the likeliest
    #[arg(long, value_name = "T", default_value = "1", value_parser = temperature, allow_negative_numbers = true)]
    pub temperature: f64,
    /// Draw only from the K likeliest bytes
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub top_k: Option<usize>,
    /// Draw only from the fewest bytes whose probabilities sum to P
    #[arg(long, value_name = "P", default_value = "1", value_parser = probability)]
    pub top_p: f64,
    /// Seed; a different one gives a different text
    #[arg(long, value_name = "S", default_value = "0")]
    pub seed: u64,
    /// The device to use.
    #[command(flatten)]
    pub device: DeviceFlag,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "must be a whole number >= 1".into())
}

fn temperature(text: &str) -> Result<f64, String> {
    number::of_flag(text, "must be a number >= 0", |t| t.is_finite() && t >= 0.0)
}

fn probability(text: &str) -> Result<f64, String> {
    number::of_flag(text, "must be a number above 0 and at most 1", |p| p > 0.0 && p <= 1.0)
}

/// Runs the command with a registry's mixers.
///
/// # Errors
/// Wrong input, before anything is written; otherwise whatever went wrong on the way.
pub(crate) fn run_with<C: Mixers>(
    registry: &dyn Registry,
    args: &Args,
    stop: Stop,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let device = args.device.open()?.device;
    let LanguageModel { config, model } = load::<C>(registry, &find_run(&args.run)?, &device)?;
    let reads = Generator::<C::Mixer>::reads(args.prompt.as_bytes(), args.bytes);
    check_length(args, reads, &model)?;
    let messages = Messages::new(false);
    if reads > config.seq_len {
        messages
            .say(format!("note: trained on {} bytes at a time; a longer text may get worse", config.seq_len));
    }
    let mut text = Text::begin(args, &model, &device)?;
    text.write(args.bytes, &stop, out)?;
    messages.say(text.statistics());
    if text.written < args.bytes { Err(Failure::Stopped(stop.signal())) } else { Ok(()) }
}

/// Checked before anything is written: what does not fit now will not fit later.
fn check_length<M: MixerModule>(args: &Args, reads: usize, model: &SequenceModel<M>) -> Result<(), Failure> {
    let (prompt, bytes) = (args.prompt.len(), args.bytes);
    model.check_length(reads).map_err(|why| {
        Failure::wrong(format!("{bytes} bytes after a prompt of {prompt} are too many for this model: {why}"))
    })
}

/// A text that is being written.
struct Text<M: MixerModule> {
    generator: Generator<M>,
    prompt: usize,
    prompt_seconds: f64,
    written: usize,
    seconds: f64,
}

impl<M: MixerModule> Text<M> {
    /// Reads the prompt.
    fn begin(args: &Args, model: &SequenceModel<M>, device: &Device) -> Result<Self, Failure> {
        let sampling = Sampling { temperature: args.temperature, top_k: args.top_k, top_p: args.top_p };
        let (sampler, prompt) = (Sampler::new(sampling, args.seed), args.prompt.as_bytes());
        let clock = Instant::now();
        let generator =
            Generator::new(model, prompt, args.bytes, sampler, device).map_err(Failure::failed)?;
        let prompt_seconds = clock.elapsed().as_secs_f64();
        Ok(Self { generator, prompt: prompt.len(), prompt_seconds, written: 0, seconds: 0.0 })
    }

    /// Writes `bytes` bytes, or fewer if asked to stop.
    fn write(&mut self, bytes: usize, stop: &Stop, out: &mut dyn Write) -> Result<(), Failure> {
        let shown = io::stdout().is_terminal();
        let mut text = TextWriter::new(&mut *out, shown);
        let clock = Instant::now();
        while self.written < bytes && !stop.is_asked() {
            text.push(self.generator.next_byte().map_err(Failure::failed)?)?;
            self.written += 1;
        }
        text.finish()?;
        self.seconds = clock.elapsed().as_secs_f64();
        if shown {
            writeln!(out)?;
        }
        Ok(())
    }

    fn statistics(&self) -> String {
        let per_second = self.written as f64 / self.seconds.max(f64::EPSILON);
        format!(
            "prompt: {} bytes in {:.1} ms; text: {} bytes, {} a second, decoded over {}; state: {} floats",
            HumanCount(self.prompt as u64),
            self.prompt_seconds * 1e3,
            HumanCount(self.written as u64),
            HumanCount(per_second as u64),
            self.generator.path().as_str(),
            HumanCount(self.generator.state_floats() as u64)
        )
    }
}
