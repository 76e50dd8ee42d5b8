//! Products that are written to memory with and without numbers in it.

use subquad_backend::kernel::Unwritten;
use subquad_backend::linear::multiply::{Multiply, Out, Right, Start};
use subquad_backend::micro::Scalars;
use subquad_testkit::cpu;

fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7919 + seed * 31) % 1009) as f32 / 1009.0 - 0.5).collect()
}

struct Case {
    rows: usize,
    terms: usize,
    cols: usize,
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Case {
    fn new([rows, terms, cols]: [usize; 3]) -> Self {
        Self { rows, terms, cols, a: numbers(rows * terms, 1), b: numbers(terms * cols, 2) }
    }

    /// With the instructions that tests are to use.
    fn run(&self, out: Out<'_>, start: Start<'_>) {
        cpu();
        let (a, b) = (Scalars::rows(&self.a, self.terms), Right::Rows { data: &self.b, stride: self.cols });
        Multiply { out, a, b, terms: self.terms, cols: self.cols, start }.run();
    }

    /// Into numbers that are still to be written, `width` a row.
    fn unwritten(&self, width: usize, start: Start<'_>) -> Vec<f32> {
        let mut out = Unwritten::new(self.rows * width);
        out.parts(self.rows * width).into_iter().for_each(|part| self.run(Out::part(part, width), start));
        out.into_vec()
    }
}

#[test]
fn what_is_still_to_be_written_becomes_the_same_bits_as_what_was_there() {
    for sizes @ [rows, _, cols] in [[1, 1, 1], [3, 256, 17], [9, 257, 64], [5, 513, 70]] {
        let case = Case::new(sizes);
        let (by_row, by_column) = (numbers(rows, 3), numbers(cols, 4));
        for start in [Start::Zeros, Start::Rows(&by_row), Start::Columns(&by_column)] {
            let mut whole = vec![f32::NAN; rows * cols];
            case.run(Out::whole(&mut whole, cols), start);
            assert_eq!(case.unwritten(cols, start), whole, "{sizes:?}");
            assert!(whole.iter().all(|x| x.is_finite()), "{sizes:?}");
        }
    }
}

#[test]
#[should_panic(expected = "a product that writes every number")]
fn a_product_of_fewer_columns_than_the_rows_have_leaves_numbers_unwritten() {
    Case::new([2, 3, 4]).unwritten(8, Start::Zeros);
}

#[test]
#[should_panic(expected = "a product that writes every number")]
fn a_product_of_no_terms_writes_nothing() {
    Case::new([2, 0, 4]).unwritten(4, Start::Zeros);
}

#[test]
#[should_panic(expected = "a product that writes every number")]
fn nothing_is_added_to_what_is_not_there_yet() {
    Case::new([2, 3, 4]).unwritten(4, Start::Out);
}

#[test]
#[should_panic(expected = "numbers written")]
fn what_a_product_that_panics_should_have_written_is_not_there() {
    let (mut case, mut out) = (Case::new([2, 3, 4]), Unwritten::new(8));
    case.b.truncate(5);
    let parts = out.parts(8);
    let product = || parts.into_iter().for_each(|part| case.run(Out::part(part, 4), Start::Zeros));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(product)).is_err());
    out.into_vec();
}

/// `a` as rows apart, side by side and overlapping, as columns, and as a single column, whose two distances are both 1.
#[test]
fn a_left_operand_may_lie_in_any_way() {
    cpu();
    let data = numbers(4000, 5);
    for (rows, terms, row, step) in [
        (5, 300, 300, 1),
        (5, 300, 310, 1),
        (120, 9, 1, 1),
        (1, 300, 1, 1),
        (7, 40, 1, 7),
        (130, 20, 1, 140),
        (3, 4, 11, 2),
    ] {
        let (cols, b) = (19, numbers(terms * 19, 6));
        let mut out = vec![f32::NAN; rows * cols];
        let a = Scalars { data: &data, row, step };
        let right = Right::Rows { data: &b, stride: cols };
        Multiply { out: Out::whole(&mut out, cols), a, b: right, terms, cols, start: Start::Zeros }.run();
        for (at, got) in out.iter().enumerate() {
            let (i, j) = (at / cols, at % cols);
            let product = |t: usize| f64::from(data[i * row + t * step]) * f64::from(b[t * cols + j]);
            let sum: f64 = (0..terms).map(product).sum();
            assert!((f64::from(*got) - sum).abs() < 1e-5, "{rows} {terms} {row} {step}: {got} for {sum}");
        }
    }
}
