//! Results that can be read and not written.
#![cfg(unix)]

use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::lab::{Answer, Lab, files};

/// Anyone but the owner of the files and root.
const NOBODY: u32 = 65_534;

/// A lab in whose `results` nothing can be written as long as this lives.
struct ReadOnly<'a>(&'a Lab);

impl<'a> ReadOnly<'a> {
    /// `None`, with a message, if every user here may write everywhere.
    fn new(lab: &'a Lab) -> Option<Self> {
        let folder = lab.path("");
        // The program may run as somebody who does not own the folder.
        fs_err::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
        set_writable(&lab.path("results"), false);
        let locked = Self(lab);
        let mut probe = Command::new("sh");
        probe.current_dir(lab.path("")).args(["-c", "! touch results/probe 2>/dev/null"]);
        match locked.as_reader(probe).status() {
            Ok(status) if status.success() => Some(locked),
            probed => {
                // Bypasses the test harness, which would hide it.
                let _ = writeln!(io::stderr(), "SKIPPED: nobody here is kept from writing ({probed:?})");
                None
            }
        }
    }

    /// Root may write anywhere, so the command runs as another user.
    fn as_reader(&self, mut command: Command) -> Command {
        if fs_err::metadata(self.0.path("")).unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn subquad(&self, arguments: &str) -> Answer {
        Answer::of(self.as_reader(self.0.command(arguments)).output().unwrap())
    }
}

/// Otherwise the folder could not be removed.
impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        set_writable(&self.0.path("results"), true);
    }
}

fn set_writable(path: &Path, is_writable: bool) {
    let mode = fs_err::metadata(path).unwrap().mode();
    let mode = if is_writable { mode | 0o200 } else { mode & !0o222 };
    fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    if path.is_dir() {
        files(path).iter().for_each(|inner| set_writable(inner, is_writable));
    }
}

/// The table without the line about new files, and a warning in its place.
#[track_caller]
fn shows_the_same(lab: &Lab, study: &str) {
    let arguments = format!("run {study}");
    lab.subquad(&arguments).expect(0);
    let before = lab.subquad(&arguments).expect(0);
    let Some(locked) = ReadOnly::new(lab) else { return };
    let answer = locked.subquad(&arguments).expect(0);
    let dir = format!("results/{study}");
    assert_eq!(before.out, format!("{}Summary and figures: {dir}\n", answer.out));
    let warning =
        format!("warning: the summary and figures in {dir} were not updated and may show other runs: ");
    let warnings: Vec<_> =
        answer.err.lines().filter(|line| line.starts_with("warning: the summary")).collect();
    assert_eq!(warnings.len(), 1, "{}", answer.err);
    assert!(warnings[0].starts_with(&warning) && warnings[0].contains("Permission denied"), "{}", answer.err);
}

#[test]
fn a_finished_study_is_tabled() {
    shows_the_same(&Lab::new(), "tiny");
}

#[test]
fn a_study_that_was_measured_is_tabled() {
    let lab = Lab::new();
    let sizes = "[bench]\nmixers = [\"s4d\"]\nlengths = [8, 16]\nbatch = 1\nd_model = 8\nseconds = 0.001\n";
    lab.write("sizes/layers.toml", sizes);
    shows_the_same(&lab, "sizes");
}

#[test]
fn what_is_missing_cannot_run_and_the_place_is_named() {
    let lab = Lab::new();
    lab.subquad("run tiny --set sweep.seed=[0]").expect(0);
    let Some(locked) = ReadOnly::new(&lab) else { return };
    let answer = locked.subquad("run tiny").expect(1);
    assert!(
        answer.err.contains("results/tiny/runs/") && answer.err.contains("Permission denied"),
        "{}",
        answer.err
    );
}
