//! Channel mixers: two linear layers and what is between them.

use burn::nn::LinearConfig;
use subquad_backend::pointwise::reference as pointwise;

use super::{Parameters, linear, monarch_linear, read_block_diagonal};
use crate::channel::Between;
use crate::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig, SwigluConfig};

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn dense_mlp(config: &DenseMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    mlp((config.d_hidden, Between::gelu(config.gated)), &config.layers(), parameters, x, read_dense)
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn swiglu(config: &SwigluConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    mlp((config.d_hidden, Between::SiluGate), &config.layers(), parameters, x, read_dense)
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn block_diagonal_mlp(config: &BlockDiagonalMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    mlp((config.d_hidden, Between::gelu(config.gated)), &config.layers(), parameters, x, read_block_diagonal)
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn monarch_mlp(config: &MonarchMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let between = Between::gelu(config.gated);
    mlp((config.d_hidden, between), &config.layers(), parameters, x, |layer, parameters, x| {
        monarch_linear(layer, parameters.take(layer.n_parameters()), x)
    })
}

fn read_dense(layer: &LinearConfig, parameters: &mut Parameters<'_>, x: &[f64]) -> Vec<f64> {
    let weight = parameters.take(layer.d_input * layer.d_output);
    let no_bias = vec![0.0; layer.d_output];
    linear(x, weight, if layer.bias { parameters.take(layer.d_output) } else { &no_bias })
}

/// Both layers, each of which `apply` reads from the parameters, around what is between them.
fn mlp<L>(
    (d_hidden, between): (usize, Between),
    [expand, reduce]: &[L; 2],
    parameters: &[f64],
    x: &[f64],
    apply: impl Fn(&L, &mut Parameters<'_>, &[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut parameters = Parameters(parameters);
    let wide = apply(expand, &mut parameters, x);
    let hidden = match between {
        Between::Gelu => wide.iter().map(|x| pointwise::gelu(*x)).collect(),
        Between::GeluGate => gate(&wide, d_hidden, pointwise::geglu),
        Between::SiluGate => gate(&wide, d_hidden, pointwise::swiglu),
    };
    let y = apply(reduce, &mut parameters, &hidden);
    parameters.finish();
    y
}

/// A function of both halves of each row.
fn gate(wide: &[f64], d_hidden: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let row = |row: &[f64]| -> Vec<f64> { (0..d_hidden).map(|i| f(row[i], row[d_hidden + i])).collect() };
    wide.chunks(2 * d_hidden).flat_map(row).collect()
}
