//! What a model and its mixers refuse: inputs that do not fit, and states of other layers.

use burn::tensor::{DType, Int, Tensor};
use subquad_mixer::MixerError;
use subquad_model::{Dropout, Encoder, Input, MixerConfig, ModelConfig, ModelState, SequenceModel};
use subquad_monarch::CausalMonarchForm;
use subquad_testkit::{cpu, seeded_tensor};

use crate::{
    BATCH, D_STATE, FEATURES, SEQ, VOCAB, attention, build, causal_monarch, config, h3, hyena, m2, mixers,
    reals, s4, s4d,
};

/// One causal mixer of each kind, by name.
fn kinds() -> [(&'static str, MixerConfig); 7] {
    [
        ("attention", attention(true)),
        ("s4d", s4d(true)),
        ("s4", s4(true)),
        ("h3", h3()),
        ("hyena", hyena()),
        ("m2", m2(true)),
        ("causal_monarch", MixerConfig::CausalMonarch(causal_monarch(SEQ, CausalMonarchForm::Blocks))),
    ]
}

/// The same kind of mixer with one setting changed that its states depend on. A kind that has states but no stranger
/// here is not tested.
fn strangers(mixer: &MixerConfig) -> Vec<MixerConfig> {
    match mixer.clone() {
        MixerConfig::Attention(c) => [
            c.clone().with_n_heads(4),
            c.clone().with_n_kv_heads(Some(1)),
            c.clone().with_window(Some(5)),
            c.clone().with_rope_base(100.0),
            c.with_position(subquad_attention::Position::None),
        ]
        .map(MixerConfig::Attention)
        .into(),
        MixerConfig::S4d(c) => {
            [c.clone().with_d_state(2 * D_STATE), c.with_channels(2)].map(MixerConfig::S4d).into()
        }
        MixerConfig::S4(c) => {
            [c.clone().with_d_state(2 * D_STATE), c.with_channels(2)].map(MixerConfig::S4).into()
        }
        MixerConfig::H3(c) => {
            [c.clone().with_d_state(2 * D_STATE), c.with_head_dim(1)].map(MixerConfig::H3).into()
        }
        MixerConfig::Hyena(c) => {
            let longer = subquad_monarch::HyenaConfig { l_max: SEQ + 1, ..c.clone() };
            [longer, c.clone().with_order(3), c.with_short_filter(1)].map(MixerConfig::Hyena).into()
        }
        MixerConfig::M2(c) => {
            let longer = subquad_monarch::M2Config { l_max: SEQ + 1, ..c.clone() };
            [longer, c.clone().with_residual(true), c.with_short_filter(1)].map(MixerConfig::M2).into()
        }
        MixerConfig::CausalMonarch(c) => {
            let longer = subquad_monarch::CausalMonarchConfig { l_max: SEQ + 1, ..c.clone() };
            let others = [
                longer,
                c.clone().with_form(CausalMonarchForm::Sandwich),
                c.clone().with_block(Some(2)),
                c.clone().with_n_heads(1),
                c.with_gated(false),
            ];
            others.map(MixerConfig::CausalMonarch).into()
        }
        // These are bidirectional, so without states, or have no option that shapes them.
        _ => vec![],
    }
}

fn tokens(batch: usize, seq: usize) -> Input {
    Input::Tokens(Tensor::<2, Int>::ones([batch, seq], &cpu()))
}

fn of_tokens(mixer: MixerConfig) -> SequenceModel {
    build(&ModelConfig { encoder: Encoder::Embedding { vocab: VOCAB }, ..config(mixer) }, 0)
}

/// The error of a step and of a chunk, which must be the same and leave the state unchanged.
fn refused(model: &SequenceModel, input: impl Fn() -> Input, state: &ModelState) -> MixerError {
    let mut stepped = state.clone();
    let error = model.step(input(), &mut stepped).unwrap_err();
    assert_eq!((stepped.seq(), stepped.floats()), (state.seq(), state.floats()), "{error}");
    assert_eq!(model.forward_with_state(input(), state.clone()).unwrap_err(), error);
    error
}

/// Before the first token, and after two.
fn states(model: &SequenceModel, batch: usize) -> [ModelState; 2] {
    let fresh = model.init_state(batch).unwrap();
    let (_, used) = model.forward_with_state(tokens(batch, 2), fresh.clone()).unwrap();
    [fresh, used]
}

#[test]
fn a_state_of_another_kind_of_mixer_is_refused_and_named() {
    for (mixer, own) in kinds() {
        let model = of_tokens(own);
        for (maker, other) in kinds().into_iter().filter(|(maker, _)| *maker != mixer) {
            let difference = format!("it was made by {maker}");
            for state in states(&of_tokens(other), BATCH) {
                let error = refused(&model, || tokens(BATCH, 1), &state);
                assert_eq!(error, MixerError::ForeignState { mixer, difference: difference.clone() });
            }
        }
    }
}

#[test]
fn a_state_of_the_same_kind_of_mixer_with_other_settings_is_refused() {
    for (_, own) in kinds() {
        let model = of_tokens(own.clone());
        for other in strangers(&own) {
            for state in states(&of_tokens(other.clone()), BATCH) {
                let error = refused(&model, || tokens(BATCH, 1), &state);
                assert!(matches!(error, MixerError::ForeignState { .. }), "{error}: {other:?}");
            }
        }
    }
}

#[test]
fn a_state_of_another_batch_is_refused_by_every_mixer() {
    for (_, mixer) in kinds() {
        let model = of_tokens(mixer);
        for state in states(&model, 1) {
            let error = refused(&model, || tokens(3, 1), &state);
            assert_eq!(error, MixerError::Batch { mixer: "model", state: 1, input: 3 });
        }
    }
}

#[test]
fn a_state_of_a_model_with_more_blocks_is_refused() {
    let [_, mixer, _] = mixers(true);
    let deep = ModelConfig { n_layers: 3, ..config(mixer.clone()) };
    let state = build(&deep, 0).init_state(BATCH).unwrap();
    let x = || Input::Reals(reals(&cpu()).narrow(1, 0, 1));
    assert_eq!(
        refused(&build(&config(mixer), 0), x, &state).to_string(),
        "the state does not belong to this model: it was made with n_layers = 3, the model has n_layers = 2; use one from \
         this layer's init_state"
    );
}

#[test]
fn reals_of_another_width_or_type_and_empty_inputs_are_refused_in_the_models_words() {
    let [_, mixer, _] = mixers(true);
    let model = build(&config(mixer), 0);
    let state = model.init_state(BATCH).unwrap();
    let wide = seeded_tensor([BATCH, 1, FEATURES + 1], 1, &cpu());
    let width = MixerError::Width { mixer: "model", name: "features", wanted: FEATURES, got: FEATURES + 1 };
    assert_eq!(refused(&model, || Input::Reals(wide.clone()), &state), width);
    for dtype in [DType::F64, DType::F16, DType::BF16] {
        let x = || Input::Reals(reals(&cpu()).narrow(1, 0, 1).cast(dtype));
        let error = MixerError::Dtype { mixer: "model", what: "an input", got: dtype.name() };
        assert_eq!(refused(&model, x, &state), error);
    }
    let empty = Input::Reals(Tensor::zeros([BATCH, 0, FEATURES], &cpu()));
    let error = model.forward_with_state(empty, state.clone()).unwrap_err();
    assert_eq!(error, MixerError::EmptySequence { mixer: "model" });
    let several = model.step(Input::Reals(reals(&cpu())), &mut state.clone()).unwrap_err();
    assert_eq!(several, MixerError::NotOneToken { mixer: "model", seq: SEQ });
}

#[test]
#[should_panic(
    expected = "model computes in f32, got an input of f64; cast to f32 first, as in x.cast(FloatDType::F32)"
)]
fn a_whole_sequence_of_another_type_is_refused_in_the_same_words() {
    let [_, mixer, _] = mixers(true);
    let model = build(&config(mixer), 0);
    model.forward(Input::Reals(reals(&cpu()).cast(DType::F64)), &Dropout::Off);
}
