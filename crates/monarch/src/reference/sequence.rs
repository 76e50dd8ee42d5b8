//! Monarch matrices along the sequence, as the dense matrices that they are.

use subquad_backend::fft_conv::reference::causal_conv;
use subquad_backend::pointwise::reference::activate;

use super::{Filter, Parameters, gated, linear, product};
use crate::sequence::Split;
use crate::{CausalMonarchConfig, CausalMonarchForm, LearnedMonarchConfig};

/// `[seq, d_model]` to `[seq, d_model]`.
pub fn learned_monarch(config: &LearnedMonarchConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let (n, d_model, heads) = (config.split().tokens(), config.d_model, config.n_heads);
    let mut parameters = Parameters(parameters);
    let gates = Gates::read(config.gated, d_model, &mut parameters);
    let first = monarch(config.split(), heads, &mut parameters);
    let between = parameters.take(n * d_model);
    let second = monarch(config.split(), heads, &mut parameters);
    parameters.finish();
    gates.around(x, |x| {
        let mut padded = x.to_vec();
        padded.resize(n * d_model, 0.0);
        let z = product(&apply(&first, &padded, d_model), between);
        let z: Vec<f64> = z.into_iter().map(|z| activate(z, config.activation)).collect();
        apply(&second, &z, d_model)[..x.len()].to_vec()
    })
}

/// `[seq, d_model]` to `[seq, d_model]`.
pub fn causal_monarch(config: &CausalMonarchConfig, parameters: &[f64], x: &[f64]) -> Vec<f64> {
    let (d_model, heads) = (config.d_model, config.n_heads);
    let mut parameters = Parameters(parameters);
    let gates = Gates::read(config.gated, d_model, &mut parameters);
    match config.form {
        CausalMonarchForm::Blocks => {
            let matrices = causal_blocks(config.split(), heads, &mut parameters);
            parameters.finish();
            gates.around(x, |x| apply(&matrices, x, d_model))
        }
        CausalMonarchForm::Sandwich => {
            let triangles = triangles(config.split(), heads, &mut parameters);
            let filter = Filter::read(&config.filter(), &mut parameters);
            parameters.finish();
            gates.around(x, |x| sandwich(&triangles, &filter, x, d_model))
        }
    }
}

/// The matrix of each head of the form `blocks` without gates, `[n, n]` for the `n` tokens of all blocks.
pub fn causal_blocks_matrices(config: &CausalMonarchConfig, parameters: &[f64]) -> Vec<Vec<f64>> {
    let mut parameters = Parameters(parameters);
    let matrices = causal_blocks(config.split(), config.n_heads, &mut parameters);
    parameters.finish();
    matrices.into_iter().map(|matrix| matrix.entries).collect()
}

/// `y = T' ((T k) * (T x))`, feature by feature.
fn sandwich(triangles: &[Dense], filter: &Filter, x: &[f64], d_model: usize) -> Vec<f64> {
    let seq = x.len() / d_model;
    let mut kernel = filter.taps[..x.len()].to_vec();
    kernel.iter_mut().zip(&filter.bias).for_each(|(k, bias)| *k += bias);
    let (kernel, x) = (apply(triangles, &kernel, d_model), apply(triangles, x, d_model));
    let mut y = vec![0.0; x.len()];
    for feature in 0..d_model {
        let column = |x: &[f64]| -> Vec<f64> { x.iter().skip(feature).step_by(d_model).copied().collect() };
        let triangle = &triangles[feature * triangles.len() / d_model];
        let solved = triangle.solve(causal_conv(&column(&x), &column(&kernel)));
        (0..seq).for_each(|t| y[t * d_model + feature] = solved[t]);
    }
    y
}

/// A square matrix.
struct Dense {
    n: usize,
    entries: Vec<f64>,
}

impl Dense {
    fn new(n: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        Self { n, entries: (0..n * n).map(|at| entry(at / n, at % n)).collect() }
    }

    /// Most entries of a factor are zero, and are skipped.
    fn times(&self, other: &Self) -> Self {
        let n = self.n;
        let mut entries = vec![0.0; n * n];
        for (out, row) in entries.chunks_mut(n).zip(self.entries.chunks(n)) {
            for (by, other) in row.iter().zip(other.entries.chunks(n)).filter(|(by, _)| **by != 0.0) {
                out.iter_mut().zip(other).for_each(|(out, entry)| *out += by * entry);
            }
        }
        Self { n, entries }
    }

