//! Several processes on one study.

use std::process::Stdio;

use subquad_record::{Attempt, Lock, read_study};

use crate::lab::{Answer, Lab, TINY_RUNS, files, name, wait_for};

fn take(lab: &Lab, run: &str) -> Lock {
    match Lock::try_take(&lab.path("results/tiny/runs").join(run).join("lock")).unwrap() {
        Attempt::Taken(lock) => lock,
        Attempt::Held(held) => panic!("{held}"),
    }
}

/// Names of the runs of `tiny`, in their order.
fn run_names(lab: &Lab) -> Vec<String> {
    let listed = lab.subquad("run tiny --dry-run").expect(0).out;
    listed.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn two_processes_train_no_run_twice_and_both_show_the_whole_study() {
    let lab = Lab::new();
    let start = || {
        let mut command = lab.command("run tiny --set train.steps=100");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()].map(|child| Answer::of(child.wait_with_output().unwrap()).expect(0));
    let trained: usize = both.iter().map(|answer| answer.err.matches(": 100 steps of ").count()).sum();
    assert_eq!(trained, TINY_RUNS, "{both:#?}");
    assert_eq!(both[0].out, both[1].out);
    assert_eq!(read_study(&lab.path("results/tiny")).unwrap().runs.len(), TINY_RUNS);
    let csv = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + TINY_RUNS, "{csv}");
    assert!(
        lab.subquad("run tiny --set train.steps=100").expect(0).err.contains("all 6 runs are already done")
    );
    assert_eq!(files(&lab.path("results/tiny/figures")).len(), 15, "and no temporary file");
}

#[test]
fn a_held_run_comes_last_and_its_holder_is_named() {
    for flags in ["", " --jobs 2"] {
        let lab = Lab::new();
        let first = run_names(&lab).remove(0);
        let lock = take(&lab, &first);
        let log = fs_err::File::create(lab.path("log")).unwrap();
        let mut command = lab.command(&format!("run tiny{flags}"));
        let mut child = command.stdout(Stdio::null()).stderr(log.into_file()).spawn().unwrap();
        let err = || fs_err::read_to_string(lab.path("log")).unwrap();
        let done = || err().matches("test: accuracy").count();
        wait_for("the other runs", || (done() == TINY_RUNS - 1).then_some(()));
        let held = format!("{first}: held by process {} on ", std::process::id());
        assert!(err().contains(&held) && err().contains("Z, waiting\n"), "{}", err());
        assert_eq!(child.try_wait().unwrap(), None, "it waits");
        drop(lock);
        assert!(child.wait().unwrap().success(), "{}", err());
        assert_eq!(done(), TINY_RUNS, "its holder had not run it: {}", err());
        assert_eq!(err().matches(&held).count(), 1, "{}", err());
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_waiting() {
    let lab = Lab::new();
    let _locks: Vec<_> = run_names(&lab).iter().map(|run| take(&lab, run)).collect();
    let log = fs_err::File::create(lab.path("log")).unwrap();
    let mut child = lab.command("run tiny").stdout(Stdio::null()).stderr(log.into_file()).spawn().unwrap();
    wait_for("the waiting", || {
        let err = fs_err::read_to_string(lab.path("log")).unwrap();
        (err.matches(", waiting\n").count() == TINY_RUNS).then_some(())
    });
    crate::interrupt::press_ctrl_c(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(lab.runs("results").iter().all(|run| files(run).len() == 1), "nothing but locks");
}

#[test]
fn a_result_that_appears_while_waiting_is_used() {
    let lab = Lab::new();
    lab.subquad("run tiny --results other").expect(0);
    let names = run_names(&lab);
    let held = &names[2];
    let lock = take(&lab, held);
    let mut command = lab.command("run tiny");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let from = lab.path("other/tiny/runs").join(held);
    let last = lab.path("results/tiny/runs").join(&names[5]).join("summary.json");
    wait_for("the other runs", || last.exists().then_some(()));
    for file in files(&from).iter().filter(|file| name(file) != "lock") {
        fs_err::copy(file, lab.path("results/tiny/runs").join(held).join(name(file))).unwrap();
    }
    drop(lock);
    let answer = Answer::of(child.wait_with_output().unwrap()).expect(0);
    assert!(answer.err.ends_with(&format!("{held}: done by another process\n")), "{}", answer.err);
}
