//! The tables of measured cells and of measured decoding, and what to be wary of.

use subquad_options::number::grouped;
use subquad_record::{Cell, DecodeCell, Provenance};

use crate::ModelCell;
use crate::table::{distinct, table};

const HEADER: [&str; 10] = [
    "seq_len",
    "d_model",
    "mixer",
    "forward ms",
    "forward+backward ms",
    "tokens/s",
    "GFLOP/s (MFU)",
    "peak MiB",
    "state floats",
    "check",
];

const LEGEND: &str = "\
ms: median ± half the distance between the quartiles. tokens/s, GFLOP/s and peak MiB: of forward+backward; the
bytes include layer, input and all gradients. GFLOP/s: of products and convolutions, without what is computed a second
time to save memory; MFU: their share of the FMA peak. state floats: what decoding keeps of one sequence of this length.
check: largest relative error against the f64 reference at a small size, of outputs and gradients.";

/// A timing is in doubt if the middle half of its times is wider than this share of their median.
const WIDE: f64 = 0.2;

/// A table with one line per cell, in the order given.
pub fn cells_table(cells: &[Cell]) -> String {
    let batch = distinct(cells.iter().map(|cell| cell.batch.to_string())).join(" or ");
    let conditions = conditions(cells.iter().map(|cell| &cell.provenance));
    let table = table(HEADER, cells.iter().map(row));
    format!("{table}\n\n{LEGEND}\nBatch {batch}; {conditions}.{}", fma_peak(cells))
}

fn row(cell: &Cell) -> [String; HEADER.len()] {
    [
        cell.seq_len.to_string(),
        cell.d_model.to_string(),
        cell.mixer.clone(),
        spread_of(cell.forward_ms, cell.forward_ms_q1, cell.forward_ms_q3),
        spread_of(cell.forward_backward_ms, cell.forward_backward_ms_q1, cell.forward_backward_ms_q3),
        grouped(cell.tokens_per_second as u128),
        operations(cell),
        cell.peak_bytes.map_or("-".into(), |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20))),
        cell.state_floats.map_or("none".into(), |floats| grouped(floats as u128)),
        format!("{:.0e}", cell.check_error),
    ]
}

fn operations(cell: &Cell) -> String {
    cell.gflops().map_or("-".into(), |gflops| utilisation(gflops, cell.mfu()))
}

/// Billions of operations per second, and the share of the machine's peak that they are, such as `140 (60 %)`.
pub fn utilisation(gflops: f64, mfu: Option<f64>) -> String {
    let speed = if gflops < 9.95 { format!("{gflops:.1}") } else { format!("{gflops:.0}") };
    mfu.map_or(speed.clone(), |mfu| format!("{speed} ({:.0} %)", 100.0 * mfu))
}

/// Three digits of the median, and the spread with as many decimal places.
fn spread_of(median: f64, q1: f64, q3: f64) -> String {
    let digits = (2 - median.log10().floor() as i32).clamp(0, 4) as usize;
    format!("{median:.digits$} ± {:.digits$}", (q3 - q1) / 2.0)
}

/// The range of the FMA peak over the lengths.
fn fma_peak(cells: &[Cell]) -> String {
    let peaks = || cells.iter().filter_map(|cell| cell.fma_peak_gflops);
    let rounded = [f64::min, f64::max].map(|better| peaks().reduce(better).map(f64::round));
    match rounded {
        [Some(least), Some(most)] if least == most => format!(" FMA peak: {most} GFLOP/s."),
        [Some(least), Some(most)] => format!(" FMA peak: {least} to {most} GFLOP/s."),
        _ => String::new(),
    }
}

const DECODE_HEADER: [&str; 9] =
    ["context", "d_model", "mixer", "path", "step us", "tokens/s", "state bytes", "allocations", "check"];

const DECODE_LEGEND: &str = "\
context: tokens before the first step. path: tensors is the layer's step, slices its stepper without burn, on one
thread. us: median ± half the distance between the quartiles. state bytes: what is kept of the context.
allocations: of a step. check: largest relative error of a step against the whole sequence at a small size.";

/// A table with one line per cell, in the order given.
pub fn decode_table(cells: &[DecodeCell]) -> String {
    let conditions = conditions(cells.iter().map(|cell| &cell.provenance));
    let table = table(DECODE_HEADER, cells.iter().map(decode_row));
    format!("{table}\n\n{DECODE_LEGEND}\nOne sequence; {conditions}.")
}

