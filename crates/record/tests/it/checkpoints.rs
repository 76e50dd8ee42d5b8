//! Checkpoints are written completely, recognised if damaged, and continued from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use subquad_record::{
    Attempt, Checkpoint, Manifest, RecordError, ResumePoint, Resumption, RunDir, RunWriter, Sink,
};
use tempfile::TempDir;

use crate::examples::{files, keep_checkpoint, manifest, row, summary};
use crate::run_dir::{names, started};

/// A run killed in its 6th step, with checkpoints after 2 and 4, and one row per step, the last one torn.
fn killed(results: &TempDir) -> RunDir {
    let (dir, mut writer) = started(results);
    for step in 1..=5 {
        writer.row(&row(step)).unwrap();
        if step % 2 == 0 {
            keep_checkpoint(&mut writer, step);
        }
    }
    let rows = rows_file(&dir);
    let mut bytes = fs::read(&rows).unwrap();
    bytes.extend(b"{\"step\":6,\"spl");
    fs::write(rows, bytes).unwrap();
    dir
}

fn rows_file(dir: &RunDir) -> PathBuf {
    dir.path().join("metrics.jsonl")
}

fn place(dir: &RunDir, step: usize) -> PathBuf {
    dir.path().join(format!("checkpoint/step-{step}"))
}

/// The manifest of another process, later.
fn later() -> Manifest {
    Manifest { started: "2026-11-23T18:00:00Z".into(), ..manifest() }
}

fn resume_point(dir: &RunDir) -> ResumePoint {
    dir.resume_point(&later()).unwrap()
}

fn step_found(dir: &RunDir) -> Option<usize> {
    resume_point(dir).checkpoint.map(|checkpoint| checkpoint.step)
}

fn resumed(dir: &RunDir, step: usize) -> RunWriter {
    dir.resume(step, "seed = 0\n", later()).unwrap()
}

#[test]
fn the_two_newest_checkpoints_are_kept() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    assert_eq!(resume_point(&dir), ResumePoint::default());
    for (step, kept) in [(9, vec![9]), (10, vec![9, 10]), (100, vec![10, 100])] {
        keep_checkpoint(&mut writer, step);
        let checkpoint = Some(Checkpoint { step, files: files(step) });
        assert_eq!(resume_point(&dir), ResumePoint { checkpoint, notes: vec![] });
        let mut kept: Vec<_> = kept.iter().map(|step| format!("step-{step}")).collect();
        kept.sort();
        assert_eq!(names(&dir.path().join("checkpoint")), kept);
    }
}

#[test]
fn a_checkpoint_that_is_there_is_not_made_again() {
    let results = tempfile::tempdir().unwrap();
    let (_, mut writer) = started(&results);
    keep_checkpoint(&mut writer, 4);
    writer.checkpoint(4, &|| unreachable!("it is there")).unwrap();
}

#[test]
fn a_checkpoint_that_fails_leaves_the_older_one() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    keep_checkpoint(&mut writer, 1);
    let unwritable = BTreeMap::from(["model", "missing/optimiser"].map(|name| (name.to_string(), vec![1])));
    let error = writer.checkpoint(2, &|| Ok(unwritable.clone())).unwrap_err();
    assert!(error.to_string().contains("step-2.tmp/missing/optimiser"), "{error}");
    let error = writer.checkpoint(3, &|| Err(io::Error::other("no memory"))).unwrap_err();
    assert_eq!(error.to_string(), "no memory");
    assert_eq!(names(&dir.path().join("checkpoint")), ["step-1"]);
    assert_eq!(step_found(&dir), Some(1));
}

/// The notes on a checkpoint whose index is changed.
fn told_of_index(change: impl Fn(&str) -> String) -> String {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    keep_checkpoint(&mut writer, 1);
    let path = place(&dir, 1).join("index.json");
    let index = fs::read_to_string(&path).unwrap();
    let changed = change(&index);
    assert_ne!(index, changed);
    fs::write(&path, changed).unwrap();
    let ResumePoint { checkpoint, notes } = resume_point(&dir);
    assert_eq!(checkpoint, None);
    notes.concat()
}

