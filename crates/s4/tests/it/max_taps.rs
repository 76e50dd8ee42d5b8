//! Kernels that are cut off, as published ones are beyond `l_max`.

use burn::tensor::Tensor;
use subquad_mixer::{MixerError, SequenceMixer};
use subquad_s4::{H3, H3Config, S4, S4Config, S4d, S4dConfig};
use subquad_testkit::{assert_rel_close, battery, cpu, seeded_tensor, with_seed};

use crate::oracle::FORMS;

const D_MODEL: usize = 4;
const TAPS: usize = 5;
const SEQ: usize = 12;

/// FFTs of a dozen tokens in f32, a linear layer and a gate, against recurrences: measured below 2e-6.
const SAME_MAP: f64 = 1e-5;
/// Gradients sum a thousand such numbers, as those of whole kernels do.
const GRADIENT: f64 = 5e-5;

fn s4d(bidirectional: bool) -> S4d {
    let config = S4dConfig::new(D_MODEL).with_d_state(8).with_bidirectional(bidirectional);
    with_seed(&cpu(), 1, || config.init(&cpu()))
}

fn s4(bidirectional: bool) -> S4 {
    let config = S4Config::new(D_MODEL, SEQ).with_d_state(8).with_bidirectional(bidirectional);
    with_seed(&cpu(), 1, || config.init(&cpu()))
}

fn h3() -> H3 {
    let config = H3Config::new(D_MODEL).with_d_state(8).with_head_dim(2).with_train_shift_b(true);
    with_seed(&cpu(), 1, || config.init(&cpu()))
}

fn input(seq: usize) -> Tensor<3> {
    seeded_tensor([2, seq, D_MODEL], 3, &cpu())
}

/// What a change of the middle token changes, token by token.
fn reach(layer: &impl SequenceMixer) -> Vec<bool> {
    let x = input(SEQ);
    let other = x
        .clone()
        .slice_assign([0..2, SEQ / 2..SEQ / 2 + 1, 0..D_MODEL], Tensor::ones([2, 1, D_MODEL], &cpu()));
    let change = (layer.forward(other) - layer.forward(x)).abs().max_dim(2).max_dim(0);
    change.into_data().iter::<f32>().map(|change| change > 1e-4).collect()
}

#[test]
fn a_token_hears_nothing_from_longer_ago_than_the_taps() {
    for form in FORMS {
        let layers: [&dyn Fn(bool) -> Vec<bool>; 2] =
            [&|both| reach(&s4d(both).with_max_taps(Some(TAPS)).with_form(form)), &|both| {
                reach(&s4(both).with_max_taps(Some(TAPS)).with_form(form))
            }];
        for layer in layers {
            let past = (0..SEQ).map(|t| (SEQ / 2..SEQ / 2 + TAPS).contains(&t)).collect::<Vec<_>>();
            assert_eq!(layer(false), past, "{form:?}");
            // The first tap that looks ahead looks at the next token: one tap more on that side.
            let both = (0..SEQ).map(|t| (SEQ / 2 - TAPS..SEQ / 2 + TAPS).contains(&t)).collect::<Vec<_>>();
            assert_eq!(layer(true), both, "{form:?}");
        }
        // Keys depend on this many tokens, and products on this many keys.
        let past = (0..SEQ).map(|t| (SEQ / 2..SEQ / 2 + 2 * TAPS - 1).contains(&t)).collect::<Vec<_>>();
        assert_eq!(reach(&h3().with_max_taps(Some(TAPS)).with_form(form)), past, "{form:?}");
    }
}

