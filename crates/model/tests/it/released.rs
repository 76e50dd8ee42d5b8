//! M2-BERT as published: recorded runs of the published code, in `tests/golden`, and the names of its state dict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use safetensors::SafeTensors;
use subquad_backend::Form;
use subquad_mixer::published::{Case, Replay};
use subquad_model::published::replay_m2_bert;
use subquad_model::{Dropout, Input, M2BertConfig, SequenceModel, named_parameters};
use subquad_testkit::golden::{Comparison, compare, read};
use subquad_testkit::{assert_rel_close, cpu, rel_error, to_f64};

use crate::files::{Tensors, load, write};
use crate::{build, undisturbed};

/// f32 against f64: measured 2.3e-6; about four times that.
const LOGITS: f64 = 1e-5;
/// Gradients are summed over all tokens: measured 6.1e-6; more than ten times that.
const GRADIENTS: f64 = 1e-4;
const TABLE_GRADIENT: &str = "grad.bert.embeddings.word_embeddings.weight";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The sizes of `m2_bert_tiny`.
fn tiny() -> M2BertConfig {
    M2BertConfig::new(32).with_n_layers(2).with_vocab(60).with_l_max(32).with_filter_order(16)
}

/// The sizes of `m2_bert_additions_tiny`.
fn additions() -> M2BertConfig {
    let config = M2BertConfig::new(24).with_n_layers(2).with_vocab(48).with_l_max(24).with_filter_order(12);
    config.with_input_norm(true)
}

fn replayed(name: &str, form: Form) -> (Case, Replay) {
    let mut case = read(file(&format!("{name}_run.safetensors"))).unwrap();
    let weights = file(&format!("{name}.safetensors"));
    let replay = undisturbed(|| replay_m2_bert(&mut case, &weights, form, &cpu()).unwrap());
    (case, replay)
}

fn is_wrong(comparison: &Comparison) -> bool {
    let limit = if comparison.name.starts_with("grad.") { GRADIENTS } else { LOGITS };
    comparison.error.is_none_or(|error| error > limit)
}

#[test]
fn recorded_runs_are_reproduced_in_both_forms() {
    for (name, tensors) in [("m2_bert_tiny", 105), ("m2_bert_additions_tiny", 109)] {
        for form in [Form::Portable, Form::Fused] {
            let (case, replay) = replayed(name, form);
            let compared = compare(&case, &replay);
            assert_eq!(compared.len(), tensors, "{name}");
            let wrong: Vec<_> = compared.into_iter().filter(is_wrong).collect();
            assert!(wrong.is_empty(), "{name}, {form:?}: {wrong:#?}");
        }
    }
}

fn input(case: &Case, device: &Device) -> Input {
    let ids = |name: &str| Tensor::<2, Int>::from_data(case.tensors[name].clone(), device);
    Input::TypedTokens(ids("input_ids"), ids("token_type_ids"))
}

fn logits(model: &SequenceModel, case: &Case) -> Tensor<3> {
    model.forward(input(case, &cpu()), &Dropout::Off)
}

#[test]
fn a_file_that_keeps_one_name_of_each_shared_tensor_answers_as_recorded_and_is_saved_under_all() {
    let model = load(&additions(), &file("m2_bert_additions_tiny_dedup.safetensors"));
    let case = read(file("m2_bert_additions_tiny_run.safetensors")).unwrap();
    let recorded = case.tensor::<3>("logits", &cpu()).unwrap();
    assert_rel_close(logits(&model, &case), recorded, LOGITS, "logits");
    let bytes = std::fs::read(file("m2_bert_additions_tiny.safetensors")).unwrap();
    let whole = SafeTensors::deserialize(&bytes).unwrap();
    let saved = additions().to_published(&model);
    let mut names = whole.names();
    names.sort_unstable();
    assert_eq!(saved.keys().collect::<Vec<_>>(), names);
    for (name, data) in saved.iter().filter(|(name, _)| !is_computed(name)) {
        assert_eq!(data.as_bytes(), whole.tensor(name).unwrap().data(), "{name}");
    }
}

/// Evenly spaced numbers, which another library rounds differently.
fn is_computed(name: &str) -> bool {
    name.ends_with("deltas") || name.ends_with("pos_emb.t")
}

/// The layer norms of `hyena_training_additions` are neither dropped nor invented.
#[test]
fn an_input_norm_of_the_file_and_not_of_the_config_is_refused_and_the_other_way_round() {
    let refusal = |config: M2BertConfig, name: &str| {
        let error = undisturbed(|| config.load(file(name), &cpu())).unwrap_err().to_string();
        error[error.find(name).unwrap()..].to_owned()
    };
    assert_eq!(
        refusal(additions().with_input_norm(false), "m2_bert_additions_tiny.safetensors"),
        "m2_bert_additions_tiny.safetensors: holds `bert.encoder.layer.0.attention.layernorm.bias`, which the config has no \
         place for, and 3 more such tensors; compare n_layers and the options with the file's model"
    );
    assert_eq!(
        refusal(tiny().with_input_norm(true), "m2_bert_tiny.safetensors"),
        "m2_bert_tiny.safetensors: tensor `bert.encoder.layer.0.attention.layernorm.weight` is missing, which layer `m2_bert` \
         needs"
    );
}

