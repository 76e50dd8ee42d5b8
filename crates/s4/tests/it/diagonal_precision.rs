//! S4D where modes hardly decay: kernels and gradients of both forms against f64, up to the last of 16,384 taps.

use subquad_mixer::SequenceMixer;
use subquad_s4::reference::{Complex, Mode, discretize, exp_m1, real};
use subquad_s4::{Discretization, S4d, S4dConfig, S4dInit};
use subquad_testkit::{assert_rel_close, seeded};

use crate::gradients::{NAMES, gradients};
use crate::oracle::{FORMS, Parameters, RULES, Seeded};

/// Largest error over largest value, as promised in the documentation.
const F64: f64 = 1e-4;

/// Kernels `[1, d_model, seq]`, and the gradients of their products with `weights`, which are as many, by every list.
fn kernels_and_slopes(of: &Parameters, rule: Discretization, weights: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut grads = of.lists.each_ref().map(|list| vec![0.0; list.len()]).to_vec();
    let seq = weights.len() / of.d_model;
    let mut taps = vec![0.0; weights.len()];
    for (h, weights) in weights.chunks_exact(seq).enumerate() {
        for (n, mode) in of.modes(0, h).into_iter().enumerate() {
            let (a_bar, b_bar) = discretize(mode, of.dt(h), rule);
            let log_a = logarithm(a_bar);
            let [mut sum, mut weighted] = [real(0.0); 2];
            for (l, weight) in weights.iter().enumerate() {
                let power = (real(l as f64) * log_a).exp();
                taps[h * seq + l] += 2.0 * (mode.c * b_bar * power).re;
                sum += real(*weight) * power;
                weighted += real(l as f64 * weight) * power;
            }
            let two = real(2.0);
            let of_b = two * mode.c * sum;
            let slopes = Slopes { c: two * b_bar * sum, b: of_b, log_a: two * mode.c * b_bar * weighted };
            slopes.add(
                mode,
                of.dt(h),
                rule,
                [h, h % of.systems * of.pairs + n, h * of.pairs + n],
                &mut grads,
            );
        }
    }
    (taps, grads)
}

fn logarithm(z: Complex) -> Complex {
    Complex { re: z.norm().ln(), im: z.im.atan2(z.re) }
}

/// `d/d re - i d/d im` by what the kernel is made of.
struct Slopes {
    c: Complex,
    b: Complex,
    log_a: Complex,
}

impl Slopes {
    /// To the gradients of the lists: `places` are those of the step, of `A` and `B`, and of `C`.
    fn add(self, mode: Mode, dt: f64, rule: Discretization, places: [usize; 3], grads: &mut [Vec<f64>]) {
        let Mode { a, b, .. } = mode;
        let (one, step) = (real(1.0), real(dt));
        let long = step * a;
        // Derivatives of log a_bar by dt and A, of b_bar by dt, A and B.
        let [log_dt, log_a, b_dt, b_a, b_b] = match rule {
            Discretization::Zoh => {
                let held = exp_m1(long) / a;
                [a, step, b * long.exp(), b * (step * long.exp() - held) / a, held]
            }
            Discretization::Bilinear => {
                let half = real(0.5) * long;
                let (gain, both) = (one / (one - half), one / (one - half * half));
                let square = gain * gain;
                [a * both, step * both, b * square, real(0.5 * dt * dt) * b * square, step * gain]
            }
        };
        let of_dt = self.log_a * log_dt + self.b * b_dt;
        let of_a = self.log_a * log_a + self.b * b_a;
        let of_b = self.b * b_b;
        let values = [dt * of_dt.re, a.re * of_a.re, -of_a.im, of_b.re, -of_b.im, self.c.re, -self.c.im];
        for (list, value) in values.into_iter().enumerate() {
            let place = places[[0, 1, 1, 1, 1, 2, 2][list]];
            grads[list][place] += value;
        }
    }
}

fn with_decay(mut layer: S4d, decay: f64) -> S4d {
    layer.ssm.modes.inv_a_re = layer.ssm.modes.inv_a_re.map(|p| p.zeros_like() + decay.ln());
    layer
}

fn both_forms_are_as_exact_as_promised(layer: &S4d, rule: Discretization, seq: usize, what: &str) {
    let parameters = Parameters::of(layer);
    let (taps, slopes) = kernels_and_slopes(&parameters, rule, &seeded(parameters.d_model * seq, 1));
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        assert_rel_close(layer.kernel(seq), taps.clone(), F64, format!("kernel, {what}, {form:?}"));
        for ((name, got), wanted) in NAMES.iter().zip(gradients(&layer, seq)).zip(&slopes) {
            assert_rel_close(got, wanted.clone(), F64, format!("{name}, {what}, {form:?}"));
        }
    }
}

#[test]
fn kernels_and_gradients_of_modes_that_hardly_decay_are_those_of_f64() {
    for init in [S4dInit::Fout, S4dInit::Hippo, S4dInit::Legs] {
        for rule in RULES {
            for seq in [1, 2, 65, 1000, 16_384] {
                let layer = S4dConfig::new(2).with_init(init).with_discretization(rule).seeded();
                let what = format!("{init:?}, {rule:?}, {seq} taps");
                both_forms_are_as_exact_as_promised(&layer, rule, seq, &what);
            }
        }
    }
}

#[test]
fn so_are_those_of_any_decay_near_zero() {
    for decay in [1e-2, 1e-4, 1e-6] {
        for rule in RULES {
            for (d_state, seq) in [(2, 3), (8, 16_384)] {
                let config = S4dConfig::new(2).with_d_state(d_state).with_discretization(rule);
                let what = format!("decay {decay}, {rule:?}, {seq} taps");
                both_forms_are_as_exact_as_promised(&with_decay(config.seeded(), decay), rule, seq, &what);
            }
        }
    }
}
