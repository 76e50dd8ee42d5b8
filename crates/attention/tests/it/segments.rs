//! Several sequences in a row, and padding.

use burn::tensor::Tensor;
use subquad_attention::{AttentionConfig, Rules, Segments};
use subquad_backend::Form;
use subquad_mixer::SequenceMixer;
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64};

use crate::FORMS;
use crate::cases::{Triple, assert_same_gradients, attend, definition, gradients, seeded_triple};
use crate::dot_product::{GRAD_REL_TOL, VALUE_REL_TOL};

#[test]
fn sequences_are_numbered_from_1_and_padding_is_0() {
    let segments = Segments::packed(&[vec![2, 3], vec![1], vec![]], 6);
    assert_eq!(segments.dims(), [3, 6]);
    assert_eq!(segments.row(0), [1, 1, 2, 2, 2, 0]);
    assert_eq!(segments.row(1), [1, 0, 0, 0, 0, 0]);
    assert_eq!(segments.row(2), [0; 6]);
}

#[test]
fn only_equality_of_ids_counts() {
    let segments = Segments::new(2, 4, vec![9, u32::MAX, 0, 9, 0, 5, 5, 1]);
    assert_eq!(segments, Segments::new(2, 4, vec![1, 2, 0, 1, 0, 1, 1, 2]));
    assert_eq!([segments.row(0), segments.row(1)], [[1, 2, 0, 1], [0, 1, 1, 2]]);
}

#[test]
fn a_padded_row_is_a_row_of_one_sequence() {
    assert_eq!(Segments::padded(&[3, 5, 0], 5), Segments::packed(&[vec![3], vec![5], vec![]], 5));
}

#[test]
fn a_token_sees_its_own_sequence_and_padding_sees_nothing() {
    let segments = Segments::packed(&[vec![2, 2]], 5);
    let seen = |i| (0..5).filter(|&j| segments.sees(0, i, j)).collect::<Vec<_>>();
    assert_eq!([seen(0), seen(3), seen(4)], [vec![0, 1], vec![2, 3], vec![]]);
}

#[test]
#[should_panic(expected = "sequences of 7 tokens do not fit a row of 6")]
fn sequences_longer_than_their_row_are_refused() {
    Segments::packed(&[vec![3, 4]], 6);
}

#[test]
#[should_panic(expected = "segments of 2 rows of 3 tokens, but 5 ids")]
fn a_wrong_number_of_ids_is_refused() {
    Segments::new(2, 3, vec![1; 5]);
}

#[test]
#[should_panic(expected = "segments need one key for each query, got 3 queries and 5 keys")]
fn segments_of_queries_without_keys_of_their_own_are_refused() {
    let rules = Rules { segments: Some(Segments::padded(&[5], 5)), ..Rules::causal() };
    attend(seeded_triple(1, [1, 1], [3, 5], 2), &rules, Form::Portable);
}

#[test]
#[should_panic(expected = "segments and tokens must have the same [batch, seq]")]
fn segments_of_another_batch_are_refused() {
    let rules = Rules { segments: Some(Segments::padded(&[5, 5], 5)), ..Rules::causal() };
    attend(seeded_triple(1, [1, 1], [5, 5], 2), &rules, Form::Portable);
}

/// Lengths of sequences in one row: some within a tile, some across the ends of tiles, the last at the end of the row.
const LENGTHS: [usize; 6] = [1, 40, 90, 64, 3, 2];
const SEQ: usize = 200;

fn each_rule() -> [Rules; 4] {
    let rules = |causal, window, alibi| Rules { causal, window, alibi, ..Rules::default() };
    [
        rules(true, None, false),
        rules(false, None, false),
        rules(true, Some(10), false),
        rules(false, Some(70), true),
    ]
}

#[test]
fn packed_sequences_are_the_sequences_alone() {
    let inputs = seeded_triple(1, [4, 2], [SEQ, SEQ], 5);
    let weight = seeded_tensor::<4>([1, 4, SEQ, 5], 9, &cpu());
    for (form, rules) in FORMS.into_iter().flat_map(|form| each_rule().map(|rules| (form, rules))) {
        let packed = Rules { segments: Some(Segments::packed(&[LENGTHS.to_vec()], SEQ)), ..rules.clone() };
        let (ends, part) = (LENGTHS.into_iter(), |x: &Tensor<4>, at, len| x.clone().narrow(2, at, len));
        let firsts = ends.clone().scan(0, |first, len| Some(std::mem::replace(first, *first + len)));
        let alone: Vec<(Tensor<4>, [Vec<f64>; 3])> = firsts
            .zip(ends)
            .map(|(at, len)| {
                let inputs = inputs.each_ref().map(|x| part(x, at, len));
                let grads = gradients(&inputs, &part(&weight, at, len), &rules, form);
                (attend(inputs, &rules, form), grads)
            })
            .collect();
        let values = Tensor::cat(alone.iter().map(|(y, _)| y.clone()).collect(), 2);
        let what = format!("{form:?}, {rules:?}");
        assert_rel_close(attend(inputs.clone(), &packed, form), values, VALUE_REL_TOL, &what);
        let together = gradients(&inputs, &weight, &packed, form);
        assert_same_gradients(together, side_by_side(&alone), GRAD_REL_TOL, &what);
    }
}

