use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use subquad_record::{Outcome, RecordError, RunDir, RunSummary, RunWriter, Sink};
use tempfile::TempDir;

use crate::examples::{keep_checkpoint, manifest, name, row, summary};

pub(crate) fn open(results: &TempDir) -> RunDir {
    RunDir::open(results.path(), "00-quickstart", &name())
}

pub(crate) fn started(results: &TempDir) -> (RunDir, RunWriter) {
    let dir = open(results);
    let writer = dir.start("seed = 0\n", manifest()).unwrap();
    (dir, writer)
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_lives_at_its_documented_place() {
    let results = tempfile::tempdir().unwrap();
    let dir = open(&results);
    assert!(!dir.path().exists(), "opening touches no file");
    dir.create().unwrap();
    assert!(results.path().join("00-quickstart/runs/s4d-L64-s0-1b9d3f07").is_dir());
}

#[test]
fn a_finished_run_reads_back_as_it_was_written() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    (0..3).for_each(|step| writer.row(&row(step)).unwrap());
    keep_checkpoint(&mut writer, 2);
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();

    assert_eq!(std::fs::read_to_string(dir.config_path()).unwrap(), "seed = 0\n");
    assert_eq!(dir.read_rows().unwrap(), (0..3).map(row).collect::<Vec<_>>());
    assert_eq!(dir.read_summary().unwrap(), summary("s4d", 64, 0));
    let ended = dir.read_manifest().unwrap();
    assert_eq!(
        (ended.outcome.clone(), ended.ended.as_deref()),
        (Outcome::Done, Some("2026-11-23T17:05:05Z"))
    );
    assert_eq!(subquad_record::Manifest { outcome: Outcome::Running, ended: None, ..ended }, manifest());
    assert_eq!(fs::read(dir.weights_path()).unwrap(), b"weights");
    let files =
        ["config.toml", "manifest.json", "metrics.jsonl", "model.safetensors", "proof.json", "summary.json"];
    assert_eq!(names(dir.path()), files, "checkpoints are needed no more");
}

#[test]
fn rows_can_be_read_while_the_run_goes_on() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    assert!(dir.read_rows().unwrap().is_empty());
    for step in 0..3 {
        writer.row(&row(step)).unwrap();
        assert_eq!(dir.read_rows().unwrap().last(), Some(&row(step)));
    }
    assert_eq!(dir.read_manifest().unwrap(), manifest());
}

#[test]
fn a_last_line_torn_anywhere_is_dropped() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    (0..2).for_each(|step| writer.row(&row(step)).unwrap());
    let metrics = dir.path().join("metrics.jsonl");
    let whole = fs::read(&metrics).unwrap();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for cut in first..whole.len() - 1 {
        fs::write(&metrics, &whole[..cut]).unwrap();
        assert_eq!(dir.read_rows().unwrap(), [row(0)], "cut at byte {cut}");
    }
    fs::write(&metrics, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(dir.read_rows().unwrap(), [row(0), row(1)], "only the newline is missing");
}

#[test]
fn a_torn_middle_line_is_an_error_that_names_file_and_line() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(0)).unwrap();
    let metrics = dir.path().join("metrics.jsonl");
    let whole = fs::read_to_string(&metrics).unwrap();
    fs::write(&metrics, format!("{whole}{{\"step\":1,\"spl\n{whole}")).unwrap();
    let error = dir.read_rows().unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:2: not a row of metrics", metrics.display())), "{error}");
}

#[test]
fn a_run_is_done_only_with_all_its_files_and_the_manifests_word() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(0)).unwrap();
    writer.weights(b"weights").unwrap();
    assert!(!dir.is_done(), "running");
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    assert!(dir.is_done());

    for name in ["metrics.jsonl", "model.safetensors"] {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!dir.is_done(), "no {name}");
        fs::write(&path, whole).unwrap();
        assert!(dir.is_done());
    }
    let metrics = dir.path().join("metrics.jsonl");
    let rows = fs::read(&metrics).unwrap();
    fs::write(&metrics, "garbage\n").unwrap();
    assert!(!dir.is_done(), "rows that cannot be read");
    fs::write(&metrics, rows).unwrap();

    let summary_path = dir.path().join("summary.json");
    let whole = fs::read(&summary_path).unwrap();
    fs::write(&summary_path, &whole[..whole.len() / 2]).unwrap();
    assert!(!dir.is_done(), "torn summary");
    fs::remove_file(&summary_path).unwrap();
    assert!(!dir.is_done(), "no summary");

    for outcome in [Outcome::Failed("loss is not finite".into()), Outcome::Interrupted] {
        let ended = RunSummary { outcome: outcome.clone(), ..summary("s4d", 64, 0) };
        dir.start("", manifest()).unwrap().finish(&ended).unwrap();
        assert!(!dir.is_done(), "{outcome}");
    }
}

#[test]
fn giving_up_says_so_in_the_manifest() {
    let results = tempfile::tempdir().unwrap();
    let (dir, writer) = started(&results);
    writer.give_up(Outcome::Interrupted).unwrap();
    let ended = dir.read_manifest().unwrap();
    assert_eq!(ended.outcome, Outcome::Interrupted);
    assert!(ended.ended.is_some());
    assert!(!dir.is_done());
}

#[test]
fn starting_again_removes_the_runs_own_remains_and_nothing_else() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(0)).unwrap();
    keep_checkpoint(&mut writer, 1);
    writer.weights(b"weights").unwrap();
    drop(writer);
    for name in ["summary.json", ".manifest.json.1-0.tmp", "notes.txt", ".notes.tmp"] {
        fs::write(dir.path().join(name), "{").unwrap();
    }
    dir.start("seed = 1\n", manifest()).unwrap();
    assert!(dir.read_rows().unwrap().is_empty());
    assert_eq!(std::fs::read_to_string(dir.config_path()).unwrap(), "seed = 1\n");
    assert_eq!(
        names(dir.path()),
        [".notes.tmp", "config.toml", "manifest.json", "metrics.jsonl", "notes.txt"]
    );
}

#[test]
fn starting_a_finished_run_is_refused_and_loses_nothing() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(0)).unwrap();
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    let error = dir.start("", manifest()).unwrap_err();
    assert!(matches!(error, RecordError::Done { .. }), "{error}");
    assert!(dir.is_done());
    assert_eq!(dir.read_rows().unwrap(), [row(0)]);
}

#[test]
fn a_discarded_run_leaves_nothing_of_its_own() {
    let results = tempfile::tempdir().unwrap();
    open(&results).discard().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(0)).unwrap();
    keep_checkpoint(&mut writer, 1);
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    for name in ["lock", "notes.txt"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    assert!(dir.is_begun() && dir.is_done());
    dir.discard().unwrap();
    assert!(!dir.is_begun() && !dir.is_done());
    assert_eq!(names(dir.path()), ["lock", "notes.txt"]);
}

#[test]
fn the_writer_stops_when_its_flag_is_raised() {
    let results = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut writer = started(&results).1.with_stop(stop.clone());
    assert!(!writer.should_stop());
    stop.store(true, Ordering::Relaxed);
    assert!(writer.should_stop());
}
