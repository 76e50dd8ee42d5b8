//! The convolution kernel.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use subquad_mixer::SequenceMixer;
use subquad_s4::reference::{Complex, Mode, discretize, real};
use subquad_s4::{Discretization, S4d, S4dConfig, S4dInit};
use subquad_testkit::{assert_rel_close, cpu, to_f64};

use crate::oracle::{FORMS, Parameters, RULES, Seeded, kernel};

/// Largest error of a kernel in f32 over its largest value: measured 5e-6.
const KERNEL: f64 = 1e-5;
/// The portable form rounds the angle of a block to f32 once. The fast modes of `legs` and `inv` turn by up to 130 a token, and weigh
/// little; measured 1.4e-5 when the logarithm of `a_bar` itself was rounded.
const KERNEL_OF_FAST_MODES: f64 = 5e-5;

/// At 65,536 tokens, as promised in the documentation.
const LONG_KERNEL: f64 = 1e-4;

/// The parameters themselves are rounded to f32, 6e-8.
const PARAMETERS: f64 = 1e-7;

const INITS: [S4dInit; 4] = [S4dInit::Legs, S4dInit::Lin, S4dInit::Inv, S4dInit::Real];

fn set<const D: usize>(shape: [usize; D], values: &[f64]) -> Param<Tensor<D>> {
    let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &cpu()))
}

#[test]
fn two_modes_give_the_values_computed_by_hand() {
    let wanted = [
        [0.2985819191, 0.2888756520, 0.2697866684, 0.2431879917, 0.2115326144, 0.1775620623],
        [0.2977482724, 0.2882858835, 0.2696192322, 0.2435294787, 0.2123712883, 0.1787959208],
    ];
    for (rule, wanted) in RULES.into_iter().zip(wanted) {
        let mut layer = S4dConfig::new(1).with_d_state(4).with_discretization(rule).seeded();
        layer.ssm.modes.inv_dt = set([1, 1], &[0.1f64.ln()]);
        (layer.ssm.modes.c_re, layer.ssm.modes.c_im) =
            (set([1, 1, 2], &[1.0, 0.5]), set([1, 1, 2], &[0.0, -0.25]));
        for form in FORMS {
            let got = layer.clone().with_form(form).kernel(6);
            assert_rel_close(got, &wanted[..], KERNEL, format!("{rule:?}, {form:?}"));
        }
        assert_rel_close(Parameters::of(&layer).kernels(rule, 6), &wanted[..], PARAMETERS, "the reference");
    }
}

#[test]
fn every_form_is_the_powers_of_the_recurrence() {
    for init in INITS {
        let fast = matches!(init, S4dInit::Legs | S4dInit::Inv);
        let tolerance = if fast { KERNEL_OF_FAST_MODES } else { KERNEL };
        for rule in RULES {
            for d_state in [2, 4, 64] {
                for dt in [1e-3, 0.1] {
                    let config =
                        S4dConfig::new(2).with_d_state(d_state).with_init(init).with_discretization(rule);
                    let layer = config.with_bidirectional(true).with_dt_min(dt).with_dt_max(dt).seeded();
                    forms_equal_the_reference(
                        &layer,
                        rule,
                        tolerance,
                        &format!("{init:?}, {rule:?}, N = {d_state}, dt = {dt}"),
                    );
                }
            }
        }
    }
}

fn forms_equal_the_reference(layer: &S4d, rule: Discretization, tolerance: f64, what: &str) {
    let parameters = Parameters::of(layer);
    for seq in [1, 2, 3, 16, 17, 63, 64, 65, 100, 1000] {
        let wanted = parameters.kernels(rule, seq);
        for form in FORMS {
            let got = layer.clone().with_form(form).kernel(seq);
            assert_rel_close(got, wanted.clone(), tolerance, format!("{what}, seq = {seq}, {form:?}"));
        }
    }
}

#[test]
fn a_kernel_of_65536_taps_keeps_four_digits() {
    for init in INITS {
        for rule in RULES {
            let config = S4dConfig::new(2).with_init(init).with_discretization(rule);
            let layer = config.with_dt_min(1e-3).with_dt_max(1e-3).seeded();
            let wanted = Parameters::of(&layer).kernels(rule, 1 << 16);
            for form in FORMS {
                let got = layer.clone().with_form(form).kernel(1 << 16);
                assert_rel_close(got, wanted.clone(), LONG_KERNEL, format!("{init:?}, {rule:?}, {form:?}"));
            }
        }
    }
}