    /// Solves for what a unit lower triangular matrix turns into `y`, by substitution.
    fn solve(&self, mut y: Vec<f64>) -> Vec<f64> {
        for i in 0..y.len() {
            let known: f64 = (0..i).map(|j| self.entries[i * self.n + j] * y[j]).sum();
            y[i] -= known;
        }
        y
    }
}

/// The leading part of each head's matrix times its features of `x [seq, d_model]`.
fn apply(matrices: &[Dense], x: &[f64], d_model: usize) -> Vec<f64> {
    let seq = x.len() / d_model;
    let sum = |t: usize, feature: usize| {
        let Dense { n, entries } = &matrices[feature * matrices.len() / d_model];
        (0..seq).map(|s| entries[t * n + s] * x[s * d_model + feature]).sum::<f64>()
    };
    (0..x.len()).map(|at| sum(at / d_model, at % d_model)).collect()
}

/// One factor: `[heads, blocks, size, size]`.
struct Factors<'a> {
    data: &'a [f64],
    blocks: usize,
    size: usize,
}

impl<'a> Factors<'a> {
    fn read(heads: usize, blocks: usize, size: usize, parameters: &mut Parameters<'a>) -> Self {
        Self { data: parameters.take(heads * blocks * size * size), blocks, size }
    }

    fn entry(&self, head: usize, block: usize, i: usize, j: usize) -> f64 {
        let Self { data, blocks, size } = self;
        data[((head * blocks + block) * size + i) * size + j]
    }
}

/// `M[(t, l), (i, q)] = W2[l, t, i] W1[i, l, q]`
fn monarch(split: Split, heads: usize, parameters: &mut Parameters<'_>) -> Vec<Dense> {
    let Split { block: m, n_blocks } = split;
    let within = Factors::read(heads, n_blocks, m, parameters);
    let across = Factors::read(heads, m, n_blocks, parameters);
    let dense = |h: usize| {
        Dense::new(split.tokens(), |out, token| {
            let (t, l, i, q) = (out / m, out % m, token / m, token % m);
            across.entry(h, l, t, i) * within.entry(h, i, l, q)
        })
    };
    (0..heads).map(dense).collect()
}

/// Within a block, the lower triangle of D; for earlier blocks `L[b, a, a'] R[a', b, b']`.
fn causal_blocks(split: Split, heads: usize, parameters: &mut Parameters<'_>) -> Vec<Dense> {
    let Split { block: m, n_blocks } = split;
    let own = Factors::read(heads, n_blocks, m, parameters);
    let summary = Factors::read(heads, n_blocks, m, parameters);
    let earlier = Factors::read(heads, m, n_blocks, parameters);
    let dense = |h: usize| {
        Dense::new(split.tokens(), |out, token| {
            let (a, b, from, place) = (out / m, out % m, token / m, token % m);
            match from.cmp(&a) {
                std::cmp::Ordering::Less => earlier.entry(h, b, a, from) * summary.entry(h, from, b, place),
                std::cmp::Ordering::Equal if place <= b => own.entry(h, a, b, place),
                std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => 0.0,
            }
        })
    };
    (0..heads).map(dense).collect()
}

/// `(I + across) (I + within)`, strictly lower parts.
fn triangles(split: Split, heads: usize, parameters: &mut Parameters<'_>) -> Vec<Dense> {
    let Split { block: m, n_blocks } = split;
    let within = Factors::read(heads, n_blocks, m, parameters);
    let across = Factors::read(heads, m, n_blocks, parameters);
    let identity = |out: usize, token: usize| if out == token { 1.0 } else { 0.0 };
    let dense = |h: usize| {
        let first = Dense::new(split.tokens(), |out, token| match out / m == token / m && token < out {
            true => within.entry(h, out / m, out % m, token % m),
            false => identity(out, token),
        });
        let second = Dense::new(split.tokens(), |out, token| match out % m == token % m && token < out {
            true => across.entry(h, out % m, out / m, token / m),
            false => identity(out, token),
        });
        second.times(&first)
    };
    (0..heads).map(dense).collect()
}

/// Projections, short convolution and gates, or nothing.
struct Gates<'a>(Option<[&'a [f64]; 6]>);

impl<'a> Gates<'a> {
    fn read(gated: bool, h: usize, parameters: &mut Parameters<'a>) -> Self {
        let sizes = [3 * h * h, 3 * h, 9 * h, 3 * h, h * h, h];
        Self(gated.then(|| sizes.map(|n| parameters.take(n))))
    }

    fn around(&self, x: &[f64], mix: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
        let Some([weight, bias, short, short_bias, out, out_bias]) = self.0 else { return mix(x) };
        linear(&gated(x, [weight, bias, short, short_bias], mix), out, out_bias)
    }
}
