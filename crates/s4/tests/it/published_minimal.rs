//! The published minimal S4D: other names, and a `B` of ones. `subquad-model` holds runs of it.

use burn::module::Module;
use serde_json::json;
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::Case;
use subquad_s4::{OutputMix, S4d, S4dConfig, S4dInit};
use subquad_testkit::{cpu, seeded_tensor, with_seed};

/// `Lin` starts with `B` of ones.
fn config() -> S4dConfig {
    S4dConfig::new(4).with_d_state(6).with_init(S4dInit::Lin)
}

fn build(config: &S4dConfig) -> S4d {
    with_seed(&cpu(), 3, || config.init(&cpu()))
}

/// Under the lock of burn's generator, of which a layer draws parameters before it gets those of the case.
fn load(case: &mut Case) -> S4d {
    with_seed(&cpu(), 1, || S4d::from_published(case, &cpu()).unwrap())
}

fn case(layer: &S4d) -> Case {
    let config = json!({ "d_model": 4, "d_state": 6, "dropout": 0.0 });
    let parameters = layer.to_published_minimal().unwrap();
    Case { layer: "s4d".into(), config, parameters, tensors: Default::default() }
}

#[test]
fn a_minimal_layer_is_loaded_by_its_names_and_saved_back_bit_by_bit() {
    let (layer, mut case) = (build(&config()), case(&build(&config())));
    let wanted = case.parameters.clone();
    assert_eq!(
        wanted.iter().map(|(name, data)| (name.as_str(), data.shape().to_vec())).collect::<Vec<_>>(),
        [
            ("D", vec![4]),
            ("kernel.A_imag", vec![4, 3]),
            ("kernel.C", vec![4, 3, 2]),
            ("kernel.log_A_real", vec![4, 3]),
            ("kernel.log_dt", vec![4]),
            ("output_linear.0.bias", vec![8]),
            ("output_linear.0.weight", vec![8, 4, 1]),
        ]
    );
    let loaded = load(&mut case);
    assert!(case.parameters.is_empty(), "{:?}", case.parameters.keys());
    assert_eq!(loaded.to_published_minimal().unwrap(), wanted);
    let x = || seeded_tensor([2, 11, 4], 4, &cpu());
    assert_eq!(loaded.forward(x()).into_data(), layer.forward(x()).into_data());
}

#[test]
fn its_b_does_not_train() {
    let layer = load(&mut case(&build(&config()))).train();
    let grads = layer.forward(seeded_tensor([2, 11, 4], 4, &cpu().autodiff())).sum().backward();
    let modes = &layer.ssm.modes;
    assert!(modes.b_re.val().grad(&grads).is_none() && modes.b_im.val().grad(&grads).is_none());
    assert_eq!(layer.published_minimal_gradients(&grads).unwrap().len(), 7);
}

#[test]
fn what_a_minimal_layer_has_not_is_refused_by_name() {
    let refusal = |config: S4dConfig| build(&config).to_published_minimal().unwrap_err().to_string();
    let says = |what: &str| format!("layer `s4d`: not implemented here: {what}");
    assert_eq!(refusal(config().with_init(S4dInit::Legs)), says("B other than 1"));
    assert_eq!(refusal(config().with_n_ssm(Some(2))), says("n_ssm other than d_model"));
    assert_eq!(refusal(config().with_bidirectional(true)), says("bidirectional = true, or channels above 1"));
    assert_eq!(refusal(config().with_dt_tie(false)), says("dt_tie = false"));
    assert_eq!(refusal(config().with_output(OutputMix::Linear)), says("an output other than glu"));
    let mut case = case(&build(&config()));
    case.config["d_state"] = json!(8);
    assert!(
        S4d::from_published(&mut case, &cpu())
            .unwrap_err()
            .to_string()
            .contains("`kernel.C` has shape [4, 3, 2]")
    );
}
