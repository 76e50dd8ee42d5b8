//! The published implementation's numbers.

use std::path::PathBuf;

use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError};
use subquad_monarch::published::replay;
use subquad_testkit::{cpu, golden};

use crate::FORMS;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.safetensors"))
}

fn case(name: &str) -> Case {
    golden::read(path(name)).unwrap()
}

fn refusal(case: &mut Case) -> CaseError {
    replay(case, Form::Fused, &cpu()).unwrap_err()
}

#[test]
fn published_cases_are_reproduced_in_both_forms() {
    for name in [
        "m2_causal",
        "m2_bidirectional_residual",
        "m2_training_additions",
        "blockdiag_16_24",
        "blockdiag_padded_10_14",
        "monarch_16",
        "monarch_rect_12_30",
    ] {
        for form in FORMS {
            golden::check(path(name), |case| replay(case, form, &cpu()));
        }
    }
}

#[test]
fn a_frequency_that_is_not_shared_is_refused() {
    let mut case = case("m2_bidirectional_residual");
    let second = "filter_fn.implicit_filter_rev.3.freq";
    let other = case.parameters["filter_fn2.implicit_filter.1.freq"].clone();
    let shifted = other.iter::<f32>().map(|f| f + 1.0).collect::<Vec<_>>();
    case.parameters.insert(second.into(), burn::tensor::TensorData::new(shifted, [1, 16]));
    let first = "filter_fn.implicit_filter.1.freq".into();
    let difference = "hold different values".into();
    assert_eq!(refusal(&mut case), CaseError::NotShared { first, second: second.into(), difference });
}

#[test]
fn absent_keys_have_the_published_defaults() {
    let mut case = case("m2_bidirectional_residual");
    let keys = case.config.as_object_mut().unwrap();
    keys.remove("hyena_filter_order");
    keys.remove("hyena_w");
    assert!(replay(&mut case, Form::Fused, &cpu()).is_ok());
}

#[test]
fn an_unknown_key_and_a_config_that_does_not_fit_are_refused() {
    let mut unknown = case("m2_causal");
    unknown.config["training_additions"] = serde_json::json!(true);
    assert!(refusal(&mut unknown).to_string().contains("unknown field `training_additions`"));
    let mut even = case("m2_causal");
    even.config["hyena_emb_dim"] = serde_json::json!(4);
    assert!(refusal(&mut even).to_string().contains("emb_dim = 4"));
    let mut longer = case("m2_causal");
    longer.config["l_max"] = serde_json::json!(34);
    assert!(refusal(&mut longer).to_string().contains("filter_fn.pos_emb.z"));
    let mut shorter = case("blockdiag_16_24");
    shorter.config["nblocks"] = serde_json::json!(2);
    assert!(refusal(&mut shorter).to_string().contains("`weight` has shape [4, 6, 4]"));
}

#[test]
fn monarch_factors_that_do_not_fit_are_refused() {
    let refusal = |w2: [usize; 3]| {
        let mut case = case("monarch_16");
        case.config["w2"] = serde_json::json!(w2);
        let zeros = vec![0f32; w2.iter().product()];
        case.parameters.insert("w2".into(), burn::tensor::TensorData::new(zeros, w2));
        refusal(&mut case).to_string()
    };
    assert!(refusal([4, 4, 3]).contains("w1 writes 4 x 4 numbers, but w2 reads 4 x 3"));
    assert!(refusal([4, 2, 4]).contains("w2 writes 4 x 2 numbers, fewer than the features"));
}

#[test]
fn a_layer_that_is_not_here_is_refused() {
    let mut case = case("monarch_16");
    case.layer = "butterfly".into();
    let expected = CaseError::Unsupported { layer: "butterfly".into(), what: "this layer".into() };
    assert_eq!(refusal(&mut case), expected);
}

#[test]
fn the_factor_beside_the_learned_frequency_is_part_of_the_layer() {
    let mut halved = case("m2_training_additions");
    halved.config["hyena_w_mod"] = serde_json::json!(2);
    for (name, data) in halved.parameters.iter_mut().filter(|(name, _)| name.ends_with(".freq")) {
        let half: Vec<f32> = data.iter::<f32>().map(|w| w / 2.0).collect();
        assert!(half[0] > 0.0, "{name}");
        *data = burn::tensor::TensorData::new(half, data.shape().to_vec());
    }
    let output = |case: &mut Case| replay(case, Form::Fused, &cpu()).unwrap()["output"].clone();
    // Halves and doubles are exact.
    assert_eq!(output(&mut halved), output(&mut case("m2_training_additions")));
}
