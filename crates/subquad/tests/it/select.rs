//! Tuned axes: which values are compared, and what is said and recorded of the others.

use std::collections::BTreeMap;

use subquad::report::{Failed, Finished, StudyResults, comparison, report, write_study_files};
use subquad_data::{Metric, Score};
use subquad_record::{Evaluation, read_study};

use crate::lab::{Lab, TINY};
use crate::staleness::replace;
use crate::table::finished;

/// A run of a mixer that tried this rate, with its score on test and on validation examples.
fn tried(mixer: &str, rate: f64, seed: u64, [test, validation]: [f64; 2]) -> Finished {
    let mut run = finished(mixer, 64, seed, Some(test));
    let score = Some(Score { metric: Metric::Accuracy, value: validation });
    let evaluation = run.summary.evaluations[0].clone();
    run.summary.validation = Some(Evaluation { split: "validation".into(), score, ..evaluation });
    run.summary.settings = BTreeMap::from([("optim.lr".into(), rate.into())]);
    run.summary.run = format!("{mixer}-{rate}-{seed}");
    Finished { over: vec!["optim.lr".into()], ..run }
}

/// Three rates, of which the last has the best test scores, the first the best single validation score, and the middle one the best mean.
fn three_rates() -> Vec<Finished> {
    let scores = [
        (0.001, [[0.1, 0.9], [0.2, 0.1]]),
        (0.01, [[0.3, 0.6], [0.4, 0.7]]),
        (0.1, [[0.9, 0.55], [0.8, 0.55]]),
    ];
    let runs = scores
        .iter()
        .flat_map(|(rate, seeds)| (0..).zip(seeds).map(|(seed, scores)| tried("s4d", *rate, seed, *scores)));
    runs.collect()
}

fn written(runs: Vec<Finished>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = |run| {
        let rows = folder.path().join("metrics.jsonl");
        fs_err::write(rows, "{\"step\":1,\"split\":\"train\",\"loss\":1.0,\"elapsed_seconds\":1.0}\n")
            .unwrap();
        Finished { dir: folder.path().into(), ..run }
    };
    let finished = runs.into_iter().map(run).collect();
    write_study_files(folder.path(), &StudyResults { finished, ..StudyResults::default() }).unwrap();
    folder
}

#[test]
fn the_best_mean_on_validation_examples_is_compared_on_test_examples() {
    let table = comparison(&three_rates());
    let line = table.lines().nth(2).unwrap();
    assert!(line.starts_with("     64  s4d    0.01     0.350  0.300..0.400"), "{table}");
    assert!(
        table.contains("\nlr: the value with the best mean score on validation examples over seeds;"),
        "{table}"
    );
    assert!(!table.contains("(edge)"), "{table}");
}

#[test]
fn the_smallest_and_the_largest_value_are_called_edges() {
    let mut runs = three_rates();
    runs.retain(|run| run.summary.settings["optim.lr"] != 0.1);
    let table = comparison(&runs);
    assert!(table.lines().nth(2).unwrap().starts_with("     64  s4d    0.01 (edge) "), "{table}");
    runs.retain(|run| run.summary.settings["optim.lr"] == 0.01);
    assert!(!comparison(&runs).contains("(edge)"), "one value has no other side");
}

#[test]
fn every_mixer_has_a_choice_of_its_own() {
    let others = [(0.001, [0.6, 0.6]), (0.01, [0.7, 0.5])];
    let others = others.map(|(rate, scores)| tried("m2", rate, 0, scores));
    let table = comparison(&[three_rates(), others.into()].concat());
    assert!(table.contains("\n     64  m2     0.001 (edge)     0.600 "), "{table}");
    assert!(table.contains("\n     64  s4d            0.01     0.350 "), "{table}");
}

#[test]
fn a_value_at_which_a_run_failed_is_no_choice() {
    let mut runs = three_rates();
    runs.retain(|run| run.summary.run != "s4d-0.01-1");
    let line = comparison(&runs).lines().nth(2).unwrap().to_owned();
    assert!(line.contains("s4d    0.1 (edge)     0.850"), "one of its seeds is missing at 0.01: {line}");
}

#[test]
fn runs_that_failed_are_counted_beside_those_that_are_compared() {
    let failed = |rate: f64, seed: u64| {
        let Finished { label, over, summary, .. } = tried("s4d", rate, seed, [0.0, 0.0]);
        Failed { label, over, why: "the loss became NaN".into(), summary }
    };
    let failed = vec![failed(0.001, 2), failed(0.01, 2), failed(0.01, 3), failed(0.1, 2)];
    let text = report(&StudyResults { finished: three_rates(), failed, ..StudyResults::default() });
    assert!(text.lines().nth(2).unwrap().ends_with("  2 of 4"), "{text}");
    assert_eq!(text.matches("Not shown, because they failed: ").count(), 4, "{text}");
}

#[test]
fn nothing_lies_below_zero() {
    let mut runs = three_rates();
    for run in runs.iter_mut().filter(|run| run.summary.settings["optim.lr"] == 0.01) {
        run.summary.settings.insert("optim.lr".into(), 0.0.into());
    }
    let table = comparison(&runs);
    assert!(table.lines().nth(2).unwrap().starts_with("     64  s4d    0.0     0.350"), "{table}");
}

#[test]
fn a_diverged_validation_score_is_the_worst() {
    let mut runs = three_rates();
    for run in runs.iter_mut().filter(|run| run.summary.settings["optim.lr"] == 0.01) {
        run.summary.validation.as_mut().unwrap().score = None;
    }
    assert!(comparison(&runs).lines().nth(2).unwrap().contains(" 0.850 "));
}

