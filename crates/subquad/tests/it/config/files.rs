//! Files and folders.

use std::path::{Path, PathBuf};

use subquad::config::ConfigFile;
use subquad_config::{Quota, find_configs, slug};

use super::SMALL;
use crate::layers::program;

/// The error with the temporary folder's path left out.
fn told(error: impl ToString, folder: &Path) -> String {
    error.to_string().replace(&folder.display().to_string(), "DIR")
}

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|name| fs_err::write(folder.path().join(name), SMALL).unwrap());
    folder
}

#[test]
fn a_folder_means_its_toml_files_by_name() {
    let folder = folder(&["b.toml", "a.toml", "notes.md"]);
    fs_err::create_dir(folder.path().join("inner.toml")).unwrap();
    let names: Vec<PathBuf> = find_configs(folder.path()).unwrap();
    assert_eq!(names, [folder.path().join("a.toml"), folder.path().join("b.toml")]);
}

#[test]
fn a_file_means_itself() {
    let folder = folder(&["a.toml"]);
    let file = folder.path().join("a.toml");
    assert_eq!(find_configs(&file).unwrap(), [file]);
}

#[test]
fn paths_that_hold_no_config_are_named() {
    let folder = folder(&["notes.md"]);
    let path = folder.path();
    insta::assert_snapshot!(told(find_configs(path).unwrap_err(), path), @"DIR: holds no .toml file");
    insta::assert_snapshot!(told(find_configs(&path.join("none")).unwrap_err(), path), @"DIR/none: no such file or folder");
}

#[test]
fn unreadable_files_are_named() {
    let folder = folder(&[]);
    let path = folder.path();
    let load = |path: &Path| ConfigFile::load(program(), Quota::default(), path, &[]).unwrap_err();
    fs_err::write(path.join("latin1.toml"), b"[task]\n# caf\xe9\n").unwrap();
    insta::assert_snapshot!(told(load(&path.join("latin1.toml")), path), @"DIR/latin1.toml: not UTF-8 text from line 2 on; save the file as UTF-8");
    insta::assert_snapshot!(told(load(&path.join("none.toml")), path), @"DIR/none.toml: no such file or folder");
    insta::assert_snapshot!(told(load(path), path), @"DIR: cannot be read: is a directory");
}

#[test]
fn a_file_loads_as_its_text() {
    let folder = folder(&["a.toml"]);
    let loaded = ConfigFile::load(program(), Quota::default(), &folder.path().join("a.toml"), &[]).unwrap();
    let ConfigFile::Training(study) = loaded else { panic!("it trains") };
    let pairs = |runs: Vec<subquad_config::Run>| Vec::from_iter(runs.into_iter().map(|run| run.hash_pairs));
    assert_eq!(pairs(study.runs), pairs(super::runs(SMALL)));
}

#[test]
fn the_slug_is_the_folder_that_holds_the_config() {
    assert_eq!(slug(Path::new("configs/02-mqar/mqar.toml")).unwrap(), "02-mqar");
    // Tests run in the crate's own folder.
    let here = std::env::current_dir().unwrap();
    let here = here.file_name().unwrap().to_str().unwrap();
    assert_eq!(slug(Path::new("Cargo.toml")).unwrap(), here);
    assert_eq!(slug(Path::new("./Cargo.toml")).unwrap(), here);
}
