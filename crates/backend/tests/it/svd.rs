//! Singular values of known and of random matrices.

use subquad_backend::svd::{Complex, Scalar, Singular, norm_sqr, svd};
use subquad_testkit::{assert_rel_close, seeded};

/// f64 rotations of a few dozen columns.
const VALUE: f64 = 1e-13;

fn columns<T: Scalar>(rows: usize, columns: usize, entry: impl Fn(usize) -> T) -> Vec<Vec<T>> {
    (0..columns).map(|j| (0..rows).map(|i| entry(j * rows + i)).collect()).collect()
}

fn real(rows: usize, n: usize) -> Vec<Vec<f64>> {
    let values = seeded(rows * n, 1);
    columns(rows, n, |at| values[at])
}

fn complex(rows: usize, n: usize) -> Vec<Vec<Complex<f64>>> {
    let (re, im) = (seeded(rows * n, 1), seeded(rows * n, 2));
    columns(rows, n, |at| Complex::new(re[at], im[at]))
}

/// `sum of value left right^*`, by columns.
fn product<T: Scalar>(all: &[Singular<T>], rows: usize, n: usize) -> Vec<Vec<T>> {
    let term = |s: &Singular<T>, i: usize, j: usize| s.left[i] * s.right[j].conj() * s.value;
    let entry = |i, j| all.iter().map(|s| term(s, i, j)).fold(T::zero(), T::add);
    (0..n).map(|j| (0..rows).map(|i| entry(i, j)).collect()).collect()
}

fn distance<T: Scalar>(a: &[Vec<T>], b: &[Vec<T>]) -> f64 {
    let differences: Vec<T> = a.concat().iter().zip(&b.concat()).map(|(a, b)| *a - *b).collect();
    norm_sqr(&differences).sqrt()
}

fn assert_svd<T: Scalar>(matrix: Vec<Vec<T>>, what: &str) {
    let (n, rows) = (matrix.len(), matrix[0].len());
    let all = svd(matrix.clone());
    assert!(all.windows(2).all(|two| two[0].value <= two[1].value), "{what}: ascending");
    let norm = distance(&matrix, &columns(rows, n, |_| T::zero()));
    assert!(distance(&product(&all, rows, n), &matrix) <= VALUE * norm, "{what}: product");
    let dot = |x: &[T], y: &[T]| x.iter().zip(y).map(|(x, y)| x.conj() * *y).fold(T::zero(), T::add);
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            let expected = if i == j { T::one() } else { T::zero() };
            assert!((dot(&a.right, &b.right) - expected).abs() < VALUE, "{what}: right {i} {j}");
            let whole = a.value > VALUE * norm && b.value > VALUE * norm;
            let left = (dot(&a.left, &b.left) - expected).abs();
            assert!(!whole || left < VALUE, "{what}: left {i} {j}");
        }
    }
}

#[test]
fn real_and_complex_matrices_of_any_shape_are_the_product_of_their_parts() {
    for (rows, n) in [(1, 1), (5, 1), (1, 5), (8, 8), (12, 5), (5, 12), (32, 32)] {
        assert_svd(real(rows, n), &format!("real {rows} x {n}"));
        assert_svd(complex(rows, n), &format!("complex {rows} x {n}"));
    }
}

#[test]
fn matrices_of_lower_rank_have_values_of_zero() {
    let (x, y) = (seeded(6, 1), seeded(4, 2));
    let one = columns(6, 4, |at| x[at % 6] * y[at / 6]);
    assert_svd(one.clone(), "rank 1");
    let values: Vec<f64> = svd(one).into_iter().map(|s| s.value).collect();
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    assert_rel_close(values, vec![0.0, 0.0, 0.0, norm(&x) * norm(&y)], VALUE, "rank 1");
    assert_svd(columns(3, 2, |_| 0.0), "zero");
    let twice = vec![vec![1.0, 2.0], vec![1.0, 2.0], vec![-1.0, -2.0]];
    assert_svd(twice, "equal columns");
}

#[test]
fn a_diagonal_matrix_shows_its_values() {
    let diagonal = columns(3, 3, |at| if at % 4 == 0 { [3.0, -1.0, 2.0][at / 4] } else { 0.0 });
    let values: Vec<f64> = svd(diagonal).into_iter().map(|s| s.value).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
}
