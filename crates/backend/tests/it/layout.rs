//! Rows of tokens and rows of channels.

use subquad_backend::Form;
use subquad_backend::layout::swap_rows;

use crate::{Leaf, run};

#[test]
fn swapping_rows_is_the_swapped_view_with_its_gradient() {
    for shape in [[1, 1, 1], [2, 3, 5], [1, 16, 16], [3, 17, 65], [2, 130, 64], [1, 1000, 33]] {
        let swap = |form| run(vec![Leaf::new(shape, 1)], |x| swap_rows(x[0].three(), form));
        assert_eq!(swap(Form::Fused), swap(Form::Portable), "{shape:?}");
    }
}
