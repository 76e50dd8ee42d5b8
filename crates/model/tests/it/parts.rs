//! Models without norms, residual connections or channel mixers, and where a head reads.

use burn::tensor::{Tensor, TensorData};
use subquad_model::{Dropout, Head, Input, ModelConfig, SequenceModel, named_parameters};
use subquad_testkit::{assert_rel_close, cpu};

use crate::{BATCH, CLASSES, D_MODEL, FEATURES, SEQ, attention, bare, build, config, mixers, reals, s4d};

/// f32 sums of 8 terms in another order: measured 2e-7; ten times that.
const SAME: f64 = 2e-6;

fn outputs(model: &SequenceModel) -> Tensor<3> {
    model.forward(Input::Reals(reals(&cpu())), &Dropout::Off)
}

/// The parameter of this path as a matrix.
fn matrix(model: &SequenceModel, path: &str, shape: [usize; 2]) -> Tensor<3> {
    let found = named_parameters(model).into_iter().find(|p| p.path == path).unwrap();
    let values: Vec<f32> = found.data.iter::<f32>().collect();
    Tensor::<2>::from_data(TensorData::new(values, shape), &cpu()).unsqueeze()
}

#[test]
fn a_bare_model_has_the_parameters_of_its_mixers_and_ends_alone() {
    let model = build(&bare(s4d(true)), 0);
    let paths: Vec<_> = named_parameters(&model).into_iter().map(|p| p.path).collect();
    let ends = ["encoder.Linear.weight", "encoder.Linear.bias", "head.weight", "head.bias"];
    assert!(ends.iter().all(|end| paths.iter().any(|path| path == end)), "{paths:?}");
    let of_mixer =
        |path: &&String| path.starts_with("blocks.0.mixer.") || path.starts_with("blocks.1.mixer.");
    assert_eq!(paths.iter().filter(of_mixer).count() + ends.len(), paths.len(), "{paths:?}");
}

#[test]
fn a_residual_connection_adds_the_input_of_the_mixer_and_without_it_nothing_does() {
    for mixer in mixers(true) {
        let [with, without] = [true, false].map(|residual| {
            let config = ModelConfig { n_layers: 1, residual, ..bare(mixer.clone()) };
            build(&config, 3)
        });
        let weight = matrix(&with, "encoder.Linear.weight", [FEATURES, D_MODEL]);
        let encoded = reals(&cpu()).matmul(weight) + matrix(&with, "encoder.Linear.bias", [1, D_MODEL]);
        let added = encoded.matmul(matrix(&with, "head.weight", [D_MODEL, CLASSES]));
        assert_rel_close(outputs(&with), outputs(&without) + added, SAME, format!("{mixer:?}"));
    }
}

#[test]
fn a_head_on_the_last_token_answers_as_a_head_on_every_token_does_there() {
    for config in [config(attention(true)), bare(s4d(true))] {
        let every =
            outputs(&build(&ModelConfig { head: Head::Token { outputs: CLASSES }, ..config.clone() }, 3));
        let last = outputs(&build(&ModelConfig { head: Head::Last { outputs: CLASSES }, ..config }, 3));
        assert_eq!(last.dims(), [BATCH, 1, CLASSES]);
        assert_rel_close(last, every.narrow(1, SEQ - 1, 1), SAME, "the last token");
    }
}
