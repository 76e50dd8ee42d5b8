//! The mean of squares against its definition.

use subquad_backend::Form;
use subquad_backend::mean_square::mean_square;
use subquad_testkit::assert_rel_close;

use crate::{GRAD_TOL, Leaf, VALUE_TOL, output_weights, run};

/// One element; no multiple of a vector; more than one thread takes at a time.
const SHAPES: [[usize; 3]; 3] = [[1, 1, 1], [3, 7, 19], [3, 100, 131]];

#[test]
fn both_forms_are_the_definition_in_values_and_gradients() {
    for shape in SHAPES {
        let x = Leaf::new(shape, 1).values();
        let n = x.len() as f64;
        let mean = x.iter().map(|x| x * x).sum::<f64>() / n;
        let [weight] = output_weights([1])[..] else { panic!("one output") };
        let slopes: Vec<f64> = x.iter().map(|x| 2.0 * weight * x / n).collect();
        for form in [Form::Portable, Form::Fused] {
            let (y, grads) = run(vec![Leaf::new(shape, 1)], |x| mean_square(x[0].three(), form));
            assert_rel_close(y, vec![mean], VALUE_TOL, format!("{form:?}, {shape:?}"));
            assert_rel_close(&grads[0][..], &slopes[..], GRAD_TOL, format!("gradient, {form:?}, {shape:?}"));
        }
    }
}
