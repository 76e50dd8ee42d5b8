//! Several runs at once, each in a process of its own.
#![cfg(unix)]

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use subquad_record::{Held, Holder, Manifest, Outcome};

use crate::interrupt::send;
use crate::lab::{Lab, TINY_RUNS, files, name, wait_for};

/// Two runs at once that nobody waits for: minutes each.
const ENDLESS: &str = "run tiny --jobs 2 --set train.steps=100000 --set train.log_every=1 \
                       --set train.checkpoint_every=0 --set sweep.mixer=[\"s4d\"]";

fn manifest(run: &Path) -> Manifest {
    serde_json::from_slice(&fs_err::read(run.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn jobs_change_no_bit() {
    let lab = Lab::new();
    lab.subquad("run tiny --results a").expect(0);
    lab.subquad("run tiny --results b --jobs 3").expect(0);
    assert_eq!(lab.runs("b").len(), TINY_RUNS);
    for (a, b) in lab.runs("a").iter().zip(lab.runs("b")) {
        assert_eq!(name(a), name(&b));
        let weights = [a, &b].map(|run| fs_err::read(run.join("model.safetensors")).unwrap());
        assert!(weights[0] == weights[1], "{}: other weights", name(a));
        let (a, b) = (manifest(a), manifest(&b));
        assert_eq!((a.jobs, b.jobs, a.threads), (1, 3, b.threads));
        assert_eq!(b.command[1..], ["run", "tiny", "--results", "b", "--jobs", "3"]);
    }
}

#[test]
fn a_line_for_every_run_and_no_timings() {
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --jobs 4").expect(0);
    let lines: Vec<_> = answer.err.lines().collect();
    assert_eq!(lines.len(), 2 + TINY_RUNS, "{}", answer.err);
    assert!(lines[1].starts_with("tiny: up to 4 runs at once, each with "), "{}", answer.err);
    for (index, line) in lines[2..].iter().enumerate() {
        let line = line.strip_prefix(&format!("[{}/{TINY_RUNS}] ", index + 1)).unwrap();
        assert!(
            line.contains("-L64-s") && line.contains(": test: accuracy 0.") && !line.contains("ms"),
            "{line}"
        );
    }
    assert!(answer.out.contains("\nTimings leave out all runs, because"), "{}", answer.out);
    let figures = files(&lab.path("results/tiny/figures"));
    assert_eq!(figures.len(), 4 * 3, "{figures:?}");
    // The record stays as it is, whichever command shows it.
    assert_eq!(lab.subquad("run tiny").expect(0).out, answer.out);
}

#[test]
fn a_run_alone_is_timed_whatever_the_jobs_and_timed_runs_get_their_figure_back() {
    let lab = Lab::new();
    lab.subquad("run tiny --jobs 2").expect(0);
    fs_err::remove_dir_all(lab.run_folder("m2-L64-s1")).unwrap();
    let answer = lab.subquad("run tiny --jobs 2").expect(0);
    assert!(answer.err.contains(" ms a step"), "{}", answer.err);
    assert!(answer.out.contains("\nTimings leave out 5 of 6 runs, because"), "{}", answer.out);
    assert!(lab.path("results/tiny/figures/time_per_token.png").exists());
    lab.subquad("run tiny --jobs 2 --force --quiet").expect(0);
    assert!(!lab.path("results/tiny/figures/time_per_token.png").exists(), "a figure of other runs");
}

#[test]
fn failures_of_children_are_listed_and_the_others_compared() {
    let lab = Lab::new();
    let rates = "--set optim.clip=0 --set optim.warmup=0 --set sweep.optim.lr=[0.001,1e30]";
    let answer = lab.subquad(&format!("run tiny --jobs 3 --set sweep.mixer=[\"s4d\"] {rates}")).expect(1);
    assert_eq!(answer.err.matches("\nerror: s4d-L64-s").count(), 2, "{}", answer.err);
    assert_eq!(answer.err.matches(": the loss became NaN at step ").count(), 4, "{}", answer.err);
    assert_eq!(answer.out.matches("Not shown, because they failed: s4d-L64-s").count(), 2, "{}", answer.out);
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert_eq!(csv.matches(",failed: the loss became NaN").count(), 2, "{csv}");
}

fn start(lab: &Lab) -> Child {
    lab.command(ENDLESS).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The locks of both runs, once both have rows.
fn locks(lab: &Lab) -> Option<Vec<PathBuf>> {
    let runs = fs_err::read_dir(lab.path("results/tiny/runs")).ok()?;
    let runs: Vec<_> = runs.map(|run| run.unwrap().path()).collect();
    let has_rows =
        |run: &PathBuf| fs_err::metadata(run.join("metrics.jsonl")).is_ok_and(|file| file.len() > 0);
    (runs.len() == 2 && runs.iter().all(has_rows)).then(|| runs.iter().map(|run| run.join("lock")).collect())
}

fn holder(lock: &Path) -> Option<Holder> {
    Held::at(lock).unwrap()?.by
}

#[test]
fn children_end_when_their_parent_is_killed() {
    let lab = Lab::new();
    let mut parent = start(&lab);
    let locks = wait_for("both runs", || locks(&lab));
    let holders: Vec<_> = locks.iter().map(|lock| holder(lock).unwrap().pid).collect();
    assert!(holders[0] != holders[1] && !holders.contains(&parent.id()), "{holders:?}");
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The operating system releases a lock when its holder has ended.
    wait_for("the end of the children", || {
        locks.iter().all(|lock| Held::at(lock).unwrap().is_none()).then_some(())
    });
    for run in lab.runs("results") {
        assert_eq!(manifest(&run).outcome, Outcome::Running, "it ended as by a kill");
    }
}

#[test]
fn a_signal_that_only_the_parent_gets_stops_the_children_too() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let lab = Lab::new();
        let mut parent = start(&lab);
        wait_for("both runs", || locks(&lab));
        send(signal, &parent.id().to_string());
        let status = wait_for("the end", || parent.try_wait().unwrap());
        assert_eq!(status.code(), Some(code));
        assert_all_can_go_on(&lab);
    }
}

#[test]
fn a_signal_to_the_whole_process_group_stops_parent_and_children() {
    let lab = Lab::new();
    let mut command = lab.command(ENDLESS);
    let mut parent = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("both runs", || locks(&lab));
    send("TERM", &format!("-{}", parent.id()));
    let status = wait_for("the end", || parent.try_wait().unwrap());
    assert_eq!(status.code(), Some(143));
    assert_all_can_go_on(&lab);
}

#[test]
fn a_signal_to_one_child_stops_its_run_and_no_other() {
    let lab = Lab::new();
    let log = fs_err::File::create(lab.path("log")).unwrap();
    let mut parent = lab.command(ENDLESS).stdout(Stdio::null()).stderr(log.into_file()).spawn().unwrap();
    let locks = wait_for("both runs", || locks(&lab));
    send("TERM", &holder(&locks[0]).unwrap().pid.to_string());
    let said = || fs_err::read_to_string(lab.path("log")).unwrap();
    let stopped = ": stopped by SIGTERM; give the same command again to continue from here";
    wait_for("the word of its end", || said().contains(stopped).then_some(()));
    assert!(Held::at(&locks[0]).unwrap().is_none());
    assert!(Held::at(&locks[1]).unwrap().is_some() && parent.try_wait().unwrap().is_none());
    send("TERM", &parent.id().to_string());
    assert_eq!(wait_for("the end", || parent.try_wait().unwrap()).code(), Some(143));
    assert_all_can_go_on(&lab);
}

/// Checkpoints that were not asked for.
fn assert_all_can_go_on(lab: &Lab) {
    for run in lab.runs("results") {
        assert_eq!(manifest(&run).outcome, Outcome::Interrupted);
        assert_eq!(files(&run.join("checkpoint")).len(), 1, "{}", name(&run));
    }
    // The run of a child that was stopped on its own has failed.
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert_eq!(
        csv.matches(",interrupted,").count() + csv.matches(",failed: stopped by SIG").count(),
        2,
        "{csv}"
    );
}
