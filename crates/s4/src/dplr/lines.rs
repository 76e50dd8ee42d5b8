//! One token's recurrence of a system with a low-rank part as plain numbers.
//!
//! With `D = 1 - a / 2` and `p' = p / 2` the step of `step.rs` is `(D + p' q) s' = (2 - D) s - p' q s + b u`. Let `w` be what it
//! would be without the low-rank part, `D w = (2 - D) s + b u`. Then `(D + p' q) s' = (D + p' q) w - p' q (w + s)`, and so
//!
//! ```text
//! s' = w - F (q . (w + s)),    F = (D + p' q)^-1 p'
//! ```
//! for any rank: one number per row, and nothing to solve at each token.

use burn::tensor::Tensor;

use super::{Dplr, Scaled};
use crate::lines::{Lines, complex, numbers};
use crate::number::{Complex, real};
use crate::precision::Precision;

/// `c` is `C` itself, as [`Dplr::dense`] has it.
pub(super) fn lines(dplr: &Dplr, c: Tensor<3>) -> Lines {
    let [kernels, d_model, pairs] = dplr.modes.dims();
    let Scaled { a, b, p, q } = dplr.scaled(Precision::Host);
    let rank = p.re.dims()[0];
    let [a, b, p, q] = [complex(a), complex(b), complex(p), complex(q)];
    let c = numbers(c.inner());
    let mut lines = Lines::new([kernels, d_model, pairs], rank);
    for (h, outputs) in c.chunks_exact(kernels * 2 * pairs).enumerate() {
        let row = |all: &[Complex], r: usize| all[(r * d_model + h) * pairs..][..pairs].to_vec();
        let a = row(&a, 0);
        let left = Left::new(&a, (0..rank).map(|r| (halves(&row(&p, r)), row(&q, r))));
        lines.push(&zip(&a, &left.inverse, |a, f| a * f));
        lines.push(&zip(&row(&b, 0), &left.inverse, |b, f| b * f));
        for r in 0..rank {
            lines.push_reading(&row(&q, r));
            lines.push(&left.solve(&halves(&row(&p, r))));
        }
        lines.push_rows(outputs);
    }
    lines
}

/// `D + p' q`, to be solved: the inverse of `D`, then a correction for each row (Sherman, Morrison 1950).
struct Left {
    /// `1 / D`
    inverse: Vec<Complex>,
    /// What a row writes, with all rows before it solved, and what it reads.
    rows: Vec<[Vec<Complex>; 2]>,
}

impl Left {
    fn new(a: &[Complex], rows: impl Iterator<Item = (Vec<Complex>, Vec<Complex>)>) -> Self {
        let inverse = a.iter().map(|a| real(1.0) / (real(1.0) - real(0.5) * *a)).collect();
        let mut left = Self { inverse, rows: vec![] };
        for (p, q) in rows {
            let from = left.solve(&p);
            let pivot = real(1.0 + inner(&q, &from));
            left.rows.push([from.into_iter().map(|z| z / pivot).collect(), q]);
        }
        left
    }

    fn solve(&self, right: &[Complex]) -> Vec<Complex> {
        let start = zip(right, &self.inverse, |z, f| z * f);
        self.rows.iter().fold(start, |z, [from, q]| {
            let size = real(inner(q, &z));
            zip(&z, from, |z, from| z - from * size)
        })
    }
}

/// Over the full state: `2 Re` of the sum.
fn inner(q: &[Complex], z: &[Complex]) -> f64 {
    2.0 * zip(q, z, |q, z| q * z).into_iter().sum::<Complex>().re
}

fn halves(line: &[Complex]) -> Vec<Complex> {
    line.iter().map(|z| real(0.5) * *z).collect()
}

fn zip(a: &[Complex], b: &[Complex], of: impl Fn(Complex, Complex) -> Complex) -> Vec<Complex> {
    a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect()
}
