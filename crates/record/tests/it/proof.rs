//! A done run proves its name and each of its files.

use std::fs;
use std::path::PathBuf;

use subquad_record::{Outcome, RecordError, RunDir, RunName, RunStatus, RunSummary, Sink};
use tempfile::TempDir;

use crate::examples::{keep_checkpoint, manifest, name, row, summary};
use crate::run_dir::{names, open, started};

const FILES: [&str; 6] =
    ["config.toml", "manifest.json", "metrics.jsonl", "model.safetensors", "proof.json", "summary.json"];

fn finished(results: &TempDir) -> RunDir {
    let (dir, mut writer) = started(results);
    (1..=3).for_each(|step| writer.row(&row(step)).unwrap());
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    dir
}

/// The run of another seed, in the same study.
fn other(results: &TempDir) -> RunDir {
    let dir = RunDir::open(results.path(), "00-quickstart", &RunName { seed: 1, ..name() });
    let mut writer = dir.start("seed = 1\n", manifest()).unwrap();
    writer.row(&row(7)).unwrap();
    writer.weights(b"weighty").unwrap();
    writer.finish(&summary("s4d", 64, 1)).unwrap();
    dir
}

fn file(dir: &RunDir, name: &str) -> PathBuf {
    dir.path().join(name)
}

#[track_caller]
fn damage(dir: &RunDir) -> String {
    match dir.status() {
        RunStatus::Damaged(error) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_finished_run_stands_with_its_summary() {
    let results = tempfile::tempdir().unwrap();
    let dir = finished(&results);
    assert!(matches!(dir.status(), RunStatus::Done(found) if *found == summary("s4d", 64, 0)));
    assert_eq!(names(dir.path()), FILES);
    assert!(matches!(open(&tempfile::tempdir().unwrap()).status(), RunStatus::Unfinished));
}

#[test]
fn a_changed_byte_of_any_file_is_found_and_the_file_named() {
    let results = tempfile::tempdir().unwrap();
    let dir = finished(&results);
    for name in FILES {
        let path = file(&dir, name);
        let whole = fs::read(&path).unwrap();
        // Not every byte is tried, because each takes a millisecond or more.
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            let why = damage(&dir);
            // The proof's own bytes show where they disagree with a file.
            assert!(name == "proof.json" || why.contains(&path.display().to_string()), "{name}, {at}: {why}");
        }
        fs::write(&path, whole).unwrap();
        assert!(dir.is_done(), "{name}");
    }
}

#[test]
fn an_empty_or_missing_file_is_found_and_named() {
    let results = tempfile::tempdir().unwrap();
    let dir = finished(&results);
    for name in FILES {
        let path = file(&dir, name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, "").unwrap();
        assert!(damage(&dir).contains(&path.display().to_string()), "{name}");
        fs::remove_file(&path).unwrap();
        assert!(damage(&dir).contains(&path.display().to_string()), "{name}");
        fs::write(&path, whole).unwrap();
    }
    fs::remove_file(file(&dir, "model.safetensors")).unwrap();
    fs::create_dir(file(&dir, "model.safetensors")).unwrap();
    assert!(damage(&dir).ends_with("model.safetensors: damaged (no file)"));
}

#[test]
fn a_file_of_another_run_is_not_believed() {
    let results = tempfile::tempdir().unwrap();
    let (dir, other) = (finished(&results), other(&results));
    for name in FILES {
        let path = file(&dir, name);
        let whole = fs::read(&path).unwrap();
        fs::copy(file(&other, name), &path).unwrap();
        // Both are from one machine and one program.
        let is_same = fs::read(&path).unwrap() == whole;
        assert_eq!(dir.is_done(), is_same, "{name}");
        assert!(!is_same || name == "manifest.json");
        if ["summary.json", "proof.json"].contains(&name) {
            assert!(damage(&dir).ends_with(": damaged (of run s4d-L64-s1-1b9d3f07)"), "{}", damage(&dir));
        }
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn all_files_of_another_run_are_that_run_and_not_this_one() {
    let results = tempfile::tempdir().unwrap();
    let (dir, other) = (finished(&results), other(&results));
    FILES.iter().for_each(|name| _ = fs::copy(file(&other, name), file(&dir, name)).unwrap());
    assert!(damage(&dir).ends_with("proof.json: damaged (of run s4d-L64-s1-1b9d3f07)"));
    let copy = results.path().join("a copy");
    fs::rename(dir.path(), &copy).unwrap();
    assert!(RunDir::at(copy).is_done(), "a folder that is not called like a run");
}

#[test]
fn a_proof_that_leaves_a_file_out_proves_nothing() {
    let results = tempfile::tempdir().unwrap();
    let (dir, writer) = started(&results);
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    assert!(damage(&dir).ends_with("proof.json: damaged (without model.safetensors)"), "{}", damage(&dir));
}

#[test]
fn a_run_from_before_there_were_proofs_cannot_be_checked() {
    let results = tempfile::tempdir().unwrap();
    let dir = finished(&results);
    fs::remove_file(file(&dir, "proof.json")).unwrap();
    assert!(matches!(dir.status(), RunStatus::Damaged(RecordError::Unproven { .. })));
    dir.start("", manifest()).unwrap();
}

#[test]
fn a_run_that_ended_badly_proves_nothing_and_is_not_damaged() {
    for outcome in [Outcome::Failed("no memory".into()), Outcome::Interrupted] {
        let results = tempfile::tempdir().unwrap();
        let (dir, mut writer) = started(&results);
        writer.weights(b"weights").unwrap();
        writer.finish(&RunSummary { outcome, ..summary("s4d", 64, 0) }).unwrap();
        assert!(matches!(dir.status(), RunStatus::Unfinished));
        assert!(!file(&dir, "proof.json").exists());
    }
}

#[test]
fn a_run_that_went_on_proves_the_rows_of_both_processes() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(1)).unwrap();
    keep_checkpoint(&mut writer, 1);
    drop(writer);
    let mut writer = dir.resume(1, "seed = 0\n", manifest()).unwrap();
    writer.row(&row(2)).unwrap();
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    assert!(dir.is_done());
}

#[test]
fn files_that_are_set_aside_stay_and_the_run_begins_from_nothing() {
    let results = tempfile::tempdir().unwrap();
    let dir = finished(&results);
    fs::write(file(&dir, "model.safetensors"), "other").unwrap();
    let aside = dir.set_aside().unwrap();
    assert_eq!(
        (names(&aside), names(dir.path())),
        (FILES.map(Into::into).into(), vec!["damaged".to_owned()])
    );
    assert!(!dir.is_begun() && matches!(dir.status(), RunStatus::Unfinished));
    assert_eq!(fs::read(aside.join("model.safetensors")).unwrap(), b"other");
    finished(&results);
    assert!(dir.is_done());
    fs::remove_file(file(&dir, "config.toml")).unwrap();
    dir.set_aside().unwrap();
    assert_eq!(names(&aside), FILES, "of the first time where the second had none");
}

#[test]
fn a_checkpoint_of_another_run_is_not_used() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    keep_checkpoint(&mut writer, 4);
    let other = RunDir::open(results.path(), "00-quickstart", &RunName { seed: 1, ..name() });
    fs::rename(dir.path(), other.path()).unwrap();
    let point = other.resume_point(&manifest()).unwrap();
    assert_eq!(point.checkpoint, None);
    let note = "checkpoint/step-4/index.json: damaged (of run s4d-L64-s0-1b9d3f07)";
    assert!(point.notes[0].ends_with(note), "{:?}", point.notes);
}
