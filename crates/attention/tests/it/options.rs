//! The layer with every option: the contract of every sequence mixer, and the definition.

use burn::module::Param;
use burn::tensor::Tensor;
use subquad_attention::{Attention, AttentionConfig, Position, Rules, Segments, WeightDropout, reference};
use subquad_backend::Form;
use subquad_mixer::SequenceMixer;
use subquad_testkit::{
    assert_rel_close, battery, cpu, finite_difference, seeded, seeded_tensor, to_f64, with_seed,
};

use crate::{FORMS, autodiff_device};

/// Two projections and sums over 1000 tokens between them, in f32: below 2e-6 (measured), five times that.
const VALUE_REL_TOL: f64 = 1e-5;
/// The same of gradients: below 2e-6 (measured), five times that.
const GRAD_REL_TOL: f64 = 1e-5;
/// Central differences in f64 with a step of 1e-5 leave 1e-9; the f32 gradient is what limits.
const DIFFERENCE_REL_TOL: f64 = 1e-5;

const D_MODEL: usize = 16;
const N_HEADS: usize = 4;
const D_HEAD: usize = D_MODEL / N_HEADS;
const DROPOUT: f64 = 0.3;

fn configs() -> Vec<(&'static str, AttentionConfig)> {
    let new = || AttentionConfig::new(D_MODEL).with_n_heads(N_HEADS).with_dropout(DROPOUT);
    let none = || new().with_position(Position::None);
    let alibi = || new().with_position(Position::Alibi);
    vec![
        ("rope", new()),
        ("rope, bidirectional", new().with_causal(false)),
        ("another base", new().with_rope_base(100.0)),
        ("half of rope", new().with_rope_fraction(0.5)),
        ("no positions", none()),
        ("alibi", alibi()),
        ("alibi, bidirectional", alibi().with_causal(false)),
        ("2 heads of keys", new().with_n_kv_heads(Some(2))),
        ("1 head of keys", new().with_n_kv_heads(Some(1))),
        ("window", none().with_window(Some(6))),
        ("softcap", new().with_softcap(Some(0.2))),
        ("norms", new().with_qk_norm(true)),
        ("norms, bidirectional", none().with_qk_norm(true).with_causal(false)),
        ("all with rope", all(new().with_rope_fraction(0.5))),
        ("all with alibi", all(alibi())),
        ("all, bidirectional", all(new().with_causal(false))),
    ]
}

fn all(config: AttentionConfig) -> AttentionConfig {
    config.with_n_kv_heads(Some(2)).with_window(Some(9)).with_softcap(Some(1.0)).with_qk_norm(true)
}

/// A trainable layer with fixed weights, and gains that are not all 1. burn draws weights at first use, so they are
/// used while the seed is held.
pub(crate) fn build(config: AttentionConfig) -> Attention {
    let mut layer = with_seed(&cpu(), 1, || {
        let layer = config.init(&autodiff_device());
        weights(&layer);
        layer
    });
    for (gain, seed) in [(&mut layer.q_gain, 1), (&mut layer.k_gain, 2)] {
        let values = seeded_tensor::<1>([D_HEAD], seed, &cpu()) + 1.5;
        let values = Tensor::from_data(values.into_data(), &autodiff_device());
        *gain = gain.take().map(|_| Param::from_tensor(values));
    }
    layer
}

fn weights(layer: &Attention) -> reference::Weights {
    let bias = |linear: &burn::nn::Linear| to_f64(linear.bias.as_ref().unwrap().val());
    let gain = |gain: &Option<Param<Tensor<1>>>| gain.as_ref().map(|gain| to_f64(gain.val()));
    reference::Weights {
        qkv: to_f64(layer.qkv.weight.val()),
        qkv_bias: bias(&layer.qkv),
        output: to_f64(layer.output.weight.val()),
        output_bias: bias(&layer.output),
        gains: gain(&layer.q_gain).zip(gain(&layer.k_gain)).map(|(q, k)| [q, k]),
    }
}

fn definition(config: &AttentionConfig) -> reference::Options {
    let turned = (config.rope_fraction * D_HEAD as f64) as usize;
    reference::Options {
        n_heads: N_HEADS,
        n_kv_heads: config.n_kv_heads.unwrap_or(N_HEADS),
        rope: (config.position == Position::Rope).then_some((config.rope_base, turned)),
        rules: Rules {
            causal: config.causal,
            window: config.window,
            softcap: config.softcap,
            alibi: config.position == Position::Alibi,
            segments: None,
            dropout: None,
        },
    }
}

#[test]
fn every_layer_keeps_the_contract_of_a_mixer() {
    for (_, config) in configs() {
        for form in FORMS {
            let layer = build(config.clone()).with_form(form);
            match config.causal {
                true => battery::causal_mixer(&layer, D_MODEL),
                false => battery::bidirectional_mixer(&layer, D_MODEL),
            }
        }
    }
}

