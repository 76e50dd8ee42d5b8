//! The core operation in both forms, with every rule, against the f64 loops.

use burn::tensor::Tensor;
use subquad_attention::Rules;
use subquad_backend::Form;
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, cpu, to_f64};

use crate::FORMS;
use crate::cases::{
    BATCH, Case, assert_same_gradients, attend, cases, cases_without_segments, definition, difference_along,
    differences, direction, gradients, seeded_triple,
};

/// Sums of up to 1000 products in f32: below 2e-6 (measured), five times that.
pub(crate) const VALUE_REL_TOL: f64 = 1e-5;
/// The same of gradients: below 2e-6 (measured), five times that.
pub(crate) const GRAD_REL_TOL: f64 = 1e-5;
/// Central differences in f64 with a step of 1e-5 leave 1e-9, so the f32 gradient is what limits: below 1e-6
/// (measured), ten times that.
const DIFFERENCE_REL_TOL: f64 = 1e-5;

/// Tiny lengths, and lengths around one tile of queries or keys, around two, and around a block of 256.
const LENGTHS: [usize; 9] = [1, 2, 3, 63, 64, 65, 130, 200, 300];

/// Below, at and above the length of a vector, and not a multiple of it.
const HEAD_SIZES: [usize; 5] = [1, 8, 20, 64, 128];

fn assert_defined(case: &Case, lengths: [usize; 2], d_head: usize) {
    let inputs = case.inputs(lengths, d_head);
    let expected = definition(&inputs, &case.rules);
    for form in FORMS {
        let got = attend(inputs.clone(), &case.rules, form);
        let what = format!("{}, {form:?}, {lengths:?}, d_head = {d_head}", case.name);
        assert_rel_close(got, expected.clone(), VALUE_REL_TOL, what);
    }
}

fn assert_forms_share_gradients(case: &Case, lengths: [usize; 2], d_head: usize) {
    let (inputs, weight) = (case.inputs(lengths, d_head), case.weight(lengths[0], d_head));
    let [portable, fused] = FORMS.map(|form| gradients(&inputs, &weight, &case.rules, form));
    let what = format!("{}, {lengths:?}, d_head = {d_head}", case.name);
    assert_same_gradients(fused, portable, GRAD_REL_TOL, &what);
}

#[test]
fn both_forms_equal_the_definition_at_every_length() {
    for seq in LENGTHS {
        cases(seq).iter().for_each(|case| assert_defined(case, [seq, seq], 5));
    }
}

#[test]
fn both_forms_equal_the_definition_at_every_head_size() {
    for d_head in HEAD_SIZES {
        cases(65).iter().for_each(|case| assert_defined(case, [65, 65], d_head));
    }
}

#[test]
fn both_forms_have_the_same_gradients_at_every_length() {
    for seq in LENGTHS {
        cases(seq).iter().for_each(|case| assert_forms_share_gradients(case, [seq, seq], 5));
    }
}

#[test]
fn both_forms_have_the_same_gradients_at_every_head_size() {
    for d_head in HEAD_SIZES {
        cases(65).iter().for_each(|case| assert_forms_share_gradients(case, [65, 65], d_head));
    }
}

#[test]
fn long_sequences_are_as_exact_as_short_ones() {
    for case in cases(1000).into_iter().take(2) {
        for seq in AWKWARD_LENGTHS {
            assert_defined(&case, [seq, seq], 4);
            assert_forms_share_gradients(&case, [seq, seq], 4);
        }
        assert_defined(&case, [3000, 3000], 8);
    }
}

#[test]
fn gradients_equal_differences_of_the_definition() {
    let (seq, d_head) = (7, 3);
    for case in cases(seq) {
        let (inputs, weight) = (case.inputs([seq, seq], d_head), case.weight(seq, d_head));
        let expected = differences(&inputs, &weight, &case.rules, 1e-5);
        for form in FORMS {
            let got = gradients(&inputs, &weight, &case.rules, form);
            let what = format!("{}, {form:?}", case.name);
            assert_same_gradients(got, expected.clone(), DIFFERENCE_REL_TOL, &what);
        }
    }
}

