//! A model token by token and chunk by chunk: the same map as the whole sequence at once.

use burn::tensor::{Int, Tensor, TensorData};
use subquad_mixer::MixerError;
use subquad_model::{
    ChannelMixerConfig, Dropout, Encoder, Head, Input, MixerConfig, ModelConfig, ModelState, SequenceModel,
};
use subquad_monarch::{CausalMonarchForm, HyenaConfig, M2Config};
use subquad_testkit::{assert_rel_close, cpu, seeded, seeded_tensor};

use crate::{
    BATCH, CLASSES, D_MODEL, FEATURES, SEQ, VOCAB, attention, bare, block_diagonal, build, causal_monarch,
    config, dense, h3, hybrid, m2, mixers, s4, s4d, swiglu,
};

/// f32 through two blocks, in which a chunk goes through an FFT and a token through a direct sum or a recurrence, up to
/// 130 terms each: measured 3.8e-7; ten times that.
const SAME_MAP: f64 = 4e-6;

/// Around powers of two, below and above the short convolution and the blocks of the kernels.
const LENGTHS: [usize; 7] = [1, 2, 3, 63, 64, 65, 130];
const LONGEST: usize = 130;

/// Causal models that read tokens, one for each sequence mixer and channel mixer.
fn models() -> Vec<(String, SequenceModel)> {
    let m2 = MixerConfig::M2(M2Config::new(D_MODEL, LONGEST).with_filter_order(6));
    let hyena = MixerConfig::Hyena(HyenaConfig::new(D_MODEL, LONGEST).with_filter_order(6).with_order(3));
    let m2_residual =
        MixerConfig::M2(M2Config::new(D_MODEL, LONGEST).with_filter_order(6).with_residual(true));
    let monarch = |form| MixerConfig::CausalMonarch(causal_monarch(LONGEST, form));
    let parts = [
        ("attention", attention(true), dense()),
        ("s4d", s4d(true), dense()),
        ("s4", s4(true), dense()),
        ("h3", h3(), dense()),
        ("hyena", hyena, dense()),
        ("m2", m2.clone(), dense()),
        ("m2 with residual", m2_residual, dense()),
        ("m2, block-diagonal", m2, block_diagonal()),
        ("s4d, swiglu", s4d(true), swiglu()),
        ("causal_monarch", monarch(CausalMonarchForm::Blocks), dense()),
        ("sandwich", monarch(CausalMonarchForm::Sandwich), dense()),
    ];
    let model = |(name, mixer, channel_mixer): (&str, _, ChannelMixerConfig)| {
        let config = ModelConfig { channel_mixer: channel_mixer.into(), ..of_tokens(mixer) };
        (name.to_owned(), build(&config, 1))
    };
    let encoder = Encoder::Embedding { vocab: VOCAB };
    let [bare, hybrid] =
        [bare(s4d(true)), hybrid(true, LONGEST)].map(|config| build(&ModelConfig { encoder, ..config }, 1));
    let bare = ("s4d without norms, residuals and channel mixers".to_owned(), bare);
    let hybrid = ("mixers that alternate".to_owned(), hybrid);
    parts.into_iter().map(model).chain([bare, hybrid]).collect()
}

fn of_tokens(mixer: MixerConfig) -> ModelConfig {
    ModelConfig { encoder: Encoder::Embedding { vocab: VOCAB }, ..config(mixer) }
}

fn tokens(batch: usize, seq: usize) -> Tensor<2, Int> {
    let tokens = seeded(batch * seq, 2).into_iter().map(|v| ((v + 1.0) / 2.0 * VOCAB as f64) as i32);
    Tensor::from_data(TensorData::new(tokens.collect(), [batch, seq]), &cpu())
}

fn whole(model: &SequenceModel, tokens: &Tensor<2, Int>) -> Tensor<3> {
    model.forward(Input::Tokens(tokens.clone()), &Dropout::Off)
}

/// The tokens `from..to`.
fn part(tokens: &Tensor<2, Int>, from: usize, to: usize) -> Input {
    Input::Tokens(tokens.clone().narrow(1, from, to - from))
}

