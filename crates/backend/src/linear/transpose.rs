//! Rows to columns.

use crate::simd;

/// Edge of the squares that are turned at a time: a cache line of floats.
const EDGE: usize = 16;

/// `to[j, i] = from[i, j]` for `rows` x `cols` entries of rows that start so many floats apart.
pub(crate) fn transpose(
    from: &[f32],
    from_stride: usize,
    [rows, cols]: [usize; 2],
    to: &mut [f32],
    to_stride: usize,
) {
    simd::run(
        #[inline(always)]
        || {
            for j in (0..cols).step_by(EDGE) {
                for i in (0..rows).step_by(EDGE) {
                    let (from, to) = (&from[i * from_stride + j..], &mut to[j * to_stride + i..]);
                    match [(rows - i).min(EDGE), (cols - j).min(EDGE)] {
                        [EDGE, EDGE] => square(from, from_stride, to, to_stride),
                        sizes => edge(from, from_stride, sizes, to, to_stride),
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn square(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    let lines: [&[f32; EDGE]; EDGE] =
        std::array::from_fn(|i| from[i * from_stride..].first_chunk().expect("the caller checked"));
    for j in 0..EDGE {
        let to: &mut [f32; EDGE] = to[j * to_stride..].first_chunk_mut().expect("the caller checked");
        for (to, line) in to.iter_mut().zip(lines) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_changes_row_and_column_and_gaps_stay() {
        for [rows, cols] in [[1, 1], [3, 40], [16, 16], [33, 17], [20, 64]] {
            let (from_stride, to_stride) = (cols + 2, rows + 1);
            let from: Vec<f32> = (0..rows * from_stride).map(|at| at as f32).collect();
            let mut to = vec![-1.0; cols * to_stride];
            transpose(&from, from_stride, [rows, cols], &mut to, to_stride);
            for (at, value) in to.iter().enumerate() {
                let (j, i) = (at / to_stride, at % to_stride);
                let expected = if i < rows { from[i * from_stride + j] } else { -1.0 };
                assert_eq!(*value, expected, "{rows} x {cols}, entry ({i}, {j})");
            }
        }
    }
}
