//! Every option that both layers share.

use burn::tensor::Tensor;
use subquad_backend::pointwise::Activation;
use subquad_mixer::SequenceMixer;
use subquad_s4::{Discretization, OutputMix, RealTransform, S4Config, S4dConfig, S4dInit, StepTransform};
use subquad_testkit::{assert_rel_close, battery, cpu, seeded_tensor, to_f64};

use crate::low_rank_oracle::{Parameters, seeded_layer};
use crate::oracle::{FORMS, Seeded};

const D_MODEL: usize = 4;
/// Two parametrisations of one number, in f32.
const SAME: f64 = 5e-6;
/// As for the layer: an FFT and a linear layer in f32.
const LAYER: f64 = 1e-5;

fn s4d() -> S4dConfig {
    S4dConfig::new(D_MODEL).with_d_state(8)
}

fn s4() -> S4Config {
    S4Config::new(D_MODEL, 32).with_d_state(8)
}

const REAL: [RealTransform; 4] =
    [RealTransform::Exp, RealTransform::Softplus, RealTransform::Relu, RealTransform::Sigmoid];
const STEP: [StepTransform; 2] = [StepTransform::Exp, StepTransform::Softplus];

#[test]
fn transforms_change_how_a_system_is_stored_and_not_what_it_starts_as() {
    let plain = s4d().with_init(S4dInit::Legs).seeded().kernel(50);
    for real in REAL {
        for step in STEP {
            let config = s4d().with_init(S4dInit::Legs).with_real_transform(real).with_dt_transform(step);
            assert_rel_close(config.seeded().kernel(50), plain.clone(), SAME, format!("{real:?}, {step:?}"));
            battery::causal_mixer(&config.seeded(), D_MODEL);
            battery::causal_mixer(
                &seeded_layer(&s4().with_real_transform(real).with_dt_transform(step)),
                D_MODEL,
            );
        }
    }
}

#[test]
fn whatever_is_stored_every_kernel_decays() {
    for real in REAL {
        let config = s4d().with_real_transform(real).with_dt_min(0.1).with_dt_max(0.1);
        for stored in [-100.0, -1.0, 0.0, 3.0] {
            let mut layer = config.seeded();
            layer.ssm.modes.inv_a_re = layer.ssm.modes.inv_a_re.map(|p| p.zeros_like() + stored);
            let taps = to_f64(layer.kernel(3000));
            let largest =
                |range: std::ops::Range<usize>| taps[range].iter().fold(0f64, |m, v| m.max(v.abs()));
            assert!(taps.iter().all(|tap| tap.is_finite()), "{real:?} of {stored}");
            assert!(largest(2000..3000) <= 1.01 * largest(0..1000), "{real:?} of {stored} grows");
        }
    }
}

#[test]
fn small_steps_keep_their_digits_through_softplus() {
    for dt in [1e-5, 1e-4, 1e-3, 0.1, 3.0] {
        let config = s4d().with_dt_min(dt).with_dt_max(dt);
        let plain = config.clone().seeded().kernel(100);
        let other = config.with_dt_transform(StepTransform::Softplus).seeded().kernel(100);
        assert_rel_close(other, plain, SAME, format!("dt = {dt}"));
    }
}

#[test]
fn untied_steps_give_every_state_its_own() {
    let layer = s4d().with_dt_tie(false).seeded();
    assert_eq!(layer.ssm.modes.inv_dt.dims(), [D_MODEL, 4]);
    battery::causal_mixer(&layer, D_MODEL);
    for form in FORMS {
        let layer = seeded_layer(&s4().with_dt_tie(false)).with_form(form);
        battery::causal_mixer(&layer, D_MODEL);
        let wanted = Parameters::of(&layer).all_kernels(32, 1.0);
        assert_rel_close(layer.kernel(32), wanted, SAME, format!("{form:?}"));
    }
}

#[test]
fn several_kernels_a_channel_are_read_together() {
    for form in FORMS {
        let layer = s4d().with_channels(3).seeded().with_form(form);
        assert_eq!(layer.output.as_ref().unwrap().weight.dims(), [3 * D_MODEL, 2 * D_MODEL]);
        battery::causal_mixer(&layer, D_MODEL);
        battery::causal_mixer(&seeded_layer(&s4().with_channels(2)).with_form(form), D_MODEL);
        let both = s4d().with_channels(2).with_bidirectional(true).seeded().with_form(form);
        assert_eq!(both.ssm.modes.c_re.dims()[0], 4);
        battery::bidirectional_mixer(&both, D_MODEL);
    }
}

