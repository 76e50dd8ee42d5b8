//! The configs of the repository write out every knob, so that a default can never change what they mean.

use std::collections::BTreeSet;
use std::path::PathBuf;

use subquad::config::{KEYS, StudyConfig};

use crate::lab::{files, repository};

fn configs() -> Vec<PathBuf> {
    let folders = files(&repository().join("configs")).into_iter().filter(|path| path.is_dir());
    folders
        .flat_map(|folder| files(&folder))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect()
}

/// Dotted keys of the file, those of `[sweep]` without that word.
fn keys(path: &PathBuf) -> BTreeSet<String> {
    let text = fs_err::read_to_string(path).unwrap();
    let mut keys = BTreeSet::new();
    add_keys("", &text.parse::<toml::Table>().unwrap(), &mut keys);
    keys.into_iter().map(|key| key.trim_start_matches("sweep.").to_owned()).collect()
}

fn add_keys(prefix: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => add_keys(&format!("{prefix}{key}."), inner, keys),
            _ => drop(keys.insert(format!("{prefix}{key}"))),
        }
    }
}

#[test]
fn every_config_writes_out_every_knob_of_its_mixers() {
    assert!(!configs().is_empty());
    for path in configs() {
        let any_length = |_: &str, _: usize| Ok(());
        let study = StudyConfig::load(&path, &[], &any_length).unwrap_or_else(|e| panic!("{e}"));
        let mixers: Vec<_> = study.runs.iter().map(|run| run.config.mixer_name()).collect();
        let written = keys(&path);
        for key in KEYS.iter().filter(|key| mixers.iter().any(|mixer| key.belongs_to(*mixer))) {
            assert!(written.contains(key.name), "{} leaves {} to its default", path.display(), key.name);
        }
        for axis in ["mixer", "seq_len", "seed"] {
            assert!(written.contains(axis), "{} leaves {axis} to its default", path.display());
        }
    }
}
