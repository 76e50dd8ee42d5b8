//! The layers by definition: f64, loops, one sequence at a time. Tests compare against them.
//!
//! Parameters are one flat list in the order of the layer's fields, each row-major, as a visitor of the module finds
//! them; dense weights are `[d_input, d_output]`.

mod monarch;
mod sequence;

pub use monarch::{dft, monarch_dft, monarch_linear};
use subquad_backend::fft_conv::reference::two_sided_conv;
use subquad_backend::pointwise::reference::{geglu, gelu};

use crate::{
    BlockDiagonalLinearConfig, BlockDiagonalMlpConfig, DenseMlpConfig, ImplicitFilterConfig, M2Config,
};

pub use sequence::{causal_blocks_matrices, causal_monarch, learned_monarch};

/// `[seq, d_model]` to `[seq, d_model]`.
pub fn m2(config: &M2Config, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let h = config.d_model;
    let mut parameters = Parameters(parameters);
    let projected = linear(x, parameters.take(h * 3 * h), parameters.take(3 * h));
    let projected = short_conv(&projected, parameters.take(3 * h * 3), parameters.take(3 * h));
    let filter = Filter::read(&config.filter(), &mut parameters);
    let residual = config.residual.then(|| Filter::read(&config.filter(), &mut parameters));
    let part = |i: usize| -> Vec<f64> {
        projected.chunks(3 * h).flat_map(|row| row[i * h..(i + 1) * h].to_vec()).collect()
    };
    let gated = product(&part(2), &part(0));
    let mut y = product(&filter.convolve(&gated), &part(1));
    if let Some(filter) = residual {
        y.iter_mut().zip(filter.convolve(x)).for_each(|(y, skip)| *y += skip);
    }
    let y = linear(&y, parameters.take(h * h), parameters.take(h));
    parameters.finish();
    y
}

/// Taps `[l_max, d_model]` that look back and, if the filter is two-sided, those that look ahead.
pub fn implicit_filter(config: &ImplicitFilterConfig, parameters: &[f64]) -> (Vec<f64>, Option<Vec<f64>>) {
    let mut parameters = Parameters(parameters);
    let filter = Filter::read(config, &mut parameters);
    parameters.finish();
    (filter.taps, filter.reverse)
}

/// `[rows, d_input]` to `[rows, d_output]`.
pub fn block_diagonal_linear(config: &BlockDiagonalLinearConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let mut parameters = Parameters(parameters);
    let y = read_block_diagonal(config, &mut parameters, x);
    parameters.finish();
    y
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn block_diagonal_mlp(config: &BlockDiagonalMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let BlockDiagonalMlpConfig { d_model, d_hidden, n_blocks } = *config;
    let expand = BlockDiagonalLinearConfig::new(d_model, 2 * d_hidden, n_blocks).with_bias(false);
    let reduce = BlockDiagonalLinearConfig::new(d_hidden, d_model, n_blocks);
    let mut parameters = Parameters(parameters);
    let halves = read_block_diagonal(&expand, &mut parameters, x);
    let gate =
        |row: &[f64]| -> Vec<f64> { (0..d_hidden).map(|i| geglu(row[i], row[d_hidden + i])).collect() };
    let hidden: Vec<f64> = halves.chunks(2 * d_hidden).flat_map(gate).collect();
    let y = read_block_diagonal(&reduce, &mut parameters, &hidden);
    parameters.finish();
    y
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn dense_mlp(config: &DenseMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let DenseMlpConfig { d_model, d_hidden } = *config;
    let mut parameters = Parameters(parameters);
    let hidden = linear(x, parameters.take(d_model * d_hidden), parameters.take(d_hidden));
    let hidden: Vec<f64> = hidden.into_iter().map(gelu).collect();
    let y = linear(&hidden, parameters.take(d_hidden * d_model), parameters.take(d_model));
    parameters.finish();
    y
}

/// What is left of a flat list of parameters.
struct Parameters<'a>(&'a [f64]);

impl<'a> Parameters<'a> {
    fn take(&mut self, n: usize) -> &'a [f64] {
        let (taken, rest) = self.0.split_at(n);
        self.0 = rest;
        taken
    }

    fn finish(self) {
        assert!(self.0.is_empty(), "{} parameters too many", self.0.len());
    }
}

/// `x W + bias`, `W [d_input, d_output]`; the widths follow from the lengths.
fn linear(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (d_input, d_output) = (weight.len() / bias.len(), bias.len());
    let dot = |row: &[f64], o: usize| (0..d_input).map(|i| row[i] * weight[i * d_output + o]).sum::<f64>();
    x.chunks(d_input)
        .flat_map(|row| (0..d_output).map(|o| bias[o] + dot(row, o)).collect::<Vec<_>>())
        .collect()
}

