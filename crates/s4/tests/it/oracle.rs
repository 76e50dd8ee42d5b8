//! The layer in f64, from its own parameters.

use subquad_backend::{Form, fft_conv, pointwise};
use subquad_s4::reference::{Complex, Mode, discretize, scan};
use subquad_s4::{Discretization, S4d, S4dConfig};
use subquad_testkit::{cpu, to_f64, with_seed};

pub(crate) const FORMS: [Form; 2] = [Form::Portable, Form::Fused];
pub(crate) const RULES: [Discretization; 2] = [Discretization::Zoh, Discretization::Bilinear];

/// Layers whose random parameters are the same in every run.
pub(crate) trait Seeded {
    fn seeded(&self) -> S4d;
}

impl Seeded for S4dConfig {
    fn seeded(&self) -> S4d {
        with_seed(&cpu(), 1, || self.init(&cpu()))
    }
}

/// The parameters as flat lists: the layout that finite differences walk along.
#[derive(Clone)]
pub(crate) struct Parameters {
    pub(crate) d_model: usize,
    pub(crate) systems: usize,
    pub(crate) pairs: usize,
    /// `log_dt, log_a_re, a_im, b_re, b_im, c_re, c_im`.
    pub(crate) lists: [Vec<f64>; 7],
}

impl Parameters {
    pub(crate) fn of(layer: &S4d) -> Self {
        let [systems, pairs] = layer.ssm.modes.a_im.val().dims();
        let lists = [
            to_f64(layer.ssm.modes.inv_dt.val()),
            to_f64(layer.ssm.modes.inv_a_re.val()),
            to_f64(layer.ssm.modes.a_im.val()),
            to_f64(layer.ssm.modes.b_re.val()),
            to_f64(layer.ssm.modes.b_im.val()),
            to_f64(layer.ssm.modes.c_re.val()),
            to_f64(layer.ssm.modes.c_im.val()),
        ];
        Self { d_model: lists[0].len(), systems, pairs, lists }
    }

    pub(crate) fn modes(&self, kernel: usize, channel: usize) -> Vec<Mode> {
        let [_, log_a_re, a_im, b_re, b_im, c_re, c_im] = &self.lists;
        let system = channel % self.systems * self.pairs;
        let own = (kernel * self.d_model + channel) * self.pairs;
        let mode = |n: usize| Mode {
            a: Complex { re: -f64::exp(log_a_re[system + n]), im: a_im[system + n] },
            b: Complex { re: b_re[system + n], im: b_im[system + n] },
            c: Complex { re: c_re[own + n], im: c_im[own + n] },
        };
        (0..self.pairs).map(mode).collect()
    }

    pub(crate) fn dt(&self, channel: usize) -> f64 {
        self.lists[0][channel].exp()
    }

    /// `[kernels, d_model, seq]`.
    pub(crate) fn kernels(&self, rule: Discretization, seq: usize) -> Vec<f64> {
        let kernels = self.lists[5].len() / (self.d_model * self.pairs);
        let rows = (0..kernels).flat_map(|k| (0..self.d_model).map(move |h| (k, h)));
        rows.flat_map(|(k, h)| kernel(&self.modes(k, h), self.dt(h), rule, seq)).collect()
    }
}

/// One row `[seq, d_model]` of the batch through the whole layer.
pub(crate) fn forward(layer: &S4d, rule: Discretization, x: &[f64]) -> Vec<f64> {
    let parameters = Parameters::of(layer);
    let d_model = parameters.d_model;
    let seq = x.len() / d_model;
    let columns: Vec<Vec<f64>> = (0..d_model).map(|h| channel(layer, &parameters, rule, h, x)).collect();
    let output = layer.output.as_ref().unwrap();
    let (weight, bias) = (to_f64(output.weight.val()), to_f64(output.bias.as_ref().unwrap().val()));
    let linear = |t: usize, o: usize| {
        let hidden = |h: usize| pointwise::reference::gelu(columns[h][t]);
        bias[o] + (0..d_model).map(|h| hidden(h) * weight[h * 2 * d_model + o]).sum::<f64>()
    };
    let tokens = (0..seq).flat_map(|t| (0..d_model).map(move |o| (t, o)));
    tokens.map(|(t, o)| pointwise::reference::glu(linear(t, o), linear(t, o + d_model))).collect()
}

/// Recurrence when causal, convolution by the definition when bidirectional.
fn channel(layer: &S4d, parameters: &Parameters, rule: Discretization, h: usize, x: &[f64]) -> Vec<f64> {
    let u: Vec<f64> = x.iter().skip(h).step_by(parameters.d_model).copied().collect();
    let (d, dt) = (to_f64(layer.d.val())[h], parameters.dt(h));
    if layer.ssm.modes.c_re.dims()[0] == 1 {
        return scan(&parameters.modes(0, h), dt, rule, d, &u);
    }
    let taps = |k| kernel(&parameters.modes(k, h), dt, rule, u.len());
    let y = fft_conv::reference::two_sided_conv(&u, &taps(0), &taps(1));
    y.into_iter().zip(&u).map(|(y, u)| y + d * u).collect()
}

/// `K_l = 2 Re(sum over modes of c a_bar^l b_bar)` for `l < seq`.
pub(crate) fn kernel(modes: &[Mode], dt: f64, rule: Discretization, seq: usize) -> Vec<f64> {
    let mut kernel = vec![0.0; seq];
    for mode in modes {
        let (a_bar, b_bar) = discretize(*mode, dt, rule);
        let mut term = mode.c * b_bar;
        for k in &mut kernel {
            *k += 2.0 * term.re;
            term *= a_bar;
        }
    }
    kernel
}