#[test]
fn every_activation_and_output_keeps_the_contract() {
    for output in [OutputMix::Glu, OutputMix::Linear, OutputMix::None] {
        for activation in [
            Activation::Gelu,
            Activation::Silu,
            Activation::Relu,
            Activation::Tanh,
            Activation::Sigmoid,
            Activation::Identity,
        ] {
            for form in FORMS {
                let layer = s4d().with_output(output).with_activation(activation).seeded().with_form(form);
                battery::causal_mixer(&layer, D_MODEL);
            }
        }
    }
}

#[test]
fn without_activation_and_output_the_layer_is_the_convolution_and_the_skip() {
    for form in FORMS {
        let config = s4d().with_output(OutputMix::None).with_activation(Activation::Identity);
        let layer = config.seeded().with_form(form);
        let impulse = Tensor::zeros([1, 20, D_MODEL], &cpu())
            .slice_assign([0..1, 0..1, 0..D_MODEL], Tensor::ones([1, 1, D_MODEL], &cpu()));
        let first = layer.d.val().swap_dims(0, 1).unsqueeze_dim::<3>(0);
        let skip = Tensor::cat(vec![first, Tensor::zeros([1, D_MODEL, 19], &cpu())], 2);
        let wanted = (layer.kernel(20) + skip).swap_dims(1, 2);
        assert_rel_close(layer.forward(impulse), wanted, LAYER, format!("{form:?}"));
    }
}

#[test]
fn linear_layers_are_linear() {
    let config = s4d().with_output(OutputMix::Linear).with_activation(Activation::Identity);
    let layer = config.seeded();
    let (x, y) = (seeded_tensor([1, 30, D_MODEL], 1, &cpu()), seeded_tensor([1, 30, D_MODEL], 2, &cpu()));
    let zero = layer.forward(x.zeros_like()); // the bias alone
    let sum = layer.forward(x.clone() + y.clone()) - zero.clone();
    let parts = layer.forward(x) + layer.forward(y) - zero.clone() - zero;
    assert_rel_close(sum, parts, LAYER, "sum");
}

#[test]
fn dropout_and_kernel_dropout_act_in_training_alone() {
    for (config, what) in [
        (s4d().with_dropout(0.3), "tied"),
        (s4d().with_dropout(0.3).with_tie_dropout(false), "not tied"),
        (s4d().with_kernel_dropout(0.3), "kernel"),
    ] {
        for form in FORMS {
            battery::drops_in_training(&config.seeded().with_form(form), D_MODEL);
        }
        let still = to_f64(s4d().seeded().forward(seeded_tensor([1, 9, D_MODEL], 1, &cpu())));
        let evaluated = to_f64(config.seeded().forward(seeded_tensor([1, 9, D_MODEL], 1, &cpu())));
        assert_eq!(still, evaluated, "{what}");
    }
}

#[test]
fn a_dropped_tap_is_zero_and_the_others_are_scaled_up() {
    let config = s4d().with_output(OutputMix::None).with_activation(Activation::Identity);
    let layer = config.with_kernel_dropout(0.25).with_bidirectional(true).seeded();
    let (seq, at) = (41, 20);
    let impulse = Tensor::zeros([1, seq, D_MODEL], &cpu())
        .slice_assign([0..1, at..at + 1, 0..D_MODEL], Tensor::ones([1, 1, D_MODEL], &cpu()));
    let y = to_f64(layer.forward_train(impulse, 5));
    let (taps, d) = (to_f64(layer.kernel(seq)), to_f64(layer.d.val()));
    let mut dropped = [0, 0];
    for (i, y) in y.iter().enumerate() {
        let (t, h) = (i / D_MODEL, i % D_MODEL);
        let (kernel, lag) = if t >= at { (0, t - at) } else { (1, at - t - 1) };
        let skip = if t == at { d[h] } else { 0.0 };
        let kept = taps[(kernel * D_MODEL + h) * seq + lag] / 0.75;
        let zero = (y - skip).abs() < DROPPED;
        assert!(zero || (y - skip - kept).abs() < DROPPED, "token {t}, channel {h}: {y} for {kept}");
        dropped[kernel] += usize::from(zero && kept.abs() > 2.0 * DROPPED);
    }
    assert!(dropped.iter().all(|count| (8..40).contains(count)), "{dropped:?} of 80 taps each");
}

/// FFTs of taps of order 0.1.
const DROPPED: f64 = 1e-5;

#[test]
fn a_layer_that_drops_nothing_trains_as_it_evaluates() {
    for form in FORMS {
        let layer = s4d().seeded().with_form(form);
        let x = seeded_tensor([2, 21, D_MODEL], 1, &cpu());
        assert_eq!(to_f64(layer.forward_train(x.clone(), 1)), to_f64(layer.forward(x)));
    }
}

