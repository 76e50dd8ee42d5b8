//! Options, initial values and parameter groups.

use burn::module::Module;
use subquad_mixer::{LearningRate, SequenceMixer, WeightDecay};
use subquad_s4::{S4dConfig, S4dInit};
use subquad_testkit::to_f64;

use crate::oracle::Seeded;
use subquad_testkit::paths_of;

#[test]
fn a_config_that_cannot_be_built_says_why() {
    let ok = S4dConfig::new(4);
    let wrong = [
        (S4dConfig::new(0), "d_model must be at least 1, got 0"),
        (
            ok.clone().with_d_state(5),
            "d_state counts both members of each conjugate pair, so it must be even and at least 2, got 5",
        ),
        (
            ok.clone().with_d_state(0),
            "d_state counts both members of each conjugate pair, so it must be even and at least 2, got 0",
        ),
        (
            ok.clone().with_n_ssm(Some(3)),
            "3 systems cannot be shared equally by d_model = 4 channels; choose a divisor of 4",
        ),
        (
            ok.clone().with_dt_min(0.5),
            "initial steps need 0 < dt_min <= dt_max < infinity, got dt_min = 0.5, dt_max = 0.1",
        ),
        (
            ok.clone().with_dt_min(1e-50),
            "initial steps must be within 1e-12 and 1e6 tokens, got dt_min = 1e-50, dt_max = 1e-1",
        ),
        (ok.clone().with_b_clip(Some(0.0)), "b_clip must be positive and finite, got 0.0"),
        (ok.clone().with_ssm_lr(f64::NAN), "ssm_lr must be finite and not negative, got NaN"),
    ];
    for (config, words) in wrong {
        assert_eq!(config.check().unwrap_err().to_string(), words);
    }
    assert_eq!(ok.check(), Ok(()));
}

#[test]
#[should_panic(expected = "S4dConfig: 3 systems cannot be shared equally")]
fn init_repeats_the_words_of_check() {
    S4dConfig::new(4).with_n_ssm(Some(3)).seeded();
}

#[test]
fn inits_are_named_in_lower_case() {
    let names = ["\"legs\"", "\"lin\"", "\"inv\"", "\"real\""];
    for (init, name) in [S4dInit::Legs, S4dInit::Lin, S4dInit::Inv, S4dInit::Real].into_iter().zip(names) {
        assert_eq!(serde_json::to_string(&init).unwrap(), name);
    }
}

#[test]
fn initial_values_have_their_ranges_and_variances() {
    let layer = S4dConfig::new(256).seeded();
    let log_dt = to_f64(layer.ssm.modes.inv_dt.val());
    assert!(log_dt.iter().all(|v| (1e-3f64.ln() - 1e-5..=0.1f64.ln() + 1e-5).contains(v)));
    let mean = log_dt.iter().sum::<f64>() / 256.0;
    assert!((mean - (1e-3f64.ln() + 0.1f64.ln()) / 2.0).abs() < 0.3, "log dt is uniform: mean {mean}");
    for part in [to_f64(layer.ssm.modes.c_re.val()), to_f64(layer.ssm.modes.c_im.val())] {
        let deviation = (part.iter().map(|v| v * v).sum::<f64>() / part.len() as f64).sqrt();
        assert!((deviation / 0.5f64.sqrt() - 1.0).abs() < 0.03, "C is complex normal: {deviation}");
    }
    assert!(to_f64(layer.ssm.modes.inv_a_re.val()).iter().all(|v| (v - 0.5f64.ln()).abs() < 1e-6));
}

#[test]
fn the_clip_bounds_the_input_weights_of_legs_alone() {
    let largest = |config: S4dConfig| {
        let layer = config.with_n_ssm(Some(1)).with_init(S4dInit::Legs).seeded();
        to_f64(layer.ssm.modes.b_im.val()).iter().fold(0.0, |max: f64, v| max.max(v.abs()))
    };
    assert_eq!(largest(S4dConfig::new(2)), 2.0);
    assert!((largest(S4dConfig::new(2).with_b_clip(None)) - 40.75).abs() < 0.01);
}

#[test]
fn steps_and_eigenvalues_and_input_weights_train_slowly_and_without_decay() {
    let layer = S4dConfig::new(4).with_ssm_lr(2e-4).seeded();
    let groups = layer.parameter_groups();
    let [group] = &groups[..] else { panic!("one group, got {groups:?}") };
    let inside = paths_of(&layer, &group.parameters);
    assert_eq!(
        inside,
        ["inv_dt", "inv_a_re", "a_im", "b_re", "b_im"].map(|name| format!("ssm.modes.{name}"))
    );
    assert_eq!((group.name, group.parameters.len()), ("ssm", 5));
    assert_eq!(group.learning_rate, LearningRate::AtMost(2e-4));
    assert_eq!(group.weight_decay, WeightDecay::Fixed(0.0));
}

#[test]
fn the_layer_has_as_many_parameters_as_published() {
    // C, A, B, dt, D and the linear layer, at the published size of one sequential CIFAR layer.
    let layer = S4dConfig::new(512).with_n_ssm(Some(2)).with_bidirectional(true).seeded();
    let low_rank = 2 * 2 * 32; // P, which the diagonal layer does not have
    assert_eq!(layer.num_params(), 592_256 - low_rank);
}
