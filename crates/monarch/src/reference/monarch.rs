//! Monarch matrices by the formula of their entries.

use crate::MonarchLinearConfig;
use crate::matrix::shape::MonarchShape;

/// `[rows, d_input]` to `[rows, d_output]`.
pub fn monarch_linear(config: &MonarchLinearConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let MonarchLinearConfig { d_input, d_output, bias, .. } = *config;
    let shape = config.shape();
    let (weights, bias) = parameters.split_at(parameters.len() - if bias { d_output } else { 0 });
    let dense = monarch_dense(&shape, weights);
    let dot = |x: &[f64], o: usize| (0..d_input).map(|i| dense[o * shape.n_input() + i] * x[i]).sum::<f64>();
    let output = |x: &[f64], o: usize| bias.get(o).unwrap_or(&0.0) + dot(x, o);
    x.chunks(d_input).flat_map(|x| (0..d_output).map(|o| output(x, o)).collect::<Vec<_>>()).collect()
}

/// The padded matrix of factors stored one after the other, row-major `[n_output, n_input]`.
pub(crate) fn monarch_dense(shape: &MonarchShape, weights: &[f64]) -> Vec<f64> {
    assert_eq!(weights.len(), shape.n_weights(), "weights of all factors");
    let rank = shape.rank().expect("the formula is for whole ranks");
    let entry = |o: usize, i: usize| {
        let (written, read) = (digits(o, &shape.output), digits(i, &shape.input));
        let read = if shape.pre_permute { pre_permuted(i, &shape.input) } else { read };
        (0..rank).map(|j| term(shape, weights, rank, j, &written, &read)).sum()
    };
    let n_input = shape.n_input();
    (0..shape.n_output() * n_input).map(|at| entry(at / n_input, at % n_input)).collect()
}

/// The place of number `at` in an array of these axes, slowest first.
fn digits(at: usize, axes: &[usize]) -> Vec<usize> {
    let step = |axis: usize| axes[axis + 1..].iter().product::<usize>();
    (0..axes.len()).map(|axis| at / step(axis) % axes[axis]).collect()
}

/// The input is an array whose slowest axis is the last one of `axes`.
fn pre_permuted(at: usize, axes: &[usize]) -> Vec<usize> {
    let last = axes.len() - 1;
    let mut found = digits(at, &[&axes[last..], &axes[..last]].concat());
    found.rotate_left(1);
    found
}

/// The product of one number of each factor: those of term `j` of the rank that lead from `read` to `written`.
///
/// Between factors a number has the index (axes not read yet, `j`, the last axis written, the first, the second ..).
fn term(
    shape: &MonarchShape,
    weights: &[f64],
    rank: usize,
    j: usize,
    written: &[usize],
    read: &[usize],
) -> f64 {
    let (last, (a, b)) = (shape.order() - 1, (&shape.input, &shape.output));
    let index = |parts: &[(usize, usize)]| parts.iter().fold(0, |at, (digit, axis)| at * axis + digit);
    let pairs = |digits: &[usize], axes: &[usize]| -> Vec<(usize, usize)> {
        digits.iter().copied().zip(axes.iter().copied()).collect()
    };
    let mut factors = shape.factors().into_iter();
    let mut rest = weights;
    let mut number = |block: usize, row: usize, column: usize| {
        let [blocks, rows, columns] = factors.next().expect("one factor an axis");
        let (factor, after) = rest.split_at(blocks * rows * columns);
        rest = after;
        factor[(block * rows + row) * columns + column]
    };
    let first_block = index(&pairs(&read[..last], &a[..last]));
    let mut product = number(first_block, j * b[last] + written[last], read[last]);
    for t in 0..last {
        let ends = [&pairs(&written[last..], &b[last..])[..], &pairs(&written[..t], &b[..t])[..]].concat();
        let block = match t + 1 == last {
            true => ends,
            false => [&pairs(&read[t + 1..last], &a[t + 1..last])[..], &[(j, rank)], &ends].concat(),
        };
        let column = if t + 1 == last { read[t] * rank + j } else { read[t] };
        product *= number(index(&block), written[t], column);
    }
    product
}
