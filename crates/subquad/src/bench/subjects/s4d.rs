//! Causal S4D with its gated linear output.

use burn::tensor::{Device, Tensor};
use subquad_backend::pointwise::reference::{gelu, glu};
use subquad_s4::reference::{Complex, Mode, scan};
use subquad_s4::{Discretization, S4dConfig, SsmLayer, StateSpace};

use super::linear;
use crate::bench::decode::{read_context, slices, tensors};
use crate::bench::layer::decoding;
use crate::bench::{Decoder, Layer, Sizes};

const RULE: Discretization = Discretization::Zoh;

fn config(sizes: &Sizes) -> S4dConfig {
    S4dConfig::new(sizes.d_model).with_d_state(sizes.d_state).with_discretization(RULE)
}

pub(super) fn check(sizes: &Sizes) -> Result<(), String> {
    config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    decoding(config(sizes).init(device), decoders)
}

/// For layers on any state space.
pub(super) fn decoders<S: StateSpace>(
    layer: &SsmLayer<S>,
    context: Tensor<3>,
    token: Tensor<2>,
) -> Vec<Box<dyn Decoder>> {
    let mut ways = tensors(layer, context.clone(), token.clone());
    if let (Some(state), Ok(mut stepper)) = (read_context(layer, context), layer.stepper()) {
        stepper.resume(&state);
        ways.push(slices(stepper, token));
    }
    ways
}

/// A recurrence on every channel, then what mixes them.
pub(super) fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    let [log_dt, .., d, weight, bias] = parameters else { panic!("ten tensors") };
    let channel = |h: usize| {
        let u: Vec<f64> = x.iter().skip(h).step_by(sizes.d_model).copied().collect();
        scan(&modes(sizes, parameters, h), log_dt[h].exp(), RULE, d[h], &u)
    };
    let channels: Vec<Vec<f64>> = (0..sizes.d_model).map(channel).collect();
    mixed(&channels, weight, bias)
}

/// GELU, a linear layer and its gate on every token.
pub(super) fn mixed(channels: &[Vec<f64>], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (d_model, seq) = (channels.len(), channels[0].len());
    let hidden: Vec<f64> = (0..seq).flat_map(|t| channels.iter().map(move |y| gelu(y[t]))).collect();
    let gate = |row: &[f64]| -> Vec<f64> {
        let (value, gate) = row.split_at(d_model);
        value.iter().zip(gate).map(|(a, b)| glu(*a, *b)).collect()
    };
    linear(&hidden, weight, bias).chunks(2 * d_model).flat_map(gate).collect()
}

fn modes(sizes: &Sizes, parameters: &[Vec<f64>], channel: usize) -> Vec<Mode> {
    let [_, log_a_re, a_im, b_re, b_im, c_re, c_im, ..] = parameters else { panic!("ten tensors") };
    let mode = |n: usize| Mode {
        a: Complex { re: -log_a_re[n].exp(), im: a_im[n] },
        b: Complex { re: b_re[n], im: b_im[n] },
        c: Complex { re: c_re[n], im: c_im[n] },
    };
    let pairs = sizes.d_state / 2;
    (channel * pairs..(channel + 1) * pairs).map(mode).collect()
}

pub(super) fn alive(sizes: &Sizes) -> f64 {
    ACTIVATIONS * sizes.elements() as f64 + 4.0 * (sizes.d_model as f64).powi(2)
}

/// Floats alive for each float of the input.
const ACTIVATIONS: f64 = 8.0;
