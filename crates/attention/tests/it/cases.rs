//! Inputs, named options, and gradients for the tests of the core operation.

use burn::tensor::Tensor;
use subquad_attention::{Rules, Segments, WeightDropout, reference, scaled_dot_product};
use subquad_backend::Form;
use subquad_testkit::{assert_rel_close, cpu, finite_difference, seeded, seeded_tensor, to_f64};

use crate::autodiff_device;

/// Queries, keys and values.
pub(crate) type Triple = [Tensor<4>; 3];

/// Sequences in every case.
pub(crate) const BATCH: usize = 2;

/// Named rules, and the heads of queries and of keys they are tested with.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) heads: [usize; 2],
    pub(crate) rules: Rules,
}

impl Case {
    pub(crate) fn inputs(&self, lengths: [usize; 2], d_head: usize) -> Triple {
        seeded_triple(BATCH, self.heads, lengths, d_head)
    }

    pub(crate) fn weight(&self, seq_q: usize, d_head: usize) -> Tensor<4> {
        seeded_tensor([BATCH, self.heads[0], seq_q, d_head], 9, &cpu())
    }
}

fn case(name: &'static str, rules: Rules) -> Case {
    Case { name, heads: [2, 2], rules }
}

/// Each option on its own. Segments are those of sequences of `seq` tokens.
pub(crate) fn single_options(seq: usize) -> Vec<Case> {
    let causal = Rules::causal();
    let grouped = |name, heads, rules: &Rules| Case { name, heads, rules: rules.clone() };
    let windowed = |causal, window| Rules { causal, window: Some(window), ..Rules::default() };
    let both = Rules::default();
    vec![
        case("causal", causal.clone()),
        case("bidirectional", both.clone()),
        grouped("4 heads on 2", [4, 2], &causal),
        grouped("4 heads on 1, bidirectional", [4, 1], &both),
        case("window 1", windowed(true, 1)),
        case("window 7", windowed(true, 7)),
        case("window 70", windowed(true, 70)),
        case("window 70, bidirectional", windowed(false, 70)),
        case("softcap", Rules { softcap: Some(1.5), ..causal.clone() }),
        grouped("alibi", [3, 3], &Rules { alibi: true, ..causal.clone() }),
        case("alibi, bidirectional", Rules { alibi: true, ..both.clone() }),
        case("segments", Rules { segments: Some(segments(seq)), ..causal.clone() }),
        case("segments, bidirectional", Rules { segments: Some(segments(seq)), ..both.clone() }),
        case("dropout", Rules { dropout: Some(DROPOUT), ..causal.clone() }),
    ]
}

/// Each option on its own, and several together.
pub(crate) fn cases(seq: usize) -> Vec<Case> {
    let all = Rules {
        causal: true,
        window: Some(20),
        softcap: Some(4.0),
        alibi: true,
        segments: Some(segments(seq)),
        dropout: Some(DROPOUT),
    };
    let without_drops = Rules { dropout: None, ..all.clone() };
    let mut cases = single_options(seq);
    cases.extend([
        Case { name: "everything", heads: [4, 2], rules: all.clone() },
        Case { name: "everything, bidirectional", heads: [4, 2], rules: Rules { causal: false, ..all } },
        Case { name: "everything but dropout", heads: [4, 1], rules: without_drops.clone() },
        case("window, softcap, segments", Rules { alibi: false, ..without_drops.clone() }),
        case(
            "window, alibi, segments, dropout",
            Rules { dropout: Some(DROPOUT), softcap: None, ..without_drops },
        ),
    ]);
    cases
}

/// The cases without segments, which accept any number of queries and keys.
pub(crate) fn cases_without_segments() -> impl Iterator<Item = Case> {
    let without = |case: Case| Case { rules: Rules { segments: None, ..case.rules }, ..case };
    cases(1).into_iter().map(without)
}

const DROPOUT: WeightDropout = WeightDropout { rate: 0.3, seed: 5 };

/// A row of three sequences and some padding, and a row of one and much padding.
fn segments(seq: usize) -> Segments {
    let third = seq / 3;
    Segments::packed(&[vec![third, seq / 2, seq - third - seq / 2 - seq / 8], vec![seq.div_ceil(2)]], seq)
}

