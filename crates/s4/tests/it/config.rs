//! Options, initial values and parameter groups.

use burn::module::Module;
use subquad_mixer::{
    Context, LearningRate, Options, Refusal, SequenceMixer, SequenceMixerConfig, WeightDecay,
};
use subquad_options::Value;
use subquad_s4::{OutputMix, RealTransform, S4Config, S4Init, S4dConfig, S4dInit};
use subquad_testkit::to_f64;

use crate::oracle::Seeded;
use subquad_testkit::paths_of;

#[test]
fn an_option_out_of_its_range_is_refused_by_name() {
    let ok = S4dConfig::new(4);
    let wrong = [
        (S4dConfig::new(0), "d_model must be an integer >= 1, got 0"),
        (ok.clone().with_d_state(0), "d_state must be an integer from 2 to 65536, got 0"),
        (ok.clone().with_n_ssm(Some(0)), "n_ssm must be an integer from 1 to 8192 or \"d_model\", got 0"),
        (ok.clone().with_dt_min(1e-13), "dt_min must be a finite number >= 1e-12 and <= 1e6, got 1e-13"),
        (ok.clone().with_dt_max(f64::NAN), "dt_max must be a finite number >= 1e-12 and <= 1e6, got NaN"),
        (ok.clone().with_b_clip(Some(0.0)), "b_clip must be a finite number >= 0, got Some(0.0)"),
        (ok.clone().with_channels(0), "channels must be an integer from 1 to 1024, got 0"),
        (ok.clone().with_dropout(1.0), "activation_dropout must be a finite number >= 0 and < 1, got 1.0"),
        (
            ok.clone().with_kernel_dropout(-0.1),
            "kernel_dropout must be a finite number >= 0 and < 1, got -0.1",
        ),
        (ok.clone().with_ssm_lr(f64::NAN), "ssm_lr must be a finite number >= 0, got NaN"),
    ];
    for (config, words) in wrong {
        assert_eq!(config.check().unwrap_err().to_string(), words);
    }
    let low_rank = [
        (S4Config::new(4, 0), "l_max must be an integer from 1 to 16777216 or \"longest\", got 0"),
        (S4Config::new(4, 9).with_rank(Some(0)), "rank must be an integer from 0 to 64, got Some(0)"),
        (S4Config::new(4, 9).with_d_state(1026), "d_state must be an integer from 2 to 1024, got 1026"),
    ];
    for (config, words) in low_rank {
        assert_eq!(config.check().unwrap_err().to_string(), words);
    }
    assert_eq!((ok.check(), S4Config::new(4, 9).check()), (Ok(()), Ok(())));
}

fn refused(refusals: Vec<Refusal>) -> (String, Vec<&'static str>) {
    let [refusal] = &refusals[..] else { panic!("one refusal, got {refusals:?}") };
    (refusal.to_string(), refusal.fields.clone())
}

#[test]
fn options_that_do_not_go_together_are_refused_and_blamed() {
    let ok = S4dConfig::new(4);
    let wrong: [(_, _, &[_]); 8] = [
        (
            ok.clone().with_d_state(5),
            "d_state must be even, because states come in conjugate pairs; got 5",
            &["d_state"],
        ),
        (
            ok.clone().with_n_ssm(Some(3)),
            "n_ssm = 3 sets of A and B cannot be shared equally by 4 channels (d_model); choose a divisor of 4, or \
             \"d_model\" for a set each",
            &["n_ssm", "d_model"],
        ),
        (
            ok.clone().with_n_ssm(Some(1)).with_init(S4dInit::Diag),
            "init = \"diag\" mixes 2 kinds of system in equal numbers, so n_ssm must be a multiple of 2; got 1",
            &["init", "n_ssm", "d_model"],
        ),
        (
            ok.clone().with_dt_min(0.5),
            "dt_min = 0.5 exceeds dt_max = 0.1; lower dt_min or raise dt_max",
            &["dt_min", "dt_max"],
        ),
        (
            ok.clone().with_real_transform(RealTransform::Sigmoid).with_init(S4dInit::Real),
            "real_transform = \"sigmoid\" keeps decays below 1, but those of init = \"real\" start at 1 or above; choose \
             exp, softplus or relu",
            &["real_transform", "init"],
        ),
        (
            ok.clone().with_real_transform(RealTransform::Relu).with_init(S4dInit::Hippo),
            "real_transform = \"relu\" does not train decays of 1e-4 or less, and init = \"hippo\" starts there; choose \
             exp or softplus",
            &["real_transform", "init"],
        ),
        (
            ok.clone().with_channels(2).with_output(OutputMix::None),
            "channels = 2 needs an output layer that brings the width back to d_model; choose output = \"glu\" or \
             \"linear\"",
            &["channels", "output"],
        ),
        (
            ok.with_tie_dropout(false),
            "tie_dropout = false does nothing without activation_dropout; leave it at true",
            &["tie_dropout", "activation_dropout"],
        ),
    ];
    for (config, words, blamed) in wrong {
        assert_eq!(refused(config.refusals()), (words.into(), blamed.to_vec()));
    }
}