const MODELS_LEGEND: &str = "\
context: tokens before the first step. path: tensors is the model's step, slices the whole model over plain slices
on one thread. us: median ± half the distance between the quartiles. state bytes: what is kept of the context.
allocations: of a step. check: largest relative error of a step against the whole sequence at a small size.";

/// A table with one line per cell, in the order given.
pub fn models_table(cells: &[ModelCell]) -> String {
    let decode = || cells.iter().map(|cell| &cell.decode);
    let conditions = conditions(decode().map(|cell| &cell.provenance));
    let table = table(DECODE_HEADER, decode().map(decode_row));
    let of = |f: fn(&ModelCell) -> usize| distinct(cells.iter().map(|cell| f(cell).to_string())).join(" or ");
    let models = format!("Models of {} blocks with an MLP of {}", of(|c| c.n_layers), of(|c| c.d_hidden));
    format!("{table}\n\n{MODELS_LEGEND}\n{models}, on bytes. One sequence; {conditions}.")
}

fn decode_row(cell: &DecodeCell) -> [String; DECODE_HEADER.len()] {
    [
        cell.context.to_string(),
        cell.d_model.to_string(),
        cell.mixer.clone(),
        cell.path.clone(),
        spread_of(cell.step_us, cell.step_us_q1, cell.step_us_q3),
        grouped(cell.tokens_per_second as u128),
        grouped(cell.state_bytes as u128),
        cell.step_allocations.map_or("-".into(), |count| format!("{count:.0}")),
        format!("{:.0e}", cell.check_error),
    ]
}

/// Where and how cells were measured.
fn conditions<'a>(all: impl Iterator<Item = &'a Provenance> + Clone) -> String {
    let of = |f: fn(&Provenance) -> String| distinct(all.clone().map(f)).join(" or ");
    format!(
        "{} form, {}, {} threads, {}, {}",
        of(|p| p.form.clone()),
        of(|p| p.device.clone()),
        of(|p| p.threads.to_string()),
        of(|p| p.instruction_set.clone()),
        of(|p| p.machine.cpu.clone())
    )
}

/// A sentence on the cells whose times vary too much to be trusted, if there are any.
pub fn spread_warning(cells: &[Cell]) -> Option<String> {
    let wide = cells.iter().filter(|cell| spread(cell) > WIDE);
    let widest = wide.clone().max_by(|a, b| spread(a).total_cmp(&spread(b)))?;
    Some(format!(
        "warning: times vary by more than {:.0} % in {} of {} measurements, most for {} at length {} and width {} \
         ({:.0} %): another program may share this machine. Measure again when it is idle",
        WIDE * 100.0,
        wide.count(),
        cells.len(),
        widest.mixer,
        widest.seq_len,
        widest.d_model,
        spread(widest) * 100.0
    ))
}

fn spread(cell: &Cell) -> f64 {
    (cell.forward_backward_ms_q3 - cell.forward_backward_ms_q1) / cell.forward_backward_ms
}

#[cfg(test)]
mod tests {
    use subquad_record::Machine;

    use super::*;

    fn provenance(threads: usize, instruction_set: &str) -> Provenance {
        Provenance {
            form: "fused".into(),
            device: "cpu".into(),
            threads,
            instruction_set: instruction_set.into(),
            program_version: String::new(),
            build_commit: None,
            measured: String::new(),
            machine: Machine {
                cpu: "Some CPU".into(),
                cores: 2,
                memory_bytes: None,
                os: "linux x86_64".into(),
            },
        }
    }

    fn cell(mixer: &str, median: f64, half: f64) -> Cell {
        Cell {
            mixer: mixer.into(),
            seq_len: 1024,
            batch: 4,
            d_model: 128,
            d_hidden: None,
            n_blocks: None,
            parameters: 66_048,
            forward_ms: median / 3.0,
            forward_ms_q1: median / 3.0 - half,
            forward_ms_q3: median / 3.0 + half,
            forward_backward_ms: median,
            forward_backward_ms_q1: median - half,
            forward_backward_ms_q3: median + half,
            repeats: 30,
            tokens_per_second: 4096.0 / (median / 1e3),
            flops: (mixer == "attention").then_some(median * 1.4e8),
            fma_peak_gflops: (mixer == "attention").then_some(233.4),
            peak_bytes: (mixer != "m2").then_some(50 << 20),
            state_floats: (mixer != "m2").then_some(16_384),
            check_error: 2.3e-6,
            check_value_error: 2.3e-6,
            check_gradient_error: 1e-7,
            check_against: "f64 reference".into(),
            provenance: provenance(2, "avx2+fma"),
        }
    }