/// The direction goes through all inputs at once, so that one difference is enough, however long the sequence.
#[test]
fn gradients_of_many_tiles_equal_differences_of_the_definition() {
    for (seq, d_head) in [(130, 8), (300, 3)] {
        for case in cases(seq) {
            let (inputs, weight) = (case.inputs([seq, seq], d_head), case.weight(seq, d_head));
            let expected = difference_along(&inputs, &weight, &case.rules, 1e-6);
            for form in FORMS {
                let grads = gradients(&inputs, &weight, &case.rules, form);
                let steps = grads.iter().zip(direction(&inputs));
                let terms: Vec<f64> = steps
                    .flat_map(|(g, d)| g.iter().zip(d).map(|(g, d)| g * d).collect::<Vec<_>>())
                    .collect();
                let (got, size) = (terms.iter().sum::<f64>(), terms.iter().map(|x| x.abs()).sum::<f64>());
                let error = (got - expected).abs() / size;
                assert!(error < DIFFERENCE_REL_TOL, "{}, {form:?}, {seq}: {error:.1e}", case.name);
            }
        }
    }
}

#[test]
fn queries_are_aligned_with_the_last_keys() {
    for case in cases_without_segments() {
        for lengths in [[1, 2], [1, 65], [3, 64], [64, 100], [65, 130], [1, 1000], [257, 300]] {
            assert_defined(&case, lengths, 4);
            assert_forms_share_gradients(&case, lengths, 4);
        }
    }
}

/// With a window, the first queries then have no key within reach.
#[test]
fn bidirectional_attention_takes_more_queries_than_keys() {
    for case in cases_without_segments().filter(|case| !case.rules.causal) {
        for lengths in [[2, 1], [70, 3], [140, 66], [600, 40]] {
            assert_defined(&case, lengths, 4);
            assert_forms_share_gradients(&case, lengths, 4);
        }
    }
}

#[test]
fn changing_a_token_leaves_earlier_outputs_alone_to_the_bit() {
    let (seq, d_head) = (130, 4);
    for case in cases(seq).into_iter().filter(|case| case.rules.causal) {
        let inputs = case.inputs([seq, seq], d_head);
        for form in FORMS {
            let before = attend(inputs.clone(), &case.rules, form);
            for t in [1, 63, 64, 65, 90] {
                let after = attend(jolt(&inputs, t), &case.rules, form);
                let early = |y: &Tensor<4>| to_f64(y.clone().narrow(2, 0, t));
                assert_eq!(early(&before), early(&after), "{}, {form:?}, t = {t}", case.name);
                assert_ne!(to_f64(before.clone()), to_f64(after), "{}, {form:?}, t = {t}", case.name);
            }
        }
    }
}

/// Token `t` of every head changed by a lot.
fn jolt(inputs: &[Tensor<4>; 3], t: usize) -> [Tensor<4>; 3] {
    inputs.clone().map(|x| {
        let [batch, heads, _, d_head] = x.dims();
        let other = Tensor::<4>::full([batch, heads, 1, d_head], 1e3, &cpu());
        x.slice_assign([0..batch, 0..heads, t..t + 1, 0..d_head], other)
    })
}

/// A weight that is not 0 only at query `t`.
fn only(case: &Case, seq: usize, t: usize) -> Tensor<4> {
    let heads = case.heads[0];
    let one = Tensor::<4>::ones([BATCH, heads, 1, 2], &cpu());
    Tensor::<4>::zeros([BATCH, heads, seq, 2], &cpu()).slice_assign([0..BATCH, 0..heads, t..t + 1, 0..2], one)
}

