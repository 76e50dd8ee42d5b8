//! `subquad bench`: what whole layers cost, side by side.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use subquad_backend::simd::{InstructionSet, use_instruction_set};
use subquad_bench::{
    D_STATE, ModelCell, ModelSizes, ModelSubject, STEPS, Site, Sizes, Subject, Subjects, accepts_model,
    can_decode, cells_table, check_all, check_sizes, decode_table, measure_cells, measure_decoding,
    measure_models, models_table, spread_warning,
};
use subquad_options::number;
use subquad_options::range::LONGEST_SEQ;

use super::flags::{DeviceFlag, QuietFlag, ThreadsFlag};
use crate::Failure;
use crate::progress::Messages;
use crate::registry::Registry;
use crate::session::BUILD_COMMIT;

/// Measure time and memory of whole layers, each checked against its definition first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Layers to measure
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', default_value = "attention,s4d,m2")]
    pub mixers: Vec<String>,
    /// Sequence lengths
    #[arg(long, value_name = "TOKENS,..", value_delimiter = ',', default_value = "256,1024,4096",
        value_parser = clap::value_parser!(u32).range(1..=LONGEST_SEQ as i64))]
    pub lengths: Vec<u32>,
    /// Sequences per batch
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub batch: u32,
    /// Width of input and output
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub d_model: u32,
    /// Time single tokens after contexts of these lengths instead
    #[arg(long, conflicts_with = "batch")]
    pub decode: bool,
    /// With --decode: whole models of N blocks around the layers, on bytes
    #[arg(long, value_name = "N", requires = "decode", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub blocks: Option<u32>,
    /// The device to use.
    #[command(flatten)]
    pub device: DeviceFlag,
    /// Instruction set: avx512, avx2, neon, baseline [default: the best]
    #[arg(long, value_name = "SET")]
    pub simd: Option<InstructionSet>,
    /// The number of threads.
    #[command(flatten)]
    pub threads: ThreadsFlag,
    /// Seconds per layer and length, for at least three repeats
    #[arg(long, value_name = "S", default_value_t = 3.0, value_parser = seconds)]
    pub seconds: f64,
    /// Print a JSON array instead of a table
    #[arg(long)]
    pub json: bool,
    /// Whether progress is shown.
    #[command(flatten)]
    pub quiet: QuietFlag,
}

const LONGEST_SECONDS: f64 = 86_400.0;

fn seconds(text: &str) -> Result<f64, String> {
    let wanted = format!("must be a number above 0 and at most {LONGEST_SECONDS}");
    number::of_flag(text, &wanted, |seconds| seconds > 0.0 && seconds <= LONGEST_SECONDS)
}

const NOTES: &str = "\
forward runs without autodiff; forward+backward is forward, mean of squares, and backward to
every parameter and to the input. Times are medians over repeats. The layers of one length take
turns, so that whatever slows the machine for a while slows all of them. MLPs have a hidden
width of 2 d_model, after the gate if they have one; block-diagonal layers have 4 blocks.

GFLOP/s counts products and convolutions of forward+backward, with 2 operations per multiply-add,
and nothing twice that is computed again to save memory: 3 multiply-adds per weight and token in a
linear layer; in causal attention also 6 per feature for each query and each key that it sees.
docs/performance.md has the other counts. MFU is their share of the FMA peak: the speed of
multiply-adds in registers on all threads, the better of a run before and one after each length.

--decode reads a context of each length, then times single tokens with the layer's step, and with
its stepper over plain slices if it has one. Only causal layers have steps. With --blocks it times
whole models: an embedding of bytes, blocks of layer norms, the mixer with every option at its
default, causal, and a dense MLP of 4 d_model, a last norm and a head.";

/// The layers that the program can measure, and what the columns mean.
pub(crate) fn after_help(registry: &dyn Registry) -> String {
    let line = |subject: &Subject| format!("  {:22} {}\n", subject.name, subject.summary);
    let layers: String = registry.subjects().all().map(line).collect();
    format!("Layers:\n{layers}\n{NOTES}")
}

/// Runs the command.
///
/// # Errors
/// Wrong usage, before anything runs; a failure if a layer does not agree with its definition.
pub fn run(registry: &dyn Registry, args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    args.simd.map_or(Ok(()), use_instruction_set).map_err(Failure::wrong)?;
    let site = Site::new(args.device.open()?, BUILD_COMMIT);
    if let Some(blocks) = args.blocks {
        return decode_models(registry, args, blocks as usize, &site, out);
    }
    let mut subjects = subjects(registry.subjects(), &args.mixers)?;
    let sizes = all_sizes(args);
    if args.decode {
        subjects = only_decoders(args, subjects, &site)?;
    }
    check_sizes(&subjects, &sizes, &site).map_err(Failure::Wrong)?;
    let checked = check_all(&subjects, &site.device).map_err(Failure::Failed)?;
    let limit = Duration::from_secs_f64(args.seconds);
    if args.decode {
        let measure = |size: &Sizes| measure_decoding(&subjects, size, limit, &site).map_err(Failure::failed);
        return show(args, &measure_all(args, "context", &sizes, measure)?, decode_table, out);
    }
    // Nothing is kept until the end, so Ctrl-C may end the program as it always does.
    let never = AtomicBool::new(false);
    let measure = |size: &Sizes| measure_cells(&checked, size, limit, &site, &never).map_err(Failure::failed);
    let cells = measure_all(args, "length", &sizes, measure)?;
    if let Some(warning) = spread_warning(&cells) {
        Messages::new(false).say(warning);
    }
    show(args, &cells, cells_table, out)
}

