//! The program on the GPU.

use std::path::Path;

use serde_json::Value;

use super::gpu;
use crate::lab::{Lab, crates};

/// A graphics card that no machine has.
const NO_CARD: (&str, &str) = (subquad_backend::ADAPTER_VARIABLE, "DiscreteGpu(200)");

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_study_on_wgpu_records_the_device_and_its_form() {
    if gpu().is_none() {
        return;
    }
    let lab = Lab::new();
    let answer = lab.subquad("run tiny --device wgpu --set sweep.seed=[0]").expect(0);
    assert!(answer.err.starts_with("device: wgpu, "), "{}", answer.err);
    for run in lab.runs("results") {
        let manifest = json(&run.join("manifest.json"));
        assert_eq!((&manifest["device"], &manifest["form"]), (&"wgpu".into(), &"portable".into()));
        assert!(manifest["adapter"].as_str().is_some_and(|name| !name.is_empty()), "{manifest}");
        // The memory of the GPU is not counted.
        assert_eq!(json(&run.join("summary.json"))["peak_bytes"], Value::Null);
    }
}

#[test]
fn published_layers_replay_on_wgpu() {
    if gpu().is_none() {
        return;
    }
    let cases = ["s4/tests/golden/s4d_legs_zoh", "monarch/tests/golden/m2_bidirectional_residual"];
    for case in cases.map(|case| crates().join(case).with_extension("safetensors")) {
        Lab::new().subquad(&format!("verify --device wgpu {}", case.display())).expect(0);
    }
}

#[test]
fn an_adapter_that_is_not_there_is_wrong_use() {
    if gpu().is_none() {
        return;
    }
    for arguments in ["run tiny --device wgpu", "run tiny --device auto", "verify x --device wgpu"] {
        let answer = Lab::new().subquad_with(arguments, &[NO_CARD]).expect(2);
        assert!(answer.err.starts_with("error: wgpu: "), "{}", answer.err);
        assert!(answer.err.contains(NO_CARD.0), "{}", answer.err);
    }
}

#[test]
fn fused_kernels_are_refused_on_wgpu() {
    if gpu().is_none() {
        return;
    }
    let answer = Lab::new().subquad("verify x --device wgpu --form fused").expect(2);
    assert!(answer.err.starts_with("error: --form fused: "), "{}", answer.err);
}
