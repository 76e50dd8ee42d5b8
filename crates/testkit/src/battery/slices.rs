//! Decoding over plain slices, for mixers that can.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use subquad_mixer::{SequenceMixer, SliceStepper};

use super::{SAME_MAP, SEQ, device};
use crate::{assert_rel_close, seeded_tensor, to_f64};

/// From the first token and after a prompt, with and without room; a copy, and a stepper that starts again, go their own ways.
pub(super) fn a_stepper_over_slices_is_the_whole_sequence<M: SequenceMixer + Module>(
    mixer: &M,
    d_model: usize,
) {
    let x = seeded_tensor([1, SEQ, d_model], 3, &device(mixer));
    let whole = mixer.forward(x.clone());
    for (prompt, room) in [(0, 0), (1, SEQ), (SEQ / 2, 3), (SEQ - 1, 1)] {
        let state = after(mixer, &x, prompt);
        let Some(mut stepper) = mixer.slice_stepper(&state, room) else { return };
        assert_eq!(stepper.seq(), prompt, "tokens of a stepper after a prompt");
        let mut copy = stepper.boxed();
        let rest = || x.clone().narrow(1, prompt, SEQ - prompt);
        for stepper in [&mut stepper, &mut copy] {
            let what = format!("a stepper over slices after {prompt} tokens, with room for {room}");
            assert_rel_close(
                steps(&mut **stepper, rest()),
                whole.clone().narrow(1, prompt, SEQ - prompt),
                SAME_MAP,
                what,
            );
        }
        stepper.reset();
        assert_eq!(stepper.seq(), 0, "tokens of a stepper that starts again");
        let what = format!("a stepper over slices that starts again after {prompt} tokens");
        assert_rel_close(steps(&mut *stepper, x.clone()), whole.clone(), SAME_MAP, what);
    }
}

/// The state after the first `tokens` of `x`.
fn after<M: SequenceMixer>(mixer: &M, x: &Tensor<3>, tokens: usize) -> M::State {
    let state = mixer.init_state(1).expect("a causal mixer has a state");
    match tokens {
        0 => state,
        _ => mixer.forward_with_state(x.clone().narrow(1, 0, tokens), state).expect("it reads a prompt").1,
    }
}

/// The outputs of every token of `x`, `[1, seq, d_model]`.
fn steps(stepper: &mut dyn SliceStepper, x: Tensor<3>) -> Tensor<3> {
    let (shape, device) = (x.dims(), x.device());
    let x: Vec<f32> = to_f64(x).into_iter().map(|x| x as f32).collect();
    let mut y = vec![f32::NAN; x.len()];
    x.chunks(shape[2]).zip(y.chunks_mut(shape[2])).for_each(|(x, y)| stepper.step(x, y));
    Tensor::from_data(TensorData::new(y, shape), &device)
}
