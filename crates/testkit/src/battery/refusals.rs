//! What a mixer must refuse, with the same message whichever way it is run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use subquad_mixer::{MixerError, MixerState, SequenceMixer};

use super::{SEQ, device};
use crate::seeded_tensor;

const BATCH: usize = 2;

/// A causal mixer of width `d_model` refuses the states of a `stranger`, the same kind of mixer with other settings and
/// perhaps another width.
///
/// # Panics
/// If it takes one, before the first token or after a few.
pub fn refuses_states_of<M: SequenceMixer + Module>(
    (mixer, d_model): (&M, usize),
    (stranger, width): (&M, usize),
) {
    let x = tokens(mixer, BATCH, d_model);
    let fresh = stranger.init_state(BATCH).expect("causal");
    let few = tokens(stranger, BATCH, width).narrow(1, 0, 3);
    let (_, used) = stranger.forward_with_state(few, fresh.clone()).expect("causal");
    for state in [fresh, used] {
        let error = refused(mixer, &x, state);
        assert!(matches!(error, MixerError::ForeignState { .. }), "a stranger's state: {error}");
    }
}

/// Inputs of another width or type, and empty ones, are refused; by a causal mixer also states of another batch.
pub(super) fn what_does_not_fit_is_refused<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    for (x, error) in misfits(mixer, d_model) {
        assert_eq!(words_of_panic(|| mixer.forward(x.clone())), error.to_string());
        assert_eq!(words_of_panic(|| mixer.forward_train(x.clone(), 1)), error.to_string());
        if let Ok(state) = mixer.init_state(BATCH) {
            assert_eq!(refused(mixer, &x, state), error);
        }
    }
    if mixer.init_state(1).is_ok() {
        states_of_another_batch_are_refused(mixer, d_model);
    }
}

/// Inputs that no layer of this width reads, and the errors.
fn misfits<M: SequenceMixer + Module>(mixer: &M, d_model: usize) -> Vec<(Tensor<3>, MixerError)> {
    let (device, name) = (device(mixer), mixer.contract().mixer());
    let wide = seeded_tensor([BATCH, SEQ, d_model + 1], 2, &device);
    let width = MixerError::Width { mixer: name, name: "d_model", wanted: d_model, got: d_model + 1 };
    let mut all = vec![(wide, width)];
    match device == Device::flex() {
        // Not every other device supports empty tensors.
        true => {
            let empty = Tensor::zeros([BATCH, 0, d_model], &device);
            all.push((empty, MixerError::EmptySequence { mixer: name }));
        }
        false => {
            let elsewhere = tokens(mixer, BATCH, d_model).to_device(&Device::flex());
            let [layer, got] = [&device, &elsewhere.device()].map(|device| format!("{device:?}"));
            all.push((elsewhere, MixerError::Device { mixer: name, what: "an input", layer, got }));
        }
    }
    let others = [DType::F64, DType::F16, DType::BF16].into_iter();
    all.extend(others.filter(|dtype| device.supports_dtype(*dtype)).map(|dtype| {
        let error = MixerError::Dtype { mixer: name, what: "an input", got: dtype.name() };
        (tokens(mixer, BATCH, d_model).cast(dtype), error)
    }));
    all
}

fn states_of_another_batch_are_refused<M: SequenceMixer + Module>(mixer: &M, d_model: usize) {
    let name = mixer.contract().mixer();
    for (state, input) in [(1, 3), (3, 1), (2, 4)] {
        let fresh = mixer.init_state(state).expect("causal");
        let some = tokens(mixer, state, d_model).narrow(1, 0, 5);
        let (_, used) = mixer.forward_with_state(some, fresh.clone()).expect("causal");
        for from in [fresh, used] {
            let error = refused(mixer, &tokens(mixer, input, d_model), from);
            assert_eq!(error, MixerError::Batch { mixer: name, state, input });
        }
    }
}

/// The error of the stateful calls, which must be the same and leave the state unchanged.
fn refused<M: SequenceMixer + Module>(mixer: &M, x: &Tensor<3>, state: M::State) -> MixerError {
    let error = mixer.forward_with_state(x.clone(), state.clone()).map(|_| ()).expect_err("a chunk");
    if x.dims()[1] > 0 {
        let (mut stepped, floats) = (state.clone(), state.floats());
        let token = x.clone().narrow(1, 0, 1).squeeze_dim::<2>(1);
        let of_step = mixer.step(token, &mut stepped).map(|_| ()).expect_err("a step");
        assert_eq!(of_step, error, "a step and a chunk refuse in other words");
        assert_eq!(stepped.floats(), floats, "a refused step changed the state");
    }
    error
}

/// The message of a panic, which must occur.
fn words_of_panic(run: impl FnOnce() -> Tensor<3>) -> String {
    let payload: Box<dyn Any + Send> = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(y) => panic!("an output of shape {:?} in the place of a refusal", y.dims()),
        Err(payload) => payload,
    };
    payload.downcast::<String>().map_or_else(|_| "a panic without words".to_owned(), |words| *words)
}

fn tokens<M: Module>(mixer: &M, batch: usize, d_model: usize) -> Tensor<3> {
    seeded_tensor([batch, SEQ, d_model], 3, &device(mixer))
}