/// Tokens of the first sequence's first head whose gradient is not 0.
fn felt(grad: &[f64], seq: usize) -> Vec<usize> {
    (0..seq).filter(|t| grad[2 * t..2 * t + 2].iter().any(|g| *g != 0.0)).collect()
}

#[test]
fn what_a_query_does_not_see_has_a_gradient_of_exactly_0() {
    let (seq, t) = (200, 120);
    let seen = |causal: bool, window| {
        let rules = Rules { causal, window, ..Rules::default() };
        let case = Case { name: "", heads: [2, 2], rules };
        FORMS.map(|form| {
            let inputs = case.inputs([seq, seq], 2);
            let [q, k, v] = gradients(&inputs, &only(&case, seq, t), &case.rules, form);
            assert_eq!(felt(&q, seq), [t], "{form:?}");
            assert_eq!(felt(&k, seq), felt(&v, seq), "{form:?}");
            felt(&v, seq)
        })
    };
    let range = |tokens: std::ops::Range<usize>| [tokens.clone().collect(), tokens.collect::<Vec<_>>()];
    assert_eq!(seen(true, None), range(0..t + 1));
    assert_eq!(seen(true, Some(30)), range(t - 29..t + 1));
    assert_eq!(seen(false, Some(30)), range(t - 29..t + 30));
    assert_eq!(seen(false, None), range(0..seq));
}

#[test]
fn a_window_of_the_whole_sequence_changes_nothing() {
    let seq = 70;
    for causal in [true, false] {
        let inputs = seeded_triple(1, [2, 2], [seq, seq], 4);
        let plain = Rules { causal, ..Rules::default() };
        for (form, window) in FORMS.into_iter().flat_map(|form| [seq, seq + 1, usize::MAX].map(|w| (form, w)))
        {
            let windowed = Rules { window: Some(window), ..plain.clone() };
            let [got, wanted] = [&windowed, &plain].map(|rules| attend(inputs.clone(), rules, form));
            assert_eq!(to_f64(got), to_f64(wanted), "{form:?}, window = {window}");
        }
    }
}

#[test]
fn a_window_of_1_gives_the_value_itself() {
    for form in FORMS {
        let inputs = seeded_triple(1, [2, 2], [65, 65], 4);
        let y = attend(inputs.clone(), &Rules { window: Some(1), ..Rules::causal() }, form);
        assert_eq!(to_f64(y), to_f64(inputs[2].clone()), "{form:?}");
    }
}

#[test]
fn grouped_heads_are_heads_whose_keys_are_repeated() {
    let [q, k, v] = seeded_triple(2, [4, 2], [65, 65], 4);
    let twice = |x: &Tensor<4>| {
        let heads = (0..4).map(|h| x.clone().narrow(1, h / 2, 1));
        Tensor::cat(heads.collect(), 1)
    };
    for form in FORMS {
        let grouped = attend([q.clone(), k.clone(), v.clone()], &Rules::causal(), form);
        let repeated = attend([q.clone(), twice(&k), twice(&v)], &Rules::causal(), form);
        assert_rel_close(grouped, repeated, VALUE_REL_TOL, format!("{form:?}"));
    }
}

#[test]
fn permuting_heads_permutes_the_output() {
    let inputs = seeded_triple(2, [3, 3], [65, 65], 4);
    let turned = |x: Tensor<4>| Tensor::cat(vec![x.clone().narrow(1, 1, 2), x.narrow(1, 0, 1)], 1);
    for form in FORMS {
        let after = turned(attend(inputs.clone(), &Rules::causal(), form));
        let before = attend(inputs.clone().map(turned), &Rules::causal(), form);
        assert_eq!(to_f64(after), to_f64(before), "{form:?}");
    }
}