#[test]
fn a_run_that_an_older_program_did_cannot_be_chosen_over_one_that_was_judged() {
    let mut runs = three_rates();
    for run in runs.iter_mut().filter(|run| run.summary.settings["optim.lr"] == 0.01) {
        run.summary.validation = None;
    }
    assert!(comparison(&runs).lines().nth(2).unwrap().contains(" 0.850 "), "{}", comparison(&runs));
}

#[test]
fn lower_is_better_where_it_is() {
    let mut runs = three_rates();
    for run in &mut runs {
        let score = |score: Option<Score>| score.map(|score| Score { metric: Metric::BitsPerByte, ..score });
        run.summary.evaluations[0].score = score(run.summary.evaluations[0].score);
        let validation = run.summary.validation.as_mut().unwrap();
        validation.score = score(validation.score);
    }
    let table = comparison(&runs);
    assert!(table.lines().nth(2).unwrap().starts_with("     64  s4d    0.001 (edge) "), "{table}");
}

#[test]
fn the_record_holds_every_run_and_says_which_are_compared() {
    let folder = written(three_rates());
    let runs = read_study(folder.path()).unwrap().runs;
    let chosen: Vec<_> =
        runs.iter().filter(|run| run.chosen == Some(true)).map(|run| run.run.as_str()).collect();
    assert_eq!((runs.len(), chosen), (6, vec!["s4d-0.01-0", "s4d-0.01-1"]));
    let csv = fs_err::read_to_string(folder.path().join("summary.csv")).unwrap();
    assert!(
        csv.lines().next().unwrap().contains(",optim.lr,validation_loss,validation_score,chosen,"),
        "{csv}"
    );
    let of = |word: &str| csv.lines().filter(|line| line.contains(&format!(",{word},"))).count();
    assert_eq!((of("yes"), of("no")), (2, 4), "{csv}");
}

#[test]
fn a_figure_shows_the_window_with_a_ring_around_the_choice() {
    let folder = written(three_rates());
    let figures = folder.path().join("figures");
    let window = fs_err::read_to_string(figures.join("accuracy_by_lr.csv")).unwrap();
    insta::assert_snapshot!(window, @"
    panel,line,x,y,low,high,ringed
    length 64,s4d,0.001,0.5,0.1,0.9,
    length 64,s4d,0.01,0.6499999999999999,0.6,0.7,ringed
    length 64,s4d,0.1,0.55,0.55,0.55,
    ");
    let scores = fs_err::read_to_string(figures.join("accuracy_by_length.csv")).unwrap();
    assert_eq!(scores, "panel,line,x,y,low,high\n,s4d,64.0,0.35,0.3,0.4\n");
}

const GRID: &str = "--set sweep.seed=[0] --set sweep.mixer=[\"s4d\"] --set select.over=[\"optim.lr\"] --set sweep.optim.lr=[0.001,0.01]";

#[test]
fn a_run_of_a_grid_is_told_where_its_edges_are_and_its_config_asks_for_just_itself() {
    let lab = Lab::new();
    let answer = lab.subquad(&format!("run tiny {GRID}")).expect(0);
    assert!(answer.err.contains("warning: tiny: chosen at an edge of what was tried"), "{}", answer.err);
    let text = fs_err::read_to_string(lab.path("results/tiny/summary.txt")).unwrap();
    assert!(text.starts_with("tiny: 2 runs, 2 of them with numbers.\ntask: digits\n"), "{text}");
    assert!(text.contains("lr was chosen by the mean validation accuracy over seeds"), "{text}");
    let [first, ..] = &lab.runs("results")[..] else { panic!("no run") };
    let config = first.join("config.toml");
    let again = lab.subquad(&format!("run {} --dry-run --results results", config.display())).expect(0);
    assert_eq!(again.out.lines().count(), 1, "{}", again.out);
}

#[test]
fn runs_without_a_validation_score_are_warned_of() {
    let lab = Lab::new();
    lab.subquad(&format!("run tiny {GRID}")).expect(0);
    let [first, ..] = &lab.runs("results")[..] else { panic!("no run") };
    let text = fs_err::read_to_string(first.join("summary.json")).unwrap();
    let mut summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    summary.as_object_mut().unwrap().remove("validation").unwrap();
    replace(first, "summary.json", &summary.to_string());
    let answer = lab.subquad(&format!("run tiny {GRID}")).expect(0);
    assert!(answer.err.contains("warning: tiny: 1 of 2 runs have no validation score"), "{}", answer.err);
}

#[test]
fn a_long_comparison_is_cut_short_on_the_terminal_and_whole_in_its_file() {
    let lab = Lab::new();
    let rates: Vec<String> = (1..60).map(|rate| format!("{rate}e-4")).collect();
    let sweep = format!(
        "--set sweep.seed=[0] --set sweep.mixer=[\"s4d\"] --set sweep.optim.lr=[{}]",
        rates.join(",")
    );
    lab.write("tiny/tiny.toml", TINY.replace("steps = 4", "steps = 1"));
    let answer = lab.subquad(&format!("run tiny {sweep} --jobs 2")).expect(0);
    assert!(
        answer.out.lines().count() <= 60 && answer.out.contains(" more lines: results/tiny/summary.txt\n"),
        "{}",
        answer.out
    );
    assert!(answer.err.lines().count() <= 45, "not a line for each run: {}", answer.err);
    assert!(answer.err.contains("[59/59] "), "{}", answer.err);
    let text = fs_err::read_to_string(lab.path("results/tiny/summary.txt")).unwrap();
    assert!((1..60).all(|rate| text.contains(&format!(" lr={}", f64::from(rate) / 1e4))), "{text}");
}