#[test]
fn sets_that_a_mixture_of_low_rank_systems_cannot_share_are_refused() {
    let config = S4Config::new(4, 8).with_init(S4Init::Hippo).with_n_ssm(Some(1));
    let words =
        "init = \"hippo\" mixes 2 kinds of system in equal numbers, so n_ssm must be a multiple of 2; got 1";
    assert_eq!(refused(config.refusals()), (words.into(), vec!["init", "n_ssm", "d_model"]));
}

#[test]
fn a_rank_below_that_of_the_init_is_refused() {
    let config = S4Config::new(4, 9).with_init(S4Init::Legt).with_rank(Some(1));
    let words = "init = \"legt\" needs a low-rank part of rank 2 or more, got rank = 1; raise it, or use 0 for what the \
                 init needs";
    assert_eq!(refused(config.refusals()), (words.into(), vec!["rank", "init"]));
    assert_eq!(config.with_rank(None).check(), Ok(()));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let config = S4Config::new(3, 9).with_d_state(5).with_n_ssm(Some(2)).with_init(S4Init::Legt);
    let config = config.with_rank(Some(1)).with_dt_min(0.5).with_tie_dropout(false);
    let first: Vec<_> = config.refusals().iter().map(|refusal| refusal.fields[0]).collect();
    assert_eq!(first, ["n_ssm", "d_state", "dt_min", "tie_dropout", "rank"]);
}

#[test]
fn a_layer_takes_width_and_direction_of_its_model_and_is_as_long_as_what_it_trains_on() {
    let context = Context { mixer: "m", d_model: 6, causal: false, seq_len: 10, longest: 20 };
    let (mut s4d, mut s4) = (S4dConfig::new(1), S4Config::new(1, 10));
    assert_eq!((s4d.fit(&context), s4.fit(&context)), (vec![], vec![]));
    assert_eq!([(s4d.d_model, s4d.bidirectional), (s4.d_model, s4.bidirectional)], [(6, true); 2]);
    let words = "l_max = 9 is shorter than the training sequences, 10 tokens; raise it or use \"longest\" (tests may be \
                 longer)";
    assert_eq!(refused(S4Config::new(1, 9).fit(&context)), (words.into(), vec!["l_max"]));
}

#[test]
fn what_stands_for_nothing_in_a_config_is_none() {
    let written =
        [("n_ssm", Value::from("d_model")), ("b_clip", Value::Real(0.0)), ("rank", Value::Integer(0))];
    let written = [&written[..], &[("l_max", Value::Integer(7))]].concat();
    let value = |name: &str| {
        let set = written.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        set.or_else(|| S4Config::fields().into_iter().find(|field| field.name == name)?.default)
    };
    let config = S4Config::from_values(&value).unwrap();
    assert_eq!((config.n_ssm, config.b_clip, config.rank, config.l_max), (None, None, None, 7));
    let own = S4Config::new(0, 7).with_b_clip(None);
    assert_eq!(config.to_values(), own.to_values(), "keys have the defaults of the struct");
}

#[test]
#[should_panic(expected = "S4dConfig: n_ssm = 3 sets of A and B cannot be shared equally")]
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
