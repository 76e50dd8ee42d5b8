//! Kernels of dense recurrences, and the truncated generating function that S4 works them out of.

use std::f64::consts::TAU;

use subquad_s4::hippo::Hippo;
use subquad_s4::reference::{Complex, Dense, Matrix, Recurrence, real};
use subquad_testkit::assert_rel_close;

use crate::dplr::{RANKS, SAME, SEQS, numbers, random, step};

/// A system with the real matrices of HiPPO, and output weights.
pub(crate) fn dense_of(Hippo { a, b, .. }: &Hippo, c: &[f64]) -> Dense {
    let list = |x: &[f64]| x.iter().copied().map(real).collect();
    Dense { a: Matrix { rows: a.iter().map(|row| list(row)).collect() }, b: list(b), c: list(c) }
}

/// What a recurrence makes of an impulse, and how that ends at a length.
pub(crate) trait Truncated {
    /// `C A_bar^l B_bar` for `l < seq`, by repeated multiplication. Real where the state comes in conjugate pairs.
    fn taps(&self, seq: usize) -> Vec<Complex>;

    /// The kernel: the real part of the [`taps`](Self::taps).
    fn kernel(&self, seq: usize) -> Vec<f64> {
        self.taps(seq).into_iter().map(|tap| tap.re).collect()
    }

    /// `C~ = C (1 - A_bar^length)`, which turns the sum of `length` taps into a closed form.
    fn c_tilde(&self, length: usize) -> Vec<Complex>;

    /// The `C~` of twice the length: `C~ (1 + A_bar^length)`.
    fn double(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex>;

    /// `C~ (1 - A_bar w_j)^-1 B_bar` at the roots of unity `w_j = e^(-2 pi i j / length)`, `j < length`: the discrete Fourier
    /// transform of the first `length` taps.
    fn generating_function(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex>;

    /// The kernel of this length from `C~` (of the same length) by way of the
    /// [`generating_function`](Self::generating_function); `C` is not used.
    fn truncated_kernel(&self, c_tilde: &[Complex], length: usize) -> Vec<f64> {
        inverse_dft(&self.generating_function(c_tilde, length)).into_iter().map(|tap| tap.re).collect()
    }
}

impl Truncated for Recurrence {
    fn taps(&self, seq: usize) -> Vec<Complex> {
        let mut state = self.b.clone();
        let mut tap = || {
            let tap = dot(&self.c, &state);
            state = self.a.times(&state);
            tap
        };
        (0..seq).map(|_| tap()).collect()
    }

    fn c_tilde(&self, length: usize) -> Vec<Complex> {
        self.a.power(length).affine(real(-1.0), real(1.0)).transpose().times(&self.c)
    }

    fn double(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex> {
        self.a.power(length).affine(real(1.0), real(1.0)).transpose().times(c_tilde)
    }

    fn generating_function(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex> {
        let at = |j: usize| {
            let resolvent = self.a.affine(-root_of_unity(j, length), real(1.0));
            dot(c_tilde, &resolvent.solve(std::slice::from_ref(&self.b))[0])
        };
        (0..length).map(at).collect()
    }
}

fn dot(x: &[Complex], y: &[Complex]) -> Complex {
    x.iter().zip(y).map(|(x, y)| *x * *y).sum()
}

/// `e^(-2 pi i k / length)`.
fn root_of_unity(k: usize, length: usize) -> Complex {
    Complex { re: 0.0, im: -TAU * (k % length) as f64 / length as f64 }.exp()
}

/// By the sum.
fn inverse_dft(values: &[Complex]) -> Vec<Complex> {
    let length = values.len();
    let term = |l: usize, j: usize| values[j] * root_of_unity(j * l, length).conj();
    let at = |l: usize| real(1.0 / length as f64) * (0..length).map(|j| term(l, j)).sum::<Complex>();
    (0..length).map(at).collect()
}

fn dft(taps: &[f64], j: usize) -> Complex {
    let angle = |l: usize| -TAU * (j * l % taps.len()) as f64 / taps.len() as f64;
    taps.iter().enumerate().map(|(l, tap)| real(*tap) * Complex { re: 0.0, im: angle(l) }.exp()).sum()
}

#[test]
fn the_truncated_generating_function_is_the_transform_of_the_kernel_of_its_length() {
    for rank in RANKS {
        for dt in [1e-3, 0.1] {
            for seq in SEQS {
                let step = step(&random(4, rank), dt);
                let (taps, c_tilde) = (step.kernel(seq), step.c_tilde(seq));
                let what = format!("rank {rank}, dt = {dt}, seq = {seq}");
                let wanted: Vec<Complex> = (0..seq).map(|j| dft(&taps, j)).collect();
                let got = step.generating_function(&c_tilde, seq);
                assert_rel_close(numbers(&got), numbers(&wanted), SAME, &what);
                assert_rel_close(step.truncated_kernel(&c_tilde, seq), taps, SAME, what);
            }
        }
    }
}

#[test]
fn any_length_from_the_kernel_s_own_up_gives_its_taps_and_a_shorter_one_wraps() {
    for rank in RANKS {
        let step = step(&random(4, rank), 0.1);
        let wanted = step.kernel(17);
        for length in [17usize, 17usize.next_power_of_two(), 34, 50] {
            let got = step.truncated_kernel(&step.c_tilde(length), length);
            assert_rel_close(&got[..17], &wanted[..], SAME, format!("rank {rank}, length {length}"));
        }
        // At the roots of another length, `C~` gives a periodic kernel of other numbers.
        let wrapped = step.truncated_kernel(&step.c_tilde(17), 34);
        assert!(subquad_testkit::rel_error(&wrapped[..17], &wanted) > 1e-3, "rank {rank}");
        let doubled = step.double(&step.c_tilde(17), 17);
        assert_rel_close(
            numbers(&doubled),
            numbers(&step.c_tilde(34)),
            SAME,
            format!("doubled, rank {rank}"),
        );
    }
}
