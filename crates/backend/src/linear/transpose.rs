//! Rows to columns.

use crate::simd::{self, Lockstep, array};

/// Edge of the squares that are transposed at a time: a cache line of floats.
const EDGE: usize = 16;

/// `to[j, i] = from[i, j]` for `rows` x `cols` entries of rows that start so many floats apart.
pub fn transpose(
    from: &[f32],
    from_stride: usize,
    [rows, cols]: [usize; 2],
    to: &mut [f32],
    to_stride: usize,
) {
    let turn = Squares::of_this_machine();
    simd::run(
        #[inline(always)]
        || {
            for j in (0..cols).step_by(EDGE) {
                for i in (0..rows).step_by(EDGE) {
                    let (from, to) = (&from[i * from_stride + j..], &mut to[j * to_stride + i..]);
                    match [(rows - i).min(EDGE), (cols - j).min(EDGE)] {
                        [EDGE, EDGE] => turn.square(from, from_stride, to, to_stride),
                        sizes => edge(from, from_stride, sizes, to, to_stride),
                    }
                }
            }
        },
    );
}

/// The transpose of `[rows, cols]`, rows one directly after the other.
pub(crate) fn transposed(from: &[f32], [rows, cols]: [usize; 2]) -> Vec<f32> {
    let mut to = vec![0.0; rows * cols];
    transpose(from, cols, [rows, cols], &mut to, rows);
    to
}

/// How squares are transposed.
#[derive(Clone, Copy)]
enum Squares {
    #[cfg(target_arch = "x86_64")]
    InRegisters(pulp::x86::V4),
    OneByOne,
}

impl Squares {
    #[inline(always)]
    fn of_this_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        if simd::instruction_set() == simd::InstructionSet::Avx512 {
            return pulp::x86::V4::try_new().map_or(Self::OneByOne, Self::InRegisters);
        }
        Self::OneByOne
    }

    #[inline(always)]
    fn square(self, from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::InRegisters(simd) => avx512::square(simd, from, from_stride, to, to_stride),
            Self::OneByOne => square(from, from_stride, to, to_stride),
        }
    }
}

/// A square of 16 vectors in four steps of 16 instructions.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::__m512;

    use pulp::cast;
    use pulp::x86::V4;

    use super::EDGE;

    #[inline(always)]
    pub(super) fn square(simd: V4, from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
        let line = |i: usize| *from[i * from_stride..].first_chunk::<EDGE>().expect("the caller checked");
        // Of four rows each, quarter `l` of vector `k` is column `4 l + k`.
        let mut four = [[cast([0.0f32; EDGE]); 4]; 4];
        for (g, four) in four.iter_mut().enumerate() {
            *four = columns_of_four(
                simd,
                [cast(line(4 * g)), cast(line(4 * g + 1)), cast(line(4 * g + 2)), cast(line(4 * g + 3))],
            );
        }
        for k in 0..4 {
            let quarters = turn_quarters(simd, [four[0][k], four[1][k], four[2][k], four[3][k]]);
            for (l, row) in quarters.iter().enumerate() {
                let to = to[(4 * l + k) * to_stride..].first_chunk_mut::<EDGE>();
                *to.expect("the caller checked") = cast(*row);
            }
        }
    }

    #[inline(always)]
    fn columns_of_four(simd: V4, [a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
        let x = simd.avx512f;
        let (ab, cd) = (x._mm512_unpacklo_ps(a, b), x._mm512_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (x._mm512_unpackhi_ps(a, b), x._mm512_unpackhi_ps(c, d));
        [
            x._mm512_shuffle_ps::<0x44>(ab, cd),
            x._mm512_shuffle_ps::<0xee>(ab, cd),
            x._mm512_shuffle_ps::<0x44>(ab_high, cd_high),
            x._mm512_shuffle_ps::<0xee>(ab_high, cd_high),
        ]
    }

    /// Quarter `j` of vector `i` to quarter `i` of vector `j`.
    #[inline(always)]
    fn turn_quarters(simd: V4, [a, b, c, d]: [__m512; 4]) -> [__m512; 4] {
        let x = simd.avx512f;
        let (even, odd) = (
            [x._mm512_shuffle_f32x4::<0x88>(a, b), x._mm512_shuffle_f32x4::<0x88>(c, d)],
            [x._mm512_shuffle_f32x4::<0xdd>(a, b), x._mm512_shuffle_f32x4::<0xdd>(c, d)],
        );
        [
            x._mm512_shuffle_f32x4::<0x88>(even[0], even[1]),
            x._mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]),
            x._mm512_shuffle_f32x4::<0xdd>(even[0], even[1]),
            x._mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]),
        ]
    }
}

#[inline(always)]
fn square(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    let lines: [&[f32; EDGE]; EDGE] =
        array(|i| from[i * from_stride..].first_chunk().expect("the caller checked"));
    for j in 0..EDGE {
        let to: &mut [f32; EDGE] = to[j * to_stride..].first_chunk_mut().expect("the caller checked");
        for (to, line) in to.iter_mut().lockstep(&lines) {
            *to = line[j];
        }
    }
}

#[inline(always)]
fn edge(from: &[f32], from_stride: usize, [rows, cols]: [usize; 2], to: &mut [f32], to_stride: usize) {
    for j in 0..cols {
        for i in 0..rows {
            to[j * to_stride + i] = from[i * from_stride + j];
        }
    }
}
