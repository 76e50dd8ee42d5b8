//! M2-BERT that classifies whole sequences.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Int, Tensor};
use subquad_model::{Dropout, Head, HeadTransform, Input, M2BertConfig, SequenceModel, StateError};
use subquad_testkit::{assert_rel_close, cpu, parameters, to_f64, with_changes};

use crate::build;
use crate::files::{bits, load, write};

/// f32 against f64 for two small products.
const SAME: f64 = 1e-5;
const WIDTH: usize = 8;
const CLASSES: usize = 3;

fn config() -> M2BertConfig {
    let config = M2BertConfig::new(WIDTH).with_n_layers(2).with_vocab(11).with_l_max(6).with_filter_order(4);
    config.with_classes(Some(CLASSES))
}

fn tokens(rows: [[i32; 5]; 2]) -> Input {
    Input::Tokens(Tensor::<2, Int>::from_data(rows, &cpu()))
}

#[test]
fn a_classifier_is_saved_and_loaded_under_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    let model = build(&config().model(), 3);
    let saved = config().to_published(&model);
    let heads: Vec<_> = saved
        .iter()
        .filter(|(name, _)| !name.starts_with("bert.em") && !name.starts_with("bert.en"))
        .map(|(name, data)| (name.as_str(), data.shape().to_vec()))
        .collect();
    let expected = [
        ("bert.pooler.dense.bias", vec![WIDTH]),
        ("bert.pooler.dense.weight", vec![WIDTH, WIDTH]),
        ("classifier.bias", vec![CLASSES]),
        ("classifier.weight", vec![CLASSES, WIDTH]),
    ];
    assert_eq!(heads, expected);
    write(&path, &saved);
    assert!(bits(&load(&config(), &path)) == bits(&model));
    assert_eq!(config().model().n_parameters(), model.num_params());
}

/// `classifier(tanh(pooler(h_0)))`: `h` is the output of a model whose head is the identity.
#[test]
fn classes_are_told_from_the_first_token_behind_tanh() {
    let model = build(&config().model(), 3);
    let parameters = config().to_published(&model);
    let of = |name: &str| to_f64(parameters[name].clone());
    let mut bare = config().model();
    bare.structure.head_transform = HeadTransform::None;
    bare.head = Head::Token { outputs: WIDTH };
    bare.structure.tied_head = false;
    let identity = with_identity_head(build(&bare, 0), &model);
    let input = || tokens([[1, 5, 2, 7, 3], [4, 4, 9, 0, 0]]);
    let h = to_f64(identity.forward(input(), &Dropout::Off));
    let linear = |x: &[f64], name: &str| -> Vec<f64> {
        let (weight, bias) = (of(&format!("{name}.weight")), of(&format!("{name}.bias")));
        let rows = weight.chunks(WIDTH).zip(bias);
        rows.map(|(row, bias)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + bias).collect()
    };
    let classes = |row: &[f64]| {
        let pooled: Vec<f64> =
            linear(&row[..WIDTH], "bert.pooler.dense").into_iter().map(f64::tanh).collect();
        linear(&pooled, "classifier")
    };
    let expected: Vec<f64> = h.chunks(5 * WIDTH).flat_map(classes).collect();
    let logits = model.forward(input(), &Dropout::Off);
    assert_eq!(logits.dims(), [2, 1, CLASSES]);
    assert_rel_close(logits, expected, SAME, "classes");
}

/// Encoder and blocks of `body`, and a head that passes their vectors on.
fn with_identity_head(model: SequenceModel, body: &SequenceModel) -> SequenceModel {
    let own = parameters(body).into_iter().map(|parameter| (parameter.path, parameter.values));
    let mut all: BTreeMap<_, _> = own.collect();
    all.insert("head.weight".into(), to_f64(Tensor::<2>::eye(WIDTH, &cpu())));
    all.insert("head.bias".into(), vec![0.0; WIDTH]);
    with_changes(model, |parameter| Some(all[&parameter.path].clone()))
}

#[test]
fn a_head_on_the_first_token_has_no_step() {
    let mut causal = crate::config(crate::attention(true));
    causal.head = Head::First { outputs: CLASSES };
    let error = build(&causal, 0).init_state(1).unwrap_err();
    assert!(matches!(error, StateError::FirstHead), "{error}");
}

/// Fine-tuning drops after the embeddings, inside the channel mixers and before the classifier, and nowhere else.
#[test]
fn dropout_stands_where_the_published_model_has_it() {
    let asked = |config: &M2BertConfig| {
        let asked = std::cell::RefCell::new(vec![]);
        let uniform = |site: usize, count: usize| {
            asked.borrow_mut().push((site, count));
            vec![0.5; count]
        };
        let dropout = Dropout::On { rate: 0.1, uniform: &uniform, mixer_seed: &|_| 0 };
        build(&config.model(), 0).forward(tokens([[1, 5, 2, 7, 3], [4, 4, 9, 0, 0]]), &dropout);
        asked.into_inner()
    };
    let (tokens, hidden) = (2 * 5 * WIDTH, 2 * 5 * 4 * WIDTH);
    let body = [(4, tokens), (1, hidden), (3, hidden)];
    assert_eq!(asked(&config().with_classes(None)), body);
    assert_eq!(asked(&config()), [&body[..], &[(5, 2 * WIDTH)]].concat());
}
