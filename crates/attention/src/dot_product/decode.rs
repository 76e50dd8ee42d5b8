//! One query per head against a cache in its buffers: no key is copied, and a ring need not be put in order.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};
use subquad_backend::simd::{self, Lockstep, Simd, WithSimd, dispatch, mul_add};

use super::{Rules, alibi_slopes};
use crate::score_row::{BLOCK, Slots, fall, in_twos, set_weights, squeeze};

/// Attention of the newest token's queries to all tokens in use. Of the rules, only softcap and ALiBi apply: every
/// token in the cache is visible.
///
/// # Shapes
/// - `q`: `[batch, heads, 1, d_head]`
/// - `k`, `v`: `[batch, kv_heads, capacity, d_head]`
/// - output: `[batch, heads, 1, d_head]`
pub(crate) fn attend_cache(q: Tensor<4>, [k, v]: [Tensor<4>; 2], slots: Slots, rules: &Rules) -> Tensor<4> {
    let slopes = if rules.alibi { alibi_slopes(q.dims()[1]) } else { vec![] };
    let slopes = slopes.into_iter().map(in_twos).collect();
    apply(Decode { slots, softcap: rules.softcap.map(in_twos), slopes }, [q.into(), k.into(), v.into()])
}

/// Inputs: `q`, `k`, `v`.
#[derive(Debug)]
struct Decode {
    slots: Slots,
    softcap: Option<f32>,
    /// One per head of queries; empty without ALiBi.
    slopes: Vec<f32>,
}

impl CpuKernel for Decode {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let sizes = Sizes::new(inputs);
        let mut out = vec![0.0; inputs[0].data.len()];
        out.par_chunks_exact_mut(sizes.d_head).enumerate().for_each_init(
            || sizes.row(self.slots),
            |weights, (index, out)| {
                dispatch(Forward { query: self.query(inputs, &sizes, index), weights, out })
            },
        );
        Array::new(out, inputs[0].shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let sizes = Sizes::new(saved.inputs);
        let mut grads: Vec<Vec<f32>> = saved.inputs.iter().map(|input| vec![0.0; input.data.len()]).collect();
        let [dq, dk, dv] = &mut grads[..] else { panic!("a query, keys and values") };
        let keys = dk.par_chunks_exact_mut(sizes.keys()).zip(dv.par_chunks_exact_mut(sizes.keys()));
        let groups = dq.par_chunks_exact_mut(sizes.group * sizes.d_head).zip(keys).enumerate();
        groups.for_each(|(group, (dq, (dk, dv)))| {
            let mut row = sizes.row(self.slots);
            for (member, dq) in dq.chunks_exact_mut(sizes.d_head).enumerate() {
                let index = group * sizes.group + member;
                let d_out = &saved.grad.data[index * sizes.d_head..][..sizes.d_head];
                let query = self.query(saved.inputs, &sizes, index);
                dispatch(Backward { query, row: &mut row, d_out, dq, dk, dv });
            }
        });
        let shapes = saved.inputs.iter().map(|input| input.shape);
        let grads = grads.into_iter().zip(shapes).map(|(grad, shape)| Array::new(grad, shape));
        grads.zip(saved.wanted).map(|(grad, wanted)| wanted.then_some(grad)).collect()
    }
}

impl Decode {
    /// The query of head `index`, counted over all sequences.
    fn query<'a>(&self, inputs: &[View<'a>], sizes: &Sizes, index: usize) -> Query<'a> {
        let part = |input: &View<'a>| {
            let keys = sizes.keys();
            &input.data[index / sizes.group * keys..][..self.slots.held * sizes.d_head]
        };
        Query {
            q: &inputs[0].data[index * sizes.d_head..][..sizes.d_head],
            k: part(&inputs[1]),
            v: part(&inputs[2]),
            slots: self.slots,
            softcap: self.softcap,
            slope: self.slopes.get(index % sizes.n_heads).copied(),
        }
    }
}

struct Sizes {
    n_heads: usize,
    /// Heads of queries that share keys.
    group: usize,
    capacity: usize,
    d_head: usize,
}

impl Sizes {
    fn new(inputs: &[View<'_>]) -> Self {
        let ([_, n_heads, _, d_head], [_, kv_heads, capacity, _]) = (inputs[0].dims(), inputs[1].dims());
        Self { n_heads, group: n_heads / kv_heads, capacity, d_head }
    }

    /// Floats in the keys of one head.
    fn keys(&self) -> usize {
        self.capacity * self.d_head
    }

    /// Space for one score per slot.
    fn row(&self, slots: Slots) -> Vec<f32> {
        vec![0.0; slots.held.next_multiple_of(BLOCK)]
    }
}

struct Query<'a> {
    q: &'a [f32],
    /// `[held, d_head]`
    k: &'a [f32],
    /// `[held, d_head]`
    v: &'a [f32],
    slots: Slots,
    softcap: Option<f32>,
    slope: Option<f32>,
}