/// `y_t = bias + w_2 x_t + w_1 x_{t-1} + w_0 x_{t-2}` on `[seq, channels]`, `weight [channels, 3]`.
fn short_conv(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let channels = bias.len();
    let tap = |t: usize, c: usize, back: usize| match t >= back {
        true => weight[c * 3 + 2 - back] * x[(t - back) * channels + c],
        false => 0.0,
    };
    (0..x.len())
        .map(|i| (i / channels, i % channels))
        .map(|(t, c)| bias[c] + (0..3).map(|b| tap(t, c, b)).sum::<f64>())
        .collect()
}

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// A filter that has been drawn.
struct Filter {
    /// `[l_max, d_model]`
    taps: Vec<f64>,
    reverse: Option<Vec<f64>>,
    bias: Vec<f64>,
}

impl Filter {
    fn read(config: &ImplicitFilterConfig, parameters: &mut Parameters<'_>) -> Self {
        let ImplicitFilterConfig { d_model, l_max, order, emb_dim, bidirectional, .. } = *config;
        let mut network = || Network {
            layers: [emb_dim, order, order].map(|d| (parameters.take(d * order), parameters.take(order))),
            output: parameters.take(order * d_model),
        };
        let (forward, reverse) = (network(), bidirectional.then(&mut network));
        let (frequency, z) = (parameters.take(order), parameters.take(l_max * emb_dim));
        let draw = |network: &Network<'_>| -> Vec<f64> {
            let row = |l: usize| network.row(&z[l * emb_dim..(l + 1) * emb_dim], frequency, d_model);
            (0..l_max).flat_map(|l| product(&row(l), &decay(l, l_max, d_model))).collect()
        };
        Self {
            taps: draw(&forward),
            reverse: reverse.as_ref().map(draw),
            bias: parameters.take(d_model).to_vec(),
        }
    }

    /// `conv(x, k) + bias x`, channel by channel, on `[seq, d_model]`.
    fn convolve(&self, x: &[f64]) -> Vec<f64> {
        let d_model = self.bias.len();
        let column = |values: &[f64], h: usize| -> Vec<f64> {
            values.iter().skip(h).step_by(d_model).copied().collect()
        };
        let mut y: Vec<f64> = x.iter().enumerate().map(|(i, x)| self.bias[i % d_model] * x).collect();
        for h in 0..d_model {
            let reverse = self.reverse.as_ref().map_or(vec![], |taps| column(taps, h));
            let filtered = two_sided_conv(&column(x, h), &column(&self.taps, h), &reverse);
            y.iter_mut().skip(h).step_by(d_model).zip(filtered).for_each(|(y, f)| *y += f);
        }
        y
    }
}

struct Network<'a> {
    /// Weight and bias of each sine layer.
    layers: [(&'a [f64], &'a [f64]); 3],
    output: &'a [f64],
}

impl Network<'_> {
    fn row(&self, z: &[f64], frequency: &[f64], d_model: usize) -> Vec<f64> {
        let sine = |x: Vec<f64>, (weight, bias): &(&[f64], &[f64])| -> Vec<f64> {
            linear(&x, weight, bias).iter().zip(frequency).map(|(h, w)| (w * h).sin()).collect()
        };
        let hidden = self.layers.iter().fold(z.to_vec(), sine);
        linear(&hidden, self.output, &vec![0.0; d_model])
    }
}

/// `exp(-t |delta|)` of every channel at position `l`: the first channel is down to 1 % after 1.5 filter lengths, the
/// last one after 0.3.
fn decay(l: usize, l_max: usize, d_model: usize) -> Vec<f64> {
    let between = |i: usize, n: usize| if n > 1 { i as f64 / (n - 1) as f64 } else { 0.0 };
    let (slow, fast) = (100f64.ln() / 1.5, 100f64.ln() / 0.3);
    (0..d_model).map(|h| (-between(l, l_max) * (slow + (fast - slow) * between(h, d_model))).exp()).collect()
}

fn read_block_diagonal(
    config: &BlockDiagonalLinearConfig,
    parameters: &mut Parameters<'_>,
    x: &[f64],
) -> Vec<f64> {
    let BlockDiagonalLinearConfig { d_input, d_output, n_blocks, bias } = *config;
    let (rows, columns) = (d_output.div_ceil(n_blocks), d_input.div_ceil(n_blocks));
    let weight = parameters.take(n_blocks * rows * columns);
    let bias = if bias { parameters.take(d_output).to_vec() } else { vec![0.0; d_output] };
    // Output o is row o % rows of block o / rows, which reads `columns` inputs as far as they exist.
    let entry = |o: usize, q: usize| weight[o * columns + q];
    let input = |x: &[f64], o: usize, q: usize| x.get(o / rows * columns + q).copied().unwrap_or(0.0);
    let output =
        |x: &[f64], o: usize| bias[o] + (0..columns).map(|q| entry(o, q) * input(x, o, q)).sum::<f64>();
    x.chunks(d_input).flat_map(|x| (0..d_output).map(|o| output(x, o)).collect::<Vec<_>>()).collect()
}