#[test]
fn the_factor_two_stands_for_the_conjugate_half() {
    let layer = S4dConfig::new(1).with_d_state(8).with_init(S4dInit::Legs).seeded();
    let (modes, dt) = (Parameters::of(&layer).modes(0, 0), 0.05);
    let conjugate = |m: &Mode| Mode { a: m.a.conj(), b: m.b.conj(), c: m.c.conj() };
    let full: Vec<Mode> = modes.iter().copied().chain(modes.iter().map(conjugate)).collect();
    for rule in RULES {
        let start = |mode: &Mode| {
            let (a_bar, b_bar) = discretize(*mode, dt, rule);
            (a_bar, mode.c * b_bar)
        };
        let mut terms: Vec<(Complex, Complex)> = full.iter().map(start).collect();
        for wanted in kernel(&modes, dt, rule, 20) {
            let sum = terms.iter().fold(real(0.0), |sum, (_, term)| sum + *term);
            assert!((sum.re - wanted).abs() < 1e-12 && sum.im.abs() < 1e-12, "{sum:?} is not {wanted}");
            terms.iter_mut().for_each(|(a_bar, term)| *term *= *a_bar);
        }
    }
}

#[test]
fn conjugating_everything_and_reordering_pairs_leave_the_kernel_alone() {
    let layer = S4dConfig::new(3).with_d_state(8).with_init(S4dInit::Legs).seeded();
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let mut mirrored = layer.clone();
        mirrored.ssm.modes.inv_a_re = Param::from_tensor(layer.ssm.modes.inv_a_re.val().flip([1]));
        mirrored.ssm.modes.a_im = Param::from_tensor(-layer.ssm.modes.a_im.val().flip([1]));
        mirrored.ssm.modes.b_re = Param::from_tensor(layer.ssm.modes.b_re.val().flip([1]));
        mirrored.ssm.modes.b_im = Param::from_tensor(-layer.ssm.modes.b_im.val().flip([1]));
        mirrored.ssm.modes.c_re = Param::from_tensor(layer.ssm.modes.c_re.val().flip([2]));
        mirrored.ssm.modes.c_im = Param::from_tensor(-layer.ssm.modes.c_im.val().flip([2]));
        assert_rel_close(mirrored.kernel(100), layer.kernel(100), KERNEL, format!("{form:?}"));
    }
}

#[test]
fn channel_h_uses_system_h_mod_n_ssm() {
    for form in FORMS {
        let layer = S4dConfig::new(4).with_d_state(4).with_n_ssm(Some(2)).seeded().with_form(form);
        let mut other = layer.clone();
        let first_row = Tensor::from_data([[50.0, 50.0], [0.0, 0.0]], &cpu());
        other.ssm.modes.a_im = Param::from_tensor(layer.ssm.modes.a_im.val() + first_row);
        let change = (other.kernel(20) - layer.kernel(20)).abs().max_dim(2);
        let moved: Vec<bool> = to_f64(change).into_iter().map(|change| change != 0.0).collect();
        assert_eq!(moved, [true, false, true, false], "{form:?}");
    }
}

#[test]
fn a_shorter_kernel_is_the_start_of_a_longer_one() {
    let layer = S4dConfig::new(3).seeded();
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let long = layer.kernel(300);
        for seq in [1, 2, 17, 64, 65, 299] {
            let start = long.clone().narrow(2, 0, seq);
            assert_rel_close(layer.kernel(seq), start, KERNEL, format!("{form:?}, seq = {seq}"));
        }
    }
}

