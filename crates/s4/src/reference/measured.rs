//! What `bench` measures: causal layers with the options they have by default.

use subquad_backend::pointwise::reference::{gelu, glu};
use subquad_mixer::{MeasuredMixer, Sizes};

use super::{Affine, Complex, Dplr, H3, Head, Mode, Recurrence, Shift, complete, scan};
use crate::{Diagonal, Discretization, H3Config, S4Config, S4dConfig, StateSpace, dplr, h3};

impl MeasuredMixer for S4dConfig {
    const NAME: &'static str = Diagonal::NAME;
    const SUMMARY: &'static str =
        "diagonal state space (S4D): O(seq log seq) in training, a state of fixed size in decoding";
    const MEASURED: &'static str = "diagonal state space: causal, d_state 64, GELU, gated linear output";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model).with_d_state(sizes.d_state).with_discretization(Discretization::Zoh)
    }

    /// A recurrence on every channel, then the layer that mixes the channels.
    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let [log_dt, modes @ .., d, weight, bias] = parameters else { panic!("ten tensors") };
        let channel = |h: usize| {
            let modes = self::modes(sizes, modes, h);
            scan(&modes, log_dt[h].exp(), Discretization::Zoh, d[h], &input(sizes, x, h))
        };
        mixed((0..sizes.d_model).map(channel).collect(), weight, bias)
    }

    fn alive(sizes: &Sizes) -> f64 {
        alive(sizes)
    }
}

impl MeasuredMixer for S4Config {
    const NAME: &'static str = dplr::Dplr::NAME;
    const SUMMARY: &'static str = "state space, diagonal plus low rank (S4): O(seq log seq) in training, a state of fixed size in decoding";
    const MEASURED: &'static str = "state space, diagonal plus low rank: as s4d, init legs, l_max = seq";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model, sizes.seq_len).with_d_state(sizes.d_state)
    }

    /// A recurrence on every channel, then the layer that mixes the channels.
    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let [log_dt, system @ .., d, weight, bias] = parameters else { panic!("twelve tensors") };
        let channel = |h: usize| {
            let recurrence = recurrence(sizes, log_dt[h].exp(), self::system(sizes, system, h));
            recurrence.scan(d[h], &input(sizes, x, h), &mut recurrence.start())
        };
        mixed((0..sizes.d_model).map(channel).collect(), weight, bias)
    }

    fn alive(sizes: &Sizes) -> f64 {
        alive(sizes)
    }
}

impl MeasuredMixer for H3Config {
    const NAME: &'static str = h3::NAME;
    const SUMMARY: &'static str = "two state spaces and two products (H3): O(seq log seq) in training, a state of fixed size in decoding; \
         causal only";
    const MEASURED: &'static str = "two state spaces and two products: causal, head_dim 1, d_state 64";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model).with_d_state(sizes.d_state).with_discretization(Discretization::Bilinear)
    }

    /// Both state spaces as recurrences.
    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let [q, q_bias, k, k_bias, v, v_bias, c, shift_d, log_dt, modes @ .., d, output, bias] = parameters
        else {
            panic!("eighteen tensors")
        };
        let head = |h: usize| Head { modes: self::modes(sizes, modes, h), dt: log_dt[h].exp(), d: d[h] };
        let layer = H3 {
            q: affine(q, q_bias),
            k: affine(k, k_bias),
            v: affine(v, v_bias),
            shift: c.chunks(sizes.d_state).zip(shift_d).map(|(c, d)| shift(c, *d)).collect(),
            heads: (0..sizes.d_model).map(head).collect(),
            rule: Discretization::Bilinear,
            output: affine(output, bias),
        };
        layer.forward(x)
    }

    fn alive(sizes: &Sizes) -> f64 {
        14.0 * sizes.elements() as f64 + 8.0 * (sizes.d_model as f64).powi(2)
    }
}

/// A layer on either state space keeps 8 floats per float of the input.
fn alive(sizes: &Sizes) -> f64 {
    8.0 * sizes.elements() as f64 + 4.0 * (sizes.d_model as f64).powi(2)
}

/// The part of `x` that one channel reads.
fn input(sizes: &Sizes, x: &[f64], h: usize) -> Vec<f64> {
    x.iter().skip(h).step_by(sizes.d_model).copied().collect()
}

/// The conjugate pairs of a channel or head. `parameters` begin with those of A, B and C.
fn modes(sizes: &Sizes, parameters: &[Vec<f64>], h: usize) -> Vec<Mode> {
    let [log_a_re, a_im, b_re, b_im, c_re, c_im, ..] = parameters else { panic!("six tensors") };
    let mode = |n: usize| Mode {
        a: Complex { re: -log_a_re[n].exp(), im: a_im[n] },
        b: Complex { re: b_re[n], im: b_im[n] },
        c: Complex { re: c_re[n], im: c_im[n] },
    };
    pairs(sizes, h).map(mode).collect()
}

fn system(sizes: &Sizes, parameters: &[Vec<f64>], h: usize) -> Dplr {
    let [.., p_re, p_im] = parameters else { panic!("eight tensors") };
    let p = pairs(sizes, h).map(|n| Complex { re: p_re[n], im: p_im[n] }).collect();
    Dplr { modes: modes(sizes, parameters, h), p: vec![p] }
}

fn pairs(sizes: &Sizes, h: usize) -> std::ops::Range<usize> {
    let pairs = sizes.d_state / 2;
    h * pairs..(h + 1) * pairs
}

/// The parameters hold `C (1 - A_bar^l_max)` for `C`, see [`Dplr`](crate::Dplr).
fn recurrence(sizes: &Sizes, dt: f64, system: Dplr) -> Recurrence {
    let learned: Vec<Complex> = system.modes.iter().map(|mode| mode.c).collect();
    let mut recurrence = system.dense().discretize(dt, 1.0);
    recurrence.c = recurrence.recover(&complete(&learned), sizes.seq_len);
    recurrence
}

/// GELU, a linear layer and its gate on every token.
fn mixed(channels: Vec<Vec<f64>>, weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (layer, seq) = (affine(weight, bias), channels[0].len());
    let token = |t: usize| {
        let hidden: Vec<f64> = channels.iter().map(|y| gelu(y[t])).collect();
        let row = layer.apply(&hidden);
        let (value, gate) = row.split_at(channels.len());
        value.iter().zip(gate).map(|(a, b)| glu(*a, *b)).collect::<Vec<_>>()
    };
    (0..seq).flat_map(token).collect()
}

fn affine(weight: &[f64], bias: &[f64]) -> Affine {
    Affine { weight: weight.into(), bias: bias.into() }
}

/// Its input weights are the first unit vector.
fn shift(c: &[f64], d: f64) -> Shift {
    let b = (0..c.len()).map(|place| if place == 0 { 1.0 } else { 0.0 }).collect();
    Shift { b, c: c.into(), d }
}
