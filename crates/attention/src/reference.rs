//! The definition: f64, loops. Tests compare against it.

/// Softmax attention of one head: `q [seq_q, d_head]`, `k` and `v [seq_k, d_head]`.
///
/// Queries are aligned with the last keys; if `causal`, query `i` sees the keys up to `seq_k - seq_q + i`.
pub fn head(q: &[f64], k: &[f64], v: &[f64], d_head: usize, causal: bool) -> Vec<f64> {
    let (seq_q, seq_k) = (q.len() / d_head, k.len() / d_head);
    let mut out = Vec::with_capacity(q.len());
    for (i, q) in q.chunks(d_head).enumerate() {
        let seen = if causal { seq_k - seq_q + i + 1 } else { seq_k };
        let scores = k.chunks(d_head).take(seen).map(|k| dot(q, k) / (d_head as f64).sqrt());
        let weights = softmax(&scores.collect::<Vec<_>>());
        for feature in 0..d_head {
            out.push(weights.iter().zip(v.chunks(d_head)).map(|(weight, v)| weight * v[feature]).sum());
        }
    }
    out
}

/// Rotary positions, half split, of tokens `x [seq, d_head]` whose first has position `first`.
pub fn rotate(x: &[f64], d_head: usize, first: usize, base: f64) -> Vec<f64> {
    let half = d_head / 2;
    let mut turned = x.to_vec();
    for (t, row) in turned.chunks_mut(d_head).enumerate() {
        for i in 0..half {
            let angle = (first + t) as f64 * base.powf(-2.0 * i as f64 / d_head as f64);
            let (a, b) = (row[i], row[i + half]);
            row[i] = a * angle.cos() - b * angle.sin();
            row[i + half] = a * angle.sin() + b * angle.cos();
        }
    }
    turned
}

/// The parameters of a layer; matrices are `[rows in, columns out]`, row-major.
#[derive(Debug)]
pub struct Weights {
    /// `[d_model, 3 d_model]`, columns in the order (3, head, feature).
    pub qkv: Vec<f64>,
    /// `[3 d_model]`
    pub qkv_bias: Vec<f64>,
    /// `[d_model, d_model]`
    pub output: Vec<f64>,
    /// `[d_model]`
    pub output_bias: Vec<f64>,
}

/// A whole layer on one sequence `x [seq, d_model]`. Without `rope_base` there are no positions.
pub fn layer(x: &[f64], weights: &Weights, n_heads: usize, causal: bool, rope_base: Option<f64>) -> Vec<f64> {
    let d_model = weights.output_bias.len();
    let d_head = d_model / n_heads;
    let qkv = linear(x, &weights.qkv, &weights.qkv_bias);
    let mut mixed = vec![0.0; x.len()];
    for h in 0..n_heads {
        let [q, k, v] = [0, 1, 2].map(|part| columns(&qkv, 3 * d_model, part * d_model + h * d_head, d_head));
        let turned = |x: Vec<f64>| rope_base.map_or(x.clone(), |base| rotate(&x, d_head, 0, base));
        let y = head(&turned(q), &turned(k), &v, d_head, causal);
        for (row, y) in mixed.chunks_mut(d_model).zip(y.chunks(d_head)) {
            row[h * d_head..(h + 1) * d_head].copy_from_slice(y);
        }
    }
    linear(&mixed, &weights.output, &weights.output_bias)
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - max).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `x W + b`, row by row.
fn linear(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (d_in, d_out) = (weight.len() / bias.len(), bias.len());
    let entry =
        |row: &[f64], j: usize| bias[j] + (0..d_in).map(|i| row[i] * weight[i * d_out + j]).sum::<f64>();
    x.chunks(d_in).flat_map(|row| (0..d_out).map(move |j| entry(row, j))).collect()
}

/// Columns `first..first + count` of a matrix of `width` columns.
fn columns(matrix: &[f64], width: usize, first: usize, count: usize) -> Vec<f64> {
    matrix.chunks(width).flat_map(|row| row[first..first + count].to_vec()).collect()
}