#[test]
fn small_steps_keep_all_digits_of_the_exponential_minus_one() {
    // a = -5e-5 + 1e-4 i: the plain difference e^a - 1 has three digits less. C = i shows the small imaginary part of
    // b_bar, about 5e-9, and its error is held against 2 |b_bar|.
    let (b_bar, digits) = (1e-4, 5e-7);
    for rule in RULES {
        let mut layer = S4dConfig::new(1).with_d_state(2).with_discretization(rule).seeded();
        layer.ssm.modes.inv_dt = set([1, 1], &[1e-4f64.ln()]);
        (layer.ssm.modes.inv_a_re, layer.ssm.modes.a_im) = (set([1, 1], &[0.5f64.ln()]), set([1, 1], &[1.0]));
        (layer.ssm.modes.c_re, layer.ssm.modes.c_im) = (set([1, 1, 1], &[0.0]), set([1, 1, 1], &[1.0]));
        let wanted = Parameters::of(&layer).kernels(rule, 3);
        for form in FORMS {
            let got = to_f64(layer.clone().with_form(form).kernel(3));
            for (got, wanted) in got.iter().zip(&wanted) {
                assert!(
                    (got - wanted).abs() < digits * 2.0 * b_bar,
                    "{rule:?}, {form:?}: {got:e}, {wanted:e}"
                );
            }
        }
    }
}

#[test]
fn a_vanishing_step_leaves_the_weights_alone() {
    for rule in RULES {
        let config = S4dConfig::new(1).with_init(S4dInit::Inv).with_discretization(rule);
        let layer = config.with_dt_min(1e-7).with_dt_max(1e-7).seeded();
        let wanted: f64 = Parameters::of(&layer).modes(0, 0).iter().map(|m| 2.0 * (m.c * m.b).re).sum();
        let got = to_f64(layer.kernel(1))[0] / 1e-7;
        assert!((got / wanted - 1.0).abs() < 1e-4, "{rule:?}: K_0 / dt = {got}, 2 Re(C B) = {wanted}");
    }
}

#[test]
fn a_mode_without_decay_or_frequency_integrates_its_input() {
    for rule in RULES {
        let mut layer = S4dConfig::new(1).with_d_state(2).with_discretization(rule).seeded();
        layer.ssm.modes.inv_dt = set([1, 1], &[0.1f64.ln()]);
        (layer.ssm.modes.inv_a_re, layer.ssm.modes.a_im) = (set([1, 1], &[-80.0]), set([1, 1], &[0.0]));
        (layer.ssm.modes.c_re, layer.ssm.modes.c_im) = (set([1, 1, 1], &[1.0]), set([1, 1, 1], &[0.0]));
        for form in FORMS {
            let layer = layer.clone().with_form(form).train();
            let got = layer.kernel(50);
            assert_rel_close(got.clone(), vec![0.2; 50], KERNEL, format!("{rule:?}, {form:?}"));
            let grads = got.sum().backward();
            let of_frequency = layer.ssm.modes.a_im.val().grad(&grads).unwrap().into_scalar::<f32>();
            assert!(of_frequency.is_finite(), "{rule:?}, {form:?}");
        }
    }
}

#[test]
fn a_mode_that_the_bilinear_rule_forgets_at_once_stays_finite() {
    for decay in [20.0, 20.0 - 1e-4, 20.0 + 1e-4, 10.0, 1e4] {
        let mut layer =
            S4dConfig::new(1).with_d_state(2).with_discretization(Discretization::Bilinear).seeded();
        // 1 + a / 2 is zero, or nearly, where dt times the decay is 2.
        layer.ssm.modes.inv_dt = set([1, 1], &[0.1f64.ln()]);
        (layer.ssm.modes.inv_a_re, layer.ssm.modes.a_im) =
            (set([1, 1], &[f64::ln(decay)]), set([1, 1], &[0.0]));
        let wanted = Parameters::of(&layer).kernels(Discretization::Bilinear, 5);
        for form in FORMS {
            let layer = layer.clone().with_form(form).train();
            let got = layer.kernel(5);
            assert_rel_close(got.clone(), wanted.clone(), KERNEL, format!("decay {decay}, {form:?}"));
            let grads = got.sum().backward();
            for grad in [layer.ssm.modes.a_im.val().grad(&grads), layer.ssm.modes.inv_a_re.val().grad(&grads)]
            {
                assert!(to_f64(grad.unwrap()).iter().all(|g| g.is_finite()), "decay {decay}, {form:?}");
            }
        }
    }
}