#[test]
fn both_forms_are_the_same_layer() {
    for (_, config) in configs() {
        let portable = build(config).with_form(Form::Portable);
        let fused = portable.clone().with_form(Form::Fused);
        let lengths = [1, 2, 3, 63, 64, 65, 300];
        battery::forms_agree(&portable, &fused, D_MODEL, &lengths, VALUE_REL_TOL, GRAD_REL_TOL);
    }
}

#[test]
fn every_layer_equals_its_definition() {
    let seq = 67;
    let x = seeded_tensor::<3>([2, seq, D_MODEL], 1, &cpu());
    let segments = Segments::packed(&[vec![20, 40], vec![50]], seq);
    let dropout = WeightDropout { rate: DROPOUT, seed: 8 };
    for ((name, config), form) in
        configs().into_iter().flat_map(|config| FORMS.map(|form| (config.clone(), form)))
    {
        let layer = build(config.clone()).with_form(form);
        let assert_defined = |y: Tensor<3>, segments: Option<&Segments>, dropout, what: &str| {
            let mut options = definition(&config);
            (options.rules.segments, options.rules.dropout) = (segments.cloned(), dropout);
            let expected = reference::layer(&to_f64(x.clone()), 2, &weights(&layer), &options);
            assert_rel_close(y, expected, VALUE_REL_TOL, format!("{name}, {form:?}, {what}"));
        };
        let (some, none) = (Some(&segments), None);
        assert_defined(layer.forward(x.clone()), none, None, "plain");
        assert_defined(layer.forward_segments(x.clone(), &segments), some, None, "segments");
        assert_defined(layer.forward_train(x.clone(), 8), none, Some(dropout), "dropout");
        let both = layer.forward_with(x.clone(), some, Some(8));
        assert_defined(both, some, Some(dropout), "segments and dropout");
    }
}

/// Gradients of a weighted sum of the outputs with respect to the gains and the input.
#[test]
fn gradients_of_norms_equal_differences_of_the_definition() {
    let (name, config) = configs().into_iter().find(|(name, _)| *name == "all with rope").unwrap();
    let (seq, options) = (5, definition(&config));
    let weight = seeded(seq * D_MODEL, 9);
    let x = seeded(seq * D_MODEL, 1);
    let weights = weights(&build(config.clone()));
    let loss = |x: &[f64], gains: [&[f64]; 2]| -> f64 {
        let weights = reference::Weights { gains: Some(gains.map(<[f64]>::to_vec)), ..weights.clone() };
        reference::layer(x, 1, &weights, &options).iter().zip(&weight).map(|(y, w)| y * w).sum()
    };
    let [q, k] = weights.gains.clone().unwrap();
    let expected = [
        finite_difference(|x| loss(x, [&q, &k]), &x, 1e-5),
        finite_difference(|q| loss(&x, [q, &k]), &q, 1e-5),
        finite_difference(|k| loss(&x, [&q, k]), &k, 1e-5),
    ];
    for form in FORMS {
        let layer = build(config.clone()).with_form(form);
        let x = seeded_tensor::<3>([1, seq, D_MODEL], 1, &autodiff_device()).require_grad();
        let weight = seeded_tensor::<3>([1, seq, D_MODEL], 9, &autodiff_device());
        let grads = (layer.forward(x.clone()) * weight).sum().backward();
        let of_gain =
            |gain: &Option<Param<Tensor<1>>>| to_f64(gain.as_ref().unwrap().val().grad(&grads).unwrap());
        let got = [to_f64(x.grad(&grads).unwrap()), of_gain(&layer.q_gain), of_gain(&layer.k_gain)];
        for ((got, expected), by) in got.into_iter().zip(expected.clone()).zip(["x", "q_gain", "k_gain"]) {
            assert_rel_close(got, expected, DIFFERENCE_REL_TOL, format!("{name}, {form:?}: by {by}"));
        }
    }
}

#[test]
fn a_layer_without_dropout_trains_as_it_runs() {
    let layer = AttentionConfig::new(D_MODEL).init(&cpu());
    let x = seeded_tensor::<3>([2, 20, D_MODEL], 1, &cpu());
    assert_eq!(to_f64(layer.forward_train(x.clone(), 3)), to_f64(layer.forward(x)));
}

#[test]
fn another_seed_drops_other_weights() {
    let layer = AttentionConfig::new(D_MODEL).with_dropout(0.5).init(&cpu());
    let x = seeded_tensor::<3>([2, 20, D_MODEL], 1, &cpu());
    let run = |seed| to_f64(layer.forward_train(x.clone(), seed));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert_ne!(run(1), to_f64(layer.forward(x.clone())));
}

#[test]
fn fewer_heads_of_keys_make_a_smaller_layer_and_a_smaller_cache() {
    let layer = |n_kv_heads| AttentionConfig::new(64).with_n_kv_heads(Some(n_kv_heads)).init(&cpu());
    let columns = [4, 2, 1].map(|n_kv_heads| layer(n_kv_heads).qkv.weight.dims()[1]);
    assert_eq!(columns, [192, 128, 96]);
    assert_eq!([4, 2, 1].map(|n_kv_heads| layer(n_kv_heads).state_size(10)), [1280, 640, 320].map(Some));
}
