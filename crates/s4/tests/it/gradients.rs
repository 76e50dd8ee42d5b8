//! Gradients of the kernel against finite differences of its definition.

use burn::module::Module;
use burn::tensor::Gradients;
use subquad_mixer::SequenceMixer;
use subquad_s4::{Discretization, S4d, S4dConfig, S4dInit};
use subquad_testkit::{assert_rel_close, cpu, finite_difference, seeded, seeded_tensor, to_f64};

use crate::oracle::{FORMS, Parameters, RULES, Seeded};

/// f32 against differences of f64: measured 4e-6.
const GRADIENT: f64 = 1e-5;

pub(crate) const NAMES: [&str; 7] = ["log_dt", "log_a_re", "a_im", "b_re", "b_im", "c_re", "c_im"];

#[test]
fn gradients_of_every_parameter_are_the_slopes_of_the_definition() {
    for init in [S4dInit::Legs, S4dInit::Lin, S4dInit::Real] {
        for rule in RULES {
            let config = S4dConfig::new(4).with_d_state(4).with_n_ssm(Some(2)).with_init(init);
            let layer = config.with_bidirectional(true).with_discretization(rule).seeded();
            for seq in [1, 17, 65] {
                let wanted = differences(&Parameters::of(&layer), rule, seq);
                for form in FORMS {
                    let got = gradients(&layer.clone().with_form(form), seq);
                    for ((name, got), wanted) in NAMES.iter().zip(got).zip(&wanted) {
                        let what = format!("{name}, {init:?}, {rule:?}, {form:?}, seq = {seq}");
                        assert_rel_close(got, wanted.clone(), GRADIENT, what);
                    }
                }
            }
        }
    }
}

/// Slopes of `sum(weights * kernel)` along every parameter.
fn differences(parameters: &Parameters, rule: Discretization, seq: usize) -> Vec<Vec<f64>> {
    let weights = seeded(2 * parameters.d_model * seq, 1);
    let slope = |list: usize| {
        let loss = |values: &[f64]| {
            let mut moved = parameters.clone();
            moved.lists[list] = values.to_vec();
            moved.kernels(rule, seq).iter().zip(&weights).map(|(k, w)| k * w).sum()
        };
        finite_difference(loss, &parameters.lists[list], 1e-6)
    };
    (0..NAMES.len()).map(slope).collect()
}

/// Of `sum(weights * kernel)` by every parameter, in the order of [`NAMES`].
pub(crate) fn gradients(layer: &S4d, seq: usize) -> Vec<Vec<f64>> {
    let layer = layer.clone().train();
    let kernel = layer.kernel(seq);
    let weights = seeded_tensor(kernel.dims(), 1, &cpu().autodiff());
    let grads: Gradients = (kernel * weights).sum().backward();
    vec![
        to_f64(layer.ssm.modes.inv_dt.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.inv_a_re.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.a_im.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.b_re.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.b_im.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.c_re.val().grad(&grads).unwrap()),
        to_f64(layer.ssm.modes.c_im.val().grad(&grads).unwrap()),
    ]
}
