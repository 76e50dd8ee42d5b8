//! Channel mixers: two linear layers and what is between them.

use subquad_backend::pointwise::reference::{geglu, gelu};

use super::{Parameters, linear, monarch_linear, read_block_diagonal};
use crate::{
    BlockDiagonalLinearConfig, BlockDiagonalMlpConfig, DenseMlpConfig, MonarchLinearConfig, MonarchMlpConfig,
};

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn dense_mlp(config: &DenseMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let DenseMlpConfig { d_model, d_hidden, gated } = *config;
    let layer = |parameters: &mut Parameters<'_>, x: &[f64], [d_input, d_output]: [usize; 2], bias: bool| {
        let weight = parameters.take(d_input * d_output);
        let bias = if bias { parameters.take(d_output).to_vec() } else { vec![0.0; d_output] };
        linear(x, weight, &bias)
    };
    let mut parameters = Parameters(parameters);
    let wide = layer(&mut parameters, x, [d_model, rows(d_hidden, gated)], !gated);
    let y = layer(&mut parameters, &between(&wide, d_hidden, gated), [d_hidden, d_model], true);
    parameters.finish();
    y
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn block_diagonal_mlp(config: &BlockDiagonalMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let BlockDiagonalMlpConfig { d_model, d_hidden, n_blocks, gated } = *config;
    let expand = BlockDiagonalLinearConfig::new(d_model, rows(d_hidden, gated), n_blocks).with_bias(!gated);
    let reduce = BlockDiagonalLinearConfig::new(d_hidden, d_model, n_blocks);
    let mut parameters = Parameters(parameters);
    let wide = read_block_diagonal(&expand, &mut parameters, x);
    let y = read_block_diagonal(&reduce, &mut parameters, &between(&wide, d_hidden, gated));
    parameters.finish();
    y
}

/// `[rows, d_model]` to `[rows, d_model]`.
pub fn monarch_mlp(config: &MonarchMlpConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let MonarchMlpConfig { d_model, d_hidden, n_blocks, gated } = *config;
    let layer = |d_input, d_output, bias| {
        MonarchLinearConfig::new(d_input, d_output).with_n_blocks(n_blocks).with_bias(bias)
    };
    let (expand, reduce) = (layer(d_model, rows(d_hidden, gated), !gated), layer(d_hidden, d_model, true));
    let mut parameters = Parameters(parameters);
    let wide = monarch_linear(&expand, parameters.take(expand.n_parameters()), x);
    let hidden = between(&wide, d_hidden, gated);
    let y = monarch_linear(&reduce, parameters.take(reduce.n_parameters()), &hidden);
    parameters.finish();
    y
}

/// Number of rows of the first layer's matrix.
fn rows(d_hidden: usize, gated: bool) -> usize {
    if gated { 2 * d_hidden } else { d_hidden }
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
