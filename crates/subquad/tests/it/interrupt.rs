//! Ctrl-C.
#![cfg(unix)]

use std::process::{Child, Command};

use subquad_record::{Manifest, Outcome};

use crate::lab::{Lab, wait_for};
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
    let kill = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(kill.success());
}

fn the_manifest(lab: &Lab) -> Manifest {
    manifest(&lab.run_folder("attention"))
}

#[test]
fn an_interrupted_run_goes_on_from_the_very_step() {
    interrupt_and_go_on(&[]);
}

/// With these environment variables in the second process.
pub(crate) fn interrupt_and_go_on(variables: &[(&str, &str)]) {
    let lab = Lab::new();
    let child = start(&lab, LONG);
    wait_for("the first row", || rows(&lab));
    press_ctrl_c(&child);
    assert_eq!(end(child).code(), Some(130));
    assert_eq!(the_manifest(&lab).outcome, Outcome::Interrupted);
    let summary = fs_err::read_to_string(lab.path("results/tiny/summary.csv")).unwrap();
    assert_eq!(summary.matches(",interrupted,").count(), 1, "{summary}");
    let rows = subquad_record::read_rows(&lab.run_folder("attention").join("metrics.jsonl")).unwrap();
    let last = rows.last().unwrap().step;
    let again = lab.subquad_with(LONG, variables).expect(0);
    assert!(again.err.contains(&format!(": goes on from step {last} of 3000, ")), "{}", again.err);
    let manifest = the_manifest(&lab);
    assert_eq!((manifest.outcome, manifest.resumed[0].step), (Outcome::Done, last));
    lab.subquad(&format!("{LONG} --results whole")).expect(0);
    assert_same_end(&lab, "results", "whole");
}