/// The logits of chunks that end at `ends`, side by side, and the last state.
fn in_chunks(model: &SequenceModel, tokens: &Tensor<2, Int>, ends: &[usize]) -> (Tensor<3>, ModelState) {
    let mut state = model.init_state(tokens.dims()[0]).unwrap();
    let mut logits = vec![];
    for &end in ends {
        let (chunk, next) = model.forward_with_state(part(tokens, state.seq(), end), state).unwrap();
        logits.push(chunk);
        state = next;
    }
    (Tensor::cat(logits, 1), state)
}

/// The logits of the tokens from the state's position up to `end`, one by one.
fn step_to(model: &SequenceModel, tokens: &Tensor<2, Int>, state: &mut ModelState, end: usize) -> Tensor<3> {
    let steps = state.seq()..end;
    Tensor::stack(steps.map(|t| model.step(part(tokens, t, t + 1), state).unwrap()).collect(), 1)
}

#[test]
fn token_by_token_is_the_whole_sequence() {
    for (name, model) in models() {
        for seq in LENGTHS {
            let tokens = tokens(BATCH, seq);
            let mut state = model.init_state(BATCH).unwrap();
            let stepped = step_to(&model, &tokens, &mut state, seq);
            assert_rel_close(stepped, whole(&model, &tokens), SAME_MAP, format!("{name}, seq = {seq}"));
        }
    }
}

#[test]
fn chunk_by_chunk_is_the_whole_sequence() {
    for (name, model) in models() {
        for seq in LENGTHS {
            let tokens = tokens(BATCH, seq);
            let splits =
                [vec![], vec![1], vec![seq / 2], vec![seq - 1], vec![1, 3], vec![2, seq / 2, seq - 1]];
            for mut ends in splits {
                ends.retain(|end| (1..seq).contains(end));
                ends.push(seq);
                ends.sort_unstable();
                ends.dedup();
                let (chunked, state) = in_chunks(&model, &tokens, &ends);
                let what = format!("{name}, chunks up to {ends:?}");
                assert_rel_close(chunked, whole(&model, &tokens), SAME_MAP, what);
                assert_eq!(state.seq(), seq);
            }
        }
    }
}

#[test]
fn a_prompt_in_one_chunk_goes_on_token_by_token() {
    for (name, model) in models() {
        for prompt in [1, 2, 3, 64, 65] {
            let tokens = tokens(BATCH, LONGEST);
            let (first, mut state) = in_chunks(&model, &tokens, &[prompt]);
            let rest = step_to(&model, &tokens, &mut state, LONGEST);
            let all = Tensor::cat(vec![first, rest], 1);
            assert_rel_close(all, whole(&model, &tokens), SAME_MAP, format!("{name}, prompt of {prompt}"));
        }
    }
}

#[test]
fn a_stepper_refuses_a_state_that_a_step_refuses() {
    let of = |n_layers| build(&ModelConfig { n_layers, ..of_tokens(s4d(true)) }, 1);
    let (model, other) = (of(2), of(1));
    let foreign = model.stepper(other.init_state(1).unwrap(), 0).unwrap_err();
    assert_eq!(
        foreign,
        model.step(Input::Tokens(tokens(1, 1)), &mut other.init_state(1).unwrap()).unwrap_err()
    );
}

#[test]
fn a_model_of_reals_steps_as_well() {
    for mixer in mixers(true) {
        let model = build(&config(mixer), 1);
        let x = seeded_tensor([BATCH, SEQ, FEATURES], 1, &cpu());
        let mut state = model.init_state(BATCH).unwrap();
        let step = |t| model.step(Input::Reals(x.clone().narrow(1, t, 1)), &mut state).unwrap();
        let stepped = Tensor::stack::<3>((0..SEQ).map(step).collect(), 1);
        assert_rel_close(stepped, model.forward(Input::Reals(x), &Dropout::Off), SAME_MAP, "reals");
    }
}

#[test]
fn a_state_holds_what_state_size_says() {
    for (name, model) in models() {
        let tokens = tokens(BATCH, 65);
        let mut state = model.init_state(BATCH).unwrap();
        for seq in 0..4 {
            assert_eq!(model.state_size(seq), Some(state.floats()), "{name} after {seq} tokens");
            step_to(&model, &tokens, &mut state, seq + 1);
        }
        let (_, state) = in_chunks(&model, &tokens, &[65]);
        assert_eq!(model.state_size(65), Some(state.floats()), "{name} after a chunk");
    }
}

