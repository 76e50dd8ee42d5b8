//! The micro-kernel against loops.

use subquad_backend::micro::{Scalars, product};
use subquad_backend::simd::{Simd, WithSimd, dispatch};
use subquad_testkit::cpu;

struct Product<'a> {
    a: Scalars<'a>,
    /// `[inner, columns]`
    b: &'a [f32],
    rows: usize,
    inner: usize,
}

impl WithSimd for Product<'_> {
    /// `[rows, columns]`
    type Output = Vec<f32>;

    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { a, b, rows, inner } = self;
        let width = b.len() / inner / S::F32_LANES;
        let mut out = vec![0.0; rows * b.len() / inner];
        let ((b, _), (sums, _)) = (S::as_simd_f32s(b), S::as_mut_simd_f32s(&mut out));
        product(simd, a, (b, width), [rows, width, inner], |i, j, sum| sums[i * width + j] = sum);
        out
    }
}

/// With the instructions that tests are to use.
fn run(product: Product<'_>) -> Vec<f32> {
    cpu();
    dispatch(product)
}

/// Small integers: every order of summation gives the same bits.
fn integers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + seed * 5) % 11) as f32 - 5.0).collect()
}

#[test]
fn products_equal_loops_for_rows_and_columns_of_any_number() {
    for (rows, columns, inner) in
        [(1, 16, 1), (3, 16, 5), (4, 64, 64), (9, 112, 3), (17, 48, 8), (64, 64, 33)]
    {
        let (a, b) = (integers(rows * inner, 1), integers(inner * columns, 2));
        for (transposed, a) in [(false, Scalars::rows(&a, inner)), (true, Scalars::columns(&a, rows))] {
            let entry = |i, t| a.data[i * a.row + t * a.step];
            let sum = |i, j| (0..inner).map(|t| entry(i, t) * b[t * columns + j]).sum::<f32>();
            let expected: Vec<f32> = (0..rows * columns).map(|at| sum(at / columns, at % columns)).collect();
            let work = || Product { a, b: &b, rows, inner };
            assert_eq!(run(work()), expected, "{rows} {columns} {inner} {transposed}");
            assert_eq!(pulp::Scalar.vectorize(work()), expected, "{rows} {columns} {inner} {transposed}");
        }
    }
}

#[test]
#[should_panic(expected = "left operand of a product")]
fn an_operand_whose_size_overflows_is_refused() {
    let a = integers(8, 1);
    let a = Scalars { data: &a, row: usize::MAX / 2 + 1, step: 1 };
    run(Product { a, b: &integers(64, 1), rows: 3, inner: 1 });
}

#[test]
#[should_panic(expected = "left operand of a product")]
fn an_operand_that_is_too_short_is_refused() {
    let a = integers(7, 1);
    run(Product { a: Scalars::rows(&a, 4), b: &integers(64, 1), rows: 2, inner: 4 });
}
