//! Whole published classifiers with state-space layers: their numbers, names and options.

use subquad_backend::Form;
use subquad_mixer::published::Case;
use subquad_model::published::replay;
use subquad_model::{ClassifierNames, SequenceModel, StateSpaceNames};
use subquad_testkit::{cpu, golden, with_seed};

const FORMS: [Form; 2] = [Form::Portable, Form::Fused];

const CASES: [(&str, ClassifierNames, StateSpaceNames); 3] = [
    ("model_s4d_postnorm", ClassifierNames::Example, StateSpaceNames::Minimal),
    ("model_s4block_prenorm", ClassifierNames::Example, StateSpaceNames::Block),
    ("model_s4_sequence_prenorm", ClassifierNames::Backbone, StateSpaceNames::Block),
];

fn path(case: &str) -> String {
    format!("{}/tests/golden/{case}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// Loads under the lock of burn's generator, from which a model draws parameters before it gets those of the case.
fn load(case: &mut Case) -> SequenceModel {
    with_seed(&cpu(), 1, || SequenceModel::from_published(case, &cpu()).unwrap())
}

#[test]
fn published_classifiers_are_reproduced_in_both_forms() {
    for (name, ..) in CASES {
        for form in FORMS {
            golden::check(path(name), |case| replay(case, form, &cpu()));
        }
    }
}

#[test]
fn what_was_loaded_is_saved_back_bit_by_bit() {
    for (name, names, mixers) in CASES {
        let mut case = golden::read(path(name)).unwrap();
        let wanted = case.parameters.clone();
        let model = load(&mut case);
        assert!(case.parameters.is_empty(), "{name} did not take {:?}", case.parameters.keys());
        assert_eq!(model.to_published(names, mixers).unwrap(), wanted, "{name}");
    }
}

#[test]
fn a_model_of_another_class_is_not_saved_under_wrong_names() {
    let mut case = golden::read(path("model_s4_sequence_prenorm")).unwrap();
    let model = load(&mut case);
    let refusal = |names| model.to_published(names, StateSpaceNames::Block).unwrap_err().to_string();
    assert_eq!(
        refusal(ClassifierNames::Example),
        "layer `s4_model`: not implemented here: these channel mixers"
    );
    assert!(model.to_published(ClassifierNames::Backbone, StateSpaceNames::Block).is_ok());
}

fn refusal(name: &str, change: impl FnOnce(&mut Case)) -> String {
    let mut case = golden::read(path(name)).unwrap();
    change(&mut case);
    with_seed(&cpu(), 1, || replay(&mut case, Form::Fused, &cpu())).unwrap_err().to_string()
}

/// A size that costs the writer of a file nothing.
const MOST: u64 = 1 << 40;

#[test]
fn sizes_that_the_file_does_not_show_are_refused() {
    let size = |name, key: &str, size: u64| refusal(name, |case| case.config[key] = size.into());
    for (name, ..) in CASES {
        assert!(size(name, "n_layers", MOST).contains("is missing"), "{name}");
        assert!(size(name, "n_layers", 0).contains("n_layers = 0"), "{name}");
        for key in ["d_model", "d_input", "d_output"] {
            let error = size(name, key, MOST);
            assert!(error.contains("has shape") && error.contains(&format!("{key} = {MOST}")), "{error}");
        }
    }
    let of_blocks = size("model_s4_sequence_prenorm", "ffn_expand", MOST);
    assert!(of_blocks.contains("`model.layers.1.layer.ff.0.0.weight` has shape [12, 6]"), "{of_blocks}");
    let of_states = size("model_s4d_postnorm", "d_state", MOST);
    assert!(of_states.contains("`s4_layers.0.kernel.C` has shape [8, 8, 2]"), "{of_states}");
}

#[test]
fn options_that_ours_does_not_have_are_refused_by_name() {
    for (name, ..) in CASES {
        let unknown = refusal(name, |case| case.config["bandlimit"] = 0.5.into());
        assert!(unknown.contains("unknown field `bandlimit`"), "{unknown}");
        let other = refusal(name, |case| case.config["mixer"] = "s5".into());
        assert!(other.contains("unknown variant `s5`"), "{other}");
    }
    let fed = refusal("model_s4d_postnorm", |case| case.config["ffn_expand"] = 2.into());
    assert!(fed.contains("this model has no feed-forward blocks"), "{fed}");
    let missing =
        refusal("model_s4block_prenorm", |case| drop(case.parameters.remove("s4_layers.1.layer.D")));
    assert!(missing.contains("tensor `s4_layers.1.layer.D` is missing"), "{missing}");
}

#[test]
fn absent_keys_have_the_published_defaults() {
    for (name, keys) in [
        ("model_s4_sequence_prenorm", &["prenorm", "ffn_expand", "disc", "l_max", "init"][..]),
        ("model_s4d_postnorm", &["prenorm"]),
    ] {
        golden::check(path(name), |case| {
            keys.iter().for_each(|key| drop(case.config.as_object_mut().unwrap().remove(*key)));
            replay(case, Form::Fused, &cpu())
        });
    }
}
