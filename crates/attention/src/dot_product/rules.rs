//! What changes softmax attention from its plainest form: who sees whom, and what happens to scores and weights.

use std::ops::RangeInclusive;

use subquad_backend::dropout;

use crate::Segments;

/// The rules of one [`scaled_dot_product`](crate::scaled_dot_product). The default is plain bidirectional attention.
///
/// ```text
/// s_ij = cap tanh(q_i . k_j / (sqrt(d_head) cap))        softcap: Gemma 2, arXiv 2408.00118, section 2
///        - slope_h |i - j|                               ALiBi: Press et al. 2021, arXiv 2108.12409, section 3
/// p_ij = softmax over the visible j, each weight dropped with probability rate, the others divided by 1 - rate
/// ```
/// `i` and `j` are positions: queries are aligned with the last keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// A query sees no key after its own position.
    pub causal: bool,
    /// A query sees the keys less than `window` positions away, its own included: the last `window` keys if causal,
    /// `2 window - 1` around it otherwise. It is at least 1. (Mistral, arXiv 2310.06825, section 2.)
    pub window: Option<usize>,
    /// Scores are squeezed into (-cap, cap), with a cap from 1e-30 to 1e30.
    pub softcap: Option<f64>,
    /// Scores fall with the distance, for each head at its own rate ([`alibi_slopes`]).
    pub alibi: bool,
    /// A query sees only keys of its own segment; padding sees nothing and is seen by nothing.
    pub segments: Option<Segments>,
    /// Drops weights at random.
    pub dropout: Option<WeightDropout>,
}

/// The caps that are positive in f32, as are their inverses.
pub(crate) const SOFTCAPS: RangeInclusive<f64> = 1e-30..=1e30;

impl Rules {
    /// Plain causal attention.
    pub fn causal() -> Self {
        Self { causal: true, ..Self::default() }
    }

    /// Whether a query at position `i` sees a key at position `j`, as far as positions go. Only their difference matters.
    pub(crate) fn sees(&self, i: usize, j: usize) -> bool {
        (!self.causal || j <= i) && self.window.is_none_or(|window| i.abs_diff(j) < window)
    }
}

/// Dropout (Srivastava et al. 2014) of attention weights, as BERT's published code has it (Devlin et al. 2018, arXiv
/// 1810.04805: `attention_probs_dropout_prob`).
///
/// Which weights are dropped depends only on seed, sequence, head, query and key ([`keeps`](Self::keeps)), so every
/// form of the operation drops the same ones, and a repeated step drops them again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightDropout {
    /// Probability that a weight becomes 0, in [0, 1).
    pub rate: f64,
    /// Another seed drops other weights.
    pub seed: u64,
}

impl WeightDropout {
    /// Whether the weight of key `j` for query `i` stays. Both count from 0, even if there are more keys than queries;
    /// `head` counts the heads of queries of all sequences of the batch.
    pub fn keeps(&self, head: usize, i: usize, j: usize) -> bool {
        mix(lane_key(i) ^ self.row_key(head, j)) >= self.threshold()
    }

    /// Draws below this are dropped.
    #[inline]
    pub(crate) fn threshold(&self) -> u32 {
        (self.rate * f64::from(u32::MAX)).round() as u32
    }

    /// The factor on the weights that stay.
    #[inline]
    pub(crate) fn gain(&self) -> f64 {
        1.0 / (1.0 - self.rate)
    }

    /// What seed, head and key contribute to the draw: the upper half of one step of SplitMix64 (Steele, Lea, Flood 2014).
    #[inline]
    pub(crate) fn row_key(&self, head: usize, j: usize) -> u32 {
        dropout::stir(self.seed ^ dropout::spread((head as u64) << 32 | j as u64)) as u32
    }
}

/// What the query contributes to the draw.
pub(crate) fn lane_key(i: usize) -> u32 {
    (i as u32).wrapping_mul(0x9e37_79b1)
}

/// The 32-bit finaliser of MurmurHash3 (Appleby 2011): every bit of `x` reaches every bit of the result.
fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    let x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// The rates at which scores fall with the distance, one per head: `2^(-8 (h + 1) / n)` if the number `n` of heads is a
/// power of two. Otherwise the rates of the largest power of two below `n`, then every other rate of twice that power
/// (the published code's rule).
pub fn alibi_slopes(n_heads: usize) -> Vec<f64> {
    let geometric = |n: usize| move |h: usize| 2f64.powf(-8.0 * (h + 1) as f64 / n as f64);
    let below = if n_heads.is_power_of_two() { n_heads } else { n_heads.next_power_of_two() / 2 };
    let rest = (0..2 * below).step_by(2).map(geometric(2 * below));
    (0..below).map(geometric(below)).chain(rest).take(n_heads).collect()
}
