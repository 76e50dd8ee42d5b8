//! What names a run, and what does not.

use std::collections::BTreeSet;

use subquad::Program;
use subquad::plan::plan;
use subquad_backend::DeviceKind;
use subquad_model::MixerConfig;
use subquad_record::read_study;

use crate::lab::{Lab, TINY_RUNS, repository};

fn names(lab: &Lab, arguments: &str) -> Vec<String> {
    let listed = lab.subquad(&format!("run --dry-run {arguments}")).expect(0).out;
    listed.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect()
}

/// Names must never change: existing results are found by them.
#[test]
fn the_quick_starts_runs_keep_their_names() {
    let config = repository().join("configs/00-quickstart");
    let names = names(&Lab::new(), &config.display().to_string());
    insta::assert_snapshot!(names.join("\n"), @"
    attention-L64-s0-5c885b46
    attention-L64-s1-91f05bbb
    s4d-L64-s0-c8af8b62
    s4d-L64-s1-f069ae5c
    m2-L64-s0-5d18b9ed
    m2-L64-s1-41c80efd
    attention-L144-s0-e2e56aed
    attention-L144-s1-a882953e
    s4d-L144-s0-190adac5
    s4d-L144-s1-e405adc9
    m2-L144-s0-1cca7f30
    m2-L144-s1-f2917040
    attention-L256-s0-fbe98764
    attention-L256-s1-24b71870
    s4d-L256-s0-596a77eb
    s4d-L256-s1-4accf135
    m2-L256-s0-b17a5219
    m2-L256-s1-62ec3385
    ");
    let recorded = read_study(&repository().join("results/00-quickstart")).unwrap();
    assert_eq!(recorded.runs.into_iter().map(|run| run.run).collect::<Vec<_>>(), names);
}

#[test]
fn bookkeeping_and_flags_of_the_machine_leave_names_alone() {
    let lab = Lab::new();
    let before = names(&lab, "tiny");
    assert_eq!(before.len(), TINY_RUNS);
    for flags in [
        "--set train.log_every=3 --set train.eval_every=1 --set train.checkpoint_every=1",
        "--results elsewhere",
        "--threads 1",
        "--jobs 3",
        "--force --quiet",
        "--device cpu",
    ] {
        assert_eq!(names(&lab, &format!("tiny {flags}")), before, "{flags}");
    }
}

#[test]
fn another_kind_of_device_names_other_runs() {
    let lab = Lab::new();
    let on = |kind| -> Vec<String> {
        let study = plan(Program::of::<MixerConfig>(), &[lab.path("tiny")], &[])
            .unwrap()
            .training
            .remove(0)
            .on_device(kind);
        study.runs.iter().map(|run| run.name.to_string()).collect()
    };
    assert_eq!(on(DeviceKind::Cpu), names(&lab, "tiny"));
    let all: BTreeSet<_> = [DeviceKind::Cpu, DeviceKind::Wgpu].into_iter().flat_map(on).collect();
    assert_eq!(all.len(), 2 * TINY_RUNS);
}

#[test]
fn the_number_of_threads_is_on_record() {
    let lab = Lab::new();
    lab.subquad("run tiny --threads 1 --set sweep.mixer=[\"s4d\"]").expect(0);
    for run in lab.runs("results") {
        let text = fs_err::read_to_string(run.join("manifest.json")).unwrap();
        assert!(text.contains("\"threads\": 1,"), "{text}");
    }
}

#[test]
fn counts_of_zero_and_of_too_many_threads_are_refused() {
    let lab = Lab::new();
    for (flag, count, wanted) in [
        ("--jobs", 0, "a whole number >= 1"),
        ("--threads", 0, "is not in 1..=1024"),
        ("--threads", 1025, "is not in 1..=1024"),
    ] {
        let err = lab.subquad(&format!("run tiny {flag} {count}")).expect(2).err;
        assert!(err.contains(&format!("'{count}' for '{flag} ")) && err.contains(wanted), "{err}");
    }
}

/// Eight digits are 32 bits: among a hundred thousand runs, some two have the same.
#[test]
fn runs_whose_hashes_agree_by_chance_have_names_of_their_own() {
    let lab = Lab::new();
    let config = "task.name = \"digits\"\ntask.digits.validation = 0.0\nmodel.d_model = 8\nmodel.n_layers = 1\nmixer.attention.n_heads = 2\ntrain.steps = 4\n\
        [sweep]\nmixer = [\"attention\"]\nseq_len = [64]\n\"model.d_hidden\" = [1, 3]\n\"optim.lr\" = [0.05424, 0.02049]\n";
    lab.write("twins/twins.toml", config);
    insta::assert_snapshot!(names(&lab, "twins").join("\n"), @"
    attention-L64-s0-9b290537
    attention-L64-s0-4253e392
    attention-L64-s0-ef24ea95
    attention-L64-s0-9b2905374c35681d
    ");
}
