//! Attention by burn's own operations, one block of queries after another: without gradients, only one block's scores
//! exist at a time, `[batch, heads, BLOCK, keys it sees]`. With gradients burn keeps those of every block.

use std::ops::Range;

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::{Rules, WeightDropout, alibi_slopes};
use crate::Segments;

/// Number of queries in a block: enough for large products, few enough that causal blocks skip most of what they do not see.
const BLOCK: usize = 256;

pub(super) fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, rules: &Rules) -> Tensor<4> {
    let ([_, heads, seq_q, _], [_, _, seq_k, _]) = (q.dims(), k.dims());
    let blocks = (0..seq_q).step_by(BLOCK).map(|first| {
        let queries = first..(first + BLOCK).min(seq_q);
        let keys = visible_keys(&queries, [seq_q, seq_k], rules);
        let q = part(&q, &queries);
        if keys.is_empty() {
            return q.zeros_like();
        }
        let offset = (seq_k as i64 - seq_q as i64) + queries.start as i64 - keys.start as i64;
        let block = Block { rules, heads, queries, keys, offset };
        block.attend(q, part(&k, &block.keys), part(&v, &block.keys))
    });
    Tensor::cat(blocks.collect(), 2)
}

/// The keys from the first to the last that some query of a block sees, as far as positions go.
fn visible_keys(queries: &Range<usize>, [seq_q, seq_k]: [usize; 2], rules: &Rules) -> Range<usize> {
    let position = |query: usize| query as i64 + seq_k as i64 - seq_q as i64;
    let (first, last) = (position(queries.start), position(queries.end - 1));
    // No distance is greater than all positions together, and no sum overflows.
    let reach = rules.window.map_or(seq_q + seq_k, |window| window.min(seq_q + seq_k)) as i64;
    let ahead = if rules.causal { 1 } else { reach };
    let inside = |position: i64| position.clamp(0, seq_k as i64) as usize;
    inside(first - reach + 1)..inside(last + ahead)
}

/// Tokens of `x [batch, heads, seq, d_head]`. The gradient of a slice is a copy into zeros, so `x` is only sliced if
/// something is cut off.
fn part(x: &Tensor<4>, tokens: &Range<usize>) -> Tensor<4> {
    match tokens.len() == x.dims()[2] {
        true => x.clone(),
        false => x.clone().narrow(2, tokens.start, tokens.len()),
    }
}

/// Consecutive queries and the keys that they may see.
struct Block<'a> {
    rules: &'a Rules,
    /// Number of heads of queries.
    heads: usize,
    queries: Range<usize>,
    keys: Range<usize>,
    /// Position of the first query, counted from the first key.
    offset: i64,
}

