//! Results of other builds, and repeating what is done.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::lab::{Lab, TINY_RUNS, wait_for};
#[cfg(unix)]
use crate::process::{kill, start};

/// Changes the manifest, and the run's proof with it, as if the run had been made that way.
fn edit(run: &Path, from: &str, to: &str) {
    let path = run.join("manifest.json");
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    replace(run, "manifest.json", &text.replace(from, to));
}

/// Replaces a file of a run, and what the run's proof says of it.
pub(crate) fn replace(run: &Path, file: &str, text: &str) {
    fs_err::write(run.join(file), text).unwrap();
    let proof = fs_err::read_to_string(run.join("proof.json")).unwrap();
    let mut proof: Value = serde_json::from_str(&proof).unwrap();
    let sha256: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    proof["files"][file] = json!({ "bytes": text.len(), "sha256": sha256 });
    fs_err::write(run.join("proof.json"), proof.to_string()).unwrap();
}

/// Makes the run look like one of an older build.
fn age(run: &Path) {
    let text = fs_err::read_to_string(run.join("manifest.json")).unwrap();
    let line = text.lines().find(|line| line.contains("\"build_commit\"")).unwrap();
    edit(run, line, "  \"build_commit\": \"c3d9d06ff3f3\",");
}

fn written(lab: &Lab) -> Vec<SystemTime> {
    let time = |run: &PathBuf| fs_err::metadata(run.join("model.safetensors")).unwrap().modified().unwrap();
    lab.runs("results").iter().map(time).collect()
}

#[test]
fn runs_of_another_build_or_version_are_told() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    ["s4d-L64-s0", "s4d-L64-s1"].iter().for_each(|run| age(&lab.run_folder(run)));
    let version = format!("\"program_version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    edit(&lab.run_folder("m2-L64-s0"), &version, "\"program_version\": \"0.0.1\"");
    let err = lab.subquad("run tiny").expect(0).err;
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines.len(), 3, "{err}");
    assert_eq!(lines[0], "tiny: all 6 runs are already done; nothing to train");
    assert!(
        lines[1].starts_with("warning: tiny: 2 of 6 runs were made by build c3d9d06ff3f3, this is "),
        "{err}"
    );
    assert!(lines[1].ends_with("; --force repeats what is done"), "{err}");
    assert!(lines[2].starts_with("warning: tiny: 1 of 6 runs was made by version 0.0.1 ("), "{err}");
    assert_eq!(lab.subquad("run tiny --quiet").expect(0).err.lines().collect::<Vec<_>>(), lines[1..]);
}

#[test]
fn force_runs_again_what_is_done() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    lab.runs("results").iter().for_each(|run| age(run));
    for flags in ["--force", "--force --jobs 3"] {
        let before = written(&lab);
        let answer = lab.subquad(&format!("run tiny {flags}")).expect(0);
        assert!(answer.err.starts_with("tiny: 6 runs, 6 of them again\n"), "{}", answer.err);
        assert!(before.iter().zip(written(&lab)).all(|(before, after)| *before < after), "{flags}");
    }
    assert_eq!(
        lab.subquad("run tiny").expect(0).err,
        "tiny: all 6 runs are already done; nothing to train\n"
    );
    let listed = lab.subquad("run tiny --force --dry-run").expect(0).out;
    assert_eq!(listed.matches("to do  ").count(), TINY_RUNS, "{listed}");
}

#[test]
#[cfg(unix)]
fn a_kill_while_force_runs_loses_only_the_run_it_was_at() {
    let lab = Lab::new();
    let study = "run tiny --set train.steps=400 --set sweep.mixer=[\"attention\"]";
    lab.subquad(study).expect(0);
    let first = lab.run_folder("attention-L64-s0");
    let is_running = || {
        let manifest = fs_err::read_to_string(first.join("manifest.json")).ok()?;
        manifest.contains("\"outcome\": \"running\"").then_some(())
    };
    let child = start(&lab, &format!("{study} --force --quiet"));
    wait_for("the first run", is_running);
    assert!(kill(child), "the study ended before it was killed");
    let listed = lab.subquad(&format!("{study} --dry-run")).expect(0).out;
    assert!(listed.contains("to do  results/tiny/runs/attention-L64-s0-"), "{listed}");
    assert!(listed.contains("done   results/tiny/runs/attention-L64-s1-"), "{listed}");
}

#[test]
fn runs_that_leave_the_summary_are_told_even_when_quiet() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let err = lab.subquad("run tiny --quiet --set sweep.seed=[0]").expect(0).err;
    assert!(
        err.starts_with(
            "warning: 3 runs will be missing from the summary and figures in results/tiny, because "
        ),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
}
