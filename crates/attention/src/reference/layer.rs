//! The layer around the core operation.

use std::ops::Range;

use super::{Sizes, attend, dot};
use crate::Rules;
use crate::head_norm::HEAD_NORM_EPS;

/// The parameters of a layer; matrices are `[rows in, columns out]`, row-major.
#[derive(Debug, Clone)]
pub struct Weights {
    /// `[d_model, (n_heads + 2 n_kv_heads) d_head]`, columns: heads of q, heads of k, heads of v.
    pub qkv: Vec<f64>,
    /// `[(n_heads + 2 n_kv_heads) d_head]`
    pub qkv_bias: Vec<f64>,
    /// `[d_model, d_model]`
    pub output: Vec<f64>,
    /// `[d_model]`
    pub output_bias: Vec<f64>,
    /// Gains of the norms of queries and of keys, `[d_head]` each, if there are norms.
    pub gains: Option<[Vec<f64>; 2]>,
}

/// What a layer does besides its weights.
#[derive(Debug, Clone)]
pub struct Options {
    /// Heads of queries.
    pub n_heads: usize,
    /// Heads of keys and values.
    pub n_kv_heads: usize,
    /// Base and number of turned features, if positions are rotary.
    pub rope: Option<(f64, usize)>,
    /// Who sees whom, and what happens to scores and weights.
    pub rules: Rules,
}

impl Options {
    /// Plain causal attention in which every head has its own keys and values.
    pub fn causal(n_heads: usize) -> Self {
        Self { n_heads, n_kv_heads: n_heads, rope: None, rules: Rules::causal() }
    }
}

/// A whole layer on `batch` sequences `x [batch, seq, d_model]`.
pub fn layer(x: &[f64], batch: usize, weights: &Weights, options: &Options) -> Vec<f64> {
    let &Options { n_heads, n_kv_heads, rope, ref rules } = options;
    let d_model = weights.output_bias.len();
    let (seq, d_head) = (x.len() / batch / d_model, d_model / n_heads);
    let qkv = linear(x, &weights.qkv, &weights.qkv_bias);
    let heads = |heads| split_heads(&qkv, [batch, weights.qkv_bias.len(), d_head], heads);
    let ends = [n_heads, n_heads + n_kv_heads, n_heads + 2 * n_kv_heads];
    let [q_gain, k_gain] = [0, 1].map(|part| weights.gains.as_ref().map(|gains| &gains[part][..]));
    let q = prepare(heads(0..ends[0]), [seq, d_head], q_gain, rope);
    let k = prepare(heads(ends[0]..ends[1]), [seq, d_head], k_gain, rope);
    let v = heads(ends[1]..ends[2]);
    let sizes = Sizes { batch, heads: n_heads, kv_heads: n_kv_heads, seq_q: seq, seq_k: seq, d_head };
    let y = attend([&q, &k, &v], &sizes, rules);
    linear(&merge_heads(&y, &sizes), &weights.output, &weights.output_bias)
}

/// Heads `x [.., seq, d_head]`, normalised and then turned by their positions, if the options say so.
fn prepare(
    x: Vec<f64>,
    [seq, d_head]: [usize; 2],
    gain: Option<&[f64]>,
    rope: Option<(f64, usize)>,
) -> Vec<f64> {
    let x = match gain {
        None => x,
        Some(gain) => norm(&x, gain),
    };
    match rope {
        None => x,
        Some((base, d_rot)) => {
            x.chunks(seq * d_head).flat_map(|head| rotate(head, d_head, d_rot, 0, base)).collect()
        }
    }
}

/// Every row of `x [.., d_head]` scaled to a root mean square of 1, times the gains `[d_head]`.
pub fn norm(x: &[f64], gain: &[f64]) -> Vec<f64> {
    let mut normed = x.to_vec();
    for row in normed.chunks_mut(gain.len()) {
        let size = (dot(row, row) / row.len() as f64 + HEAD_NORM_EPS).sqrt();
        row.iter_mut().zip(gain).for_each(|(x, gain)| *x *= gain / size);
    }
    normed
}

/// Rotary positions, half split, of the first `d_rot` features of tokens `x [seq, d_head]` whose first has position `first`.
pub fn rotate(x: &[f64], d_head: usize, d_rot: usize, first: usize, base: f64) -> Vec<f64> {
    let half = d_rot / 2;
    let mut turned = x.to_vec();
    for (t, row) in turned.chunks_mut(d_head).enumerate() {
        for i in 0..half {
            let angle = (first + t) as f64 * base.powf(-2.0 * i as f64 / d_rot as f64);
            let (a, b) = (row[i], row[i + half]);
            row[i] = a * angle.cos() - b * angle.sin();
            row[i + half] = a * angle.sin() + b * angle.cos();
        }
    }
    turned
}

/// `x W + b`, row by row.
fn linear(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (d_in, d_out) = (weight.len() / bias.len(), bias.len());
    let entry =
        |row: &[f64], j: usize| bias[j] + (0..d_in).map(|i| row[i] * weight[i * d_out + j]).sum::<f64>();
    x.chunks(d_in).flat_map(|row| (0..d_out).map(move |j| entry(row, j))).collect()
}

/// Heads `heads` of those side by side in rows of `width`, `x [batch, seq, width]`: `[batch, heads, seq, d_head]`.
fn split_heads(x: &[f64], [batch, width, d_head]: [usize; 3], heads: Range<usize>) -> Vec<f64> {
    let sequences = x.chunks(x.len() / batch);
    let each = sequences.flat_map(|x| heads.clone().map(move |h| (x, h)));
    each.flat_map(|(x, h)| x.chunks(width).flat_map(move |row| &row[h * d_head..(h + 1) * d_head]))
        .copied()
        .collect()
}

/// Heads `[batch, heads, seq, d_head]` side by side: `[batch, seq, heads d_head]`.
fn merge_heads(y: &[f64], sizes: &Sizes) -> Vec<f64> {
    let Sizes { heads, seq_q: seq, d_head, .. } = *sizes;
    let mut merged = vec![0.0; y.len()];
    for (index, row) in y.chunks(d_head).enumerate() {
        let (sequence, h, t) = (index / seq / heads, index / seq % heads, index % seq);
        merged[((sequence * seq + t) * heads + h) * d_head..][..d_head].copy_from_slice(row);
    }
    merged
}