pub(crate) fn seeded_triple(
    batch: usize,
    [heads, kv_heads]: [usize; 2],
    [seq_q, seq_k]: [usize; 2],
    d_head: usize,
) -> Triple {
    let part = |heads, seq, seed| seeded_tensor([batch, heads, seq, d_head], seed, &cpu());
    // Three times larger than random, so that weights are far from equal.
    [part(heads, seq_q, 1) * 3.0, part(kv_heads, seq_k, 2) * 3.0, part(kv_heads, seq_k, 3)]
}

pub(crate) fn attend([q, k, v]: Triple, rules: &Rules, form: Form) -> Tensor<4> {
    scaled_dot_product(q, k, v, rules, form)
}

fn sizes([q, k, _]: &Triple) -> reference::Sizes {
    let ([batch, heads, seq_q, d_head], [_, kv_heads, seq_k, _]) = (q.dims(), k.dims());
    reference::Sizes { batch, heads, kv_heads, seq_q, seq_k, d_head }
}

pub(crate) fn definition(inputs: &Triple, rules: &Rules) -> Vec<f64> {
    let [q, k, v] = inputs.each_ref().map(|x| to_f64(x.clone()));
    reference::attend([&q, &k, &v], &sizes(inputs), rules)
}

/// Gradients of `sum(weight * attention)` with respect to q, k and v.
pub(crate) fn gradients(inputs: &Triple, weight: &Tensor<4>, rules: &Rules, form: Form) -> [Vec<f64>; 3] {
    let on = |x: &Tensor<4>| Tensor::<4>::from_data(x.to_data(), &autodiff_device());
    let inputs = inputs.each_ref().map(|x| on(x).require_grad());
    let grads = (attend(inputs.clone(), rules, form) * on(weight)).sum().backward();
    inputs.map(|x| to_f64(x.grad(&grads).unwrap()))
}

/// The same gradients from differences of the definition.
pub(crate) fn differences(inputs: &Triple, weight: &Tensor<4>, rules: &Rules, step: f64) -> [Vec<f64>; 3] {
    let [q, k, v] = inputs.each_ref().map(|x| to_f64(x.clone()));
    let (sizes, weight) = (sizes(inputs), to_f64(weight.clone()));
    let loss = |parts: [&[f64]; 3]| -> f64 {
        reference::attend(parts, &sizes, rules).iter().zip(&weight).map(|(y, w)| y * w).sum()
    };
    [
        finite_difference(|q| loss([q, &k, &v]), &q, step),
        finite_difference(|k| loss([&q, k, &v]), &k, step),
        finite_difference(|v| loss([&q, &k, v]), &v, step),
    ]
}

/// A step for every number of q, k and v.
pub(crate) fn direction(inputs: &Triple) -> [Vec<f64>; 3] {
    [0, 1, 2].map(|part| seeded(inputs[part].dims().iter().product(), 20 + part as u64))
}

/// How fast `sum(weight * attention)` grows along [`direction`], from a difference of the definition.
pub(crate) fn difference_along(inputs: &Triple, weight: &Tensor<4>, rules: &Rules, step: f64) -> f64 {
    let (sizes, weight) = (sizes(inputs), to_f64(weight.clone()));
    let loss = |step: f64| -> f64 {
        let parts = inputs.each_ref().map(|x| to_f64(x.clone()));
        let mut moved = parts
            .into_iter()
            .zip(direction(inputs))
            .map(|(x, along)| x.iter().zip(along).map(|(x, along)| x + step * along).collect::<Vec<_>>());
        let [q, k, v] = [(); 3].map(|()| moved.next().unwrap());
        reference::attend([&q, &k, &v], &sizes, rules).iter().zip(&weight).map(|(y, w)| y * w).sum()
    };
    (loss(step) - loss(-step)) / (2.0 * step)
}

/// Errors are relative to the largest gradient of all three: with two keys, one of weight near 1, the gradients of
/// queries and keys are small differences of numbers as large as the gradients of values.
#[track_caller]
pub(crate) fn assert_same_gradients(got: [Vec<f64>; 3], wanted: [Vec<f64>; 3], tol: f64, what: &str) {
    assert_rel_close(got.concat(), wanted.concat(), tol, format!("{what}: gradients by q, k and v"));
}
