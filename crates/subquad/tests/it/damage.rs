//! Full disks, places that cannot be written and damaged checkpoints.
#![cfg(unix)]

use std::path::PathBuf;

use subquad_record::{Outcome, read_rows};

use crate::lab::{Answer, Lab};
use crate::process::{assert_same_end, manifest, with_small_files};

/// Checkpoints after steps 50, 100 and 150: 18 KiB in their largest file.
const RUN: &str = "run tiny --set train.steps=160 --set train.log_every=1 --set train.checkpoint_every=50 \
                   --set sweep.mixer=[\"attention\"] --set sweep.seed=[0]";
/// 22 KiB, full with the rows of some 120 steps.
const BLOCKS: usize = 44;

fn folder(lab: &Lab) -> PathBuf {
    lab.run_folder("attention")
}

/// The run, ended by a full disk between its second and third checkpoint, in the middle of a row.
fn half_way() -> (Lab, Answer) {
    let lab = Lab::new();
    let answer = with_small_files(&lab, BLOCKS, RUN).expect(1);
    (lab, answer)
}

fn cut(file: PathBuf) {
    let bytes = fs_err::read(&file).unwrap();
    fs_err::write(file, &bytes[..bytes.len() / 2]).unwrap();
}

/// Runs again, which must print `words`, and compares with an undisturbed run.
#[track_caller]
fn ends_the_same_and_says(lab: &Lab, run: &str, words: &[&str]) {
    let again = lab.subquad(run).expect(0);
    for words in words {
        assert!(again.err.contains(words), "no `{words}` in:\n{}", again.err);
    }
    lab.subquad(&format!("{run} --results whole")).expect(0);
    assert_same_end(lab, "results", "whole");
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_row_keeps_all_that_was_before() {
    let (lab, answer) = half_way();
    assert!(answer.err.contains("error: attention-L64-s0-"), "{}", answer.err);
    assert!(answer.err.contains("metrics.jsonl"), "{}", answer.err);
    assert!(matches!(manifest(&folder(&lab)).outcome, Outcome::Failed(why) if why.contains("metrics.jsonl")));
    let rows = read_rows(&folder(&lab).join("metrics.jsonl")).unwrap();
    assert!((101..150).contains(&rows.len()), "{}", rows.len());
    ends_the_same_and_says(&lab, RUN, &[": continues from step 100 of 160, "]);
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_checkpoint_keeps_the_rows() {
    let lab = Lab::new();
    let answer = with_small_files(&lab, BLOCKS - 12, RUN).expect(1);
    assert!(answer.err.contains("step-50.tmp/optimiser.bpk"), "{}", answer.err);
    assert_eq!(read_rows(&folder(&lab).join("metrics.jsonl")).unwrap().len(), 50);
    assert!(!folder(&lab).join("checkpoint/.step-50.tmp").exists());
    ends_the_same_and_says(&lab, RUN, &["unfinished or damaged, so it starts again"]);
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_used() {
    let (lab, _) = half_way();
    cut(folder(&lab).join("checkpoint/step-100/model.bpk"));
    let words = ["checkpoint/step-100/model.bpk: damaged (", ": continues from step 50 of 160, "];
    ends_the_same_and_says(&lab, RUN, &words);
}

#[test]
fn without_a_whole_checkpoint_the_run_starts_again() {
    let (lab, _) = half_way();
    for (step, file) in [(50, "optimiser.bpk"), (100, "index.json")] {
        cut(folder(&lab).join(format!("checkpoint/step-{step}/{file}")));
    }
    let words =
        ["step-50/optimiser.bpk: ", "step-100/index.json: ", "unfinished or damaged, so it starts again"];
    ends_the_same_and_says(&lab, RUN, &words);
}

#[test]
fn another_number_of_threads_starts_again_and_says_why() {
    let (lab, _) = half_way();
    let mut written = manifest(&folder(&lab));
    written.threads += 1;
    fs_err::write(folder(&lab).join("manifest.json"), serde_json::to_vec(&written).unwrap()).unwrap();
    let words = ["its checkpoints are not used: the number of threads was ", "so it starts again"];
    ends_the_same_and_says(&lab, RUN, &words);
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_that_names_it() {
    let lab = Lab::new();
    lab.write("file", "");
    let answer = lab.subquad(&format!("{RUN} --results file/results")).expect(2);
    assert!(answer.err.contains("file/results"), "{}", answer.err);
    let (lab, _) = half_way();
    fs_err::remove_dir_all(folder(&lab).join("checkpoint")).unwrap();
    fs_err::write(folder(&lab).join("checkpoint"), "").unwrap();
    let answer = lab.subquad(RUN).expect(1);
    assert!(answer.err.contains("/checkpoint`"), "{}", answer.err);
}

#[test]
fn a_failed_run_goes_on_from_its_checkpoint_and_fails_in_the_same_step() {
    let lab = Lab::new();
    let run = "run tiny --set train.steps=12 --set train.checkpoint_every=1 --set sweep.mixer=[\"attention\"] \
               --set sweep.seed=[0] --set optim.clip=0 --set optim.warmup=0.5 --set optim.lr=1e38";
    let first = lab.subquad(run).expect(1);
    let again = lab.subquad(run).expect(1);
    let last_line = |answer: &Answer| answer.err.lines().last().unwrap().to_owned();
    assert!(last_line(&first).contains("the loss became"), "{}", first.err);
    assert_eq!(last_line(&again), last_line(&first));
    let rows = read_rows(&folder(&lab).join("metrics.jsonl")).unwrap();
    assert!(rows.iter().is_sorted_by(|a, b| a.step < b.step), "{rows:?}");
}
