//! The table of measured cells, and a warning about unreliable timings.

use indicatif::HumanCount;
use subquad_record::Cell;

use super::distinct;
use super::layout::table;

const HEADER: [&str; 10] = [
    "seq_len",
    "d_model",
    "mixer",
    "forward ms",
    "forward+backward ms",
    "tokens/s",
    "GFLOP/s (of peak)",
    "peak MiB",
    "state floats",
    "check",
];

const LEGEND: &str = "\
ms: median ± half the distance between the quartiles. tokens/s, GFLOP/s and peak MiB: of forward+backward; the
bytes include layer, input and all gradients. GFLOP/s: of matrix products, and their share of the FMA peak.
state floats: what decoding keeps of one sequence of this length. check: largest relative error against
the f64 reference at a small size, of outputs and gradients.";

/// A timing is in doubt if the middle half of its times is wider than this share of their median.
const WIDE: f64 = 0.2;

/// A table with one line per cell, in the order given.
pub fn cells_table(cells: &[Cell]) -> String {
    format!("{}\n\n{LEGEND}\n{}", table(HEADER, cells.iter().map(row)), conditions(cells))
}

fn row(cell: &Cell) -> [String; HEADER.len()] {
    let none = || "none".to_owned();
    [
        cell.seq_len.to_string(),
        cell.d_model.to_string(),
        cell.mixer.clone(),
        spread_of(cell.forward_ms, cell.forward_ms_q1, cell.forward_ms_q3),
        spread_of(cell.forward_backward_ms, cell.forward_backward_ms_q1, cell.forward_backward_ms_q3),
        HumanCount(cell.tokens_per_second as u64).to_string(),
        operations(cell),
        cell.peak_bytes.map_or("-".into(), |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20))),
        cell.state_floats.map_or_else(none, |floats| HumanCount(floats as u64).to_string()),
        format!("{:.0e}", cell.check_error),
    ]
}

/// The GFLOP/s, and their share of the peak.
fn operations(cell: &Cell) -> String {
    match cell.gflops().zip(cell.fma_peak_gflops) {
        Some((gflops, peak)) => format!("{gflops:.0} ({:.0} %)", 100.0 * gflops / peak),
        None => "-".into(),
    }
}

/// Three digits of the median, and the spread with the same number of decimal places.
pub(super) fn spread_of(median: f64, q1: f64, q3: f64) -> String {
    let digits = (2 - median.log10().floor() as i32).clamp(0, 4) as usize;
    format!("{median:.digits$} ± {:.digits$}", (q3 - q1) / 2.0)
}

/// Where and how the cells were measured.
fn conditions(cells: &[Cell]) -> String {
    let of = |f: fn(&Cell) -> String| distinct(cells.iter().map(f)).join(" or ");
    format!(
        "Batch {}; {} form, {}, {} threads, {}, {}.{}",
        of(|c| c.batch.to_string()),
        of(|c| c.provenance.form.clone()),
        of(|c| c.provenance.device.clone()),
        of(|c| c.provenance.threads.to_string()),
        of(|c| c.provenance.instruction_set.clone()),
        of(|c| c.provenance.machine.cpu.clone()),
        fma_peak(cells)
    )
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

/// A sentence about the cells whose times vary too much to be trusted, if there are any.
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
    use subquad_record::{Machine, Provenance};

    use super::*;

    fn cell(mixer: &str, median: f64, half: f64) -> Cell {
        let machine =
            Machine { cpu: "Some CPU".into(), cores: 2, memory_bytes: None, os: "linux x86_64".into() };
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
            provenance: Provenance {
                form: "fused".into(),
                device: "cpu".into(),
                threads: 2,
                instruction_set: "avx2+fma".into(),
                program_version: String::new(),
                build_commit: None,
                measured: String::new(),
                machine,
            },
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
        seq_len  d_model  mixer         forward ms  forward+backward ms   tokens/s  GFLOP/s (of peak)  peak MiB  state floats  check
        -----------------------------------------------------------------------------------------------------------------------------
           1024      128  attention       804 ± 20            2412 ± 20      1,698         140 (60 %)      50.0        16,384   2e-6
           1024      128  m2            11.1 ± 1.0           33.2 ± 1.0    123,522                  -         -          none   2e-6
           1024      128  s4d        0.170 ± 0.010        0.510 ± 0.010  8,031,372                  -      50.0        16,384   2e-6

        ms: median ± half the distance between the quartiles. tokens/s, GFLOP/s and peak MiB: of forward+backward; the
        bytes include layer, input and all gradients. GFLOP/s: of matrix products, and their share of the FMA peak.
        state floats: what decoding keeps of one sequence of this length. check: largest relative error against
        the f64 reference at a small size, of outputs and gradients.
        Batch 4 or 1; fused form, cpu, 2 threads, avx2+fma, Some CPU. FMA peak: 233 GFLOP/s.
        ");
    }

    #[test]
    fn times_that_vary_much_are_warned_of() {
        assert_eq!(spread_warning(&[cell("attention", 10.0, 0.5)]), None);
        let cells = [cell("attention", 10.0, 0.5), cell("s4d", 10.0, 2.0), cell("m2", 10.0, 1.5)];
        insta::assert_snapshot!(spread_warning(&cells).unwrap_or_default(), @"warning: times vary by more than 20 % in 2 of 3 measurements, most for s4d at length 1024 and width 128 (40 %): another program may share this machine. Measure again when it is idle");
    }
}
