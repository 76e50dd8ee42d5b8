//! The short convolution of one channel of one sequence, a row that is in a core's cache, and its gradients.
//!
//! ```text
//! y_t = bias + sum over j < width of taps_j x_{t - (width - 1) + j}        the last tap is the present
//! ```

use subquad_backend::simd::{self, Lockstep, Simd, WithSimd};

/// The published width of M2 and Hyena: all its taps go over a row at once, those of other widths one by one.
const WIDTH: usize = 3;

/// The convolution.
pub(super) struct Short<'a> {
    pub(super) taps: &'a [f32],
    pub(super) bias: f32,
}

/// The sums of its gradient.
pub(super) struct ShortGrad<'a> {
    pub(super) taps: &'a mut [f32],
    pub(super) bias: &'a mut f32,
}

impl Short<'_> {
    /// Fills `y`.
    #[inline(always)]
    pub(super) fn forward(&self, x: &[f32], y: &mut [f32]) {
        match self.taps.try_into() {
            Ok(taps) => convolve(taps, self.bias, x, y),
            Err(_) => self.forward_by_tap(x, y),
        }
    }

    /// Fills `dx`, and adds to the gradients of taps and bias.
    pub(super) fn backward(&self, x: &[f32], dy: &[f32], dx: &mut [f32], grad: &mut ShortGrad<'_>) {
        match self.taps.try_into() {
            Ok(taps) => simd::dispatch(Gradients { taps, x, dy, dx, grad }),
            Err(_) => simd::run(
                #[inline(always)]
                || self.backward_by_tap(x, dy, dx, grad),
            ),
        }
    }

    /// Each tap and how many tokens it looks back.
    #[inline(always)]
    fn lags(&self, seq: usize) -> impl Iterator<Item = (usize, usize)> {
        let width = self.taps.len();
        (0..width).map(move |j| (j, width - 1 - j)).filter(move |(_, lag)| *lag < seq)
    }

    #[inline(always)]
    fn forward_by_tap(&self, x: &[f32], y: &mut [f32]) {
        y.fill(self.bias);
        for (j, lag) in self.lags(x.len()) {
            simd::add_scaled(&mut y[lag..], self.taps[j], x);
        }
    }

    #[inline(always)]
    fn backward_by_tap(&self, x: &[f32], dy: &[f32], dx: &mut [f32], grad: &mut ShortGrad<'_>) {
        dx.fill(0.0);
        for (j, lag) in self.lags(x.len()) {
            let (dy, seen) = (&dy[lag..], x.len() - lag);
            simd::add_scaled(&mut dx[..seen], self.taps[j], dy);
            grad.taps[j] += simd::dot(dy, &x[..seen]);
        }
        *grad.bias += simd::sum(dy, |dy| dy);
    }
}

/// [`Short::forward`] of the usual width.
#[inline(always)]
fn convolve([a, b, c]: [f32; WIDTH], bias: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().skip(WIDTH - 1).lockstep(x.windows(WIDTH)) {
        *y = bias + a * x[0] + b * x[1] + c * x[2];
    }
    // The first tokens have fewer tokens to see.
    if let ([y, ..], [x, ..]) = (&mut *y, x) {
        *y = bias + c * x;
    }
    if let ([_, y, ..], [x0, x1, ..]) = (y, x) {
        *y = bias + b * x0 + c * x1;
    }
}

/// [`Short::backward`] of the usual width.
struct Gradients<'a, 'g> {
    taps: [f32; WIDTH],
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
    grad: &'a mut ShortGrad<'g>,
}

impl WithSimd for Gradients<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { taps, x, dy, dx, grad } = self;
        let mut sums = Sums::new(simd, taps);
        let done = sums.whole_vectors(simd, x, dy, dx);
        for t in (done..x.len()).step_by(S::F32_LANES) {
            // Beyond the end, gradients are zeros.
            let dy = simd::array(
                #[inline(always)]
                |tap| simd::load(simd, &dy[(t + WIDTH - 1 - tap).min(dy.len())..]),
            );
            let sum = sums.add(simd, simd::load(simd, &x[t..]), dy);
            simd::save(simd, &mut dx[t..], sum);
        }
        for (tap, sum) in grad.taps.iter_mut().lockstep(&sums.taps) {
            *tap += simd.reduce_sum_f32s(*sum);
        }
        *grad.bias += simd.reduce_sum_f32s(sums.bias);
    }
}

/// The convolution's taps, the same in all lanes, and the gradients of taps and bias, to be summed over the lanes.
struct Sums<S: Simd> {
    weights: [S::f32s; WIDTH],
    taps: [S::f32s; WIDTH],
    bias: S::f32s,
}

impl<S: Simd> Sums<S> {
    #[inline(always)]
    fn new(simd: S, [a, b, c]: [f32; WIDTH]) -> Self {
        let zero = simd.splat_f32s(0.0);
        let weights = [simd.splat_f32s(a), simd.splat_f32s(b), simd.splat_f32s(c)];
        Self { weights, taps: [zero; WIDTH], bias: zero }
    }