/// Gradients of sequences, `[heads, len, 5]` each, joined as those of the row that they make up.
fn side_by_side(alone: &[(Tensor<4>, [Vec<f64>; 3])]) -> [Vec<f64>; 3] {
    [(0, 4), (1, 2), (2, 2)].map(|(part, heads)| {
        let head = |h: usize| {
            alone.iter().flat_map(move |(_, grads)| {
                let len = grads[part].len() / heads;
                grads[part][h * len..(h + 1) * len].iter().copied()
            })
        };
        (0..heads).flat_map(head).collect()
    })
}

fn padded_rules(causal: bool) -> Rules {
    Rules { causal, segments: Some(Segments::padded(&[70, 0, 130], 130)), ..Rules::default() }
}

/// The inputs with everything that belongs to padding replaced.
fn with_padding(inputs: &Triple, value: f32) -> Triple {
    inputs.clone().map(|x| {
        let [_, heads, _, d_head] = x.dims();
        let fill = |rows, len| Tensor::<4>::full([rows, heads, len, d_head], value, &cpu());
        x.slice_assign([0..1, 0..heads, 70..130, 0..d_head], fill(1, 60))
            .slice_assign([1..2, 0..heads, 0..130, 0..d_head], fill(1, 130))
    })
}

#[test]
fn padding_gets_zeros_and_a_gradient_of_0() {
    let inputs = seeded_triple(3, [2, 2], [130, 130], 4);
    let weight = seeded_tensor::<4>([3, 2, 130, 4], 9, &cpu());
    for (form, causal) in FORMS.into_iter().flat_map(|form| [true, false].map(|causal| (form, causal))) {
        let rules = padded_rules(causal);
        let y = to_f64(attend(inputs.clone(), &rules, form));
        assert_rel_close(y.clone(), definition(&inputs, &rules), VALUE_REL_TOL, format!("{form:?}"));
        let grads = gradients(&inputs, &weight, &rules, form);
        for values in [y].iter().chain(&grads) {
            assert!(values.iter().all(|value| value.is_finite()), "{form:?}");
            let head = 130 * 4;
            let padding = (0..2).flat_map(|h| &values[h * head + 70 * 4..(h + 1) * head]);
            assert!(padding.chain(&values[2 * head..4 * head]).all(|value| *value == 0.0), "{form:?}");
        }
    }
}

#[test]
fn what_padding_holds_changes_nothing() {
    let inputs = seeded_triple(3, [2, 2], [130, 130], 4);
    let weight = seeded_tensor::<4>([3, 2, 130, 4], 9, &cpu());
    for (form, causal) in FORMS.into_iter().flat_map(|form| [true, false].map(|causal| (form, causal))) {
        let rules = padded_rules(causal);
        let run = |value| {
            let inputs = with_padding(&inputs, value);
            (to_f64(attend(inputs.clone(), &rules, form)), gradients(&inputs, &weight, &rules, form))
        };
        // Products of the larger ones overflow.
        assert_eq!(run(0.0), run(1e15), "{form:?}, causal = {causal}");
        assert_eq!(run(0.0), run(-1e25), "{form:?}, causal = {causal}");
    }
}

#[test]
fn numbers_of_segments_need_no_order() {
    let inputs = seeded_triple(1, [2, 2], [130, 130], 4);
    // The last two are one number in f32.
    let ids: Vec<u32> = (0..130).map(|t| [7, u32::MAX, 0, 7, u32::MAX - 1][t / 29 % 5]).collect();
    for causal in [true, false] {
        let rules = Rules { causal, segments: Some(Segments::new(1, 130, ids.clone())), ..Rules::default() };
        for form in FORMS {
            let got = attend(inputs.clone(), &rules, form);
            assert_rel_close(got, definition(&inputs, &rules), VALUE_REL_TOL, format!("{form:?}, {causal}"));
        }
    }
}

#[test]
fn a_layer_gives_each_sequence_what_it_gives_it_alone() {
    let layer = AttentionConfig::new(16).init(&cpu());
    let x = seeded_tensor::<3>([1, SEQ, 16], 1, &cpu());
    for form in FORMS {
        let layer = layer.clone().with_form(form);
        let segments = Segments::packed(&[vec![50, 80]], SEQ);
        let packed = layer.forward_segments(x.clone(), &segments);
        for (at, len) in [(0, 50), (50, 80)] {
            let alone = subquad_mixer::SequenceMixer::forward(&layer, x.clone().narrow(1, at, len));
            assert_rel_close(
                packed.clone().narrow(1, at, len),
                alone,
                VALUE_REL_TOL,
                format!("{form:?}, {at}"),
            );
        }
        let bias = to_f64(layer.output.bias.as_ref().unwrap().val());
        assert_eq!(to_f64(packed.narrow(1, SEQ - 1, 1)), bias, "{form:?}");
    }
}
