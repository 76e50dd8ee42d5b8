//! Singular values by Jacobi's method on columns (Hestenes 1958): columns are turned against each other, two at a time,
//! until all are orthogonal.

/// More than the matrices here need: 12 for 128 columns, 8 for 32.
const MOST_SWEEPS: usize = 40;

/// `M right = value left` and `left^T M = value right^T`, both of length 1.
pub(super) struct Singular {
    pub(super) value: f64,
    pub(super) left: Vec<f64>,
    pub(super) right: Vec<f64>,
}

/// A column of `M` turned so far, and how it was made from the columns of `M`.
struct Column {
    image: Vec<f64>,
    source: Vec<f64>,
}

/// All of a square matrix of full rank, given by its columns; the smallest value first.
pub(super) fn svd(columns: Vec<Vec<f64>>) -> Vec<Singular> {
    let n = columns.len();
    let unit = |j: usize| (0..n).map(|i| if i == j { 1.0 } else { 0.0 }).collect();
    let mut columns: Vec<Column> =
        columns.into_iter().enumerate().map(|(j, image)| Column { image, source: unit(j) }).collect();
    let mut sweeps = 0..MOST_SWEEPS;
    while sweeps.next().is_some() && sweep(&mut columns) {}
    let mut all: Vec<Singular> = columns.into_iter().map(Singular::of).collect();
    all.sort_by(|a, b| a.value.total_cmp(&b.value));
    all
}

impl Singular {
    fn of(Column { image, source }: Column) -> Self {
        let value = dot(&image, &image).sqrt();
        Self { value, left: image.into_iter().map(|x| x / value).collect(), right: source }
    }
}

/// Turns each two columns once. Whether any two were not orthogonal yet.
fn sweep(columns: &mut [Column]) -> bool {
    let mut turned = false;
    for j in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(j);
        for first in before {
            turned |= orthogonalise(first, &mut rest[0]);
        }
    }
    turned
}

/// The smaller of both angles that make two columns orthogonal. Whether they were not.
fn orthogonalise(x: &mut Column, y: &mut Column) -> bool {
    let (xx, yy, xy) = (dot(&x.image, &x.image), dot(&y.image, &y.image), dot(&x.image, &y.image));
    let rounding = x.image.len() as f64 * f64::EPSILON;
    if xy.abs() <= rounding * (xx * yy).sqrt() {
        return false;
    }
    let cotangent = (yy - xx) / (2.0 * xy);
    let tangent = 1f64.copysign(cotangent) / (cotangent.abs() + 1f64.hypot(cotangent));
    let cos = 1.0 / 1f64.hypot(tangent);
    turn(&mut x.image, &mut y.image, cos, cos * tangent);
    turn(&mut x.source, &mut y.source, cos, cos * tangent);
    true
}

fn turn(x: &mut [f64], y: &mut [f64], cos: f64, sin: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}