#[test]
fn tied_dropout_drops_a_channel_at_all_tokens_or_at_none() {
    for tied in [true, false] {
        let config = s4d().with_output(OutputMix::None).with_activation(Activation::Identity);
        let layer = config.with_dropout(0.5).with_tie_dropout(tied).seeded();
        let y = to_f64(layer.forward_train(seeded_tensor([8, 16, D_MODEL], 1, &cpu()), 3).swap_dims(1, 2));
        let mixed = y.chunks(16).filter(|row| row.contains(&0.0) && row.iter().any(|v| *v != 0.0)).count();
        assert_eq!(mixed == 0, tied, "{mixed} of {} rows are mixed", y.len() / 16);
    }
}

#[test]
fn a_reversed_kernel_reaches_the_token_before_and_never_its_own() {
    let config =
        s4d().with_output(OutputMix::None).with_activation(Activation::Identity).with_bidirectional(true);
    let layer = config.seeded();
    let impulse = Tensor::zeros([1, 9, D_MODEL], &cpu())
        .slice_assign([0..1, 5..6, 0..D_MODEL], Tensor::ones([1, 1, D_MODEL], &cpu()));
    let y = layer.forward(impulse); // [1, 9, d_model]
    let kernels = layer.kernel(9); // [2, d_model, 9]
    let at = |t: usize| y.clone().narrow(1, t, 1).reshape([D_MODEL]);
    let tap = |k: usize, l: usize| kernels.clone().narrow(0, k, 1).narrow(2, l, 1).reshape([D_MODEL]);
    assert_rel_close(at(4), tap(1, 0), LAYER, "the token before");
    assert_rel_close(at(5), tap(0, 0) + layer.d.val().reshape([D_MODEL]), LAYER, "its own");
    assert_rel_close(at(0), tap(1, 4), LAYER, "five before");
}

#[test]
fn a_rate_of_two_on_every_second_sample_of_a_smooth_signal_is_the_same_answer() {
    // A signal of half a turn in 400 samples, answered at both rates; the layers are linear.
    for discretization in [Discretization::Zoh, Discretization::Bilinear] {
        let config = s4d().with_discretization(discretization).with_dt_min(2e-3).with_dt_max(1e-2);
        resampled(&config.with_output(OutputMix::None).with_activation(Activation::Identity).seeded());
    }
    let config = S4Config::new(D_MODEL, 800).with_d_state(8).with_dt_min(2e-3).with_dt_max(1e-2);
    resampled(&seeded_layer(&config.with_output(OutputMix::None).with_activation(Activation::Identity)));
}

/// A rectangle rule of 400 samples is off by about a four-hundredth.
const RESAMPLED: f64 = 2e-2;

fn resampled<S: subquad_s4::StateSpace>(layer: &subquad_s4::SsmLayer<S>) {
    let signal = |samples: usize| {
        let value = |t: usize| (std::f64::consts::PI * (t + 1) as f64 / samples as f64).sin() as f32;
        let values: Vec<f32> = (0..samples).flat_map(|t| [value(t); D_MODEL]).collect();
        Tensor::<1>::from_floats(&values[..], &cpu()).reshape([1, samples, D_MODEL])
    };
    let fine = to_f64(layer.forward(signal(800)));
    let coarse = to_f64(layer.clone().with_rate(2.0).forward(signal(400)));
    let every_second: Vec<f64> = fine.chunks(D_MODEL).skip(1).step_by(2).flatten().copied().collect();
    assert_rel_close(coarse, every_second, RESAMPLED, "coarse and fine");
}

#[test]
fn a_rate_is_a_longer_step() {
    let layer = s4d().with_dt_min(0.01).with_dt_max(0.01).seeded();
    for transform in STEP {
        let config = s4d().with_dt_transform(transform);
        let short = config.clone().with_dt_min(0.01).with_dt_max(0.01).seeded();
        let long = config.with_dt_min(0.03).with_dt_max(0.03).seeded();
        assert_rel_close(short.with_rate(3.0).kernel(40), long.kernel(40), SAME, format!("{transform:?}"));
    }
    assert_rel_close(layer.clone().with_rate(1.0).kernel(40), layer.kernel(40), SAME, "a rate of 1");
}

#[test]
fn layers_are_made_and_changed_on_a_device_with_autodiff_too() {
    let device = cpu().autodiff();
    let x = seeded_tensor([1, 9, D_MODEL], 1, &device);
    for transform in STEP {
        let diagonal = s4d().with_dt_transform(transform).init(&device).with_rate(2.0);
        let low_rank = s4().with_dt_transform(transform).init(&device).with_rate(2.0).with_l_max(12);
        let grads = (diagonal.forward(x.clone()) + low_rank.forward(x.clone())).sum().backward();
        assert!(diagonal.ssm.modes.inv_dt.val().grad(&grads).is_some());
        assert!(low_rank.ssm.modes.c_im.val().grad(&grads).is_some());
        assert!(low_rank.ssm.p_re.val().grad(&grads).is_some());
    }
}
