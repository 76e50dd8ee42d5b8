//! Rotary positions in both forms.

use burn::tensor::Tensor;
use subquad_attention::{Rotary, reference};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, cpu, seeded, seeded_tensor, to_f64};

use crate::{FORMS, autodiff_device};

/// A product of two f32 (6e-8) and a table entry rounded to f32 (6e-8), each twice in a sum.
const ROTATION_REL_TOL: f64 = 5e-7;

const BASE: f64 = 10000.0;

fn norms(x: Tensor<4>) -> Vec<f64> {
    to_f64(x.powi_scalar(2).sum_dim(3).sqrt())
}

#[test]
fn both_forms_equal_the_definition() {
    let (heads, d_head, first) = (3, 7, 7);
    for (seq, d_rot) in AWKWARD_LENGTHS.into_iter().flat_map(|seq| [2, 4, 6].map(|d_rot| (seq, d_rot))) {
        let x = seeded_tensor([1, heads, seq, d_head], 1, &cpu());
        let values = to_f64(x.clone());
        let turned =
            values.chunks(seq * d_head).flat_map(|head| reference::rotate(head, d_head, d_rot, first, BASE));
        let expected: Vec<f64> = turned.collect();
        for form in FORMS {
            let got = Rotary::new(first, seq, d_rot, BASE).apply(x.clone(), form);
            let what = format!("{form:?}, seq = {seq}, d_rot = {d_rot}");
            assert_rel_close(got, expected.clone(), ROTATION_REL_TOL, what);
        }
    }
}

#[test]
fn a_late_position_is_turned_as_exactly_as_an_early_one() {
    let (d_head, first) = (8, 1_000_003);
    let x = seeded_tensor([1, 1, 5, d_head], 2, &cpu());
    let expected = reference::rotate(&to_f64(x.clone()), d_head, d_head, first, BASE);
    for form in FORMS {
        let got = Rotary::new(first, 5, d_head, BASE).apply(x.clone(), form);
        assert_rel_close(got, expected.clone(), ROTATION_REL_TOL, format!("{form:?}"));
    }
}

#[test]
fn a_rotation_keeps_every_norm() {
    let x = seeded_tensor([2, 2, 65, 8], 3, &cpu());
    for form in FORMS {
        let turned = Rotary::new(1000, 65, 8, BASE).apply(x.clone(), form);
        assert_rel_close(norms(turned), norms(x.clone()), ROTATION_REL_TOL, format!("{form:?}"));
    }
}

#[test]
fn scores_depend_on_the_distance_of_two_tokens_alone() {
    let (seq, d_head) = (9, 8);
    let [q, k] = [4, 5].map(|seed| seeded_tensor::<4>([1, 1, 1, d_head], seed, &cpu()).repeat_dim(2, seq));
    for form in FORMS {
        let turned = |x: &Tensor<4>| Rotary::new(50, seq, d_head, BASE).apply(x.clone(), form);
        let scores = to_f64(turned(&q).matmul(turned(&k).swap_dims(2, 3)));
        for (i, j) in (0..seq - 1).flat_map(|i| (0..seq - 1).map(move |j| (i, j))) {
            let (here, next) = (scores[i * seq + j], scores[(i + 1) * seq + j + 1]);
            // The sum of d_head products of sizes up to 1.
            assert!(
                (here - next).abs() < d_head as f64 * ROTATION_REL_TOL,
                "{form:?}, {i} {j}: {here} {next}"
            );
        }
    }
}

#[test]
fn the_gradient_is_the_rotation_back() {
    let shape = [2, 2, 65, 9];
    let count = shape.iter().product();
    let back = |form| {
        let x = seeded_tensor(shape, 6, &autodiff_device()).require_grad();
        let weight = Tensor::<4>::from_data(
            burn::tensor::TensorData::new(seeded(count, 7).iter().map(|w| *w as f32).collect(), shape),
            &autodiff_device(),
        );
        let loss = (Rotary::new(3, 65, 6, BASE).apply(x.clone(), form) * weight).sum();
        to_f64(x.grad(&loss.backward()).unwrap())
    };
    let [portable, fused] = FORMS.map(back);
    assert_rel_close(fused, portable, ROTATION_REL_TOL, "gradient");
}

#[test]
fn features_beyond_the_turned_ones_stay_as_they_are() {
    let x = seeded_tensor([2, 2, 65, 10], 8, &cpu());
    let rest = |x: Tensor<4>| to_f64(x.narrow(3, 4, 6));
    for form in FORMS {
        let turned = Rotary::new(100, 65, 4, BASE).apply(x.clone(), form);
        assert_eq!(rest(turned), rest(x.clone()), "{form:?}");
    }
}

#[test]
#[should_panic(expected = "rotary positions turn pairs of features, got d_rot = 3")]
fn an_odd_number_of_features_is_refused() {
    Rotary::new(0, 5, 3, BASE);
}

#[test]
#[should_panic(expected = "rotations of 6 features cannot turn heads of 4")]
fn heads_narrower_than_the_rotations_are_refused() {
    Rotary::new(0, 5, 6, BASE).apply(seeded_tensor([1, 1, 5, 4], 1, &cpu()), subquad_backend::Form::Fused);
}

#[test]
#[should_panic(expected = "5 rotations cannot turn 6 tokens")]
fn another_number_of_tokens_is_refused() {
    Rotary::new(0, 5, 4, BASE).apply(seeded_tensor([1, 1, 6, 4], 1, &cpu()), subquad_backend::Form::Fused);
}
