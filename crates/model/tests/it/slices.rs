//! A whole model over plain slices: the same map as the whole sequence at once, whatever it is made of.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad_attention::{AttentionConfig, Position};
use subquad_backend::Form;
use subquad_mixer::{MeasuredMixer, MixerError, Mixers, VisitMixers};
use subquad_model::{
    BlockOrder, ChannelMixerConfig, DecodingPath, Dropout, Encoder, Head, HeadTransform, Init, Input,
    MixerConfig, ModelConfig, ModelStepper, NormKind, OneToken, SequenceModel, Structure,
};
use subquad_monarch::{
    BlockDiagonalMlpConfig, CausalMonarchForm, DenseMlpConfig, HyenaConfig, M2Config, MonarchMlpConfig,
};
use subquad_s4::EmaConfig;
use subquad_testkit::{assert_rel_close, cpu, seeded, seeded_tensor};

use crate::{
    CLASSES, D_HIDDEN, D_MODEL, FEATURES, VOCAB, attention, build, causal_monarch, config, h3, hybrid,
    monarch_mlp, s4, s4d, swiglu,
};

/// f32 through two blocks, in which a whole sequence goes through FFTs and tiled products and a token through sums over slices:
/// measured 7.6e-7; five times that.
const SAME_MAP: f64 = 4e-6;

/// Beyond blocks of 64 keys, and of no block of a Monarch matrix a whole number.
const SEQ: usize = 71;

/// Every causal mixer and its options.
fn mixers() -> Vec<(&'static str, MixerConfig)> {
    let with = |f: fn(AttentionConfig) -> AttentionConfig| {
        MixerConfig::Attention(f(AttentionConfig::new(D_MODEL).with_n_heads(2)))
    };
    let m2 = || M2Config::new(D_MODEL, SEQ).with_filter_order(6);
    let hyena = |order| HyenaConfig::new(D_MODEL, SEQ).with_filter_order(6).with_order(order);
    let monarch = |form, gated| MixerConfig::CausalMonarch(causal_monarch(SEQ, form).with_gated(gated));
    vec![
        ("attention", attention(true)),
        ("attention, no positions", with(|config| config.with_position(Position::None))),
        ("attention, alibi", with(|config| config.with_position(Position::Alibi))),
        ("attention, window", with(|config| config.with_window(Some(5)))),
        ("s4d", s4d(true)),
        ("s4", s4(true)),
        ("h3", h3()),
        ("ema", MixerConfig::Ema(EmaConfig::new(D_MODEL).with_reach(3.0))),
        ("hyena", MixerConfig::Hyena(hyena(2))),
        ("hyena, order 3", MixerConfig::Hyena(hyena(3))),
        ("hyena, order 4", MixerConfig::Hyena(hyena(4).with_short_filter(1))),
        ("m2", MixerConfig::M2(m2())),
        ("m2, residual", MixerConfig::M2(m2().with_residual(true).with_input_norm(true))),
        ("causal_monarch", monarch(CausalMonarchForm::Blocks, true)),
        ("causal_monarch, bare", monarch(CausalMonarchForm::Blocks, false)),
        ("causal_monarch, sandwich", monarch(CausalMonarchForm::Sandwich, true)),
        ("causal_monarch, bare sandwich", monarch(CausalMonarchForm::Sandwich, false)),
    ]
}

/// Every channel mixer, with and without a gate, with widths that blocks divide and others.
fn channel_mixers() -> Vec<(&'static str, ChannelMixerConfig)> {
    let dense = DenseMlpConfig::new(D_MODEL, D_HIDDEN);
    let blocks = |n| BlockDiagonalMlpConfig::new(D_MODEL, D_HIDDEN).with_n_blocks(n);
    let monarch = |n| ChannelMixerConfig::Monarch(MonarchMlpConfig::new(D_MODEL, D_HIDDEN).with_n_blocks(n));
    vec![
        ("dense", ChannelMixerConfig::Dense(dense.clone())),
        ("dense, gated", ChannelMixerConfig::Dense(dense.with_gated(true))),
        ("swiglu", swiglu()),
        ("block-diagonal", ChannelMixerConfig::BlockDiagonal(blocks(2))),
        ("block-diagonal, padded", ChannelMixerConfig::BlockDiagonal(blocks(3).with_gated(false))),
        ("monarch, near the root", monarch(None)),
        ("monarch, 3 blocks", monarch(Some(3))),
        ("monarch, gated", monarch_mlp()),
        ("no channel mixer", ChannelMixerConfig::None),
    ]
}

