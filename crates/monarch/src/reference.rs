//! The layers by definition: f64, loops, one sequence at a time. Tests compare against them.
//!
//! Parameters are one flat list in the order of the layer's fields, each row-major, as a visitor of the module finds
//! them; dense weights are `[d_input, d_output]`.

mod channel;
mod measured;
mod monarch;
mod sequence;

pub use crate::matrix::dft::{DftFactor, factors as dft_factors};
pub use channel::{block_diagonal_mlp, dense_mlp, monarch_mlp, swiglu};
pub use monarch::monarch_linear;
use subquad_backend::fft_conv::reference::two_sided_conv;

use crate::{BlockDiagonalLinearConfig, HyenaConfig, ImplicitFilterConfig, M2Config};

pub use sequence::{causal_blocks_matrices, causal_monarch, learned_monarch};

/// `[seq, d_model]` to `[seq, d_model]`.
pub fn m2(config: &M2Config, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let (h, taps) = (config.d_model, config.short_filter);
    let mut parameters = Parameters(parameters);
    let normed = config.input_norm.then(|| layer_norm(x, parameters.take(h), parameters.take(h)));
    let x = normed.as_deref().unwrap_or(x);
    let projections = [h * 3 * h, 3 * h, 3 * h * taps, 3 * h].map(|n| parameters.take(n));
    let filter = Filter::read(&config.filter(), &mut parameters);
    let residual = config.residual.then(|| Filter::read(&config.filter(), &mut parameters));
    let mut y = gated(x, projections, |v| filter.convolve(v));
    if let Some(filter) = residual {
        y.iter_mut().zip(filter.convolve(x)).for_each(|(y, skip)| *y += skip);
    }
    let y = linear(&y, parameters.take(h * h), parameters.take(h));
    parameters.finish();
    y
}

/// `[seq, d_model]` to `[seq, d_model]`.
pub fn hyena(config: &HyenaConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let (h, order, width) = (config.d_model, config.order, (config.order + 1) * config.d_model);
    let mut parameters = Parameters(parameters);
    let projected = linear(x, parameters.take(h * width), parameters.take(width));
    let taps = config.short_filter;
    let projected = short_conv(&projected, parameters.take(width * taps), parameters.take(width));
    let filters = Filter::read(&config.filter(), &mut parameters);
    let chunk = |i: usize| -> Vec<f64> {
        projected.chunks(width).flat_map(|row| row[i * h..(i + 1) * h].to_vec()).collect()
    };
    let filtered = (0..order - 1)
        .fold(chunk(order), |v, o| filters.every(order - 1, o).convolve(&product(&v, &chunk(order - 1 - o))));
    let y = linear(&product(&filtered, &chunk(0)), parameters.take(h * h), parameters.take(h));
    parameters.finish();
    y
}

