//! Attention by tiles of 64 queries and 64 keys: time grows with the square of the length, memory with the length.
//!
//! A tile of queries walks over the keys it may see. Weights exist only for one tile of keys at a time; what came before is
//! summed in `l` and `o`, relative to a reference score `m` (online softmax; Milakov and Gimelshein 2018, arXiv 1805.02867;
//! tiles: Dao et al. 2022, arXiv 2205.14135, algorithm 1):
//! ```text
//! s_ij = log2(e) q_i . k_j / sqrt(d_head)          then cap, ALiBi and mask
//! w_ij = 2^(s_ij - m_i)       l_i = sum over j of w_ij       o_i = sum over j of w_ij v_j       y_i = o_i / l_i
//! ```
//! Any `m` gives the same `y`, so it moves only when a score exceeds it by more than [`HEADROOM`](scores::HEADROOM):
//! in almost every tile the weights can be made as scores leave the registers, without a second pass for their maximum.
//!
//! The forward pass keeps `m` and `1 / l` (times the gain that makes up for dropout); from them the backward pass
//! recomputes the weights, a pair of tiles at a time:
//! ```text
//! g_i = dy_i / l_i        dot_i = g_i . y_i        dv_j = sum over i of w_ij g_i        ds_ij = w_ij (g_i . v_j - dot_i)
//! dq_i = sum over j of ds_ij k_j / sqrt(d_head)                      dk_j = sum over i of ds_ij q_i / sqrt(d_head)
//! ```
//!
//! A vector holds the scores of many queries and one key, so maxima and sums need no step across lanes, and every product is
//! the [`micro`](subquad_backend::micro)-kernel's.

mod backward;
mod forward;
mod keys;
mod prepare;
mod problem;
mod products;
mod rows;
mod scores;

pub(super) use backward::Kept;
pub(super) use prepare::Prepare;
pub(crate) use problem::Heads;
pub(super) use problem::Problem;
pub(super) use rows::{GradRows, Layout, Rows};
