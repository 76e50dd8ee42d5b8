//! Monarch matrices of complex numbers. burn has no complex type: numbers travel as `(re, im)` pairs.

use burn::tensor::Tensor;

use super::product::{cut, join, multiply, regroup};
use super::shape::MonarchShape;

/// Real and imaginary part of one tensor.
pub type Pair<const D: usize> = (Tensor<D>, Tensor<D>);

/// A complex Monarch matrix: the factors and axes of a [`MonarchLinear`](crate::MonarchLinear), with complex numbers.
#[derive(Debug, Clone)]
pub struct ComplexMonarch {
    factors: Vec<Pair<3>>,
    shape: MonarchShape,
}

impl ComplexMonarch {
    /// Two factors, `w1 [k, r c, p]` and `w2 [c, s, k r]`, on an input seen as `[k, p]`.
    ///
    /// # Panics
    /// If the factors do not fit each other.
    pub fn from_factors([first, last]: [Pair<3>; 2]) -> Self {
        let shape = MonarchShape::of_two(first.0.dims(), last.0.dims());
        Self::new(vec![first, last], shape)
    }

    /// Factors of the sizes that `shape` asks for.
    pub(super) fn new(factors: Vec<Pair<3>>, shape: MonarchShape) -> Self {
        Self { factors, shape }
    }

    /// Width of the input and of the output.
    pub fn widths(&self) -> [usize; 2] {
        [self.shape.n_input(), self.shape.n_output()]
    }

    /// `[rows, n_input]` to `[rows, n_output]`.
    ///
    /// # Panics
    /// If the width of the rows differs from `n_input`.
    pub fn forward(&self, (re, im): Pair<2>) -> Pair<2> {
        let (got, [wanted, _]) = (re.dims()[1], self.widths());
        assert_eq!(got, wanted, "a complex Monarch matrix of {wanted} columns got an input of width {got}");
        let mut y = (cut(re, &self.shape), cut(im, &self.shape));
        for (t, factor) in self.factors.iter().enumerate() {
            let [_, _, columns] = factor.0.dims();
            let x = if t == 0 { y } else { (regroup(y.0, columns), regroup(y.1, columns)) };
            y = multiply_pairs(x, factor);
        }
        (join(y.0, &self.shape), join(y.1, &self.shape))
    }

    /// The dense matrix, `[n_output, n_input]`: the image of the identity.
    pub fn dense_weight(&self) -> Pair<2> {
        let one = Tensor::eye(self.shape.n_input(), &self.factors[0].0.device());
        let (re, im) = self.forward((one.clone(), one.zeros_like()));
        (re.transpose(), im.transpose())
    }
}

fn multiply_pairs((x_re, x_im): Pair<3>, (w_re, w_im): &Pair<3>) -> Pair<3> {
    let re = multiply(x_re.clone(), w_re.clone()) - multiply(x_im.clone(), w_im.clone());
    let im = multiply(x_re, w_im.clone()) + multiply(x_im, w_re.clone());
    (re, im)
}
