//! One example of each kind.

use std::collections::BTreeMap;

use subquad_data::{Metric, Score};
use subquad_record::{
    Evaluation, Machine, Manifest, Outcome, Repository, Row, RunName, RunSummary, RunWriter, Sink,
    Utilisation,
};

pub(crate) fn name() -> RunName {
    RunName { mixer: "s4d".into(), seq_len: 64, seed: 0, hash: "1b9d3f07".into() }
}

pub(crate) fn row(step: usize) -> Row {
    Row {
        step,
        split: "train".into(),
        condition: String::new(),
        loss: 1.0 / (step + 3) as f64,
        score: None,
        learning_rate: Some(1e-3),
        step_seconds: Some(0.1),
        tokens_per_second: Some(640.0),
        elapsed_seconds: 0.1 * step as f64,
    }
}

pub(crate) fn manifest() -> Manifest {
    Manifest {
        program_version: "0.1.0".into(),
        build_commit: None,
        config_file: "configs/00-quickstart/quick.toml".into(),
        config_repository: Some(Repository { commit: "0123456789ab".into(), dirty: false }),
        command: vec!["subquad".into(), "run".into()],
        machine: Machine {
            cpu: "a cpu".into(),
            cores: 2,
            memory_bytes: Some(1 << 33),
            os: "linux x86_64".into(),
        },
        instruction_set: "avx2+fma".into(),
        device: "cpu".into(),
        adapter: None,
        form: "fused".into(),
        threads: 2,
        jobs: 1,
        data: None,
        started: "2026-11-23T17:04:05Z".into(),
        resumed: vec![],
        ended: None,
        outcome: Outcome::Running,
    }
}

pub(crate) fn evaluation(split: &str) -> Evaluation {
    Evaluation {
        condition: String::new(),
        seq_len: Some(64),
        variant: String::new(),
        split: split.into(),
        loss: 0.5,
        score: Some(Score { metric: Metric::Accuracy, value: 0.875 }),
        examples: 359,
    }
}

pub(crate) fn summary(mixer: &str, seq_len: usize, seed: u64) -> RunSummary {
    RunSummary {
        run: format!("{mixer}-L{seq_len}-s{seed}-1b9d3f07"),
        config: "quick.toml".into(),
        task: "digits".into(),
        mixer: mixer.into(),
        seq_len,
        seed,
        steps: 100,
        batch: 32,
        d_model: 64,
        n_layers: 2,
        parameters: 12345,
        step_ms: 12.5,
        tokens_per_second: 163840.0,
        peak_bytes: Some(1 << 20),
        state_floats: Some(4096),
        form: "fused".into(),
        device: "cpu".into(),
        threads: 2,
        jobs: 1,
        build_commit: Some("abc1234".into()),
        validation: None,
        evaluations: vec![evaluation("train"), evaluation("test")],
        started: "2026-11-23T17:04:05Z".into(),
        ended: "2026-11-23T17:05:05Z".into(),
        outcome: Outcome::Done,
        settings: BTreeMap::new(),
        chosen: None,
        utilisation: Utilisation::new(Some(1.5e9), 0.0125, Some(240.0)),
    }
}

/// The files of the checkpoint after `step` steps.
pub(crate) fn files(step: usize) -> BTreeMap<String, Vec<u8>> {
    let file = |name: &str| (name.to_string(), format!("{name} after {step} steps").into_bytes());
    BTreeMap::from(["model", "optimiser"].map(file))
}

pub(crate) fn keep_checkpoint(writer: &mut RunWriter, step: usize) {
    writer.checkpoint(step, &|| Ok(files(step))).unwrap();
}
