//! Files that are either old or new.

use std::io;
use std::path::Path;

use subquad_record::write_atomic;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_is_created_then_replaced_and_nothing_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    for bytes in [b"old".as_slice(), b"new and longer", b""] {
        write_atomic(&path, bytes).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert_eq!(names(folder.path()), ["a.json"]);
    }
}

#[test]
fn a_failed_replacement_leaves_the_old_and_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    // A file cannot replace a folder that holds something, whoever runs the test.
    let path = folder.path().join("taken");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("old"), "old").unwrap();
    let error = write_atomic(&path, b"new").unwrap_err();
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert_eq!(std::fs::read(path.join("old")).unwrap(), b"old");
    assert_eq!(names(folder.path()), ["taken"]);
}

#[test]
fn a_missing_folder_is_an_error_that_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("a.json");
    let error = write_atomic(&path, b"new").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("missing") && error.to_string().contains("a.json"), "{error}");
}

#[test]
fn a_path_without_a_file_name_is_refused() {
    assert_eq!(write_atomic("/", b"").unwrap_err().kind(), io::ErrorKind::InvalidInput);
}
