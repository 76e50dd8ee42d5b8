//! A run that is done proves it; one whose files are not its own is reported and runs again.

use std::path::{Path, PathBuf};

use subquad_record::{Outcome, read_study};

use crate::lab::{Lab, files, name};
use crate::process::{assert_same_end, manifest};

const RUN: &str = "run tiny --set sweep.mixer=[\"s4d\"]";

/// Two finished runs with different seeds, and the same again in `whole`.
fn finished() -> (Lab, PathBuf, PathBuf) {
    let lab = Lab::new();
    lab.subquad(&format!("{RUN} --results whole")).expect(0);
    lab.subquad(RUN).expect(0);
    let (own, other) = (lab.run_folder("s4d-L64-s0"), lab.run_folder("s4d-L64-s1"));
    (lab, own, other)
}

/// Runs again: the run in `own` must be the only one, for a reason that ends in `why`, and end as if nothing had happened.
#[track_caller]
fn runs_again(lab: &Lab, own: &Path, why: &str) {
    let (run, path) = (name(own), format!("results/tiny/runs/{}", name(own)));
    let answer = lab.subquad(RUN).expect(0);
    assert!(answer.err.contains("tiny: 2 runs, 1 of them already done\n"), "{}", answer.err);
    assert!(answer.err.contains(&format!("warning: {run}: {path}/{why}")), "{why}:\n{}", answer.err);
    let kept = format!("warning: {run}: starts again; its files are kept in {path}/damaged\n");
    assert!(answer.err.contains(&kept), "{}", answer.err);
    fs_err::remove_dir_all(own.join("damaged")).unwrap();
    assert_same_end(lab, "results", "whole");
    assert!(lab.subquad(RUN).expect(0).err.contains("all 2 runs are already done"));
}

#[test]
fn the_summary_of_another_run_is_not_shown_as_this_runs() {
    let (lab, own, other) = finished();
    fs_err::copy(other.join("summary.json"), own.join("summary.json")).unwrap();
    let why = format!("summary.json: damaged (of run {})\n", name(&other));
    runs_again(&lab, &own, &why);
    let runs = read_study(&lab.path("results/tiny")).unwrap().runs;
    assert_eq!(runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [0, 1]);
    assert_ne!(runs[0].evaluations, runs[1].evaluations);
}

#[test]
fn files_of_another_run_are_found_and_named() {
    let (lab, own, other) = finished();
    for file in ["model.safetensors", "metrics.jsonl", "config.toml", "proof.json"] {
        fs_err::copy(other.join(file), own.join(file)).unwrap();
        runs_again(&lab, &own, &format!("{file}: damaged ("));
    }
}

#[test]
fn emptied_and_missing_files_are_found_and_named() {
    let (lab, own, _) = finished();
    for file in ["model.safetensors", "metrics.jsonl", "summary.json"] {
        fs_err::write(own.join(file), "").unwrap();
        runs_again(&lab, &own, &format!("{file}: damaged (0 bytes of "));
    }
    for file in ["config.toml", "manifest.json", "model.safetensors"] {
        fs_err::remove_file(own.join(file)).unwrap();
        let answer = lab.subquad(&format!("{RUN} --dry-run")).expect(0);
        assert!(answer.err.contains(&format!("/{file}`: No such file")), "{}", answer.err);
        assert!(
            answer.out.starts_with(&format!("to do  results/tiny/runs/{}\n", name(&own))),
            "{}",
            answer.out
        );
        fs_err::write(own.join(file), "x").unwrap();
        runs_again(&lab, &own, &format!("{file}: damaged (1 bytes of "));
    }
}

#[test]
fn a_child_process_finds_and_keeps_what_is_damaged() {
    let (lab, own, other) = finished();
    fs_err::copy(other.join("model.safetensors"), own.join("model.safetensors")).unwrap();
    let answer = lab.subquad(&format!("{RUN} --jobs 2 --set sweep.seed=[0,1,2]")).expect(0);
    assert!(
        answer.err.contains("model.safetensors: damaged (not the bytes that were written)"),
        "{}",
        answer.err
    );
    let kept = fs_err::read(own.join("damaged/model.safetensors")).unwrap();
    assert!(kept == fs_err::read(other.join("model.safetensors")).unwrap());
}

#[test]
fn a_run_in_the_folder_of_another_runs_again() {
    let (lab, own, other) = finished();
    for file in files(&other) {
        fs_err::copy(&file, own.join(name(&file))).unwrap();
    }
    runs_again(&lab, &own, &format!("proof.json: damaged (of run {})\n", name(&other)));
}

#[test]
fn a_run_of_a_version_without_proofs_runs_again_and_says_why() {
    let (lab, own, _) = finished();
    fs_err::remove_file(own.join("proof.json")).unwrap();
    runs_again(&lab, &own, "proof.json: missing, so nothing shows that the run's files are its own");
}

#[test]
fn garbage_in_place_of_rows_runs_again() {
    let (lab, own, _) = finished();
    fs_err::write(own.join("metrics.jsonl"), "garbage\n").unwrap();
    runs_again(&lab, &own, "metrics.jsonl: damaged (8 bytes of ");
    assert!(fs_err::read_to_string(own.join("metrics.jsonl")).unwrap().starts_with('{'));
    assert_eq!(manifest(&own).outcome, Outcome::Done);
}