/// Without the rule, only the row of padding differs.
#[test]
fn the_padding_tokens_row_learns_nothing_from_being_read() {
    let case = read(file("m2_bert_tiny_run.safetensors")).unwrap();
    let recorded = to_f64(case.tensors[TABLE_GRADIENT].clone());
    let device = cpu().autodiff();
    let gradient = |padding: Option<usize>| {
        let config = tiny().with_padding(padding);
        let model = load(&config, &file("m2_bert_tiny.safetensors")).train();
        let logits = model.forward(input(&case, &device), &Dropout::Off);
        let grad = case.grad_output(&logits, &device).unwrap();
        let gradients = (logits * grad).sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        let table = &named_parameters(&model)[0];
        assert_eq!(table.path, "encoder.Embedding.weight");
        to_f64(gradients.get::<2>(table.id).unwrap())
    };
    let width = 32;
    let row_of = |padding| {
        let gradient = gradient(padding);
        [rel_error(&gradient[..width], &recorded[..width]), rel_error(&gradient[width..], &recorded[width..])]
    };
    let ours = row_of(Some(0));
    assert!(ours.iter().all(|error| *error < GRADIENTS), "{ours:?}");
    let [first, rest] = row_of(None);
    assert!(first > 0.1 && rest < GRADIENTS, "{first} {rest}");
    // This is another token that is read.
    let other = case.tensors["input_ids"].iter::<i64>().find(|token| *token > 0).unwrap();
    let [first, rest] = row_of(Some(other as usize));
    assert!(first > 0.1 && rest > 0.01, "{first} {rest}");
}

/// `hyena_w_mod`: a fixed factor on the learned frequencies.
#[test]
fn a_sine_factor_stands_beside_the_frequencies_of_the_file() {
    let case = read(file("m2_bert_tiny_run.safetensors")).unwrap();
    let recorded = case.tensor::<3>("logits", &cpu()).unwrap();
    let mut tensors = tiny().to_published(&load(&tiny(), &file("m2_bert_tiny.safetensors")));
    for data in tensors.iter_mut().filter(|(name, _)| name.ends_with(".freq")).map(|(_, data)| data) {
        let halves: Vec<f32> = data.iter::<f32>().map(|w| w / 2.0).collect();
        *data = TensorData::new(halves, data.shape().to_vec());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("halved.safetensors");
    write(&path, &tensors);
    let with = tiny().with_sine_factor(2.0);
    let model = load(&with, &path);
    assert_rel_close(logits(&model, &case), recorded.clone(), LOGITS, "twice the halves");
    assert!(with.to_published(&model) == tensors, "what was loaded is saved");
    let halved = logits(&load(&tiny(), &path), &case);
    assert!(rel_error(&to_f64(halved), &to_f64(recorded)) > 0.01, "a model without the factor is another");
}

/// Name, shape and number type.
type Entries = BTreeMap<String, (Vec<usize>, DType)>;

fn entries(tensors: Tensors) -> Entries {
    tensors.into_iter().map(|(name, data)| (name, (data.shape().to_vec(), data.dtype()))).collect()
}

/// The entries of `m2_bert_80m_names.txt`: one line per tensor, `layer.N` for each layer.
fn listed() -> Entries {
    let text = std::fs::read_to_string(file("m2_bert_80m_names.txt")).unwrap();
    let mut found = Entries::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(' ').unwrap();
        let (shape, kind) = rest.rsplit_once(' ').unwrap();
        let kind = if kind == "int64" { DType::I64 } else { DType::F32 };
        let sizes = shape.trim_matches(['[', ']']).split(", ").map(|size| size.parse().unwrap());
        let entry: (Vec<usize>, DType) = (sizes.collect(), kind);
        let copies = if name.contains("layer.N.") { 12 } else { 1 };
        found.extend((0..copies).map(|n| (name.replace(".N.", &format!(".{n}.")), entry.clone())));
    }
    found
}

#[test]
fn the_80m_model_is_saved_under_the_published_names_in_the_published_shapes() {
    let config = M2BertConfig::base_80m();
    let saved = entries(config.to_published(&build(&config.model(), 0)));
    assert_eq!(saved.len(), 720);
    assert!(saved == listed(), "{saved:#?}");
}

#[test]
fn the_released_80m_model_has_a_norm_in_front_of_every_mixer() {
    let released = M2BertConfig::base_80m().with_input_norm(true);
    assert_eq!(released.model().n_parameters(), 80_285_760);
    // Twelve layers of any width have these names.
    let small = M2BertConfig { d_model: 8, ..released }.with_vocab(11).with_filter_order(4);
    let saved = small.to_published(&build(&small.model(), 0));
    let mut names: Vec<String> = listed().into_keys().collect();
    let norms = (0..12).flat_map(|n| ["weight", "bias"].map(|field| (n, field)));
    names.extend(norms.map(|(n, field)| format!("bert.encoder.layer.{n}.attention.layernorm.{field}")));
    names.sort_unstable();
    assert_eq!(names.len(), 744);
    assert_eq!(saved.into_keys().collect::<Vec<_>>(), names);
}
