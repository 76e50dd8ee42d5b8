//! Sines of learned frequencies against their definition.

use subquad_backend::Form;
use subquad_backend::sine::sine;
use subquad_testkit::{assert_rel_close, finite_difference};

use crate::{GRAD_TOL, Leaf, VALUE_TOL, output_weights, run};

fn definition(x: &[f64], frequency: &[f64]) -> Vec<f64> {
    let units = frequency.len();
    x.iter().enumerate().map(|(i, x)| (frequency[i % units] * x).sin()).collect()
}

#[test]
fn both_forms_are_the_definition_in_values_and_gradients() {
    // One row; less than a thread's share; several shares and a rest. Units of no whole vector and of several.
    for [rows, units] in [[1, 1], [3, 5], [64, 16], [65, 33], [200, 64]] {
        let leaves = vec![Leaf::new([rows, units], 1), Leaf::new([units], 2)];
        let (x, frequency) = (leaves[0].values(), leaves[1].values());
        let g = output_weights([rows, units]);
        let loss =
            |x: &[f64], w: &[f64]| -> f64 { definition(x, w).iter().zip(&g).map(|(y, g)| y * g).sum() };
        let slope = |i: usize| g[i] * (frequency[i % units] * x[i]).cos();
        let dx: Vec<f64> = (0..x.len()).map(|i| slope(i) * frequency[i % units]).collect();
        let dw = finite_difference(|w| loss(&x, w), &frequency, 1e-4);
        for form in [Form::Portable, Form::Fused] {
            let what = format!("{form:?}, {rows} x {units}");
            let (y, grads) = run(leaves.clone(), |leaves| sine(leaves[0].two(), leaves[1].one(), form));
            assert_rel_close(y, definition(&x, &frequency), VALUE_TOL, &what);
            assert_rel_close(grads[0].clone(), dx.clone(), GRAD_TOL, &what);
            assert_rel_close(grads[1].clone(), dw.clone(), GRAD_TOL, &what);
        }
    }
}

#[test]
#[should_panic(expected = "sines need one frequency a unit")]
fn another_number_of_frequencies_is_refused() {
    let leaves = [Leaf::new([2, 3], 1), Leaf::new([2], 2)];
    sine(leaves[0].two(), leaves[1].one(), Form::Fused);
}
