//! The comparison as it is printed, and drawn.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use subquad::report::{Finished, StudyResults, comparison, write_study_files};
use subquad_data::{Metric, Score};
use subquad_record::{Evaluation, Outcome, RunSummary, Utilisation};

fn finished(mixer: &str, seq_len: usize, seed: u64, accuracy: Option<f64>) -> Finished {
    let evaluation = Evaluation {
        condition: String::new(),
        seq_len: Some(seq_len),
        variant: String::new(),
        split: "test".into(),
        loss: 1.0,
        score: accuracy.map(|value| Score { metric: Metric::Accuracy, value }),
        examples: 359,
    };
    let summary = RunSummary {
        run: String::new(),
        config: "a.toml".into(),
        task: "digits".into(),
        mixer: mixer.into(),
        seq_len,
        seed,
        steps: 600,
        batch: 32,
        d_model: 64,
        n_layers: 2,
        parameters: 67_850,
        step_ms: 31.64,
        tokens_per_second: 64_731.2,
        peak_bytes: Some(50 << 20),
        state_floats: (mixer != "m2").then_some(16_384),
        form: "fused".into(),
        device: "cpu".into(),
        threads: 2,
        jobs: 1,
        build_commit: None,
        evaluations: vec![evaluation],
        started: String::new(),
        ended: String::new(),
        outcome: Outcome::Done,
        settings: BTreeMap::new(),
        // 140.6 GFLOP/s, 60 % of the peak.
        utilisation: Utilisation::new(Some(4.45e9), 0.03164, Some(234.4)),
    };
    Finished { label: mixer.into(), summary, dir: "runs".into() }
}

