//! Causal S4 with its gated linear output.

use burn::tensor::Device;
use subquad_s4::S4Config;
use subquad_s4::reference::{Complex, Dplr, Mode, Recurrence, complete};

pub(super) use super::s4d::alive;
use super::s4d::{decoders, mixed};
use crate::bench::layer::decoding;
use crate::bench::{Layer, Sizes};

fn config(sizes: &Sizes) -> S4Config {
    S4Config::new(sizes.d_model, sizes.seq_len).with_d_state(sizes.d_state)
}

pub(super) fn check(sizes: &Sizes) -> Result<(), String> {
    config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    decoding(config(sizes).init(device), decoders)
}

/// A recurrence on every channel, then what mixes them.
pub(super) fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    let [.., d, weight, bias] = parameters else { panic!("twelve tensors") };
    let channel = |h: usize| {
        let u: Vec<f64> = x.iter().skip(h).step_by(sizes.d_model).copied().collect();
        let recurrence = recurrence(sizes, parameters, h);
        recurrence.scan(d[h], &u, &mut recurrence.start())
    };
    let channels: Vec<Vec<f64>> = (0..sizes.d_model).map(channel).collect();
    mixed(&channels, weight, bias)
}

/// The parameters hold `C (1 - A_bar^l_max)` for `C`, see [`subquad_s4::Dplr`].
fn recurrence(sizes: &Sizes, parameters: &[Vec<f64>], channel: usize) -> Recurrence {
    let system = system(sizes, parameters, channel);
    let learned: Vec<Complex> = system.modes.iter().map(|mode| mode.c).collect();
    let mut recurrence = system.dense().discretize(parameters[0][channel].exp(), 1.0);
    recurrence.c = recurrence.recover(&complete(&learned), sizes.seq_len);
    recurrence
}

fn system(sizes: &Sizes, parameters: &[Vec<f64>], channel: usize) -> Dplr {
    let [_, log_a_re, a_im, b_re, b_im, c_re, c_im, p_re, p_im, ..] = parameters else {
        panic!("twelve tensors")
    };
    let pairs = sizes.d_state / 2;
    let own = channel * pairs..(channel + 1) * pairs;
    let mode = |n: usize| Mode {
        a: Complex { re: -log_a_re[n].exp(), im: a_im[n] },
        b: Complex { re: b_re[n], im: b_im[n] },
        c: Complex { re: c_re[n], im: c_im[n] },
    };
    let p = own.clone().map(|n| Complex { re: p_re[n], im: p_im[n] }).collect();
    Dplr { modes: own.map(mode).collect(), p: vec![p] }
}
