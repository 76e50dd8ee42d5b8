//! Attention of queries, keys and values that are already separate tensors, as one operation.

use burn::tensor::Tensor;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

use super::Rules;
use super::tiled::{GradRows, Heads, Kept, Layout, Prepare, Problem, Rows};

pub(super) fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, rules: &Rules) -> Tensor<4> {
    apply(DotProduct { rules: rules.clone() }, [q.into(), k.into(), v.into()])
}

/// Inputs: `q [batch, heads, seq_q, d_head]`, `k` and `v [batch, kv_heads, seq_k, d_head]`.
#[derive(Debug)]
struct DotProduct {
    rules: Rules,
}

impl DotProduct {
    fn problem(&self, inputs: &[View<'_>]) -> Problem<'_> {
        let ([batch, queries, seq_q, d_head], [_, keys, seq_k, _]) = (inputs[0].dims(), inputs[1].dims());
        Problem { batch, heads: Heads { queries, keys }, seq_q, seq_k, d_head, rules: &self.rules }
    }
}

impl CpuKernel for DotProduct {
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let q = &inputs[0];
        self.problem(inputs).forward(rows(inputs), [Prepare::default(); 2], q.shape, layout(q))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (problem, layouts) = (self.problem(saved.inputs), [0, 1, 2].map(|i| layout(&saved.inputs[i])));
        let [output, notes] = [saved.output, saved.notes].map(|kept| kept.expect("the kernel keeps both"));
        let [out, grad] = [output, saved.grad].map(|view| rows_of(&view));
        let kept =
            Kept { qkv: rows(saved.inputs), prepare: [Prepare::default(); 2], out, notes: notes.data, grad };
        let mut grads = [0, 1, 2].map(|i| vec![0.0; saved.inputs[i].data.len()]);
        let [d_q, d_k, d_v] = &mut grads;
        problem.backward(kept, &GradRows::apart([d_q, d_k, d_v], layouts, problem.d_head));
        let arrays = grads.into_iter().zip(saved.inputs).map(|(grad, input)| Array::new(grad, input.shape));
        arrays.zip(saved.wanted).map(|(grad, wanted)| wanted.then_some(grad)).collect()
    }

    fn keeps_output(&self) -> bool {
        true
    }
}

fn rows<'a>(inputs: &[View<'a>]) -> [Rows<'a>; 3] {
    [0, 1, 2].map(|i| rows_of(&inputs[i]))
}

fn rows_of<'a>(view: &View<'a>) -> Rows<'a> {
    let [.., d_head] = view.dims::<4>();
    Rows { data: view.data, layout: layout(view), d_head }
}

fn layout(view: &View<'_>) -> Layout {
    let [_, heads, seq, d_head] = view.dims();
    Layout::by_head(heads, seq, d_head)
}
