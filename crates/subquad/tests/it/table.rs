//! The comparison as it is printed, and drawn.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use subquad::report::{Finished, StudyResults, comparison, write_study_files};
use subquad_data::{Metric, Score};
use subquad_record::{Evaluation, Outcome, RunSummary, Utilisation};

pub(crate) fn finished(mixer: &str, seq_len: usize, seed: u64, accuracy: Option<f64>) -> Finished {
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
        validation: None,
        evaluations: vec![evaluation],
        started: String::new(),
        ended: String::new(),
        outcome: Outcome::Done,
        settings: BTreeMap::new(),
        chosen: None,
        // 140.6 GFLOP/s, 60 % of the peak.
        utilisation: Utilisation::new(Some(4.45e9), 0.03164, Some(234.4)),
    };
    Finished { label: mixer.into(), over: vec![], summary, dir: "runs".into() }
}

/// Three seeds of a mixer at 64 tokens.
fn seeds(mixer: &str, accuracies: [f64; 3]) -> Vec<Finished> {
    let run = |(seed, accuracy)| finished(mixer, 64, seed, Some(accuracy));
    (0..).zip(accuracies).map(run).collect()
}

#[test]
fn from_three_seeds_on_there_are_intervals_and_differences_by_seed() {
    let mut runs = [
        seeds("s4d", [0.95, 0.97, 0.96]),
        seeds("attention", [0.85, 0.88, 0.87]),
        seeds("m2", [0.99, 0.90, 0.95]),
    ]
    .concat();
    runs.extend([finished("s4d", 144, 0, Some(0.9)), finished("m2", 144, 0, Some(0.8))]);
    // Differences 0.10, 0.09, 0.09: mean 0.0933, standard error 0.0033, times 4.303. And -0.04, 0.07, 0.01.
    insta::assert_snapshot!(comparison(&runs), @r#"
    seq_len  mixer      accuracy          95 %      min..max  params  step ms  GFLOP/s (MFU)   MiB   state  n
    ----------------------------------------------------------------------------------------------------------
         64  s4d           0.960  0.935..0.985  0.950..0.970  67,850     31.6     141 (60 %)  50.0  16,384  3
         64  attention     0.867  0.829..0.905  0.850..0.880  67,850     31.6     141 (60 %)  50.0  16,384  3
         64  m2            0.947  0.835..1.059  0.900..0.990  67,850     31.6     141 (60 %)  50.0    none  3
        144  s4d           0.900             -  0.900..0.900  67,850     31.6     141 (60 %)  50.0  16,384  1
        144  m2            0.800             -  0.800..0.800  67,850     31.6     141 (60 %)  50.0    none  1

    accuracy: on test data, mean, 95 % interval of the mean (Student's t, from 3 seeds on)
    and range over n seeds.
    step ms: median. GFLOP/s: of that step; MFU: their share of the machine's FMA peak. MiB: the most
    memory in use, without the data. state: floats that decoding keeps of one sequence of this length.

    accuracy between runs of the same seed: mean difference and its 95 % interval (Student's t, not
    corrected for several comparisons); "ahead" only where that excludes 0.
      64 tokens: s4d is ahead of attention by 0.093 (0.079 to 0.108); not clearly ahead of m2 (0.013; -0.123 to 0.150).

    Held equal: 600 optimiser steps, batch 32, width 64, depth 2.
    "#);
}

/// The lines about pairs.
fn of_pairs(runs: &[Finished]) -> Vec<String> {
    comparison(runs).lines().filter(|line| line.starts_with("  64 tokens: ")).map(str::to_owned).collect()
}

#[test]
fn two_seeds_and_seeds_that_are_not_shared_say_nothing_about_the_order() {
    let two = [&seeds("s4d", [0.9; 3])[..2], &seeds("m2", [0.1; 3])[..2]].concat();
    assert_eq!(of_pairs(&two), [""; 0]);
    let mut others = seeds("m2", [0.1; 3]);
    others.iter_mut().for_each(|run| run.summary.seed += 2);
    assert_eq!(of_pairs(&[seeds("s4d", [0.9; 3]), others].concat()), [""; 0]);
}

#[test]
fn a_mixer_with_a_run_that_diverged_is_neither_ahead_nor_behind() {
    let runs =
        [seeds("s4d", [0.9, 0.91, 0.92]), seeds("m2", [0.99, f64::NAN, 0.99]), seeds("h3", [0.8, 0.8, 0.8])]
            .concat();
    assert_eq!(of_pairs(&runs), ["  64 tokens: s4d is ahead of h3 by 0.110 (0.085 to 0.135)."]);
    let table = comparison(&runs);
    assert!(table.lines().any(|line| line.contains(" m2 ") && line.contains("NaN")), "{table}");
}

#[test]
fn lower_is_ahead_where_lower_is_better() {
    let bits = |mixer: &str, values: [f64; 3]| {
        let mut runs = seeds(mixer, values);
        for run in &mut runs {
            let score = run.summary.evaluations[0].score.as_mut().unwrap();
            score.metric = Metric::BitsPerByte;
        }
        runs
    };
    let runs = [bits("s4d", [2.5, 2.6, 2.7]), bits("m2", [2.0, 2.1, 2.2])].concat();
    assert_eq!(of_pairs(&runs), ["  64 tokens: m2 is ahead of s4d by 0.500 (0.500 to 0.500)."]);
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
