//! Ctrl-C.
#![cfg(unix)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use subquad_record::{Manifest, Outcome};

use crate::lab::{Lab, PROGRAM};

/// Long enough to be interrupted, short enough to be done when it is run again: a second or two.
const LONG: &str = "run tiny --set train.steps=3000 --set train.log_every=1 --set sweep.mixer=[\"attention\"] \
                    --set sweep.seed=[0]";
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn start(lab: &Lab) -> Child {
    let mut command = Command::new(PROGRAM);
    command.current_dir(lab.path("")).args(LONG.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

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

fn outcome(lab: &Lab) -> Outcome {
    let manifest = fs_err::read(lab.run_folder("attention").join("manifest.json")).unwrap();
    serde_json::from_slice::<Manifest>(&manifest).unwrap().outcome
}

#[test]
fn an_interrupted_run_says_so_and_runs_again() {
    let lab = Lab::new();
    let mut child = start(&lab);
    wait_for("the first row", || rows(&lab));
    press_ctrl_c(&child);
    let status = wait_for("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
    assert_eq!(outcome(&lab), Outcome::Interrupted);
    assert!(!lab.path("results/tiny/summary.csv").exists());
    lab.subquad(LONG).expect(0);
    assert_eq!(outcome(&lab), Outcome::Done);
}
