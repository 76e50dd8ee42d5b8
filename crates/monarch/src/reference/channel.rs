//! Channel mixers: two linear layers and what is between them.

use subquad_backend::pointwise::reference::{geglu, gelu};

use super::{Parameters, linear, monarch_linear, read_block_diagonal};
use crate::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig};

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn dense_mlp(config: &DenseMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let layers = config.layers();
    mlp((config.d_hidden, config.gated), &layers, parameters, x, |layer, parameters, x| {
        let weight = parameters.take(layer.d_input * layer.d_output);
        let no_bias = vec![0.0; layer.d_output];
        linear(x, weight, if layer.bias { parameters.take(layer.d_output) } else { &no_bias })
    })
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn block_diagonal_mlp(config: &BlockDiagonalMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    mlp((config.d_hidden, config.gated), &config.layers(), parameters, x, read_block_diagonal)
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn monarch_mlp(config: &MonarchMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    mlp((config.d_hidden, config.gated), &config.layers(), parameters, x, |layer, parameters, x| {
        monarch_linear(layer, parameters.take(layer.n_parameters()), x)
    })
}

/// Both layers, each of which `apply` reads from the parameters, around what is between them.
fn mlp<L>(
    (d_hidden, gated): (usize, bool),
    [expand, reduce]: &[L; 2],
    parameters: &[f64],
    x: &[f64],
    apply: impl Fn(&L, &mut Parameters<'_>, &[f64]) -> Vec<f64>,
) -> Vec<f64> {
    let mut parameters = Parameters(parameters);
    let wide = apply(expand, &mut parameters, x);
    let y = apply(reduce, &mut parameters, &between(&wide, d_hidden, gated));
    parameters.finish();
    y
}

/// A GELU of everything, or of the first half of each row times the second.
fn between(wide: &[f64], d_hidden: usize, gated: bool) -> Vec<f64> {
    let gate =
        |row: &[f64]| -> Vec<f64> { (0..d_hidden).map(|i| geglu(row[i], row[d_hidden + i])).collect() };
    match gated {
        true => wide.chunks(2 * d_hidden).flat_map(gate).collect(),
        false => wide.iter().map(|x| gelu(*x)).collect(),
    }
}
