use std::fs;
use std::path::Path;

use subquad_record::{Attempt, Held, Holder, Lock, RunDir};

use crate::examples::name;

fn take(path: &Path) -> Lock {
    match Lock::try_take(path).unwrap() {
        Attempt::Taken(lock) => lock,
        Attempt::Held(held) => panic!("{held}"),
    }
}

#[test]
fn one_holder_at_a_time_and_it_says_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/lock");
    assert_eq!(Held::at(&path).unwrap(), None, "no file yet");
    let lock = take(&path);
    let Attempt::Held(held) = Lock::try_take(&path).unwrap() else { panic!("taken twice") };
    assert_eq!(Held::at(&path).unwrap().as_ref(), Some(&held));
    let holder = held.by.clone().unwrap();
    assert_eq!(holder.pid, std::process::id());
    assert!(!holder.host.is_empty() && !holder.command.is_empty(), "{holder:?}");
    let text = format!("held by process {} on {} since {}", holder.pid, holder.host, holder.since);
    assert_eq!(held.to_string(), text);
    drop(lock);
    assert_eq!(Held::at(&path).unwrap(), None);
    drop(take(&path));
}

#[test]
fn the_file_outlives_the_lock_without_the_holders_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = take(&path);
    assert!(serde_json::from_slice::<Holder>(&fs::read(&path).unwrap()).is_ok());
    drop(lock);
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_text_that_a_kill_left_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    fs::write(&path, "{\"pid\":1,\"host\":\"h\",\"since\":\"2026-11-23T17:04:05Z\",\"command\":[]}\n")
        .unwrap();
    assert_eq!(Held::at(&path).unwrap(), None);
    drop(take(&path));
}

#[test]
fn a_holder_that_cannot_be_read_is_another_process() {
    assert_eq!(Held { by: None }.to_string(), "held by another process");
}

#[test]
fn a_folder_in_the_place_of_the_lock_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    fs::create_dir(&path).unwrap();
    let error = Lock::try_take(&path).unwrap_err().to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
}

#[test]
fn a_run_is_locked_before_it_has_begun() {
    let results = tempfile::tempdir().unwrap();
    let dir = RunDir::open(results.path(), "00-quickstart", &name());
    assert_eq!(dir.held().unwrap(), None);
    assert!(!dir.path().exists(), "looking touches no file");
    let Attempt::Taken(lock) = dir.try_lock().unwrap() else { panic!("nobody holds it") };
    assert!(dir.held().unwrap().is_some());
    assert!(!dir.is_begun());
    drop(lock);
    assert_eq!(dir.held().unwrap(), None);
}
