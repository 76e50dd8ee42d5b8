//! One token through the recurrence of every channel.

use subquad_backend::simd::{Lockstep, Simd, WithSimd, load, mul_add, neg, save};

use crate::lines::Lines;

/// From `x` and a state to the rows that the tail reads. The state is updated in place.
pub(super) struct Channels<'a> {
    pub(super) lines: &'a Lines,
    /// Weight of the token itself: `[kernels, d_model]`.
    pub(super) d: &'a [f32],
    /// `[d_model]`
    pub(super) x: &'a [f32],
    /// `[d_model, pairs]` each.
    pub(super) state: State<'a>,
    /// Scratch space of one channel, `[pairs]` each.
    pub(super) sum: State<'a>,
    /// `[kernels, d_model]`
    pub(super) rows: &'a mut [f32],
}

/// Real and imaginary parts.
pub(super) struct State<'a> {
    pub(super) re: &'a mut [f32],
    pub(super) im: &'a mut [f32],
}

/// Real and imaginary parts of a line.
#[derive(Clone, Copy)]
struct Line<'a> {
    re: &'a [f32],
    im: &'a [f32],
}

impl WithSimd for Channels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { lines, d, x, state, sum, rows } = self;
        let Lines { d_model, pairs, rank, .. } = *lines;
        let states = state.re.chunks_exact_mut(pairs).lockstep(state.im.chunks_exact_mut(pairs));
        let channels = lines.values.chunks_exact(lines.channel()).lockstep(states).lockstep(x);
        for (h, ((channel, (re, im)), u)) in channels.enumerate() {
            let (continues, outputs) = channel.split_at((2 + 2 * rank) * 2 * pairs);
            let (own, low_rank) = continues.split_at(4 * pairs);
            let (decay, input) = own.split_at(2 * pairs);
            advance(simd, [line(decay), line(input)], *u, [re, im], [sum.re, sum.im], rank > 0);
            for row in low_rank.chunks_exact(4 * pairs) {
                let (reading, writing) = row.split_at(2 * pairs);
                let size = read(simd, line(reading), Line { re: sum.re, im: sum.im });
                write(simd, line(writing), size, [re, im]);
            }
            for (k, output) in outputs.chunks_exact(2 * pairs).enumerate() {
                let at = k * d_model + h;
                rows[at] = read(simd, line(output), Line { re, im }) + d[at] * u;
            }
        }
    }
}

#[inline(always)]
fn line(values: &[f32]) -> Line<'_> {
    let (re, im) = values.split_at(values.len() / 2);
    Line { re, im }
}

/// Replaces `s` by `w = s + decay s + input u`, and gives `s + w` if it is wanted.
#[inline(always)]
fn advance<S: Simd>(
    simd: S,
    [decay, input]: [Line<'_>; 2],
    u: f32,
    [re, im]: [&mut [f32]; 2],
    [sum_re, sum_im]: [&mut [f32]; 2],
    wants_sum: bool,
) {
    let u = simd.splat_f32s(u);
    for at in (0..re.len()).step_by(S::F32_LANES) {
        let (s_re, s_im) = (load(simd, &re[at..]), load(simd, &im[at..]));
        let (a_re, a_im) = (load(simd, &decay.re[at..]), load(simd, &decay.im[at..]));
        let more_re = mul_add(simd, a_re, s_re, simd.mul_f32s(load(simd, &input.re[at..]), u));
        let more_im = mul_add(simd, a_re, s_im, simd.mul_f32s(load(simd, &input.im[at..]), u));
        let more_re = mul_add(simd, neg(simd, a_im), s_im, more_re);
        let more_im = mul_add(simd, a_im, s_re, more_im);
        let (w_re, w_im) = (simd.add_f32s(s_re, more_re), simd.add_f32s(s_im, more_im));
        save(simd, &mut re[at..], w_re);
        save(simd, &mut im[at..], w_im);
        if wants_sum {
            save(simd, &mut sum_re[at..], simd.add_f32s(s_re, w_re));
            save(simd, &mut sum_im[at..], simd.add_f32s(s_im, w_im));
        }
    }
}

/// The real number that a line reads from a state.
#[inline(always)]
fn read<S: Simd>(simd: S, line: Line<'_>, state: Line<'_>) -> f32 {
    let (mut re, mut im) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
    for at in (0..line.re.len()).step_by(S::F32_LANES) {
        re = mul_add(simd, load(simd, &line.re[at..]), load(simd, &state.re[at..]), re);
        im = mul_add(simd, load(simd, &line.im[at..]), load(simd, &state.im[at..]), im);
    }
    simd.reduce_sum_f32s(simd.add_f32s(re, im))
}

/// Subtracts `size` times a line from a state.
#[inline(always)]
fn write<S: Simd>(simd: S, line: Line<'_>, size: f32, [re, im]: [&mut [f32]; 2]) {
    let size = simd.splat_f32s(-size);
    for at in (0..re.len()).step_by(S::F32_LANES) {
        let next_re = mul_add(simd, load(simd, &line.re[at..]), size, load(simd, &re[at..]));
        let next_im = mul_add(simd, load(simd, &line.im[at..]), size, load(simd, &im[at..]));
        save(simd, &mut re[at..], next_re);
        save(simd, &mut im[at..], next_im);
    }
}
