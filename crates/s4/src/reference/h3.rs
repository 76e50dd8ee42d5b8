//! H3 by its definition: both state spaces as recurrences, a product at a time.

use super::{Mode, scan};
use crate::Discretization;

/// A linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// `[d_input, d_output]`.
    pub weight: Vec<f64>,
    /// `[d_output]`.
    pub bias: Vec<f64>,
}

impl Affine {
    /// Of one token.
    pub(super) fn apply(&self, x: &[f64]) -> Vec<f64> {
        let width = self.bias.len();
        let sum = |o: usize| x.iter().enumerate().map(|(i, x)| x * self.weight[i * width + o]).sum::<f64>();
        (0..width).map(|o| self.bias[o] + sum(o)).collect()
    }
}

/// A shift state space of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// Input weights, `[d_state]`.
    pub b: Vec<f64>,
    /// Output weights, `[d_state]`.
    pub c: Vec<f64>,
    /// Weight of the token itself.
    pub d: f64,
}

impl Shift {
    /// `s_t = shift(s_{t-1}) + b u_t`, `y_t = c s_t + d u_t`, from `s = 0`.
    pub fn scan(&self, u: &[f64]) -> Vec<f64> {
        let mut state = vec![0.0; self.c.len()];
        let step = |u: &f64| {
            state.rotate_right(1);
            state[0] = 0.0;
            state.iter_mut().zip(&self.b).for_each(|(s, b)| *s += b * u);
            state.iter().zip(&self.c).map(|(s, c)| s * c).sum::<f64>() + self.d * u
        };
        u.iter().map(step).collect()
    }
}

/// The state space that the products of one head pass through.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The diagonal state space.
    pub modes: Vec<Mode>,
    /// Its step.
    pub dt: f64,
    /// Weight of the product of the token itself.
    pub d: f64,
}

/// The layer.
#[derive(Debug, Clone, PartialEq)]
pub struct H3 {
    /// Queries.
    pub q: Affine,
    /// Keys.
    pub k: Affine,
    /// Values.
    pub v: Affine,
    /// One for every key channel.
    pub shift: Vec<Shift>,
    /// Heads.
    pub heads: Vec<Head>,
    /// How the diagonal state spaces become recurrences.
    pub rule: Discretization,
    /// Reads feature `j` of head `h` at `j heads + h`.
    pub output: Affine,
}

impl H3 {
    /// One sequence, `[seq, d_model]`.
    pub fn forward(&self, x: &[f64]) -> Vec<f64> {
        let (d_model, n_heads) = (self.shift.len(), self.heads.len());
        let [q, v] = [&self.q, &self.v].map(|layer| columns(layer, x));
        let k: Vec<_> = columns(&self.k, x).iter().zip(&self.shift).map(|(k, shift)| shift.scan(k)).collect();
        let (seq, head_dim) = (x.len() / d_model, d_model / n_heads);
        let mut read = vec![0.0; seq * d_model];
        for row in 0..d_model {
            let h = row / head_dim;
            for j in 0..head_dim {
                let y = self.heads[h].remember(self.rule, &k[row], &v[h * head_dim + j]);
                (0..seq).for_each(|t| read[t * d_model + j * n_heads + h] += q[row][t] * y[t]);
            }
        }
        read.chunks(d_model).flat_map(|token| self.output.apply(token)).collect()
    }
}

impl Head {
    /// Of one product.
    fn remember(&self, rule: Discretization, k: &[f64], v: &[f64]) -> Vec<f64> {
        let kv: Vec<f64> = k.iter().zip(v).map(|(k, v)| k * v).collect();
        scan(&self.modes, self.dt, rule, self.d, &kv)
    }
}

/// The outputs of a layer on every token, a list for each of them.
fn columns(layer: &Affine, x: &[f64]) -> Vec<Vec<f64>> {
    let width = layer.bias.len();
    let tokens: Vec<_> = x.chunks(width).map(|token| layer.apply(token)).collect();
    (0..width).map(|o| tokens.iter().map(|token| token[o]).collect()).collect()
}
