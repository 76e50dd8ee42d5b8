//! Rows to columns, by the number.

use subquad_backend::transpose;
use subquad_testkit::cpu;

#[test]
fn every_entry_changes_row_and_column_and_gaps_stay() {
    cpu(); // `transpose` takes the instructions that tests are to use.
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