#[test]
fn an_index_with_sizes_or_files_that_the_folder_does_not_hold_is_damaged() {
    let most = u64::MAX.to_string();
    let longer = |index: &str| index.replace("\"bytes\": 0", &format!("\"bytes\": {most}"));
    assert!(told_of_index(longer).contains(&format!("metrics.jsonl: damaged (0 bytes of {most})")));
    for other in ["../step-1/model", "/dev/zero", "..", ""] {
        let told = told_of_index(|index| index.replace("\"model\"", &format!("\"{other}\"")));
        assert!(
            told.contains(&format!("index.json: damaged (names `{other}`, which is not in its folder)")),
            "{told}"
        );
    }
}

#[test]
fn half_a_checkpoint_left_by_a_kill_does_not_count_and_does_not_stay() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    let half = dir.path().join("checkpoint/.step-5.tmp");
    fs::create_dir_all(&half).unwrap();
    fs::write(half.join("stale"), "s").unwrap();
    assert_eq!(resume_point(&dir), ResumePoint::default());
    keep_checkpoint(&mut writer, 5);
    assert_eq!(names(&place(&dir, 5)), ["index.json", "model", "optimiser"]);
}

#[test]
fn going_on_cuts_the_rows_back_to_the_checkpoint() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    assert_eq!(dir.read_rows().unwrap().len(), 5);
    assert_eq!(step_found(&dir), Some(4));
    let mut writer = resumed(&dir, 4);
    assert_eq!(dir.read_rows().unwrap(), [1, 2, 3, 4].map(row));
    (5..=7).for_each(|step| writer.row(&row(step)).unwrap());
    keep_checkpoint(&mut writer, 7);
    assert_eq!(step_found(&dir), Some(7), "the digest of the rows goes on too");
    assert_eq!(dir.read_rows().unwrap(), [1, 2, 3, 4, 5, 6, 7].map(row));
}

#[test]
fn the_manifest_keeps_the_start_and_notes_every_resumption() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    let at = later().started;
    assert_eq!(resumed(&dir, 4).manifest().started, manifest().started);
    fs::remove_dir_all(place(&dir, 4)).unwrap();
    resumed(&dir, 2);
    let expected = [4, 2].map(|step| Resumption { step, at: at.clone() });
    assert_eq!(dir.read_manifest().unwrap(), Manifest { resumed: expected.into(), ..manifest() });
}

#[test]
fn a_run_that_once_shared_the_machine_says_so_to_its_end() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    for (jobs, kept) in [(3, 3), (1, 3)] {
        let writer = dir.resume(4, "", Manifest { jobs, ..manifest() }).unwrap();
        assert_eq!(writer.manifest().jobs, kept);
    }
}

#[test]
fn going_on_removes_what_came_after_and_nothing_else() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    for name in ["proof.json", "summary.json", "model.safetensors", ".manifest.json.1-0.tmp", "notes.txt"] {
        fs::write(dir.path().join(name), "{").unwrap();
    }
    fs::create_dir_all(dir.path().join("checkpoint/.step-6.tmp")).unwrap();
    fs::write(dir.path().join("checkpoint/.DS_Store"), "").unwrap();
    resumed(&dir, 2);
    let expected = ["checkpoint", "config.toml", "manifest.json", "metrics.jsonl", "notes.txt"];
    assert_eq!(names(dir.path()), expected);
    assert_eq!(names(&dir.path().join("checkpoint")), [".DS_Store", "step-2"]);
    assert_eq!(dir.read_rows().unwrap(), [1, 2].map(row));
}

#[test]
fn a_file_cut_short_anywhere_is_found_and_named() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    for name in ["index.json", "model", "optimiser"] {
        let path = place(&dir, 4).join(name);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() - 1 {
            fs::write(&path, &whole[..cut]).unwrap();
            falls_back(&dir, &path);
        }
        fs::remove_file(&path).unwrap();
        falls_back(&dir, &path);
        fs::write(&path, &whole).unwrap();
        assert_eq!(step_found(&dir), Some(4));
    }
}