    /// Goes over the tokens, from the first, that fill whole vectors in which every token is seen by all taps; returns
    /// how many.
    #[inline(always)]
    fn whole_vectors(&mut self, simd: S, x: &[f32], dy: &[f32], dx: &mut [f32]) -> usize {
        let seen = x.len().saturating_sub(WIDTH - 1);
        let (dx, x) = (S::as_mut_simd_f32s(&mut dx[..seen]).0, S::as_simd_f32s(&x[..seen]).0);
        let [dy2, dy1, dy0] =
            simd::array(|tap| S::as_simd_f32s(dy.get(WIDTH - 1 - tap..).unwrap_or_default()).0);
        for ((dx, x), ((dy2, dy1), dy0)) in
            dx.iter_mut().lockstep(x).lockstep(dy2.iter().lockstep(dy1).lockstep(dy0))
        {
            *dx = self.add(simd, *x, [*dy2, *dy1, *dy0]);
        }
        x.len() * S::F32_LANES
    }

    /// Adds what tokens `x` contribute, with the `dy` of the tokens 2, 1 and 0 later; returns the gradients of `x`.
    #[inline(always)]
    fn add(&mut self, simd: S, x: S::f32s, dy: [S::f32s; WIDTH]) -> S::f32s {
        let mut dx = simd.splat_f32s(0.0);
        for ((dy, weight), tap) in dy.iter().lockstep(&self.weights).lockstep(&mut self.taps) {
            dx = simd::mul_add(simd, *dy, *weight, dx);
            *tap = simd::mul_add(simd, *dy, x, *tap);
        }
        self.bias = simd.add_f32s(self.bias, dy[WIDTH - 1]);
        dx
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIAS: f32 = 0.3;

    /// A row, a gradient and taps.
    fn seeded(seq: usize, width: usize) -> [Vec<f32>; 3] {
        let wave = |len: usize, pace: f32| (0..len).map(|i| (1.0 + pace * i as f32).sin()).collect();
        [wave(seq, 0.7), wave(seq, 1.3), wave(width, 2.1)]
    }

    /// Tokens and taps that meet: `(t, s, j)` for which `y_t` contains `taps_j x_s`.
    fn meetings(seq: usize, width: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let pairs = (0..seq).flat_map(move |t| (0..width).map(move |j| (t, j)));
        pairs.filter_map(move |(t, j)| (t + j).checked_sub(width - 1).map(|s| (t, s, j)))
    }

    /// Sums of a hundred products up to 1, in f32 (6e-8 each).
    const TOL: f64 = 1e-5;

    fn assert_close(got: &[f32], expected: &[f64], case: &str) {
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            assert!((f64::from(*got) - expected).abs() < TOL, "{case}, {i}: {got} instead of {expected}");
        }
    }

    fn cases() -> impl Iterator<Item = (usize, usize)> {
        let lengths = [1, 2, 3, 4, 15, 16, 17, 18, 19, 33, 100];
        lengths.into_iter().flat_map(|seq| [1, 2, 3, 4, 5].map(|width| (seq, width)))
    }

    #[test]
    fn a_row_is_convolved_as_by_the_definition() {
        for (seq, width) in cases() {
            let [x, _, taps] = seeded(seq, width);
            let (mut y, mut expected) = (vec![f32::NAN; seq], vec![f64::from(BIAS); seq]);
            for (t, s, j) in meetings(seq, width) {
                expected[t] += f64::from(taps[j]) * f64::from(x[s]);
            }
            Short { taps: &taps, bias: BIAS }.forward(&x, &mut y);
            assert_close(&y, &expected, &format!("{seq} tokens, width {width}"));
        }
    }

    #[test]
    fn gradients_are_those_of_the_definition_and_add_up() {
        for (seq, width) in cases() {
            let [x, dy, taps] = seeded(seq, width);
            let (mut dx, mut d_taps, mut d_bias) = (vec![0.0; seq], vec![0.5; width], -1.0);
            for (t, s, j) in meetings(seq, width) {
                dx[s] += f64::from(taps[j]) * f64::from(dy[t]);
                d_taps[j] += f64::from(x[s]) * f64::from(dy[t]);
            }
            d_bias += dy.iter().copied().map(f64::from).sum::<f64>();
            let (mut got_dx, mut got_taps, mut got_bias) = (vec![f32::NAN; seq], vec![0.5; width], -1.0);
            let mut grad = ShortGrad { taps: &mut got_taps, bias: &mut got_bias };
            Short { taps: &taps, bias: BIAS }.backward(&x, &dy, &mut got_dx, &mut grad);
            let case = format!("{seq} tokens, width {width}");
            assert_close(&got_dx, &dx, &case);
            assert_close(&got_taps, &d_taps, &case);
            assert_close(&[got_bias], &[d_bias], &case);
        }
    }
}
