//! Ctrl-C, and the signals of terminals and batch systems.
#![cfg(unix)]

use std::process::{Child, Command, Stdio};

use subquad_record::{Manifest, Outcome};

use crate::lab::{Lab, PROGRAM, wait_for};
use crate::process::{assert_same_end, end, manifest, start};

/// Long enough to be interrupted, short enough to be done when it is run again: a second or two.
const LONG: &str = "run tiny --set train.steps=3000 --set train.log_every=1 --set train.checkpoint_every=0 \
                    --set sweep.mixer=[\"attention\"] --set sweep.seed=[0]";

/// The run's rows as bytes, once there are some.
fn rows(lab: &Lab) -> Option<Vec<u8>> {
    let runs = fs_err::read_dir(lab.path("results/tiny/runs")).ok()?;
    let rows = fs_err::read(runs.last()?.ok()?.path().join("metrics.jsonl")).ok()?;
    (!rows.is_empty()).then_some(rows)
}

pub(crate) fn press_ctrl_c(child: &Child) {
    send("INT", &child.id().to_string());
}

/// Sends a signal to a process or, with `-` before its number, to its group.
pub(crate) fn send(signal: &str, process: &str) {
    let kill = Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]).status().unwrap();
    assert!(kill.success());
}

fn the_manifest(lab: &Lab) -> Manifest {
    manifest(&lab.run_folder("attention"))
}

#[test]
fn an_interrupted_run_goes_on_from_the_very_step() {
    interrupt_and_go_on(&[]);
}

#[test]
fn sigterm_leaves_a_checkpoint_that_the_run_goes_on_from() {
    stop_and_go_on("TERM", 143, &[]);
}

#[test]
fn sighup_leaves_a_checkpoint_that_the_run_goes_on_from() {
    stop_and_go_on("HUP", 129, &[]);
}

#[test]
fn sigusr1_leaves_a_checkpoint_that_the_run_goes_on_from() {
    let number = if cfg!(any(target_os = "linux", target_os = "android")) { 10 } else { 30 };
    stop_and_go_on("USR1", 128 + number, &[]);
}

#[test]
fn the_signal_is_named() {
    let lab = Lab::new();
    let log = fs_err::File::create(lab.path("log")).unwrap();
    let child = lab.command(LONG).stdout(Stdio::null()).stderr(log.into_file()).spawn().unwrap();
    wait_for("the first row", || rows(&lab));
    send("TERM", &child.id().to_string());
    assert_eq!(end(child).code(), Some(143));
    let err = fs_err::read_to_string(lab.path("log")).unwrap();
    assert!(err.contains("\nSIGTERM: stopping after this step\n"), "{err}");
    assert!(
        err.ends_with(
            "\nstopped by SIGTERM; give the same command again to continue from here (without --force)\n"
        ),
        "{err}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_hang_up_that_nohup_ignores_stays_ignored() {
    let lab = Lab::new();
    let mut command = Command::new("sh");
    command.current_dir(lab.path("")).args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", PROGRAM]);
    let command = command.args(LONG.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    wait_for("the first row", || rows(&lab));
    send("HUP", &child.id().to_string());
    assert_eq!(end(child).code(), Some(0));
    assert_eq!(the_manifest(&lab).outcome, Outcome::Done);
}

/// The same, with these environment variables in the second process.
pub(crate) fn interrupt_and_go_on(variables: &[(&str, &str)]) {
    stop_and_go_on("INT", 130, variables);
}

fn stop_and_go_on(signal: &str, code: i32, variables: &[(&str, &str)]) {
    let lab = Lab::new();
    let child = start(&lab, LONG);
    wait_for("the first row", || rows(&lab));
    send(signal, &child.id().to_string());
    assert_eq!(end(child).code(), Some(code));
    assert_eq!(the_manifest(&lab).outcome, Outcome::Interrupted);
    let summary = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert_eq!(summary.matches(",interrupted,").count(), 1, "{summary}");
    let rows = subquad_record::read_rows(&lab.run_folder("attention").join("metrics.jsonl")).unwrap();
    let last = rows.last().unwrap().step;
    let again = lab.subquad_with(LONG, variables).expect(0);
    assert!(again.err.contains(&format!(": continues from step {last} of 3000, ")), "{}", again.err);
    let manifest = the_manifest(&lab);
    assert_eq!((manifest.outcome, manifest.resumed[0].step), (Outcome::Done, last));
    lab.subquad(&format!("{LONG} --results whole")).expect(0);
    assert_same_end(&lab, "results", "whole");
}