/// Every order of a block, with every kind of norm.
fn orders() -> Vec<(&'static str, ModelConfig)> {
    let with = |order, norm| {
        let structure = Structure { order, norm_eps: 1e-3, ..Structure::default() };
        ModelConfig { norm, structure, ..of_tokens(s4d(true)) }
    };
    let last_norm = Structure { last_norm: false, ..Structure::default() };
    vec![
        ("post-norm", with(BlockOrder::PostNorm, NormKind::Layer)),
        ("as in M2-BERT", with(BlockOrder::M2Bert, NormKind::Layer)),
        ("without norms", with(BlockOrder::PreNorm, NormKind::None)),
        ("as in M2-BERT without norms", with(BlockOrder::M2Bert, NormKind::None)),
        ("without a last norm", ModelConfig { structure: last_norm, ..of_tokens(s4d(true)) }),
        ("without residuals", ModelConfig { residual: false, ..of_tokens(s4d(true)) }),
    ]
}

/// Positions, types, and shapes of the head.
fn ends() -> Vec<(&'static str, ModelConfig)> {
    let plain = Structure::default();
    let with =
        |structure| ModelConfig { structure, head: Head::Token { outputs: VOCAB }, ..of_tokens(s4d(true)) };
    let bert = Structure { token_types: 2, embedding_norm: true, positions: Some(SEQ + 1), ..plain };
    vec![
        ("positions", with(Structure { positions: Some(SEQ), ..plain })),
        ("types, positions and a norm", with(bert)),
        ("a transform", with(Structure { head_transform: HeadTransform::GeluNorm, ..plain })),
        ("a pooler", with(Structure { head_transform: HeadTransform::Pooler, ..plain })),
        ("a tied head", with(Structure { tied_head: true, init: Init::Normal, ..plain })),
        (
            "a head on the last token",
            ModelConfig { head: Head::Last { outputs: CLASSES }, ..of_tokens(s4d(true)) },
        ),
    ]
}

fn of_tokens(mixer: MixerConfig) -> ModelConfig {
    ModelConfig { encoder: Encoder::Embedding { vocab: VOCAB }, ..config(mixer) }
}

/// All of the above.
fn configs() -> Vec<(&'static str, ModelConfig)> {
    let with = |(name, channel_mixer): (_, ChannelMixerConfig)| {
        (name, ModelConfig { channel_mixer: channel_mixer.into(), ..of_tokens(s4d(true)) })
    };
    let tokens = Encoder::Embedding { vocab: VOCAB };
    let hybrid = ("mixers that alternate", ModelConfig { encoder: tokens, ..hybrid(true, SEQ) });
    let mixers = mixers().into_iter().map(|(name, mixer)| (name, of_tokens(mixer)));
    mixers
        .chain(channel_mixers().into_iter().map(with))
        .chain(orders())
        .chain(ends())
        .chain([hybrid])
        .collect()
}

fn tokens() -> Vec<usize> {
    seeded(SEQ, 2).into_iter().map(|v| ((v + 1.0) / 2.0 * VOCAB as f64) as usize).collect()
}

fn tensor(tokens: &[usize]) -> Tensor<2, Int> {
    let tokens: Vec<i32> = tokens.iter().map(|token| *token as i32).collect();
    let seq = tokens.len();
    Tensor::from_data(TensorData::new(tokens, [1, seq]), &cpu())
}

/// `[1, seq, outputs]`
fn whole(model: &SequenceModel, tokens: &[usize]) -> Tensor<3> {
    let input = Input::Tokens(tensor(tokens));
    let state = model.init_state(1).unwrap();
    // A head on the last token answers at every token, as in the steps.
    let (answers, _) = model.forward_with_state(input, state).unwrap();
    answers
}

/// A stepper after a prompt, which may be empty.
fn stepper(model: &SequenceModel, prompt: &[usize], room: usize) -> ModelStepper {
    let mut state = model.init_state(1).unwrap();
    if !prompt.is_empty() {
        (_, state) = model.forward_with_state(Input::Tokens(tensor(prompt)), state).unwrap();
    }
    model.stepper(state, room).unwrap()
}