#[test]
fn rows_of_a_batch_step_independently() {
    for (name, model) in models() {
        let (rows, seq) = (3, 9);
        let tokens = tokens(rows, seq);
        let run = |tokens: Tensor<2, Int>| {
            let (first, mut state) = in_chunks(&model, &tokens, &[4]);
            Tensor::cat(vec![first, step_to(&model, &tokens, &mut state, seq)], 1)
        };
        let together = run(tokens.clone());
        for row in 0..rows {
            let alone = run(tokens.clone().narrow(0, row, 1));
            assert_rel_close(
                together.clone().narrow(0, row, 1),
                alone,
                SAME_MAP,
                format!("{name}, row {row}"),
            );
        }
    }
}

#[test]
fn a_cloned_state_goes_its_own_way() {
    for (name, model) in models() {
        let tokens = tokens(BATCH, 6);
        let (_, mut state) = in_chunks(&model, &tokens, &[3]);
        let mut branch = state.clone();
        let other = Input::Tokens(tokens.clone().narrow(1, 0, 1));
        model.step(other, &mut branch).unwrap();
        let rest = step_to(&model, &tokens, &mut state, 6);
        let expected = whole(&model, &tokens).narrow(1, 3, 3);
        assert_rel_close(rest, expected, SAME_MAP, format!("{name} after a clone has moved on"));
    }
}

#[test]
fn m2_beyond_its_filters_says_so_and_leaves_the_state_as_it_was() {
    let model = build(&of_tokens(m2(true)), 1);
    let tokens = tokens(BATCH, SEQ + 2);
    let too_long = |seq| MixerError::TooLong { mixer: "m2", l_max: SEQ, seq };
    let (_, mut state) = in_chunks(&model, &tokens, &[SEQ - 1]);
    let chunk = model.forward_with_state(part(&tokens, SEQ - 1, SEQ + 2), state.clone());
    assert_eq!(chunk.err(), Some(too_long(SEQ + 2)));
    let last = step_to(&model, &tokens, &mut state, SEQ);
    assert_rel_close(
        last,
        whole(&model, &tokens.clone().narrow(1, 0, SEQ)).narrow(1, SEQ - 1, 1),
        SAME_MAP,
        "m2",
    );
    let before = (state.seq(), state.floats());
    let error = model.step(part(&tokens, SEQ, SEQ + 1), &mut state).unwrap_err();
    assert_eq!(error, too_long(SEQ + 1));
    assert_eq!((state.seq(), state.floats()), before);
    assert_eq!(error.to_string(), "m2 takes at most l_max = 9 tokens, got 10; build it with a larger l_max");
}

#[test]
fn a_bidirectional_model_says_that_it_has_no_state() {
    let words = mixers(false).map(|mixer| build(&config(mixer), 0).init_state(1).unwrap_err().to_string());
    for (name, words) in ["attention", "s4d", "m2"].iter().zip(words) {
        assert_eq!(
            words,
            format!(
                "a bidirectional {name} sees the future, so it has no state and no step; build it with causal = true, \
                 or use a mixer that can be causal"
            )
        );
    }
}

#[test]
fn a_model_with_a_pooled_head_says_that_it_has_no_step() {
    for mixer in mixers(true) {
        let config = ModelConfig { head: Head::Pool { outputs: CLASSES }, ..config(mixer) };
        assert_eq!(
            build(&config, 0).init_state(1).unwrap_err().to_string(),
            "a pooled head answers once per sequence, when its last token is known, so the model has no step; build \
             it with a head on every token, or on the last"
        );
    }
}

#[test]
fn a_head_on_the_last_token_answers_at_every_step_as_if_it_were_the_last() {
    for mixer in mixers(true) {
        let config = ModelConfig { head: Head::Last { outputs: CLASSES }, ..of_tokens(mixer) };
        let (model, tokens) = (build(&config, 0), tokens(BATCH, SEQ));
        let mut state = model.init_state(BATCH).unwrap();
        for t in 1..=SEQ {
            let answer = model.step(part(&tokens, t - 1, t), &mut state).unwrap();
            let wanted = model.forward(part(&tokens, 0, t), &Dropout::Off);
            assert_rel_close(
                answer.unsqueeze_dim::<3>(1),
                wanted,
                SAME_MAP,
                format!("{t} tokens of {config:?}"),
            );
        }
    }
}