#[test]
fn a_cut_kernel_has_the_first_taps_of_the_whole_one() {
    let (layer, first) = (s4(true), |kernel: Tensor<3>| kernel.narrow(2, 0, TAPS));
    let cut = layer.clone().with_max_taps(Some(TAPS)).kernel(SEQ);
    assert_eq!(cut.dims(), [2, D_MODEL, TAPS]);
    assert_rel_close(cut, first(layer.kernel(SEQ)), SAME_MAP, "s4");
    let (layer, cut) = (h3(), h3().with_max_taps(Some(TAPS)));
    assert_rel_close(cut.kernel(SEQ), layer.kernel(SEQ).narrow(1, 0, TAPS), SAME_MAP, "h3");
    assert_rel_close(cut.shift_kernel(), layer.shift_kernel().narrow(1, 0, TAPS), SAME_MAP, "h3's shift");
    let lifted = s4d(false).with_max_taps(Some(TAPS)).with_max_taps(None);
    assert_eq!(lifted.forward(input(SEQ)).into_data(), s4d(false).forward(input(SEQ)).into_data());
}

#[test]
fn both_forms_of_cut_kernels_agree_in_values_and_gradients() {
    let lengths = [1, TAPS - 1, TAPS, TAPS + 1, SEQ, 65];
    for both in [false, true] {
        let [portable, fused] = FORMS.map(|form| s4d(both).with_max_taps(Some(TAPS)).with_form(form));
        battery::forms_agree(&fused, &portable, D_MODEL, &lengths, SAME_MAP, GRADIENT);
        let [portable, fused] = FORMS.map(|form| s4(both).with_max_taps(Some(TAPS)).with_form(form));
        battery::forms_agree(&fused, &portable, D_MODEL, &lengths, SAME_MAP, GRADIENT);
    }
    let [portable, fused] = FORMS.map(|form| h3().with_max_taps(Some(TAPS)).with_form(form));
    battery::forms_agree(&fused, &portable, D_MODEL, &lengths, SAME_MAP, GRADIENT);
}

/// Steps and chunks are the forward pass up to the taps, and beyond are an error that leaves the state as it was.
fn assert_ends<M: SequenceMixer>(layer: &M, name: &'static str) {
    let x = input(TAPS + 1);
    let whole = layer.forward(x.clone().narrow(1, 0, TAPS));
    let token = |t| x.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
    let mut state = layer.init_state(2).unwrap();
    let stepped = (0..TAPS).map(|t| layer.step(token(t), &mut state).unwrap()).collect();
    assert_rel_close(Tensor::stack::<3>(stepped, 1), whole.clone(), SAME_MAP, name);
    let error = MixerError::CutKernel { mixer: name, taps: TAPS };
    assert_eq!(layer.step(token(TAPS), &mut state).unwrap_err(), error);
    let chunk = |from, len| x.clone().narrow(1, from, len);
    let first = layer.forward_with_state(chunk(0, TAPS), layer.init_state(2).unwrap()).unwrap();
    assert_rel_close(first.0, whole, SAME_MAP, name);
    assert_eq!(
        layer.forward_with_state(chunk(0, TAPS + 1), layer.init_state(2).unwrap()).unwrap_err(),
        error
    );
    assert_eq!(layer.forward_with_state(chunk(TAPS, 1), first.1).unwrap_err(), error);
}

#[test]
fn a_state_goes_on_for_as_many_tokens_as_there_are_taps() {
    assert_ends(&s4d(false).with_max_taps(Some(TAPS)), "s4d");
    assert_ends(&s4(false).with_max_taps(Some(TAPS)), "s4");
    assert_ends(&h3().with_max_taps(Some(TAPS)), "h3");
    let error = s4d(false).with_max_taps(Some(TAPS)).stepper().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the kernels of this s4d are cut off after 5 taps, but a state remembers all tokens, so it can continue for at most 5; run \
         the whole sequence at once, or remove the cut (`with_max_taps(None)`)"
    );
}

#[test]
fn cut_kernels_train_on_sequences_beyond_the_length_at_which_c_is_learned() {
    use burn::module::Module;
    let layer = s4(false).train();
    assert!(layer.check_length(SEQ + 1).is_err());
    assert_eq!(layer.with_max_taps(Some(SEQ)).check_length(SEQ + 1), Ok(()));
}