impl Query<'_> {
    #[inline]
    fn scale(&self) -> f32 {
        1.0 / (self.q.len() as f32).sqrt()
    }

    /// Scores before ALiBi lowers them by distance.
    #[inline(always)]
    fn set_scores<S: Simd>(&self, simd: S, row: &mut [f32]) {
        let scale = in_twos(1.0) * self.scale();
        for (score, k) in row.iter_mut().lockstep(self.k.chunks_exact(self.q.len())) {
            *score = scale * dot(simd, self.q, k);
        }
        squeeze(simd, &mut row[..self.slots.held], self.softcap);
    }

    /// From scores to weights that add up to 1.
    #[inline(always)]
    fn set_weights<S: Simd>(&self, simd: S, row: &mut [f32]) {
        fall(row, self.slots, self.slope);
        let total = set_weights(simd, row, self.slots);
        row.iter_mut().for_each(|weight| *weight /= total);
    }
}

struct Forward<'a> {
    query: Query<'a>,
    weights: &'a mut [f32],
    out: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { query, weights, out } = self;
        query.set_scores(simd, weights);
        query.set_weights(simd, weights);
        weighted_sum(out, weights, query.v);
    }
}

/// ```text
/// dp_j = do . v_j      ds_j = p_j (dp_j - sum of p dp)      through the cap: ds_j (1 - (s_j / cap)^2)
/// dv_j += p_j do       dk_j += ds_j q / sqrt(d_head)        dq = sum of ds_j k_j / sqrt(d_head)
/// ```
struct Backward<'a> {
    query: Query<'a>,
    row: &'a mut [f32],
    d_out: &'a [f32],
    dq: &'a mut [f32],
    dk: &'a mut [f32],
    dv: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { query, row, d_out, dq, dk, dv } = self;
        let d_head = d_out.len();
        query.set_scores(simd, row);
        let slope_of_cap: Option<Vec<f32>> =
            query.softcap.map(|cap| row.iter().map(|s| 1.0 - (s / cap) * (s / cap)).collect());
        query.set_weights(simd, row);
        let mut ds = vec![0.0; query.v.len() / d_head];
        // A loop, because `collect` may run its closure outside of the code that is compiled for the instruction set.
        for (ds, v) in ds.iter_mut().lockstep(query.v.chunks_exact(d_head)) {
            *ds = dot(simd, d_out, v);
        }
        let mean = simd::total(row.iter().lockstep(&ds).map(|(p, dp)| p * dp));
        ds.iter_mut().lockstep(&*row).for_each(|(ds, p)| *ds = query.scale() * p * (*ds - mean));
        if let Some(slopes) = slope_of_cap {
            ds.iter_mut().lockstep(&slopes).for_each(|(ds, slope)| *ds *= slope);
        }
        weighted_sum(dq, &ds, query.k);
        let rows = dk.chunks_exact_mut(d_head).lockstep(dv.chunks_exact_mut(d_head));
        for ((dk, dv), (ds, p)) in rows.lockstep(ds.iter().lockstep(&*row)) {
            dk.iter_mut().lockstep(query.q).for_each(|(dk, q)| *dk += ds * q);
            dv.iter_mut().lockstep(d_out).for_each(|(dv, d_out)| *dv += p * d_out);
        }
    }
}

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let mut sums = simd.splat_f32s(0.0);
    // A loop, because vectors that pass through a closure may be stored unaligned.
    for (a, b) in a.iter().lockstep(b) {
        sums = mul_add(simd, *a, *b, sums);
    }
    let rest = simd::total(a_rest.iter().lockstep(b_rest).map(|(a, b)| a * b));
    simd.reduce_sum_f32s(sums) + rest
}

/// Number of columns whose sums stay in registers together.
const LANES: usize = 16;
/// Number of rows whose sums run side by side.
const ROWS: usize = 4;

/// `sum += w_j row_j` over the rows of `rows`.
#[inline(always)]
fn weighted_sum(sum: &mut [f32], weights: &[f32], rows: &[f32]) {
    let width = sum.len();
    let (lanes, rest) = sum.as_chunks_mut::<LANES>();
    for (block, lanes) in lanes.iter_mut().enumerate() {
        let first = block * LANES;
        let mut sums = [[0.0; LANES]; ROWS];
        for (rows, weights) in rows.chunks(ROWS * width).lockstep(weights.chunks(ROWS)) {
            for ((row, weight), sums) in rows.chunks_exact(width).lockstep(weights).lockstep(&mut sums) {
                sums.iter_mut().lockstep(&row[first..first + LANES]).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        for sums in &sums {
            lanes.iter_mut().lockstep(sums).for_each(|(lane, sum)| *lane += sum);
        }
    }
    let first = width - rest.len();
    for (row, weight) in rows.chunks_exact(width).lockstep(weights) {
        rest.iter_mut().lockstep(&row[first..]).for_each(|(sum, x)| *sum += weight * x);
    }
}