#[test]
fn a_changed_byte_anywhere_is_found() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    for name in ["model", "optimiser", "index.json"] {
        let path = place(&dir, 4).join(name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(step_found(&dir), Some(2), "byte {at} of {name}");
        }
        fs::write(&path, &whole).unwrap();
    }
}

/// Asserts that the run falls back from the checkpoint after 4 steps to that after 2, because of `path`.
#[track_caller]
fn falls_back(dir: &RunDir, path: &Path) {
    let ResumePoint { checkpoint, notes } = resume_point(dir);
    assert_eq!(checkpoint, Some(Checkpoint { step: 2, files: files(2) }));
    assert!(matches!(&notes[..], [note] if note.contains(&path.display().to_string())), "{notes:?}");
}

#[test]
fn a_checkpoint_without_its_rows_is_not_used() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    let whole = fs::read(rows_file(&dir)).unwrap();
    let line_ends: Vec<_> = (0..whole.len()).filter(|&at| whole[at] == b'\n').collect();
    fs::write(rows_file(&dir), &whole[..line_ends[3]]).unwrap();
    falls_back(&dir, &rows_file(&dir));
    let mut bytes = whole.clone();
    bytes[line_ends[0] - 2] ^= 1;
    fs::write(rows_file(&dir), bytes).unwrap();
    assert_eq!(step_found(&dir), None, "the first row belongs to all");
    fs::remove_file(rows_file(&dir)).unwrap();
    assert_eq!(resume_point(&dir).notes.len(), 2);
}

#[test]
fn another_program_machine_or_thread_count_starts_again() {
    let results = tempfile::tempdir().unwrap();
    let dir = killed(&results);
    let note = |manifest: Manifest| {
        let point = dir.resume_point(&manifest).unwrap();
        assert_eq!(point.checkpoint, None);
        point.notes.join("\n")
    };
    assert_eq!(
        note(Manifest { threads: 8, ..later() }),
        "its checkpoints are not used: the number of threads was 2, is 8"
    );
    assert_eq!(
        note(Manifest { build_commit: Some("abc1234".into()), ..later() }),
        "its checkpoints are not used: its commit was unknown, is abc1234"
    );
    for other in [
        Manifest { program_version: "0.2.0".into(), ..later() },
        Manifest { instruction_set: "avx512f".into(), ..later() },
        Manifest { device: "wgpu".into(), ..later() },
        Manifest { form: "portable".into(), ..later() },
        Manifest {
            machine: subquad_record::Machine { cpu: "other".into(), ..manifest().machine },
            ..later()
        },
    ] {
        note(other);
    }
    let elsewhere = Manifest { command: vec![], config_file: "copy.toml".into(), ..later() };
    assert!(
        dir.resume_point(&elsewhere).unwrap().checkpoint.is_some(),
        "what changes no number is no obstacle"
    );
    fs::write(dir.path().join("manifest.json"), "{").unwrap();
    assert!(note(later()).contains("manifest.json"));
}

#[test]
fn a_finished_run_is_not_gone_on_with() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(1)).unwrap();
    keep_checkpoint(&mut writer, 1);
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    let error = dir.resume(1, "", later()).unwrap_err();
    assert!(matches!(error, RecordError::Done { .. }), "{error}");
}

#[test]
fn what_a_kill_at_the_very_end_left_can_be_removed() {
    let results = tempfile::tempdir().unwrap();
    let (dir, mut writer) = started(&results);
    writer.row(&row(1)).unwrap();
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    fs::create_dir_all(place(&dir, 1)).unwrap();
    let Attempt::Taken(lock) = dir.try_lock().unwrap() else { panic!("nobody else is here") };
    dir.remove_left_checkpoints().unwrap();
    assert!(place(&dir, 1).exists(), "another process is at work on the run");
    drop(lock);
    dir.remove_left_checkpoints().unwrap();
    dir.remove_left_checkpoints().unwrap();
    assert!(dir.is_done() && !dir.path().join("checkpoint").exists());
}
