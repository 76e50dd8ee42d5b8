//! H3: the published implementation's numbers, names and options.

use burn::tensor::TensorData;
use serde_json::{Value, json};
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, Replay};
use subquad_s4::{Discretization, H3, H3Config, RealTransform, StepTransform, published::replay};
use subquad_testkit::{cpu, golden, seeded_tensor, with_seed};

use crate::oracle::FORMS;

fn path(case: &str) -> String {
    format!("{}/tests/golden/{case}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

const CASES: [&str; 2] = ["h3_head1", "h3_head8"];

#[test]
fn published_h3_is_reproduced_in_both_forms() {
    for case in CASES {
        for form in FORMS {
            golden::check(path(case), |case| replay(case, form, &cpu()));
        }
    }
}

#[test]
fn what_was_loaded_is_saved_back_bit_by_bit() {
    for name in CASES {
        let mut case = golden::read(path(name)).unwrap();
        let wanted = case.parameters.clone();
        let layer = with_seed(&cpu(), 1, || H3::from_published(&mut case, &cpu()).unwrap());
        let saved = layer.to_published().unwrap();
        assert!(case.parameters.is_empty(), "{name} did not take {:?}", case.parameters.keys());
        assert_eq!(saved, wanted, "{name}");
    }
}

fn build(config: &H3Config) -> H3 {
    with_seed(&cpu(), 2, || config.init(&cpu()))
}

/// A case with the layer's own parameters.
fn case(layer: &H3, config: Value, seq: usize) -> Case {
    let numbers = |shape: [usize; 3], seed| seeded_tensor(shape, seed, &cpu()).into_data();
    let input = |seed| numbers([2, seq, 8], seed);
    let unknown = || TensorData::zeros::<f32, _>([1]);
    let recorded = ["step_output", "kernel", "shift_kernel"].map(|name| (name, unknown()));
    let tensors = [("input", input(4)), ("grad_output", input(5))].into_iter().chain(recorded);
    Case {
        layer: "h3".into(),
        config,
        parameters: layer.to_published().unwrap(),
        tensors: tensors.map(|(name, data)| (name.to_owned(), data)).collect(),
    }
}

fn run(layer: &H3, config: Value, seq: usize) -> Replay {
    let mut case = case(layer, config, seq);
    let found = with_seed(&cpu(), 1, || replay(&mut case, FORMS[1], &cpu()).unwrap());
    assert!(case.parameters.is_empty(), "{:?}", case.parameters.keys());
    found
}

#[test]
fn every_published_option_is_read() {
    let base = H3Config::new(8).with_d_state(6).with_train_shift_b(true);
    let cases = [
        (base.clone(), json!({ "d_model": 8, "d_state": 6 })),
        (
            base.clone().with_head_dim(2),
            json!({ "d_model": 8, "d_state": 6, "head_dim": 2, "measure": "diag-lin" }),
        ),
        (
            base.clone().with_head_dim(2).with_n_ssm(Some(2)),
            json!({ "d_model": 8, "d_state": 6, "head_dim": 2, "n_ssm": 2 }),
        ),
        (
            base.clone().with_discretization(Discretization::Zoh),
            json!({ "d_model": 8, "d_state": 6, "disc": "zoh" }),
        ),
        (
            base.clone().with_real_transform(RealTransform::Softplus),
            json!({ "d_model": 8, "d_state": 6, "real_type": "softplus", "dropout": 0.0, "channels": 1 }),
        ),
    ];
    for (config, published) in cases {
        let layer = build(&config);
        let found = run(&layer, published.clone(), 11);
        let wanted = layer.forward(seeded_tensor([2, 11, 8], 4, &cpu())).into_data();
        assert_eq!(found["output"], wanted, "{published}");
        assert!(found.contains_key("step_output"), "{published}");
        assert_eq!(found["shift_kernel"].shape().to_vec(), [8, 11]);
    }
}

#[test]
fn both_kernels_end_at_l_max_and_the_shift_at_its_state() {
    let layer = build(&H3Config::new(8).with_d_state(6).with_train_shift_b(true));
    let found = run(&layer, json!({ "d_model": 8, "d_state": 6, "l_max": 4 }), 11);
    for kernel in ["kernel", "shift_kernel"] {
        assert_eq!(found[kernel].shape().to_vec(), [8, 4], "{kernel}");
    }
    let wanted =
        layer.clone().with_max_taps(Some(4)).forward(seeded_tensor([2, 11, 8], 4, &cpu())).into_data();
    assert_eq!(found["output"], wanted);
    assert!(!found.contains_key("step_output"), "a state would hear more");
    let beyond = run(&layer, json!({ "d_model": 8, "d_state": 6, "l_max": 40 }), 11);
    let shift: Vec<f32> = beyond["shift_kernel"].iter::<f32>().collect();
    assert!(shift.chunks(11).all(|row| row[5] != 0.0 && row[6..].iter().all(|tap| *tap == 0.0)));
}

#[test]
fn what_the_layer_has_not_is_refused_by_name() {
    let refusal = |change: &dyn Fn(&mut Case)| {
        let mut case = golden::read(path("h3_head1")).unwrap();
        change(&mut case);
        replay(&mut case, FORMS[0], &cpu()).unwrap_err().to_string()
    };
    let option = |key: &str, value: Value| refusal(&|case: &mut Case| case.config[key] = value.clone());
    assert!(option("real_type", "none".into()).contains("unknown variant `none`"));
    assert!(option("disc", "dss".into()).contains("unknown variant `dss`"));
    assert!(option("bandlimit", 0.5.into()).contains("unknown field `bandlimit`"));
    assert_eq!(option("dropout", 0.5.into()), "layer `h3`: not implemented here: `dropout` = 0.5 (only 0.0)");
    assert!(option("l_max", 0.into()).contains("l_max = 0, but kernels have at least 1 tap"));
    assert!(
        option("n_ssm", 4.into())
            .contains("`kernel.kernel.inv_A_real` has shape [8, 8], but the config (n_ssm = 4")
    );
    assert!(option("d_state", json!(1u64 << 40)).contains("`ssm_k_kernel.kernel.B` has shape [8, 16]"));
    assert!(option("head_dim", 0.into()).contains("head_dim must be an integer from 1 to 8192, got 0"));
    let missing = refusal(&|case| drop(case.parameters.remove("ssm_k_D")));
    assert_eq!(missing, "tensor `ssm_k_D` is missing, which layer `h3` needs");
}

#[test]
fn a_shift_without_input_weights_is_saved_with_those_it_stands_for_and_steps_of_another_transform_are_refused()
 {
    let paper = build(&H3Config::new(8).with_d_state(6));
    let saved = paper.to_published().unwrap();
    let b: Vec<f32> = saved["ssm_k_kernel.kernel.B"].iter::<f32>().collect();
    assert!(b.chunks(6).all(|row| row == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
    let softplus = build(&H3Config::new(8).with_d_state(6).with_dt_transform(StepTransform::Softplus));
    assert_eq!(
        softplus.to_published().unwrap_err().to_string(),
        "layer `h3`: not implemented here: a dt_transform other than exp"
    );
}
