//! A trained model with its dense channel mixers replaced by their nearest Monarch matrices, and by low-rank matrices of as
//! many parameters: how much accuracy does each keep, before any fine-tuning?
//!
//! ```sh
//! cargo run --release -- run configs/00-quickstart
//! cargo run --release --example project -- results/00-quickstart/attention-L64-s0
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use subquad::config::RunConfig;
use subquad::generate::find_run;
use subquad::model::model;
use subquad::plan::{by_kind, load_all};
use subquad::{Failure, Program};
use subquad_backend::read;
use subquad_config::Run;
use subquad_data::{HeldOut, Metric, Task};
use subquad_model::{MixerConfig, SequenceModel};
use subquad_monarch::MonarchLinearConfig;
use subquad_monarch::projection::{low_rank, project, rank_of_parameters, relative_distance};
use subquad_record::RunDir;
use subquad_train::{evaluate, from_safetensors};

const USAGE: &str = "give a finished run, such as results/00-quickstart/attention-L64-s0; make one with\n  \
                     cargo run --release -- run configs/00-quickstart";
/// The number of blocks of both factors, with slices of rank 1: more blocks have more parameters.
const BLOCKS: [usize; 5] = [2, 4, 8, 16, 32];

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let named = std::env::args().nth(1).map(PathBuf::from).ok_or(USAGE)?;
    let run = find_run(&named).map_err(|why| format!("{}\n{USAGE}", plain(&why)))?;
    let device = Device::flex();
    let (model, task) = trained(&run, &device)?;
    let tally = |model: &SequenceModel| evaluate(model, &*task, HeldOut::Test(0), 4096, &device);
    let accuracy = |model: &SequenceModel| Metric::Accuracy.of(&tally(model)).value;

    let mut table = table();
    table.add_row(row("dense", &Replaced::of(&model, |_| None), accuracy(&model)));
    for blocks in BLOCKS {
        let monarch = Replaced::of(&model, |matrix| matrix.monarch(blocks));
        table.add_row(row(&format!("Monarch, {blocks} blocks"), &monarch, accuracy(&monarch.model)));
        let low_rank = Replaced::of(&model, |matrix| matrix.low_rank(blocks));
        table.add_row(row("  low rank, as many", &low_rank, accuracy(&low_rank.model)));
    }
    print(&format!("{}\n{table}", run.path().display()));
    Ok(())
}

/// The model and the task of a run, from its folder.
fn trained(run: &RunDir, device: &Device) -> Result<(SequenceModel, Box<dyn Task>), Box<dyn Error>> {
    let run_config = settings(&run.config_path())?;
    let config = RunConfig::of(&run_config);
    let task = config.task.open(config.seq_len, config.seed)?;
    let bytes = std::fs::read(run.weights_path())
        .map_err(|why| format!("{}: {why}; {USAGE}", run.weights_path().display()))?;
    let model = from_safetensors(&bytes, model::<MixerConfig>(&run_config, &config).init(device))?;
    Ok((model, task))
}

fn settings(path: &Path) -> Result<Run, Box<dyn Error>> {
    let program = Program::of::<MixerConfig>();
    let (studies, _) = by_kind(load_all(program, &[path.to_owned()], &[]).map_err(|why| plain(&why))?);
    let run = studies.into_iter().flat_map(|study| study.runs).next();
    Ok(run.ok_or("the folder holds no config of a run")?)
}

/// Without the prefix that `main` adds.
fn plain(why: &Failure) -> String {
    why.to_string().trim_start_matches("error: ").into()
}

/// A dense matrix, row-major `[d_output, d_input]`.
struct Matrix {
    entries: Vec<f64>,
    d_input: usize,
    d_output: usize,
}

/// What stands in for a matrix.
struct Substitute {
    entries: Vec<f64>,
    parameters: usize,
}

impl Matrix {
    /// `None` if there are more blocks than the matrix is wide.
    fn monarch(&self, blocks: usize) -> Option<Substitute> {
        let config = MonarchLinearConfig::new(self.d_input, self.d_output).with_n_blocks(Some(blocks));
        let factors = project(&config, &self.entries).ok()?;
        Some(Substitute { parameters: factors.n_weights(), entries: factors.dense() })
    }

    /// With at most as many parameters.
    fn low_rank(&self, blocks: usize) -> Option<Substitute> {
        let (shape, parameters) = ([self.d_output, self.d_input], self.monarch(blocks)?.parameters);
        let near = low_rank(&self.entries, shape, rank_of_parameters(parameters, shape));
        Some(Substitute { parameters: near.n_weights(), entries: near.dense() })
    }
}

/// A model with other matrices in its channel mixers, stored as dense ones: the map is the same.
struct Replaced {
    model: SequenceModel,
    parameters: usize,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Replaced {
    fn of(model: &SequenceModel, substitute: impl Fn(&Matrix) -> Option<Substitute>) -> Self {
        let mut mapper = Mapper { substitute, path: vec![], parameters: 0, before: vec![], after: vec![] };
        let model = model.clone().map(&mut mapper);
        let Mapper { parameters, before, after, .. } = mapper;
        Self { model, parameters, before, after }
    }
}

struct Mapper<F> {
    substitute: F,
    path: Vec<String>,
    parameters: usize,
    before: Vec<f64>,
    after: Vec<f64>,
}

impl<F: Fn(&Matrix) -> Option<Substitute>> Mapper<F> {
    /// A weight of burn's `Linear`, `[d_input, d_output]`.
    fn replace<const D: usize>(&mut self, weight: Tensor<D>) -> Tensor<D> {
        let (dims, device) = (weight.dims(), weight.device());
        let matrix = Matrix {
            entries: read(weight.swap_dims(0, 1)).iter::<f64>().collect(),
            d_input: dims[0],
            d_output: dims[1],
        };
        let new = (self.substitute)(&matrix).unwrap_or_else(|| Substitute {
            parameters: matrix.entries.len(),
            entries: matrix.entries.clone(),
        });
        self.parameters += new.parameters;
        let values: Vec<f32> = new.entries.iter().map(|v| *v as f32).collect();
        self.before.extend(matrix.entries);
        self.after.extend(new.entries);
        Tensor::<2>::from_data(TensorData::new(values, [dims[1], dims[0]]), &device).transpose().reshape(dims)
    }
}

impl<F: Fn(&Matrix) -> Option<Substitute>> ModuleMapper for Mapper<F> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let in_mixer = self.path.iter().any(|name| name == "channel_mixer");
        match in_mixer && D == 2 {
            true => param.map(|weight| self.replace(weight)),
            false => param,
        }
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-')));
    table.set_header(["channel mixers", "parameters", "of dense", "distance", "accuracy"]);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn row(what: &str, Replaced { parameters, before, after, .. }: &Replaced, accuracy: f64) -> [String; 5] {
    let share = 100.0 * *parameters as f64 / before.len() as f64;
    [
        what.into(),
        parameters.to_string(),
        format!("{share:.0} %"),
        format!("{:.3}", relative_distance(before, after)),
        format!("{accuracy:.4}"),
    ]
}

#[allow(clippy::print_stdout)]
fn print(text: &str) {
    println!("{text}");
}
