//! The program as a process that a test can stop, kill or starve.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use subquad_record::{Manifest, RunSummary, read_rows};

use crate::lab::{Answer, Lab, PROGRAM, name, wait_for};

/// Starts the program and leaves it running.
pub(crate) fn start(lab: &Lab, arguments: &str) -> Child {
    let mut command = Command::new(PROGRAM);
    command.current_dir(lab.path("")).args(arguments.split_whitespace());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

pub(crate) fn end(mut child: Child) -> ExitStatus {
    wait_for("the end", || child.try_wait().unwrap())
}

/// Kills a program and waits for its end. Returns whether it was still running.
#[cfg(unix)]
pub(crate) fn kill(mut child: Child) -> bool {
    const SIGKILL: i32 = 9;
    child.kill().unwrap();
    std::os::unix::process::ExitStatusExt::signal(&end(child)) == Some(SIGKILL)
}

/// As on a disk that holds no file larger than `blocks` times 512 bytes: a write beyond that fails half-way.
pub(crate) fn with_small_files(lab: &Lab, blocks: usize, arguments: &str) -> Answer {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.current_dir(lab.path("")).args(["-c", &script, PROGRAM]).args(arguments.split_whitespace());
    let output = command.output().unwrap();
    Answer {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn manifest(run: &Path) -> Manifest {
    serde_json::from_slice(&fs_err::read(run.join("manifest.json")).unwrap()).unwrap()
}

/// Whether every run of study `tiny` in `results` ended as in `expected`: weights and summary, each row once and
/// unchanged, and no temporary files.
#[track_caller]
pub(crate) fn assert_same_end(lab: &Lab, results: &str, expected: &str) {
    let (got, expected) = (lab.runs(results), lab.runs(expected));
    assert_eq!(names(&got), names(&expected));
    for (got, expected) in got.iter().zip(&expected) {
        let weights = [got, expected].map(|run| fs_err::read(run.join("model.safetensors")).unwrap());
        assert!(weights[0] == weights[1], "{}: other weights", name(got));
        let rows = [got, expected].map(|run| read_rows(&run.join("metrics.jsonl")).unwrap());
        assert_eq!(rows[0].len(), rows[1].len(), "{}", name(got));
        assert!(rows[0].iter().zip(&rows[1]).all(|(a, b)| a.same_numbers(b)), "{}: {rows:#?}", name(got));
        assert_eq!(summary(got).evaluations, summary(expected).evaluations, "{}", name(got));
        assert_eq!(names(&crate::lab::files(got)), names(&crate::lab::files(expected)));
    }
}

fn summary(run: &Path) -> RunSummary {
    serde_json::from_slice(&fs_err::read(run.join("summary.json")).unwrap()).unwrap()
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| name(path)).collect()
}
