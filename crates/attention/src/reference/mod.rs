//! The definition: f64, loops. Tests compare against it.

mod layer;
mod measured;

pub use layer::{Options, Weights, layer, norm, rotate};

use crate::{Rules, alibi_slopes};

/// Sizes of `q [batch, heads, seq_q, d_head]`, and of `k` and `v`, `[batch, kv_heads, seq_k, d_head]`.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Sequences.
    pub batch: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values: a divisor of `heads`.
    pub kv_heads: usize,
    /// Queries of a sequence.
    pub seq_q: usize,
    /// Keys of a sequence. Queries are aligned with the last ones.
    pub seq_k: usize,
    /// Features of a head.
    pub d_head: usize,
}

/// Softmax attention of every head, `[batch, heads, seq_q, d_head]`: what
/// [`scaled_dot_product`](crate::scaled_dot_product) computes.
pub fn attend([q, k, v]: [&[f64]; 3], sizes: &Sizes, rules: &Rules) -> Vec<f64> {
    let Sizes { batch, heads, kv_heads, seq_q, d_head, .. } = *sizes;
    let slopes = if rules.alibi { alibi_slopes(heads) } else { vec![0.0; heads] };
    let mut out = Vec::with_capacity(q.len());
    for (sequence, h) in (0..batch).flat_map(|sequence| (0..heads).map(move |h| (sequence, h))) {
        let (index, kv_index) = (sequence * heads + h, sequence * kv_heads + h / (heads / kv_heads));
        let head = Head {
            k: rows(k, kv_index, sizes.seq_k * d_head),
            v: rows(v, kv_index, sizes.seq_k * d_head),
            sizes,
            rules,
            sequence,
            index,
            slope: slopes[h],
        };
        let queries = rows(q, index, seq_q * d_head).chunks(d_head).enumerate();
        out.extend(queries.flat_map(|(i, q)| head.attend(i, q)));
    }
    out
}

/// One head of one sequence.
struct Head<'a> {
    k: &'a [f64],
    v: &'a [f64],
    sizes: &'a Sizes,
    rules: &'a Rules,
    sequence: usize,
    /// Index among the heads of queries of all sequences.
    index: usize,
    slope: f64,
}

impl Head<'_> {
    /// Query `i`.
    fn attend(&self, i: usize, q: &[f64]) -> Vec<f64> {
        let d_head = self.sizes.d_head;
        let seen: Vec<usize> = (0..self.sizes.seq_k).filter(|&j| self.sees(i, j)).collect();
        let weights = softmax(&seen.iter().map(|&j| self.score(i, j, q)).collect::<Vec<_>>());
        let mut out = vec![0.0; d_head];
        for (&j, weight) in seen.iter().zip(weights) {
            let weight = weight * self.dropout(i, j);
            out.iter_mut().zip(rows(self.v, j, d_head)).for_each(|(out, v)| *out += weight * v);
        }
        out
    }

    /// Positions of a query and a key, both moved by the same number so that neither is negative.
    fn positions(&self, i: usize, j: usize) -> [usize; 2] {
        [i + self.sizes.seq_k, j + self.sizes.seq_q]
    }

    fn sees(&self, i: usize, j: usize) -> bool {
        let [at, key_at] = self.positions(i, j);
        let segments = self.rules.segments.as_ref();
        self.rules.sees(at, key_at) && segments.is_none_or(|segments| segments.sees(self.sequence, i, j))
    }

    fn score(&self, i: usize, j: usize, q: &[f64]) -> f64 {
        let d_head = self.sizes.d_head;
        let score = dot(q, rows(self.k, j, d_head)) / (d_head as f64).sqrt();
        let capped = self.rules.softcap.map_or(score, |cap| cap * (score / cap).tanh());
        let [at, key_at] = self.positions(i, j);
        capped - self.slope * at.abs_diff(key_at) as f64
    }

    /// The factor on the weight of key `j` for query `i`.
    fn dropout(&self, i: usize, j: usize) -> f64 {
        match &self.rules.dropout {
            None => 1.0,
            Some(dropout) if dropout.keeps(self.index, i, j) => dropout.gain(),
            Some(_) => 0.0,
        }
    }
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

/// Part `index` of `values`, cut into parts of `len` numbers.
fn rows(values: &[f64], index: usize, len: usize) -> &[f64] {
    &values[index * len..(index + 1) * len]
}
