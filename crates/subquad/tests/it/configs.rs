//! The configs of the repository are short, and the quick start compares equals.

use std::collections::BTreeSet;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::Device;
use subquad::config::RunConfig;
use subquad::plan::plan;

use crate::lab::{files, repository};
use crate::layers::{model_of, program};

fn configs() -> Vec<PathBuf> {
    let folders = files(&repository().join("configs")).into_iter().filter(|path| path.is_dir());
    folders
        .flat_map(|folder| files(&folder))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect()
}

/// Beyond this, a config no longer shows what its study chooses.
const MOST_LINES: usize = 45;

#[test]
fn a_config_shows_what_its_study_chooses_and_no_more() {
    assert!(!configs().is_empty());
    for path in configs() {
        let lines = fs_err::read_to_string(&path).unwrap().lines().count();
        assert!(
            lines <= MOST_LINES,
            "{} has {lines} lines, more than {MOST_LINES}; leave out the keys that stand at their default",
            path.display()
        );
    }
}

/// As the comparison promises: parameters within 10 %, through the width of the channel mixer.
#[test]
fn the_quick_start_gives_every_mixer_the_same_budget() {
    let studies = plan(program(), &[repository().join("configs/00-quickstart")], &[]).unwrap().training;
    let runs: Vec<_> = studies[0].runs.iter().map(|run| run.config()).collect();
    assert_eq!(runs.len(), 18);
    let equal = |run: &RunConfig| (run.train.steps, run.train.batch, run.model.d_model, run.model.n_layers);
    assert!(runs.iter().all(|run| equal(run) == equal(&runs[0])));
    let parameters =
        studies[0].runs.iter().map(|run| model_of(&run.resolved).init(&Device::flex()).num_params());
    let parameters: BTreeSet<usize> = parameters.collect();
    let (least, most) = (parameters.first().unwrap(), parameters.last().unwrap());
    assert!(most * 10 <= least * 11, "{parameters:?}");
}