/// `mix(v * x1) * x2` of the projections of `x` by weight and bias, after a short convolution by weight and bias.
fn gated(
    x: &[f64],
    [weight, bias, short, short_bias]: [&[f64]; 4],
    mix: impl FnOnce(&[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let projected = short_conv(&linear(x, weight, bias), short, short_bias);
    let (width, h) = (bias.len(), bias.len() / 3);
    let part = |i: usize| -> Vec<f64> {
        projected.chunks(width).flat_map(|row| row[i * h..(i + 1) * h].to_vec()).collect()
    };
    product(&mix(&product(&part(2), &part(0))), &part(1))
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

/// The parameters of a flat list that have not been read yet.
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

/// `(x - mean) / sqrt(variance + 1e-5) * gamma + beta` of every row.
fn layer_norm(x: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
    let width = gamma.len();
    let mean = |row: &[f64]| row.iter().sum::<f64>() / width as f64;
    let norm = |row: &[f64]| -> Vec<f64> {
        let centred: Vec<f64> = row.iter().map(|x| x - mean(row)).collect();
        let deviation = (mean(&product(&centred, &centred)) + 1e-5).sqrt();
        (0..width).map(|i| centred[i] / deviation * gamma[i] + beta[i]).collect()
    };
    x.chunks(width).flat_map(norm).collect()
}

/// `y_t = bias + sum over back of w_{width - 1 - back} x_{t - back}` on `[seq, channels]`, `weight [channels, width]`.
fn short_conv(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (channels, width) = (bias.len(), weight.len() / bias.len());
    let tap = |t: usize, c: usize, back: usize| match t >= back {
        true => weight[(c + 1) * width - 1 - back] * x[(t - back) * channels + c],
        false => 0.0,
    };
    (0..x.len())
        .map(|i| (i / channels, i % channels))
        .map(|(t, c)| bias[c] + (0..width).map(|b| tap(t, c, b)).sum::<f64>())
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
    /// Number of tokens that the first reverse tap looks ahead.
    rev_offset: usize,
}

impl Filter {
    fn read(config: &ImplicitFilterConfig, parameters: &mut Parameters<'_>) -> Self {
        let ImplicitFilterConfig { d_model, l_max, order, emb_dim, bidirectional, rev_offset, .. } = *config;
        let mut network = || Network::read(config, parameters);
        let (forward, reverse) = (network(), bidirectional.then(&mut network));
        let layers = config.num_inner + 1;
        let own = if bidirectional { 2 * layers } else { layers };
        let learned = parameters.take(order * if config.share_sine { 1 } else { own });
        let frequencies: Vec<f64> = learned.iter().map(|w| config.sine_factor * w).collect();
        let z = parameters.take(l_max * emb_dim);
        let draw = |network: &Network<'_>, first: usize| -> Vec<f64> {
            let frequency = |layer| match config.share_sine {
                true => &frequencies[..],
                false => &frequencies[(first + layer) * order..][..order],
            };
            let answer = |l: usize| network.row(&z[l * emb_dim..(l + 1) * emb_dim], frequency, d_model);
            (0..l_max).flat_map(|l| taps(config, &answer(l), l)).collect()
        };
        Self {
            taps: draw(&forward, 0),
            reverse: reverse.as_ref().map(|network| draw(network, layers)),
            bias: parameters.take(d_model).to_vec(),
            rev_offset,
        }
    }

    /// Filter number `o` of `n` one-sided filters whose channels alternate.
    fn every(&self, n: usize, o: usize) -> Self {
        let own = |values: &[f64]| values.iter().skip(o).step_by(n).copied().collect();
        Self { taps: own(&self.taps), reverse: None, bias: own(&self.bias), rev_offset: self.rev_offset }
    }

    /// `conv(x, k) + bias x`, channel by channel, on `[seq, d_model]`.
    fn convolve(&self, x: &[f64]) -> Vec<f64> {
        let d_model = self.bias.len();
        let column = |values: &[f64], h: usize| -> Vec<f64> {
            values.iter().skip(h).step_by(d_model).copied().collect()
        };
        let mut y: Vec<f64> = x.iter().enumerate().map(|(i, x)| self.bias[i % d_model] * x).collect();
        for h in 0..d_model {
            let mut taps = column(&self.taps, h);
            let mut reverse = self.reverse.as_ref().map_or(vec![], |taps| column(taps, h));
            if self.rev_offset == 0 {
                taps[0] += reverse.remove(0);
            }
            let filtered = two_sided_conv(&column(x, h), &taps, &reverse);
            y.iter_mut().skip(h).step_by(d_model).zip(filtered).for_each(|(y, f)| *y += f);
        }
        y
    }
}

/// A network's output for position `l` as taps of every channel.
fn taps(config: &ImplicitFilterConfig, answer: &[f64], l: usize) -> Vec<f64> {
    let ImplicitFilterConfig { d_model, l_max, modulate, shift, normalized, .. } = *config;
    let decay = |decay: f64| if modulate { decay + shift } else { 1.0 };
    let taps = product(answer, &decays(l, l_max, d_model).into_iter().map(decay).collect::<Vec<_>>());
    let norm = if normalized { taps.iter().map(|tap| tap.abs()).sum::<f64>() } else { 1.0 };
    taps.into_iter().map(|tap| tap / norm).collect()
}

struct Network<'a> {
    /// Weight and bias of each sine layer.
    layers: Vec<(&'a [f64], &'a [f64])>,
    output: &'a [f64],
}

impl<'a> Network<'a> {
    fn read(config: &ImplicitFilterConfig, parameters: &mut Parameters<'a>) -> Self {
        let ImplicitFilterConfig { d_model, order, emb_dim, num_inner, .. } = *config;
        let inputs = std::iter::once(emb_dim).chain(std::iter::repeat_n(order, num_inner));
        Self {
            layers: inputs.map(|d| (parameters.take(d * order), parameters.take(order))).collect(),
            output: parameters.take(order * d_model),
        }
    }

    /// `frequency` of a sine layer.
    fn row<'f>(&self, z: &[f64], frequency: impl Fn(usize) -> &'f [f64], d_model: usize) -> Vec<f64> {
        let sine = |x: Vec<f64>, (i, (weight, bias)): (usize, &(&[f64], &[f64]))| -> Vec<f64> {
            linear(&x, weight, bias).iter().zip(frequency(i)).map(|(h, w)| (w * h).sin()).collect()
        };
        let hidden = self.layers.iter().enumerate().fold(z.to_vec(), sine);
        linear(&hidden, self.output, &vec![0.0; d_model])
    }
}

/// `exp(-t |delta|)` of every channel at position `l`: the first channel is down to 1 % after 1.5 filter lengths, the
/// last one after 0.3.
fn decays(l: usize, l_max: usize, d_model: usize) -> Vec<f64> {
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
    // Output o is row o % rows of block o / rows, which reads `columns` inputs, or those that exist.
    let entry = |o: usize, q: usize| weight[o * columns + q];
    let input = |x: &[f64], o: usize, q: usize| x.get(o / rows * columns + q).copied().unwrap_or(0.0);
    let output =
        |x: &[f64], o: usize| bias[o] + (0..columns).map(|q| entry(o, q) * input(x, o, q)).sum::<f64>();
    x.chunks(d_input).flat_map(|x| (0..d_output).map(|o| output(x, o)).collect::<Vec<_>>()).collect()
}