impl Block<'_> {
    /// `q [batch, heads, queries, d_head]`, `k` and `v [batch, kv_heads, keys, d_head]`.
    fn attend(&self, q: Tensor<4>, k: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
        let hidden = self.hidden(&q.device());
        let blind = hidden.clone().filter(|_| self.may_be_blind()).map(|hidden| hidden.all_dim(3));
        let scores = hide(self.scores(q, k), hidden, &blind);
        let y = self.average(self.drop(softmax(scores, 3)), v);
        fill(y, blind, 0.0)
    }

    /// With cap and slopes: `[batch, heads, queries, keys]`.
    fn scores(&self, q: Tensor<4>, k: Tensor<4>) -> Tensor<4> {
        let scale = 1.0 / (q.dims()[3] as f64).sqrt();
        let (q, device) = (self.by_kv_head(q * scale, k.dims()[1]), k.device());
        let scores = self.by_head(q.matmul(k.swap_dims(2, 3)));
        let scores = match self.rules.softcap {
            None => scores,
            Some(cap) => (scores / cap).tanh() * cap,
        };
        match self.rules.alibi {
            false => scores,
            true => scores - self.slopes(&device) * self.distances(&device).abs().float(),
        }
    }

    /// `weights [batch, heads, queries, keys]` times values.
    fn average(&self, weights: Tensor<4>, v: Tensor<4>) -> Tensor<4> {
        self.by_head(self.by_kv_head(weights, v.dims()[1]).matmul(v))
    }

    /// Puts heads that share keys one after another: `[batch, kv_heads, heads / kv_heads * queries, ..]`. Keys and
    /// values then need no copy for each head.
    fn by_kv_head(&self, x: Tensor<4>, kv_heads: usize) -> Tensor<4> {
        let [batch, heads, queries, width] = x.dims();
        x.reshape([batch, kv_heads, heads / kv_heads * queries, width])
    }

    /// Back to `[batch, heads, queries, ..]`.
    fn by_head(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, _, _, width] = x.dims();
        x.reshape([batch, self.heads, self.queries.len(), width])
    }

    /// Positions of queries minus those of keys: `[1, 1, queries, keys]`.
    fn distances(&self, device: &Device) -> Tensor<4, Int> {
        let (queries, keys) = (self.queries.len(), self.keys.len());
        let i = Tensor::<1, Int>::arange(self.offset..self.offset + queries as i64, device);
        let j = Tensor::<1, Int>::arange(0..keys as i64, device);
        i.reshape([1, 1, queries, 1]) - j.reshape([1, 1, 1, keys])
    }

    fn slopes(&self, device: &Device) -> Tensor<4> {
        let slopes = alibi_slopes(self.heads).into_iter().map(|slope| slope as f32).collect();
        Tensor::from_data(TensorData::new(slopes, [1, self.heads, 1, 1]), device)
    }

    /// Which pairs are masked, `[batch or 1, 1, queries, keys]`; `None` if every query sees every key.
    fn hidden(&self, device: &Device) -> Option<Tensor<4, Bool>> {
        let (nearest, farthest) = self.extremes();
        let window = self.rules.window.unwrap_or(usize::MAX).min(i64::MAX as usize) as i64;
        let distances = || self.distances(device);
        let future = (self.rules.causal && nearest < 0).then(|| distances().lower_elem(0));
        let behind = (farthest >= window).then(|| distances().greater_equal_elem(window));
        let ahead = (!self.rules.causal && -nearest >= window).then(|| distances().lower_equal_elem(-window));
        let strangers = self.rules.segments.as_ref().map(|segments| self.strangers(segments, device));
        [future, behind, ahead, strangers].into_iter().flatten().reduce(Tensor::bool_or)
    }

    /// The smallest and the largest of [`distances`](Self::distances).
    fn extremes(&self) -> (i64, i64) {
        (self.offset - self.keys.len() as i64 + 1, self.offset + self.queries.len() as i64 - 1)
    }

    /// Which pairs are of different segments, or include padding: `[batch, 1, queries, keys]`.
    fn strangers(&self, segments: &Segments, device: &Device) -> Tensor<4, Bool> {
        let queries = segment_ids(segments, &self.queries, device).swap_dims(2, 3);
        let padding = queries.clone().equal_elem(0);
        queries.not_equal(segment_ids(segments, &self.keys, device)).bool_or(padding)
    }

    /// Whether a query may see nothing: the key at its own position, which it would see, may be padding or missing.
    fn may_be_blind(&self) -> bool {
        self.rules.segments.is_some() || self.offset + (self.keys.start as i64) < 0
    }

    fn drop(&self, weights: Tensor<4>) -> Tensor<4> {
        match &self.rules.dropout {
            None => weights,
            Some(dropout) => {
                let kept = self.kept(dropout, weights.dims()[0]);
                weights.clone() * Tensor::from_data(kept, &weights.device())
            }
        }
    }

    /// What each weight is multiplied by, made on the host: `[batch, heads, queries, keys]`.
    fn kept(&self, dropout: &WeightDropout, batch: usize) -> TensorData {
        let gain = dropout.gain() as f32;
        let factor = |head, i, j| if dropout.keeps(head, i, j) { gain } else { 0.0 };
        let pairs = |head| {
            let row = move |i| self.keys.clone().map(move |j| factor(head, i, j));
            self.queries.clone().flat_map(row)
        };
        let factors: Vec<f32> = (0..batch * self.heads).flat_map(pairs).collect();
        TensorData::new(factors, [batch, self.heads, self.queries.len(), self.keys.len()])
    }
}

/// Hidden scores become minus infinity, not a large negative number: their weights are then exactly 0, whatever the
/// other scores. A query that sees no key would get NaN from this, so its scores are 0; its result is not used.
fn hide(scores: Tensor<4>, hidden: Option<Tensor<4, Bool>>, blind: &Option<Tensor<4, Bool>>) -> Tensor<4> {
    fill(fill(scores, hidden, f32::NEG_INFINITY), blind.clone(), 0.0)
}

fn fill(x: Tensor<4>, mask: Option<Tensor<4, Bool>>, value: f32) -> Tensor<4> {
    match mask {
        None => x,
        Some(mask) => x.mask_fill(mask, value),
    }
}

/// `[batch, 1, 1, tokens]`
fn segment_ids(segments: &Segments, tokens: &Range<usize>, device: &Device) -> Tensor<4, Int> {
    let [batch, _] = segments.dims();
    let ids = (0..batch).flat_map(|row| segments.row(row)[tokens.clone()].iter().map(|&id| i64::from(id)));
    Tensor::from_data(TensorData::new(ids.collect(), [batch, 1, 1, tokens.len()]), device)
}