/// Measures whole models of these many blocks instead of layers.
fn decode_models(
    registry: &dyn Registry,
    args: &Args,
    n_layers: usize,
    site: &Site,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (d_model, limit) = (args.d_model as usize, Duration::from_secs_f64(args.seconds));
    let sizes = ModelSizes { d_model, n_layers, d_hidden: HIDDEN_FACTOR * d_model };
    let (contexts, models) = (all_sizes(args), models(registry.subjects(), &args.mixers)?);
    let refused = |context: &Sizes| {
        models
            .iter()
            .filter_map(|model| accepts_model(model, &sizes, context.seq_len).err())
            .collect::<Vec<_>>()
    };
    if let Some(why) = contexts.iter().map(refused).find(|why| !why.is_empty()) {
        return Err(Failure::Wrong(why));
    }
    let measure = |context: &Sizes| {
        measure_models(&models, &sizes, (context.seq_len, limit), site).map_err(Failure::failed)
    };
    let cells = measure_all(args, "context", &contexts, measure)?;
    match args.json {
        true => {
            let cells: Vec<_> = cells.iter().map(ModelCell::to_json).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&cells).map_err(Failure::failed)?)?;
        }
        false => writeln!(out, "{}", models_table(&cells))?,
    }
    Ok(())
}

/// The models of the named mixers, each once, in the order asked for.
fn models(all: &'static Subjects, names: &[String]) -> Result<Vec<&'static ModelSubject>, Failure> {
    let (mut models, mut unknown): (Vec<&ModelSubject>, Vec<String>) = (vec![], vec![]);
    for name in names.iter().map(|name| name.trim()) {
        match (all.model(name), all.find(name)) {
            (Some(model), _) if models.iter().any(|other| other.name == model.name) => {}
            (Some(model), _) => models.push(model),
            (None, Ok(_)) => unknown.push(format!("{name} is not a mixer, so there is no model of it")),
            (None, Err(error)) => unknown.push(error.to_string()),
        }
    }
    if unknown.is_empty() { Ok(models) } else { Err(Failure::Wrong(unknown)) }
}

/// Hidden width of a model's MLPs, divided by its width.
const HIDDEN_FACTOR: usize = 4;

/// Measures size by size.
fn measure_all<T>(
    args: &Args,
    what: &str,
    sizes: &[Sizes],
    measure: impl Fn(&Sizes) -> Result<Vec<T>, Failure>,
) -> Result<Vec<T>, Failure> {
    let (messages, mut cells) = (args.quiet.messages(), vec![]);
    for (index, size) in sizes.iter().enumerate() {
        messages.say(format!("[{}/{}] {what} {}", index + 1, sizes.len(), size.seq_len));
        cells.extend(measure(size)?);
    }
    Ok(cells)
}

/// The named layers, each once, in the order asked for.
fn subjects(all: &'static Subjects, names: &[String]) -> Result<Vec<&'static Subject>, Failure> {
    let (mut subjects, mut unknown): (Vec<&Subject>, Vec<String>) = (vec![], vec![]);
    for name in names {
        match all.find(name.trim()) {
            Ok(subject) if subjects.iter().any(|other| other.name == subject.name) => {}
            Ok(subject) => subjects.push(subject),
            Err(error) => unknown.push(error.to_string()),
        }
    }
    if unknown.is_empty() { Ok(subjects) } else { Err(Failure::Wrong(unknown)) }
}

/// Those that have steps, and a message about the others.
fn only_decoders(
    args: &Args,
    subjects: Vec<&'static Subject>,
    site: &Site,
) -> Result<Vec<&'static Subject>, Failure> {
    // A layer that cannot have these sizes is refused later, in its own words.
    let sizes = Sizes { seq_len: 1, d_model: DECODES_AT, ..all_sizes(args)[0] };
    let (with, without): (Vec<&Subject>, Vec<&Subject>) =
        subjects.into_iter().partition(|subject| can_decode(subject, &sizes, &site.device));
    let names = without.iter().map(|subject| subject.name).collect::<Vec<_>>().join(", ");
    let note = format!("layers that cannot decode: {names} (see the list of layers in --help)");
    if with.is_empty() {
        return Err(Failure::wrong(note));
    }
    if !without.is_empty() {
        args.quiet.messages().say(note);
    }
    Ok(with)
}

/// A width at which every layer can be built, to see whether it has steps.
const DECODES_AT: usize = 8;

/// Each length once, in ascending order.
fn all_sizes(args: &Args) -> Vec<Sizes> {
    let mut lengths = args.lengths.clone();
    lengths.sort_unstable();
    lengths.dedup();
    let sizes = |seq_len| Sizes {
        batch: if args.decode { 1 } else { args.batch as usize },
        seq_len: seq_len as usize,
        d_model: args.d_model as usize,
        hidden_factor: 2,
        n_blocks: 4,
        d_state: D_STATE,
        more_tokens: 1 + STEPS,
    };
    lengths.into_iter().map(sizes).collect()
}

fn show<T: serde::Serialize>(
    args: &Args,
    cells: &[T],
    table: fn(&[T]) -> String,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(cells).map_err(Failure::failed)?)?,
        false => writeln!(out, "{}", table(cells))?,
    }
    Ok(())
}