#[test]
fn equal_runs_give_equal_bits() {
    for case in cases(200) {
        let (inputs, weight) = (case.inputs([200, 200], 8), case.weight(200, 8));
        for form in FORMS {
            let values = || to_f64(attend(inputs.clone(), &case.rules, form));
            let run = || (values(), gradients(&inputs, &weight, &case.rules, form));
            assert_eq!(run(), run(), "{}, {form:?}", case.name);
        }
    }
}

fn refused(heads: [usize; 2], lengths: [usize; 2], rules: Rules) {
    attend(seeded_triple(BATCH, heads, lengths, 2), &rules, Form::Fused);
}

/// A run that diverges must show it, whatever the rules.
#[test]
fn a_query_that_is_not_a_number_gets_no_number() {
    for case in cases(65).iter().filter(|case| case.rules.segments.is_none()) {
        let [q, k, v] = case.inputs([65, 65], 8);
        let nan = Tensor::<4>::full([BATCH, case.heads[0], 1, 8], f32::NAN, &cpu());
        let q = q.slice_assign([0..BATCH, 0..case.heads[0], 40..41, 0..8], nan);
        for form in FORMS {
            let y = attend([q.clone(), k.clone(), v.clone()], &case.rules, form);
            let row = |i| to_f64(y.clone().narrow(2, i, 1));
            assert!(row(40).iter().all(|y| y.is_nan()), "{}, {form:?}", case.name);
            assert!(row(39).iter().all(|y| y.is_finite()), "{}, {form:?}", case.name);
        }
    }
}

/// There are few heads, so that each head's work is shared, and sums over queries are made in parts.
#[test]
fn the_number_of_threads_changes_no_bit() {
    let case = Case { name: "causal", heads: [2, 1], rules: Rules::causal() };
    let (inputs, weight) = (case.inputs([1200, 1200], 8), case.weight(1200, 8));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let y = to_f64(attend(inputs.clone(), &case.rules, Form::Fused));
            (y, gradients(&inputs, &weight, &case.rules, Form::Fused))
        })
    };
    let alone = on(1);
    assert!([2, 3, 8].into_iter().all(|threads| on(threads) == alone));
}

#[test]
#[should_panic(expected = "5 causal queries need at least 5 keys, got 3")]
fn a_causal_query_without_a_key_is_refused() {
    refused([1, 1], [5, 3], Rules::causal());
}

#[test]
#[should_panic(expected = "queries [1, 1, 5, 2] need keys and values of shape [1, 1, 5, 2]")]
fn keys_and_values_of_other_shapes_are_refused() {
    let [q, k, _] = seeded_triple(1, [1, 1], [5, 5], 2);
    let [_, _, v] = seeded_triple(1, [1, 1], [5, 4], 2);
    attend([q, k, v], &Rules::causal(), Form::Fused);
}

#[test]
#[should_panic(expected = "3 heads of keys and values cannot serve 4 heads of queries equally")]
fn heads_that_cannot_be_grouped_are_refused() {
    refused([4, 3], [5, 5], Rules::causal());
}

#[test]
#[should_panic(expected = "attention needs at least one query and one key")]
fn no_tokens_are_refused() {
    refused([1, 1], [0, 0], Rules::causal());
}

#[test]
#[should_panic(expected = "a window is at least 1 token wide, got 0")]
fn a_window_of_0_is_refused() {
    refused([1, 1], [5, 5], Rules { window: Some(0), ..Rules::causal() });
}

#[test]
#[should_panic(expected = "softcap must be a number from 1e-30 to 1e30, got -1.0")]
fn a_negative_softcap_is_refused() {
    refused([1, 1], [5, 5], Rules { softcap: Some(-1.0), ..Rules::causal() });
}

#[test]
#[should_panic(expected = "dropout must be at least 0 and less than 1, got 1.0")]
fn dropping_everything_is_refused() {
    let dropout = Some(subquad_attention::WeightDropout { rate: 1.0, seed: 1 });
    refused([1, 1], [5, 5], Rules { dropout, ..Rules::causal() });
}
