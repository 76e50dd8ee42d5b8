//! Pre-norm models with and without the norm after their last block.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_model::{Dropout, Encoder, Input, ModelConfig, SequenceModel, Structure, named_parameters};
use subquad_testkit::{Parameter, assert_rel_close, cpu, with_changes};

use crate::{BATCH, D_MODEL, SEQ, VOCAB, attention, build, config, m2, reals, s4d, tokens};

/// f32 through two blocks, by an FFT and by a recurrence.
const SAME_MAP: f64 = 4e-6;

fn without(config: ModelConfig) -> ModelConfig {
    ModelConfig { structure: Structure { last_norm: false, ..config.structure }, ..config }
}

fn paths(model: &SequenceModel) -> Vec<String> {
    named_parameters(model).into_iter().map(|parameter| parameter.path).collect()
}

#[test]
fn a_pre_norm_model_without_its_last_norm_lacks_that_norm_and_nothing_else() {
    for mixer in [attention(true), s4d(true), m2(true)] {
        let [with, without] = [config(mixer.clone()), without(config(mixer))];
        assert_eq!(without.n_parameters(), with.n_parameters() - 2 * D_MODEL);
        let (with, without) = (build(&with, 0), (build(&without, 0), without));
        assert_eq!(without.0.num_params(), without.1.n_parameters());
        let kept = paths(&with).into_iter().filter(|path| !path.starts_with("norm."));
        assert_eq!(paths(&without.0), kept.collect::<Vec<_>>());
    }
}

#[test]
fn the_head_then_reads_what_the_skips_have_added_up() {
    // Without contributions of blocks, the model is its encoder and its head, linear in the input.
    let config = without(ModelConfig {
        channel_mixer: subquad_model::ChannelMixerConfig::None.into(),
        ..config(s4d(true))
    });
    let model = with_silent_mixers(build(&config, 0));
    let run = |factor: f32| model.forward(Input::Reals(reals(&cpu()) * factor), &Dropout::Off);
    let bias = run(0.0);
    assert_rel_close(run(3.0) - bias.clone(), (run(1.0) - bias) * 3.0, SAME_MAP, "three times the input");
}

/// The same model with mixers whose outputs are 0.
fn with_silent_mixers(model: SequenceModel) -> SequenceModel {
    with_changes(model, |Parameter { path, values, .. }| {
        path.split('.').any(|field| field == "output").then(|| vec![0.0; values.len()])
    })
}

#[test]
fn a_model_without_a_last_norm_steps_as_it_runs_whole() {
    for mixer in [attention(true), s4d(true), m2(true)] {
        let config = ModelConfig { encoder: Encoder::Embedding { vocab: VOCAB }, ..without(config(mixer)) };
        let model = build(&config, 1);
        let token = |t| Input::Tokens(tokens(&cpu()).narrow(1, t, 1));
        let mut state = model.init_state(BATCH).unwrap();
        let stepped = (0..SEQ).map(|t| model.step(token(t), &mut state).unwrap().unsqueeze_dim(1));
        let whole = model.forward(Input::Tokens(tokens(&cpu())), &Dropout::Off);
        assert_rel_close(Tensor::<3>::cat(stepped.collect(), 1), whole, SAME_MAP, "steps");
    }
}

#[test]
fn its_groups_name_only_parameters_that_are_there() {
    let model = build(&without(config(s4d(true))), 0);
    let known: Vec<_> = named_parameters(&model).into_iter().map(|parameter| parameter.id).collect();
    let grouped: Vec<_> = model.parameter_groups().into_iter().flat_map(|group| group.parameters).collect();
    assert!(!grouped.is_empty() && grouped.iter().all(|id| known.contains(id)));
}
