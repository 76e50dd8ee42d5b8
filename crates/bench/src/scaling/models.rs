//! Decoding of whole models along contexts: where it is kept, its table and its figure.

use std::path::Path;

use serde_json::Value;
use subquad_plot::{Figure, Line, Panel, Point, ScalingFigure};
use subquad_record::{RecordError, write_atomic};

use super::MeasuredConfig;
use crate::ModelCell;
use crate::table::distinct;

/// The file of a config's own folder, one line per cell.
const MODELS: &str = "models.jsonl";
/// The table of a study.
const TABLE: &str = "models.csv";

/// The columns of the table: where each is in a cell's JSON.
const COLUMNS: [&str; 27] = [
    "mixer",
    "path",
    "context",
    "tokens_per_second",
    "step_us",
    "step_us_q1",
    "step_us_q3",
    "steps",
    "state_bytes",
    "step_allocations",
    "step_peak_bytes",
    "d_model",
    "n_layers",
    "d_hidden",
    "parameters",
    "check_error",
    "form",
    "device",
    "threads",
    "instruction_set",
    "program_version",
    "build_commit",
    "measured",
    "machine/cpu",
    "machine/cores",
    "machine/os",
    "config",
];

/// The cells in a config's folder: those of its lines that name the folder.
pub(super) fn read(folder: &Path) -> Result<Vec<ModelCell>, RecordError> {
    let path = folder.join(MODELS);
    if !path.try_exists()? {
        return Ok(vec![]);
    }
    let text = fs_err::read_to_string(path)?;
    let own = |value: &Value| value["run"] == name(folder);
    let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(own);
    Ok(lines.filter_map(|line| ModelCell::from_json(&line)).collect())
}

/// Writes them, atomically.
pub(super) fn write(folder: &Path, cells: &[ModelCell]) -> Result<(), RecordError> {
    let line = |cell: &ModelCell| {
        let mut value = cell.to_json();
        value["run"] = name(folder).into();
        format!("{value}\n")
    };
    Ok(write_atomic(folder.join(MODELS), cells.iter().map(line).collect::<String>().as_bytes())?)
}

/// The folder's name ends in the hash of what all its cells were measured with.
fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The models of all configs.
pub(super) fn all(measured: &[MeasuredConfig<'_>]) -> Vec<ModelCell> {
    measured.iter().flat_map(|config| config.models.clone()).collect()
}

/// Writes the table of a study that has models, or removes that of an earlier one.
pub(super) fn write_table(dir: &Path, measured: &[MeasuredConfig<'_>]) -> Result<(), RecordError> {
    let path = dir.join(TABLE);
    let lines: Vec<_> =
        measured.iter().flat_map(|of| of.models.iter().map(|cell| line(&of.config.name(), cell))).collect();
    if !lines.is_empty() {
        let header = COLUMNS.map(|column| column.replace('/', "_")).join(",");
        return Ok(write_atomic(path, format!("{header}\n{}", lines.concat()).as_bytes())?);
    }
    if path.try_exists()? {
        fs_err::remove_file(path)?;
    }
    Ok(())
}

fn line(config: &str, cell: &ModelCell) -> String {
    let mut value = cell.to_json();
    value["config"] = config.into();
    let text = |column: &str| match value.pointer(&format!("/{column}")) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => quoted(text),
        Some(value) => value.to_string(),
    };
    COLUMNS.map(text).join(",") + "\n"
}

/// Text with a comma or a quote is quoted in a CSV file.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Tokens a second against the context, each model in the fastest of its ways of decoding; none without models.
pub(super) fn figure(measured: &[MeasuredConfig<'_>]) -> Option<Figure> {
    let several = measured.len() > 1;
    let panel = |of: &MeasuredConfig<'_>| Panel {
        title: if several { of.config.name() } else { String::new() },
        lines: lines(&of.models),
    };
    let panels: Vec<_> = measured.iter().map(panel).filter(|panel| !panel.lines.is_empty()).collect();
    (!panels.is_empty()).then(|| ScalingFigure::TokensPerSecondByContext.of(panels, caption(&all(measured))))
}

fn lines(cells: &[ModelCell]) -> Vec<Line> {
    let of = |mixer: &String| {
        let own = cells.iter().filter(|cell| cell.decode.mixer == *mixer);
        let paths: Vec<_> = own.clone().map(|cell| cell.decode.path.as_str()).collect();
        let path = if paths.contains(&"slices") { "slices" } else { "tensors" };
        let mut points: Vec<_> = own.filter(|cell| cell.decode.path == path).map(point).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Line::new(mixer.clone(), points)
    };
    distinct(cells.iter().map(|cell| cell.decode.mixer.clone())).iter().map(of).collect()
}

fn point(cell: &ModelCell) -> Point {
    let cell = &cell.decode;
    let [low, y, high] = [cell.step_us_q3, cell.step_us, cell.step_us_q1].map(|us| 1e6 / us);
    Point { x: cell.context as f64, y, low, high }
}

fn caption(cells: &[ModelCell]) -> Vec<String> {
    let list = |f: fn(&ModelCell) -> String| distinct(cells.iter().map(f)).join(" or ");
    let steps = || cells.iter().map(|cell| cell.decode.steps);
    let (few, many) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
    vec![
        format!(
            "Point: one over the median of n = {few} to {many} interleaved steps of one sequence after the context, over slices on one \
             thread where the mixer can. Band: quartiles."
        ),
        format!(
            "Held equal: {} blocks, width {}, MLPs of {}, bytes. Commit {}; {}, {}, {}.",
            list(|c| c.n_layers.to_string()),
            list(|c| c.decode.d_model.to_string()),
            list(|c| c.d_hidden.to_string()),
            list(|c| c.decode.provenance.build_commit.clone().unwrap_or_else(|| "unknown".into())),
            list(|c| c.decode.provenance.device.clone()),
            list(|c| c.decode.provenance.machine.cpu.clone()),
            list(|c| c.decode.provenance.instruction_set.clone()),
        ),
    ]
}