    #[test]
    fn a_line_is_a_layer_at_a_size() {
        let cells = [
            cell("attention", 2412.0, 20.0),
            cell("m2", 33.16, 1.0),
            Cell { batch: 1, ..cell("s4d", 0.51, 0.01) },
        ];
        insta::assert_snapshot!(cells_table(&cells), @"
        seq_len  d_model  mixer         forward ms  forward+backward ms   tokens/s  GFLOP/s (MFU)  peak MiB  state floats  check
        -------------------------------------------------------------------------------------------------------------------------
           1024      128  attention       804 ± 20            2412 ± 20      1,698     140 (60 %)      50.0        16,384   2e-6
           1024      128  m2            11.1 ± 1.0           33.2 ± 1.0    123,522              -         -          none   2e-6
           1024      128  s4d        0.170 ± 0.010        0.510 ± 0.010  8,031,372              -      50.0        16,384   2e-6

        ms: median ± half the distance between the quartiles. tokens/s, GFLOP/s and peak MiB: of forward+backward; the
        bytes include layer, input and all gradients. GFLOP/s: of products and convolutions, without what is computed a second
        time to save memory; MFU: their share of the FMA peak. state floats: what decoding keeps of one sequence of this length.
        check: largest relative error against the f64 reference at a small size, of outputs and gradients.
        Batch 4 or 1; fused form, cpu, 2 threads, avx2+fma, Some CPU. FMA peak: 233 GFLOP/s.
        ");
    }

    #[test]
    fn times_that_vary_much_are_warned_of() {
        assert_eq!(spread_warning(&[cell("attention", 10.0, 0.5)]), None);
        let cells = [cell("attention", 10.0, 0.5), cell("s4d", 10.0, 2.0), cell("m2", 10.0, 1.5)];
        insta::assert_snapshot!(spread_warning(&cells).unwrap_or_default(), @"warning: times vary by more than 20 % in 2 of 3 measurements, most for s4d at length 1024 and width 128 (40 %): another program may share this machine. Measure again when it is idle");
    }

    fn decode_cell(mixer: &str, path: &str, step_us: f64, state_bytes: usize) -> DecodeCell {
        DecodeCell {
            mixer: mixer.into(),
            path: path.into(),
            context: 1024,
            d_model: 128,
            step_us,
            step_us_q1: step_us * 0.9,
            step_us_q3: step_us * 1.1,
            steps: 480,
            tokens_per_second: 1e6 / step_us,
            state_bytes,
            step_allocations: Some(if path == "slices" { 0.0 } else { 61.4 }),
            step_peak_bytes: Some(20_000),
            check_error: 3e-7,
            provenance: provenance(if path == "slices" { 1 } else { 2 }, "avx512"),
        }
    }

    #[test]
    fn a_line_is_a_way_of_decoding_after_a_context() {
        let cells = [
            decode_cell("attention", "tensors", 420.0, 1 << 20),
            decode_cell("attention", "slices", 41.5, 1 << 20),
            decode_cell("s4d", "tensors", 130.0, 32_768),
        ];
        insta::assert_snapshot!(decode_table(&cells), @"
        context  d_model  mixer      path        step us  tokens/s  state bytes  allocations  check
        --------------------------------------------------------------------------------------------
           1024      128  attention  tensors    420 ± 42     2,380    1,048,576           61   3e-7
           1024      128  attention  slices   41.5 ± 4.2    24,096    1,048,576            0   3e-7
           1024      128  s4d        tensors    130 ± 13     7,692       32,768           61   3e-7

        context: tokens before the first step. path: tensors is the layer's step, slices its stepper without burn, on one
        thread. us: median ± half the distance between the quartiles. state bytes: what is kept of the context.
        allocations: of a step. check: largest relative error of a step against the whole sequence at a small size.
        One sequence; fused form, cpu, 2 or 1 threads, avx512, Some CPU.
        ");
    }
}
