//! Self-attention from packed projections to merged heads as one operation.
//!
//! As burn operations, cutting `[batch, seq, (n_heads + 2 n_kv_heads) d_head]` into heads, normalising and turning them, and
//! merging them again costs as much as attention at short lengths: each is a pass over memory or two, and its gradient as
//! many. Here a row is normalised and turned when a tile or a head reads it.
#![allow(unsafe_code)]

use burn::tensor::Tensor;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

use super::tiled::{GradRows, Heads, Kept, Layout, Prepare, Problem, Rows};
use super::{Rules, check_rules};
use crate::Rotary;

/// # Shapes
/// - `qkv`: `[batch, seq, (heads.queries + 2 heads.keys) d_head]`, columns in the order (queries, keys, values; head; feature)
/// - `gains`: of the norms of queries and keys, `[d_head]` each
/// - output: `[batch, seq, heads.queries d_head]`, heads side by side
///
/// # Panics
/// If the rules do not fit.
pub(crate) fn self_attention(
    qkv: Tensor<3>,
    gains: Option<[Tensor<1>; 2]>,
    heads: Heads,
    rotary: Option<Rotary>,
    rules: Rules,
) -> Tensor<3> {
    let [batch, seq, width] = qkv.dims();
    let d_head = width / (heads.queries + 2 * heads.keys);
    check_rules(&rules, [batch, heads.queries, seq, d_head], [batch, heads.keys, seq, d_head]);
    let kernel = SelfAttention { heads, rotary, rules };
    match gains {
        None => apply(kernel, [qkv.into()]),
        Some([q, k]) => apply(kernel, [qkv.into(), q.into(), k.into()]),
    }
}

/// Inputs: `qkv` and, if queries and keys are normalised, the two gains.
#[derive(Debug)]
struct SelfAttention {
    heads: Heads,
    rotary: Option<Rotary>,
    rules: Rules,
}

impl CpuKernel for SelfAttention {
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let problem = self.problem(&inputs[0]);
        let (shape, layout) = self.output(&problem);
        problem.forward(self.rows(&problem, &inputs[0]), self.prepare(inputs), &shape, layout)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let qkv = saved.inputs[0];
        let problem = self.problem(&qkv);
        let (_, layout) = self.output(&problem);
        let [output, notes] = [saved.output, saved.notes].map(|kept| kept.expect("the kernel keeps both"));
        let [out, grad] =
            [output, saved.grad].map(|view| Rows { data: view.data, layout, d_head: problem.d_head });
        let (rows, prepare) = (self.rows(&problem, &qkv), self.prepare(saved.inputs));
        let mut d_qkv = vec![0.0; qkv.data.len()];
        // SAFETY: queries, keys and values are heads next to each other in every row of `d_qkv`.
        let to = unsafe { GradRows::in_one(&mut d_qkv, rows.map(|rows| rows.layout), problem.d_head) };
        let gains = problem.backward(Kept { qkv: rows, prepare, out, notes: notes.data, grad }, &to);
        let gains = gains.map(|gain| Array::new(gain, [problem.d_head]));
        let grads = std::iter::once(Array::new(d_qkv, qkv.shape)).chain(gains);
        grads.zip(saved.wanted).map(|(grad, wanted)| wanted.then_some(grad)).collect()
    }

    fn keeps_output(&self) -> bool {
        true
    }
}

impl SelfAttention {
    fn problem(&self, qkv: &View<'_>) -> Problem<'_> {
        let [batch, seq, width] = qkv.dims();
        let d_head = width / (self.heads.queries + 2 * self.heads.keys);
        Problem { batch, heads: self.heads, seq_q: seq, seq_k: seq, d_head, rules: &self.rules }
    }

    /// Queries, keys and values in `qkv`.
    fn rows<'a>(&self, problem: &Problem<'_>, qkv: &View<'a>) -> [Rows<'a>; 3] {
        let ([_, seq, width], d_head) = (qkv.dims(), problem.d_head);
        let Heads { queries, keys } = self.heads;
        [(0, queries), (queries, keys), (queries + keys, keys)].map(|(first, heads)| {
            let layout = Layout::by_token(first * d_head, heads, seq, width, d_head);
            Rows { data: qkv.data, layout, d_head }
        })
    }

    /// How queries and keys are prepared.
    fn prepare<'a>(&'a self, inputs: &[View<'a>]) -> [Prepare<'a>; 2] {
        let rotary = self.rotary.as_ref();
        [1, 2].map(|input| Prepare { gain: inputs.get(input).map(|gain| gain.data), rotary })
    }

    /// Shape and layout of the output.
    fn output(&self, problem: &Problem<'_>) -> ([usize; 3], Layout) {
        let width = self.heads.queries * problem.d_head;
        let layout = Layout::by_token(0, self.heads.queries, problem.seq_q, width, problem.d_head);
        ([problem.batch, problem.seq_q, width], layout)
    }
}
