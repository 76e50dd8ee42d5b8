//! H3 with heads of one channel.

use burn::tensor::Device;
use subquad_s4::reference::{Affine, Complex, H3, Head, Mode, Shift};
use subquad_s4::{Discretization, H3Config};

use crate::bench::layer::sequence;
use crate::bench::{Layer, Sizes};

const RULE: Discretization = Discretization::Bilinear;

fn config(sizes: &Sizes) -> H3Config {
    H3Config::new(sizes.d_model).with_d_state(sizes.d_state).with_discretization(RULE)
}

pub(super) fn check(sizes: &Sizes) -> Result<(), String> {
    config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    sequence(config(sizes).init(device))
}

/// Both state spaces as recurrences.
pub(super) fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    let [q, q_bias, k, k_bias, v, v_bias, c, shift_d, modes @ .., d, output, bias] = parameters else {
        panic!("eighteen tensors")
    };
    let affine = |weight: &[f64], bias: &[f64]| Affine { weight: weight.into(), bias: bias.into() };
    let head = |h: usize| Head { modes: self::modes(sizes, modes, h), dt: modes[0][h].exp(), d: d[h] };
    let layer = H3 {
        q: affine(q, q_bias),
        k: affine(k, k_bias),
        v: affine(v, v_bias),
        shift: c.chunks(sizes.d_state).zip(shift_d).map(|(c, d)| shift(c, *d)).collect(),
        heads: (0..sizes.d_model).map(head).collect(),
        rule: RULE,
        output: affine(output, bias),
    };
    layer.forward(x)
}

/// Its input weights are the first unit vector.
fn shift(c: &[f64], d: f64) -> Shift {
    let b = (0..c.len()).map(|place| if place == 0 { 1.0 } else { 0.0 }).collect();
    Shift { b, c: c.into(), d }
}

fn modes(sizes: &Sizes, parameters: &[Vec<f64>], head: usize) -> Vec<Mode> {
    let [_, log_a_re, a_im, b_re, b_im, c_re, c_im] = parameters else { panic!("seven tensors") };
    let mode = |n: usize| Mode {
        a: Complex { re: -log_a_re[n].exp(), im: a_im[n] },
        b: Complex { re: b_re[n], im: b_im[n] },
        c: Complex { re: c_re[n], im: c_im[n] },
    };
    let pairs = sizes.d_state / 2;
    (head * pairs..(head + 1) * pairs).map(mode).collect()
}

pub(super) fn alive(sizes: &Sizes) -> f64 {
    ACTIVATIONS * sizes.elements() as f64 + 8.0 * (sizes.d_model as f64).powi(2)
}

/// Floats alive for each float of the input.
const ACTIVATIONS: f64 = 14.0;
