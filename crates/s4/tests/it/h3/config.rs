//! Options, initial values and parameter groups.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_mixer::{Context, LearningRate, SequenceMixer, SequenceMixerConfig, WeightDecay};
use subquad_s4::{H3Config, RealTransform, S4dInit};
use subquad_testkit::{battery, cpu, to_f64};

use super::{D_MODEL, build, config};

#[test]
fn the_same_seed_gives_the_same_layer() {
    battery::same_seed_same_bits(|device| config(2).with_train_shift_b(true).init(device), &cpu());
}

#[test]
fn an_option_out_of_its_range_is_refused_by_name() {
    let ok = config(2);
    let wrong = [
        (H3Config::new(0), "d_model must be an integer >= 1, got 0"),
        (config(0), "head_dim must be an integer from 1 to 8192, got 0"),
        (ok.clone().with_n_ssm(Some(0)), "n_ssm must be an integer from 0 to 8192, got Some(0)"),
        (ok.clone().with_d_state(1), "d_state must be an integer from 2 to 65536, got 1"),
        (ok.clone().with_dt_min(1e-13), "dt_min must be a finite number >= 1e-12 and <= 1e6, got 1e-13"),
        (ok.clone().with_b_clip(Some(0.0)), "b_clip must be a finite number >= 0, got Some(0.0)"),
        (ok.clone().with_ssm_lr(-1.0), "ssm_lr must be a finite number >= 0, got -1.0"),
    ];
    for (config, words) in wrong {
        assert_eq!(config.check().unwrap_err().to_string(), words);
    }
    assert_eq!(ok.check(), Ok(()));
}

#[test]
fn options_that_do_not_go_together_are_refused_and_blamed() {
    let ok = config(2);
    let wrong: [(_, _, &[_]); 6] = [
        (
            config(3),
            "heads of head_dim = 3 channels cannot share d_model = 8 equally; choose head_dim among the divisors of 8",
            &["head_dim", "d_model"],
        ),
        (
            ok.clone().with_n_ssm(Some(8)),
            "n_ssm = 8 sets of A and B cannot be shared equally by 4 heads (d_model / head_dim); choose a divisor of 4, or 0 \
             for a set each",
            &["n_ssm", "head_dim", "d_model"],
        ),
        (
            ok.clone().with_d_state(5),
            "d_state must be even, because states come in conjugate pairs; got 5",
            &["d_state"],
        ),
        (
            config(8).with_init(S4dInit::Diag),
            "init = \"diag\" mixes 2 kinds of system in equal numbers, so n_ssm must be a multiple of 2; got 1",
            &["init", "n_ssm", "head_dim", "d_model"],
        ),
        (
            ok.clone().with_dt_min(0.5),
            "dt_min = 0.5 exceeds dt_max = 0.1; lower dt_min or raise dt_max",
            &["dt_min", "dt_max"],
        ),
        (
            ok.with_real_transform(RealTransform::Relu).with_init(S4dInit::Fout),
            "real_transform = \"relu\" does not train decays of 1e-4 or less, and init = \"fout\" starts there; choose exp \
             or softplus",
            &["real_transform", "init"],
        ),
    ];
    for (config, words, blamed) in wrong {
        let refusals = config.refusals();
        let [refusal] = &refusals[..] else { panic!("one refusal, got {refusals:?}") };
        assert_eq!((refusal.to_string().as_str(), &refusal.fields[..]), (words, blamed));
    }
}

#[test]
fn heads_in_doubt_hide_nothing_else_that_is_wrong() {
    let refusals = config(3).with_n_ssm(Some(5)).with_d_state(5).with_dt_min(0.5).refusals();
    let first: Vec<_> = refusals.iter().map(|refusal| refusal.fields[0]).collect();
    assert_eq!(first, ["head_dim", "d_state", "dt_min"]);
    assert_eq!(config(16).refusals().len(), 1, "a head wider than the layer");
}

#[test]
fn it_takes_the_width_of_its_model_and_is_causal_only() {
    let (mut h3, context) =
        (config(2), Context { mixer: "h3", d_model: 6, causal: true, seq_len: 10, longest: 20 });
    assert_eq!((h3.fit(&context), h3.d_model), (vec![], 6));
    let refusals = h3.fit(&Context { causal: false, ..context });
    let [refusal] = &refusals[..] else { panic!("one refusal, got {refusals:?}") };
    assert!(refusal.to_string().starts_with("h3 is causal-only"), "{refusal}");
    assert_eq!(refusal.fields, ["causal"]);
}

#[test]
#[should_panic(expected = "H3Config: heads of head_dim = 3 channels cannot share")]
fn init_repeats_the_words_of_check() {
    build(&config(3));
}

#[test]
#[should_panic(expected = "h3 has d_model = ")]
fn another_width_is_refused() {
    build(&config(1)).forward(Tensor::zeros([1, 2, D_MODEL + 1], &cpu()));
}

#[test]
fn steps_and_eigenvalues_and_input_weights_train_slowly_and_without_decay() {
    for (train_shift_b, count) in [(false, 5), (true, 6)] {
        let layer = build(&config(1).with_train_shift_b(train_shift_b).with_ssm_lr(2e-4));
        let groups = layer.parameter_groups();
        let [group] = &groups[..] else { panic!("one group, got {groups:?}") };
        assert_eq!((group.name, group.parameters.len()), ("ssm", count));
        assert_eq!(group.learning_rate, LearningRate::AtMost(2e-4));
        assert_eq!(group.weight_decay, WeightDecay::Fixed(0.0));
        assert!(!group.parameters.contains(&layer.shift.c.id), "C trains as everything else");
    }
}

#[test]
fn initial_taps_have_their_range_and_skips_their_variance() {
    let layer = build(&H3Config::new(256));
    let taps = to_f64(layer.shift.c.val());
    let (bound, variance) = (1.0 / 8.0, taps.iter().map(|c| c * c).sum::<f64>() / taps.len() as f64);
    assert!(taps.iter().all(|c| c.abs() <= bound), "C is within 1 / sqrt(64)");
    assert!((variance * 3.0 / (bound * bound) - 1.0).abs() < 0.03, "C is uniform: variance {variance}");
    for d in [to_f64(layer.shift.d.val()), to_f64(layer.d.val())] {
        let deviation = (d.iter().map(|d| d * d).sum::<f64>() / d.len() as f64).sqrt();
        assert!((deviation - 1.0).abs() < 0.15, "D is standard normal: {deviation}");
    }
}

#[test]
fn the_layer_has_as_many_parameters_as_published() {
    // Four linear layers; C, B and D of the shift; of the products C, A and B as pairs, dt and D.
    let layer = build(&H3Config::new(64).with_head_dim(4).with_train_shift_b(true));
    let (linear, shift, products) = (4 * (64 * 64 + 64), 2 * 64 * 64 + 64, 16 * (3 * 64 + 2));
    assert_eq!(layer.num_params(), linear + shift + products);
}
