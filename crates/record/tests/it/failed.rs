use subquad_record::{Manifest, Outcome, RunDir, Sink};

use crate::examples::{manifest, row, summary};
use crate::run_dir::open;

fn outcome(dir: &RunDir) -> Outcome {
    dir.read_manifest().unwrap().outcome
}

#[test]
fn a_run_that_never_began_has_a_config_and_a_manifest_that_says_why() {
    let results = tempfile::tempdir().unwrap();
    let dir = open(&results);
    dir.fail("seed = 0\n", manifest(), "no memory").unwrap();
    assert_eq!(std::fs::read_to_string(dir.config_path()).unwrap(), "seed = 0\n");
    let ended = dir.read_manifest().unwrap();
    assert!(ended.ended.is_some());
    let expected =
        Manifest { outcome: Outcome::Failed("no memory".into()), ended: ended.ended.clone(), ..manifest() };
    assert_eq!(ended, expected);
    assert!(!dir.is_done());
    dir.start("seed = 0\n", manifest()).unwrap();
    assert_eq!(outcome(&dir), Outcome::Running, "it is tried again");
}

#[test]
fn a_run_that_a_signal_ended_keeps_its_rows_and_what_its_manifest_says() {
    let results = tempfile::tempdir().unwrap();
    let dir = open(&results);
    let mut writer = dir.start("", Manifest { threads: 7, ..manifest() }).unwrap();
    writer.row(&row(1)).unwrap();
    drop(writer);
    dir.fail("", manifest(), "killed").unwrap();
    assert_eq!(outcome(&dir), Outcome::Failed("killed".into()));
    assert_eq!((dir.read_manifest().unwrap().threads, dir.read_rows().unwrap().len()), (7, 1));
}

#[test]
fn a_run_that_is_done_stays_so() {
    let results = tempfile::tempdir().unwrap();
    let dir = open(&results);
    let mut writer = dir.start("", manifest()).unwrap();
    writer.row(&row(1)).unwrap();
    writer.weights(b"weights").unwrap();
    writer.finish(&summary("s4d", 64, 0)).unwrap();
    dir.fail("", manifest(), "no memory now").unwrap();
    assert_eq!(outcome(&dir), Outcome::Done);
    assert!(dir.is_done());
}