/// The outputs of every token, side by side.
fn steps(stepper: &mut ModelStepper, tokens: &[usize]) -> Tensor<3> {
    let outputs = stepper.outputs();
    let mut all = vec![f32::NAN; tokens.len() * outputs];
    for (token, outputs) in tokens.iter().zip(all.chunks_mut(outputs)) {
        stepper.step(OneToken::Token(*token), outputs).unwrap();
    }
    Tensor::from_data(TensorData::new(all, [1, tokens.len(), outputs]), &cpu())
}

#[test]
fn every_registered_mixer_that_can_be_causal_is_among_those_of_the_tests() {
    struct Names(Vec<&'static str>);
    impl VisitMixers for Names {
        fn visit<C: MeasuredMixer>(&mut self) {
            self.0.push(C::NAME);
        }
    }
    let mut names = Names(vec![]);
    MixerConfig::visit(&mut names);
    let tested: Vec<_> = mixers().into_iter().map(|(name, _)| name).collect();
    let untested = names.0.into_iter().filter(|name| !tested.contains(name));
    assert_eq!(untested.collect::<Vec<_>>(), ["monarch"]);
}

#[test]
fn a_model_over_slices_is_the_whole_sequence_from_its_start_and_after_a_prompt() {
    for (name, config) in configs() {
        let (model, tokens) = (build(&config, 1), tokens());
        let wanted = whole(&model, &tokens);
        for (prompt, room) in [(0, 0), (1, SEQ), (64, 3)] {
            let what = format!("{name}, prompt of {prompt}");
            let mut stepper = stepper(&model, &tokens[..prompt], room);
            assert_eq!(stepper.path(), DecodingPath::Slices, "{what}");
            let got = steps(&mut stepper, &tokens[prompt..]);
            assert_rel_close(got, wanted.clone().narrow(1, prompt, SEQ - prompt), SAME_MAP, &what);
            assert_eq!(stepper.seq(), SEQ, "{what}");
        }
    }
}

#[test]
fn a_model_over_slices_is_its_step_over_tensors() {
    for (name, config) in configs() {
        let (model, tokens) = (build(&config, 1), tokens());
        let portable = model.clone().with_form(Form::Portable);
        let mut over_tensors = stepper(&portable, &tokens[..9], SEQ);
        assert_eq!(over_tensors.path(), DecodingPath::Tensors, "{name}");
        let wanted = steps(&mut over_tensors, &tokens[9..]);
        let got = steps(&mut stepper(&model, &tokens[..9], SEQ), &tokens[9..]);
        assert_rel_close(got, wanted, SAME_MAP, name);
    }
}

#[test]
fn what_is_kept_is_what_the_state_over_tensors_holds_but_for_a_sandwich() {
    for (name, config) in configs() {
        let (model, tokens) = (build(&config, 1), tokens());
        let stepper = stepper(&model, &tokens, 0);
        let state = model.state_size(SEQ).unwrap();
        // A sandwich keeps its products besides the inputs, of which it would compute them again.
        let is_kept =
            if name.ends_with("sandwich") { stepper.floats() > state } else { stepper.floats() == state };
        assert!(is_kept, "{name}: {} floats, {state} over tensors", stepper.floats());
    }
}

fn likeliest(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap()
}

#[test]
fn the_likeliest_tokens_are_those_of_the_whole_model() {
    for (name, config) in configs() {
        let config = ModelConfig { head: Head::Token { outputs: VOCAB }, ..config };
        let (model, mut text) = (build(&config, 1), vec![3, 1, 4]);
        let mut stepper = stepper(&model, &text[..2], 0);
        let mut logits = vec![0.0; VOCAB];
        while text.len() < 30 {
            stepper.step(OneToken::Token(text[text.len() - 1]), &mut logits).unwrap();
            let last = whole(&model, &text).narrow(1, text.len() - 1, 1);
            let wanted = likeliest(&last.into_data().iter::<f32>().collect::<Vec<_>>());
            assert_eq!(likeliest(&logits), wanted, "{name} after {text:?}");
            text.push(wanted);
        }
    }
}

#[test]
fn a_clone_goes_its_own_way() {
    for (name, config) in configs() {
        let (model, tokens) = (build(&config, 1), tokens());
        let mut stepper = stepper(&model, &tokens[..40], 0);
        steps(&mut stepper.clone(), &tokens[..9]);
        let wanted = whole(&model, &tokens).narrow(1, 40, SEQ - 40);
        assert_rel_close(steps(&mut stepper, &tokens[40..]), wanted, SAME_MAP, name);
    }
}

#[test]
fn types_count() {
    let (name, config) = ends().swap_remove(1);
    let (model, seq) = (build(&config, 1), 9);
    let (tokens, kinds) = (&tokens()[..seq], [0, 1, 1, 0, 0, 1, 0, 1, 1]);
    let input = Input::TypedTokens(tensor(tokens), tensor(&kinds));
    let wanted = model.forward(input, &Dropout::Off);
    let mut stepper = stepper(&model, &[], 0);
    let mut all = vec![f32::NAN; seq * VOCAB];
    for ((token, kind), outputs) in tokens.iter().zip(kinds).zip(all.chunks_mut(VOCAB)) {
        stepper.step(OneToken::TypedToken(*token, kind), outputs).unwrap();
    }
    let got = Tensor::<3>::from_data(TensorData::new(all, [1, seq, VOCAB]), &cpu());
    assert_rel_close(got, wanted, SAME_MAP, name);
}

#[test]
fn reals_are_read_as_well() {
    let model = build(&config(s4d(true)), 1);
    let x = seeded_tensor([1, SEQ, FEATURES], 1, &cpu());
    let values: Vec<f32> = x.clone().into_data().try_into_vec().unwrap();
    let mut stepper = stepper(&model, &[], 0);
    let mut all = vec![f32::NAN; SEQ * CLASSES];
    for (x, outputs) in values.chunks(FEATURES).zip(all.chunks_mut(CLASSES)) {
        stepper.step(OneToken::Reals(x), outputs).unwrap();
    }
    let got = Tensor::<3>::from_data(TensorData::new(all, [1, SEQ, CLASSES]), &cpu());
    assert_rel_close(got, model.forward(Input::Reals(x), &Dropout::Off), SAME_MAP, "reals");
}

/// The message, in both ways of decoding; neither has moved on.
fn refused(model: &SequenceModel, prompt: &[usize], token: OneToken<'_>) -> String {
    let message = |model: &SequenceModel| {
        let mut stepper = stepper(model, prompt, 0);
        let refused = stepper.step(token, &mut vec![0.0; stepper.outputs()]).unwrap_err();
        assert_eq!(stepper.seq(), prompt.len());
        refused.to_string()
    };
    let (over_slices, over_tensors) = (message(model), message(&model.clone().with_form(Form::Portable)));
    assert_eq!(over_slices, over_tensors);
    over_slices
}

#[test]
fn what_a_model_cannot_read_is_refused_in_both_ways_of_decoding() {
    let of = |at: usize| build(&ends().swap_remove(at).1, 1);
    assert_eq!(
        refused(&of(0), &tokens(), OneToken::Token(0)),
        format!(
            "the model has learned positions for at most {SEQ} tokens, got {}; build it with more positions",
            SEQ + 1
        )
    );
    assert_eq!(
        refused(&of(0), &[], OneToken::Token(VOCAB)),
        format!("the model has {VOCAB} tokens, counted from 0, got {VOCAB}")
    );
    assert_eq!(
        refused(&of(1), &[], OneToken::TypedToken(0, 2)),
        "the model has 2 token types, counted from 0, got 2"
    );
    assert_eq!(
        refused(&build(&config(s4d(true)), 1), &[], OneToken::Reals(&[0.0; 2])),
        "model has features = 3, got an input of width 2"
    );
    let m2 = build(&of_tokens(MixerConfig::M2(M2Config::new(D_MODEL, SEQ).with_filter_order(6))), 1);
    assert_eq!(
        refused(&m2, &tokens(), OneToken::Token(0)),
        format!("m2 takes at most l_max = {SEQ} tokens, got {}; build it with a larger l_max", SEQ + 1)
    );
}

#[test]
fn a_stepper_takes_one_sequence() {
    let model = build(&of_tokens(s4d(true)), 1);
    let several = model.stepper(model.init_state(2).unwrap(), 0).unwrap_err();
    assert_eq!(several, MixerError::Batch { mixer: "model", state: 2, input: 1 });
}

#[test]
fn a_model_that_autodiff_tracks_decodes_too() {
    let (model, tokens) = (build(&of_tokens(s4d(true)), 1), tokens());
    let tracked = model.clone().fork(&Device::flex().autodiff());
    let mut over = tracked.stepper(tracked.init_state(1).unwrap(), 0).unwrap();
    assert_rel_close(steps(&mut over, &tokens), whole(&model, &tokens), SAME_MAP, "tracked");
}
