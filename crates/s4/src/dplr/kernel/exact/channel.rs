//! One channel in f64.

use crate::dplr::LEAST_DECAY;
use crate::number::{Complex, complete, real};

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) kernels: usize,
    pub(super) rank: usize,
    pub(super) l_max: usize,
}

/// A channel's system; in every list of numbers of the pairs, their conjugates follow.
pub(super) struct Channel {
    pub(super) sizes: Sizes,
    /// One per pair, or one for all.
    pub(super) dt: Vec<f64>,
    /// The continuous system: `a`, `b`, rows of `P`, then `C~`, as `[2 + rank + kernels][pairs]`.
    pub(super) stored: Vec<Vec<Complex>>,
    pub(super) a: Vec<Complex>,
    pub(super) b: Vec<Complex>,
    /// `dt P` of every rank.
    pub(super) p: Vec<Vec<Complex>>,
    /// The conjugates of `P` of every rank.
    pub(super) q: Vec<Vec<Complex>>,
    /// `C~` of every kernel.
    pub(super) c: Vec<Vec<Complex>>,
}

impl Channel {
    /// `dt` is in two parts; `parts` are those of [`ExactKernel`](super::host::ExactKernel).
    pub(super) fn new(sizes: Sizes, dt: &[&[f32]], parts: &[&[f32]]) -> Self {
        let dt: Vec<f64> =
            dt[0].iter().zip(dt[1]).map(|(high, low)| f64::from(*high) + f64::from(*low)).collect();
        let stored = stored(sizes, parts);
        let long = |row: &[Complex]| -> Vec<Complex> {
            row.iter().enumerate().map(|(n, z)| real(dt[n % dt.len()]) * *z).collect()
        };
        let a = long(&stored[0])
            .iter()
            .map(|a| Complex { re: a.re.min(-LEAST_DECAY), im: a.im })
            .collect::<Vec<_>>();
        let rows = &stored[2..][..sizes.rank];
        let conjugate = |row: &Vec<Complex>| row.iter().map(|z| z.conj()).collect::<Vec<_>>();
        Self {
            sizes,
            a: complete(&a),
            b: complete(&long(&stored[1])),
            p: rows.iter().map(|row| complete(&long(row))).collect(),
            q: rows.iter().map(|row| complete(&conjugate(row))).collect(),
            c: stored[2 + sizes.rank..].iter().map(|row| complete(row)).collect(),
            dt,
            stored,
        }
    }
}

fn stored(sizes: Sizes, parts: &[&[f32]]) -> Vec<Vec<Complex>> {
    let pair = |re: usize, im: usize| -> Vec<Complex> {
        let both = parts[re].iter().zip(parts[im]);
        both.map(|(re, im)| Complex { re: f64::from(*re), im: f64::from(*im) }).collect()
    };
    let mut stored: Vec<_> = parts_of(sizes).map(|[re, im]| pair(re, im)).collect();
    let second = parts.iter().copied().last().into_iter().flatten();
    stored[0].iter_mut().zip(second).for_each(|(a, second)| a.re += f64::from(*second));
    stored
}

/// The places of the real and imaginary parts of each complex row.
pub(super) fn parts_of(Sizes { rank, kernels, .. }: Sizes) -> impl Iterator<Item = [usize; 2]> {
    let group = |first: usize, count: usize| (0..count).map(move |i| [first + i, first + count + i]);
    group(0, 1).chain(group(2, 1)).chain(group(4, rank)).chain(group(4 + 2 * rank, kernels))
}