#[test]
fn a_line_is_a_mixer_at_a_length_over_all_seeds() {
    let runs = [
        finished("attention", 64, 0, Some(0.9)),
        finished("attention", 64, 1, Some(0.95)),
        finished("m2", 64, 0, Some(0.8)),
        finished("attention", 1024, 0, None),
    ];
    insta::assert_snapshot!(comparison(&runs), @"
    seq_len  mixer      accuracy      min..max  params  step ms  GFLOP/s (MFU)   MiB   state  n
    --------------------------------------------------------------------------------------------
         64  attention     0.925  0.900..0.950  67,850     31.6     141 (60 %)  50.0  16,384  2
         64  m2            0.800  0.800..0.800  67,850     31.6     141 (60 %)  50.0    none  1
       1024  attention         -             -  67,850     31.6     141 (60 %)  50.0  16,384  1

    accuracy: on test data, mean and range over n seeds.
    step ms: median. GFLOP/s: of that step; MFU: their share of the machine's FMA peak. MiB: the most
    memory in use, without the data. state: floats that decoding keeps of one sequence of this length.
    Held equal: 600 optimiser steps, batch 32, width 64, depth 2.
    ");
}

#[test]
fn timings_that_were_shared_are_left_out_and_said_to_be() {
    let mut runs = [finished("s4d", 64, 0, None), finished("s4d", 64, 1, None), finished("m2", 64, 0, None)];
    runs[0].summary.jobs = 2;
    runs[0].summary.step_ms = 1000.0;
    let cells = |table: &str, row: usize| -> Vec<String> {
        table.lines().nth(row).unwrap().split_whitespace().map(Into::into).collect()
    };
    let table = comparison(&runs);
    assert_eq!(cells(&table, 2)[5..10], ["31.6", "141", "(60", "%)", "50.0"], "{table}");
    let note =
        |what: &str| format!("\nTimings leave out {what}, because runs shared the machine (--jobs).\n");
    assert!(table.contains(&note("1 of 3 runs")), "{table}");
    runs[1].summary.jobs = 2;
    let table = comparison(&runs);
    assert_eq!(cells(&table, 2)[5..8], ["-", "-", "50.0"], "{table}");
    assert_eq!(cells(&table, 3)[5..10], ["31.6", "141", "(60", "%)", "50.0"], "{table}");
    assert!(table.contains(&note("2 of 3 runs")), "{table}");
    runs[2].summary.jobs = 2;
    assert!(comparison(&runs).contains(&note("all runs")));
}

/// On a GPU there is no peak to compare with, of a mixer that does not count there are no operations, and older records know neither.
#[test]
fn what_was_not_counted_or_measured_is_not_shown() {
    let speed = |utilisation: Utilisation| {
        let mut run = finished("s4d", 64, 0, None);
        run.summary.utilisation = utilisation;
        let table = comparison(&[run]);
        table.lines().nth(2).unwrap().split_whitespace().nth(6).unwrap().to_owned()
    };
    assert_eq!(speed(Utilisation::new(Some(4.45e9), 0.03164, None)), "141");
    assert_eq!(speed(Utilisation::new(Some(3e7), 0.01, None)), "3.0");
    assert_eq!(speed(Utilisation::new(None, 0.03164, None)), "-");
    assert_eq!(speed(Utilisation::default()), "-");
}

#[test]
fn a_line_fits_a_terminal_of_100_columns() {
    let mut run = on_a_text();
    run.summary.mixer = "attention".into();
    run.label = run.summary.mixer.clone();
    run.summary.parameters = 3_300_000;
    run.summary.step_ms = 12_345.6;
    run.summary.peak_bytes = Some(719 << 20);
    run.summary.state_floats = Some(2 * 1024 * 256 * 4);
    let table = comparison(&[run]);
    let longest = table.lines().take(3).map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{longest:?}\n{table}");
}

#[test]
fn only_what_is_equal_is_called_so() {
    let mut runs = [finished("s4d", 64, 0, None), finished("s4d", 64, 1, None)];
    runs[1].summary.steps = 300;
    runs[1].summary.batch = 64;
    assert!(comparison(&runs).ends_with("\nHeld equal: width 64, depth 2."), "{}", comparison(&runs));
    runs[1].summary.d_model = 32;
    runs[1].summary.n_layers = 1;
    assert!(comparison(&runs).ends_with("\nHeld equal: nothing."), "{}", comparison(&runs));
}

fn under(condition: &str, seq_len: usize, variant: &str, accuracy: f64) -> Evaluation {
    let plain = finished("", seq_len, 0, Some(accuracy)).summary.evaluations.remove(0);
    Evaluation { condition: condition.into(), variant: variant.into(), ..plain }
}

#[test]
fn other_test_conditions_have_a_table_of_their_own() {
    let trained = |seq_len, evaluations: &[Evaluation]| {
        let mut run = finished("s4d", seq_len, 0, None);
        run.summary.evaluations = evaluations.to_vec();
        run
    };
    let short = [
        under("", 64, "4 pairs", 0.9),
        under("128x8", 128, "8 pairs", 0.5),
        under("64x8", 64, "8 pairs", 0.3),
    ];
    let long = [under("", 128, "8 pairs", 0.8), under("64x4", 64, "4 pairs", 0.7)];
    insta::assert_snapshot!(comparison(&[trained(64, &short), trained(128, &long)]), @"
    seq_len  mixer  accuracy      min..max  params  step ms  GFLOP/s (MFU)   MiB   state  n
    ----------------------------------------------------------------------------------------
         64  s4d       0.900  0.900..0.900  67,850     31.6     141 (60 %)  50.0  16,384  1
        128  s4d       0.800  0.800..0.800  67,850     31.6     141 (60 %)  50.0  16,384  1

    accuracy: on test data, mean and range over n seeds.
    step ms: median. GFLOP/s: of that step; MFU: their share of the machine's FMA peak. MiB: the most
    memory in use, without the data. state: floats that decoding keeps of one sequence of this length.

    accuracy by test condition; seq_len is that of training:

    seq_len  mixer   64x4   64x8  128x8
    ------------------------------------
         64  s4d    0.900  0.300  0.500
        128  s4d    0.700      -  0.800

    Held equal: 600 optimiser steps, batch 32, width 64, depth 2.
    ");
}

fn on_a_text() -> Finished {
    let mut run = finished("s4d", 64, 0, None);
    run.summary.evaluations[0].score = Some(Score { metric: Metric::BitsPerByte, value: 2.5 });
    run
}

#[test]
fn a_text_is_compared_in_bits_per_byte() {
    insta::assert_snapshot!(comparison(&[on_a_text()]), @"
    seq_len  mixer  bits/byte      min..max  params  step ms  GFLOP/s (MFU)   MiB   state  n
    -----------------------------------------------------------------------------------------
         64  s4d        2.500  2.500..2.500  67,850     31.6     141 (60 %)  50.0  16,384  1

    bits/byte: on test data, mean and range over n seeds; lower is better.
    step ms: median. GFLOP/s: of that step; MFU: their share of the machine's FMA peak. MiB: the most
    memory in use, without the data. state: floats that decoding keeps of one sequence of this length.
    Held equal: 600 optimiser steps, batch 32, width 64, depth 2.
    ");
}

/// Rows of older programs hold no score where it follows from the loss.
#[test]
fn a_text_whose_rows_hold_only_the_loss_is_drawn_in_bits_per_byte() {
    let folder = tempfile::tempdir().unwrap();
    let row = |step: usize, loss: f64| {
        format!("{{\"step\":{step},\"split\":\"train\",\"loss\":{loss},\"elapsed_seconds\":1.0}}\n")
    };
    fs_err::write(folder.path().join("metrics.jsonl"), row(1, 2.0 * LN_2) + &row(2, LN_2)).unwrap();
    let run = Finished { dir: folder.path().into(), ..on_a_text() };
    write_study_files(folder.path(), &StudyResults { finished: vec![run], ..StudyResults::default() })
        .unwrap();
    let csv = fs_err::read_to_string(folder.path().join("figures/bits_per_byte_by_step.csv")).unwrap();
    assert_eq!(
        csv,
        "panel,line,x,y,low,high\nlength 64,s4d,1.0,2.0,2.0,2.0\nlength 64,s4d,2.0,1.0,1.0,1.0\n"
    );
}
