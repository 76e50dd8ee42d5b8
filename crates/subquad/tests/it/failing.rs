//! Runs that fail.

use subquad_record::{Manifest, Outcome, read_study};

use crate::lab::{Answer, Lab, files, name};

/// A learning rate that sends the weights beyond f32 in the second step.
const ABSURD: &str = "1e30";

/// Two runs for each learning rate, with these flags.
fn run(lab: &Lab, rates: &str, flags: &str) -> Answer {
    let study = "tiny --set optim.clip=0 --set optim.warmup=0 --set sweep.mixer=[\"attention\"]";
    lab.subquad(&format!("run {study} --set sweep.optim.lr=[{rates}] {flags}"))
}

fn run_both(lab: &Lab) -> Answer {
    run(lab, &format!("0.001,{ABSURD}"), "").expect(1)
}

fn outcomes(lab: &Lab) -> Vec<(String, Outcome)> {
    let outcome = |run: &std::path::PathBuf| {
        let manifest = fs_err::read(run.join("manifest.json")).unwrap();
        (name(run), serde_json::from_slice::<Manifest>(&manifest).unwrap().outcome)
    };
    lab.runs("results").iter().map(outcome).collect()
}

#[test]
fn a_loss_that_is_not_finite_fails_its_run_and_no_other() {
    let lab = Lab::new();
    let answer = run_both(&lab);
    let (done, failed): (Vec<_>, Vec<_>) =
        outcomes(&lab).into_iter().partition(|(_, outcome)| *outcome == Outcome::Done);
    assert_eq!((done.len(), failed.len()), (2, 2), "{}", answer.err);
    for (run, outcome) in failed {
        assert!(
            matches!(&outcome, Outcome::Failed(why) if why.contains("the loss became NaN at step")),
            "{outcome}"
        );
        assert!(answer.err.contains(&format!("error: {run}: the loss became NaN at step")), "{}", answer.err);
    }
}

#[test]
fn the_comparison_holds_the_runs_that_did_not_fail() {
    let lab = Lab::new();
    let answer = run_both(&lab);
    assert!(answer.out.contains("attention lr=0.001"), "{}", answer.out);
    assert!(!answer.out.contains("e30"), "{}", answer.out);
    assert_eq!(
        answer.out.matches("Not shown, because they failed: attention-L64").count(),
        2,
        "{}",
        answer.out
    );
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    let (done, failed): (Vec<_>, Vec<_>) = csv.lines().skip(1).partition(|line| line.contains(",done,"));
    assert_eq!((done.len(), failed.len()), (2, 2), "{csv}");
    for line in failed {
        let (start, end) = (line.starts_with("attention,64,"), ",failed: the loss became NaN at step ");
        assert!(start && line.contains(",,,,722,,,,1024,tiny.toml,") && line.contains(end), "{csv}");
    }
    assert!(lab.path("results/tiny/figures/loss_by_step.png").exists());
}

#[test]
fn a_failed_run_is_tried_again() {
    let lab = Lab::new();
    run_both(&lab);
    let again = run_both(&lab);
    assert!(again.err.starts_with("tiny: 4 runs, 2 of them already done\n"), "{}", again.err);
}

/// The lines of `summary.csv` below its header.
fn summary_lines(lab: &Lab) -> Vec<String> {
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    csv.lines().skip(1).map(Into::into).collect()
}

#[track_caller]
fn assert_all_failed(lab: &Lab, answer: &Answer) {
    let lines = summary_lines(lab);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let reason = ",failed: the loss became NaN at step ";
    assert!(lines.iter().all(|line| line.starts_with("attention,64,") && line.contains(reason)), "{lines:?}");
    let study = read_study(&lab.path("results/tiny")).unwrap();
    assert_eq!((study.runs.len(), study.facts["failed"].as_array().unwrap().len()), (0, 2));
    assert_eq!(
        answer.out.matches("Not shown, because they failed: attention-L64-s").count(),
        2,
        "{}",
        answer.out
    );
    assert!(answer.out.ends_with("\nSummary: results/tiny\n"), "{}", answer.out);
    assert_eq!(answer.err.matches("\nerror: attention-L64-s").count(), 2, "{}", answer.err);
}

#[test]
fn a_study_of_failures_has_a_summary_in_a_fresh_folder() {
    for jobs in ["", "--jobs 2"] {
        let lab = Lab::new();
        assert_all_failed(&lab, &run(&lab, ABSURD, jobs).expect(1));
    }
}

#[test]
fn a_study_of_failures_replaces_the_summary_and_figures_of_a_good_one() {
    for flags in ["", "--jobs 2", "--force"] {
        let lab = Lab::new();
        lab.subquad("run tiny").expect(0);
        assert_all_failed(&lab, &run(&lab, ABSURD, flags).expect(1));
        assert_eq!(files(&lab.path("results/tiny/figures")).len(), 0, "{flags}");
    }
}
