//! The configs of the repository write out every knob, so that a default can never change what they mean.

use std::collections::BTreeSet;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use subquad::assemble;
use subquad::config::{BENCH_KEYS, BENCH_LISTS, ConfigFile, KEYS, Key, RunConfig, TaskSettings};
use subquad::plan::plan;

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
        let any_length = |_: &TaskSettings, _: usize| Ok(());
        let config = ConfigFile::load(&path, &[], &any_length).unwrap_or_else(|e| panic!("{e}"));
        let ConfigFile::Training(study) = config else {
            assert_every_bench_key(&path);
            continue;
        };
        let written = keys(&path);
        let used = |key: &&Key| study.runs.iter().any(|run| run.settings().contains_key(key.name));
        for key in KEYS.iter().filter(used) {
            assert!(written.contains(key.name), "{} leaves {} to its default", path.display(), key.name);
        }
        for axis in ["mixer", "seq_len", "seed"] {
            assert!(written.contains(axis), "{} leaves {axis} to its default", path.display());
        }
    }
}

fn assert_every_bench_key(path: &PathBuf) {
    let written = keys(path);
    for key in BENCH_LISTS.iter().chain(BENCH_KEYS) {
        assert!(written.contains(key.name), "{} leaves {} to its default", path.display(), key.name);
    }
}

/// As the comparison promises: parameters within 10 %, through the width of the channel mixer.
#[test]
fn the_quick_start_gives_every_mixer_the_same_budget() {
    let studies = plan(&[repository().join("configs/00-quickstart")], &[]).unwrap().training;
    let runs: Vec<_> = studies[0].runs.iter().map(|run| &run.resolved.config).collect();
    assert_eq!(runs.len(), 18);
    let equal = |run: &RunConfig| (run.train.steps, run.train.batch, run.model.d_model, run.model.n_layers);
    assert!(runs.iter().all(|run| equal(run) == equal(runs[0])));
    let parameters = runs.iter().map(|run| {
        let task = assemble::task(&run.task).open(run.seq_len, run.seed).unwrap();
        assemble::model(run, &*task).init(&Device::flex()).num_params()
    });
    let parameters: BTreeSet<usize> = parameters.collect();
    let (least, most) = (parameters.first().unwrap(), parameters.last().unwrap());
    assert!(most * 10 <= least * 11, "{parameters:?}");
}
