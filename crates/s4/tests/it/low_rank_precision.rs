//! What f32 would lose of S4's kernel where a mode hardly decays: kernels and gradients of both forms against dense matrices in f64.

use subquad_mixer::SequenceMixer;
use subquad_s4::{S4, S4Config, S4Init};
use subquad_testkit::{assert_rel_close, seeded};

use crate::low_rank::gradients;
use crate::low_rank_oracle::{NAMES, Parameters, seeded_layer};
use crate::low_rank_slopes::kernels_and_slopes;
use crate::oracle::FORMS;

/// Largest error over largest value, as promised in the documentation.
const F64: f64 = 1e-4;
/// A gradient that is so much smaller than that by `C` is what f64 leaves of a cancellation: that by the step of a kernel of one
/// tap, which is `-C~ A^-1 B`.
const NOTHING: f64 = 1e-10;

const INITS: [S4Init; 4] = [S4Init::Legs, S4Init::Fout, S4Init::Legt, S4Init::Hippo];

fn config(init: S4Init, d_state: usize, l_max: usize) -> S4Config {
    S4Config::new(4, l_max).with_d_state(d_state).with_init(init)
}

/// The decays `-Re A` of every pair.
fn with_decay(mut layer: S4, decay: f64) -> S4 {
    layer.ssm.modes.inv_a_re = layer.ssm.modes.inv_a_re.map(|p| p.zeros_like() + decay.ln());
    layer
}

fn both_forms_are_as_exact_as_promised(layer: &S4, what: &str) {
    let (parameters, l_max) = (Parameters::of(layer), layer.ssm.l_max());
    let weights = seeded(parameters.kernels * parameters.d_model * l_max, 1);
    let (taps, slopes) = kernels_and_slopes(&parameters, &weights);
    let largest = |list: &[f64]| list.iter().fold(0f64, |most, value| most.max(value.abs()));
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        assert_rel_close(layer.kernel(l_max), taps.clone(), F64, format!("kernel, {what}, {form:?}"));
        for ((name, got), wanted) in NAMES.iter().zip(gradients(&layer, l_max)).zip(&slopes) {
            if largest(wanted) > NOTHING * largest(&slopes[5]) {
                assert_rel_close(got, wanted.clone(), F64, format!("{name}, {what}, {form:?}"));
            }
        }
    }
}

#[test]
fn kernels_and_gradients_of_every_init_are_those_of_f64() {
    for init in INITS {
        for d_state in [2, 4, 16] {
            for l_max in [1, 2, 3, 16, 17, 63, 64, 65, 129, 1000] {
                let layer = seeded_layer(&config(init, d_state, l_max));
                both_forms_are_as_exact_as_promised(
                    &layer,
                    &format!("{init:?}, N = {d_state}, {l_max} taps"),
                );
            }
        }
    }
}

#[test]
fn so_are_those_of_64_states() {
    for init in INITS {
        for l_max in [1, 64, 200] {
            let layer = seeded_layer(&config(init, 64, l_max));
            both_forms_are_as_exact_as_promised(&layer, &format!("{init:?}, N = 64, {l_max} taps"));
        }
    }
}

#[test]
fn so_are_those_of_16384_taps() {
    for (init, d_state, l_max) in INITS.into_iter().flat_map(|init| [(init, 4, 16_384), (init, 16, 4097)]) {
        let layer = seeded_layer(&config(init, d_state, l_max).with_dt_max(0.02));
        both_forms_are_as_exact_as_promised(&layer, &format!("{init:?}, N = {d_state}, {l_max} taps"));
    }
}

#[test]
fn a_step_that_puts_modes_on_frequencies_costs_no_digits() {
    for init in INITS {
        for l_max in [64, 100, 1024] {
            let dt = 2.0 / l_max as f64;
            let layer = seeded_layer(&config(init, 16, l_max).with_dt_min(dt).with_dt_max(dt));
            both_forms_are_as_exact_as_promised(&layer, &format!("{init:?}, dt = 2 / {l_max}"));
        }
    }
}

#[test]
fn nor_does_a_decay_near_zero_or_a_step_for_every_state() {
    for init in INITS {
        for decay in [1e-2, 1e-4, 1e-6] {
            for l_max in [2, 100, 1000] {
                let layer = seeded_layer(&config(init, 8, l_max));
                let what = format!("{init:?}, decay {decay}, {l_max} taps");
                both_forms_are_as_exact_as_promised(&with_decay(layer, decay), &what);
            }
        }
        let untied = config(init, 8, 300).with_dt_tie(false).with_bidirectional(true).with_n_ssm(Some(2));
        both_forms_are_as_exact_as_promised(&seeded_layer(&untied), &format!("{init:?}, untied"));
    }
}
