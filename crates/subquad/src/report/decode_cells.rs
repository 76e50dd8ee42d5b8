//! The table of measured decoding.

use indicatif::HumanCount;
use subquad_record::DecodeCell;

use super::cells::spread_of;
use super::distinct;
use super::layout::table;

const HEADER: [&str; 9] =
    ["context", "d_model", "mixer", "path", "step us", "tokens/s", "state bytes", "allocations", "check"];

const LEGEND: &str = "\
context: tokens before the first step. path: tensors is the layer's step, slices its stepper without burn, on one
thread. us: median ± half the distance between the quartiles. state bytes: what is kept of the context.
allocations: of a step. check: largest relative error of a step against the whole sequence at a small size.";

/// A table with one line per cell, in the order given.
pub fn decode_table(cells: &[DecodeCell]) -> String {
    format!("{}\n\n{LEGEND}\n{}", table(HEADER, cells.iter().map(row)), conditions(cells))
}

fn row(cell: &DecodeCell) -> [String; HEADER.len()] {
    [
        cell.context.to_string(),
        cell.d_model.to_string(),
        cell.mixer.clone(),
        cell.path.clone(),
        spread_of(cell.step_us, cell.step_us_q1, cell.step_us_q3),
        HumanCount(cell.tokens_per_second as u64).to_string(),
        HumanCount(cell.state_bytes as u64).to_string(),
        cell.step_allocations.map_or("-".into(), |count| format!("{count:.0}")),
        format!("{:.0e}", cell.check_error),
    ]
}

/// Where and how the cells were measured.
fn conditions(cells: &[DecodeCell]) -> String {
    let of = |f: fn(&DecodeCell) -> String| distinct(cells.iter().map(f)).join(" or ");
    format!(
        "One sequence; {} form, {}, {} threads, {}, {}.",
        of(|c| c.provenance.form.clone()),
        of(|c| c.provenance.device.clone()),
        of(|c| c.provenance.threads.to_string()),
        of(|c| c.provenance.instruction_set.clone()),
        of(|c| c.provenance.machine.cpu.clone())
    )
}

#[cfg(test)]
mod tests {
    use subquad_record::{Machine, Provenance};

    use super::*;

    fn cell(mixer: &str, path: &str, step_us: f64, state_bytes: usize) -> DecodeCell {
        let machine =
            Machine { cpu: "Some CPU".into(), cores: 2, memory_bytes: None, os: "linux x86_64".into() };
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
            provenance: Provenance {
                form: "fused".into(),
                device: "cpu".into(),
                threads: if path == "slices" { 1 } else { 2 },
                instruction_set: "avx512".into(),
                program_version: String::new(),
                build_commit: None,
                measured: String::new(),
                machine,
            },
        }
    }

    #[test]
    fn a_line_is_a_way_of_decoding_after_a_context() {
        let cells = [
            cell("attention", "tensors", 420.0, 1 << 20),
            cell("attention", "slices", 41.5, 1 << 20),
            cell("s4d", "tensors", 130.0, 32_768),
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
