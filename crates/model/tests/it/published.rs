//! Checkpoints under published names. `tests/published/make.py` made the files, and computes their outputs.

use std::path::{Path, PathBuf};

use burn::tensor::{Int, Tensor, TensorData};
use safetensors::SafeTensors;
use subquad_backend::Form;
use subquad_model::{Dropout, Input, M2BertConfig, SequenceModel};
use subquad_testkit::{assert_rel_close, cpu};

use crate::files::{bits, write};
use crate::undisturbed;

/// f32 against the formulas in f64: measured 4e-7; ten times that.
const AS_RECORDED: f64 = 4e-6;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/published").join(name)
}

/// The sizes of the files.
fn config() -> M2BertConfig {
    M2BertConfig::new(8).with_n_layers(2).with_vocab(11).with_l_max(6).with_expand(2).with_filter_order(4)
}

fn load(name: &str) -> SequenceModel {
    crate::files::load(&config(), &file(name))
}

fn recorded(name: &str) -> TensorData {
    let bytes = std::fs::read(file("m2_bert_run.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).unwrap();
    let kind = if name == "logits" { burn::tensor::DType::F32 } else { burn::tensor::DType::I32 };
    TensorData::from_bytes_vec(view.data().to_vec(), view.shape().to_vec(), kind)
}

#[test]
fn a_published_checkpoint_answers_as_recorded_in_every_form() {
    let ids = |name| Tensor::<2, Int>::from_data(recorded(name), &cpu());
    let logits = Tensor::<3>::from_data(recorded("logits"), &cpu());
    for form in [Form::Portable, Form::Fused] {
        let model = load("m2_bert.safetensors").with_form(form);
        let input = Input::TypedTokens(ids("tokens"), ids("types"));
        assert_rel_close(
            model.forward(input, &Dropout::Off),
            logits.clone(),
            AS_RECORDED,
            format!("{form:?}"),
        );
    }
}

#[test]
fn pytorchs_file_and_the_safetensors_file_hold_the_same_model() {
    assert_eq!(bits(&load("m2_bert.pt")), bits(&load("m2_bert.safetensors")));
}

#[test]
fn what_is_saved_under_published_names_is_what_was_loaded() {
    let mut saved = config().to_published(&load("m2_bert.safetensors"));
    // A buffer of the published state dict that this file lacks.
    assert!(saved.remove("bert.embeddings.position_ids").is_some());
    let bytes = std::fs::read(file("m2_bert.safetensors")).unwrap();
    let original = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = original.names();
    names.sort_unstable();
    assert_eq!(saved.keys().collect::<Vec<_>>(), names);
    for (name, data) in saved {
        let view = original.tensor(&name).unwrap();
        assert_eq!(data.shape().to_vec(), view.shape(), "{name}");
        match name.ends_with("deltas") || name.ends_with(".t") {
            // These are buffers: another library's evenly spaced numbers may differ in the last bit.
            true => assert_rel_close(data.iter::<f64>().collect::<Vec<_>>(), floats(view.data()), 1e-6, name),
            false => assert_eq!(data.as_bytes(), view.data(), "{name}"),
        }
    }
}

fn floats(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]))).collect()
}

#[test]
fn a_model_survives_the_way_through_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let model = crate::build(&config().model(), 3);
    write(&path, &config().to_published(&model));
    assert!(bits(&crate::files::load(&config(), &path)) == bits(&model));
}

fn refused(config: &M2BertConfig, path: &Path) -> String {
    let error = undisturbed(|| config.load(path, &cpu())).unwrap_err().to_string();
    let folder = path.parent().unwrap().to_string_lossy();
    error.replace(&*folder, "DIR").replace('\\', "/")
}

#[test]
fn a_file_of_another_model_is_refused_by_tensor_and_shape() {
    let pt = file("m2_bert.pt");
    assert_eq!(
        refused(&config().with_vocab(12), &pt),
        "DIR/m2_bert.pt: tensor `state.model.model.bert.embeddings.word_embeddings.weight` has shape [11, 8], but the \
         config asks for [12, 8]"
    );
    assert_eq!(
        refused(&config().with_n_layers(3), &pt),
        "DIR/m2_bert.pt: tensor `state.model.model.bert.encoder.layer.2.attention.in_linear.weight` is missing, which \
         layer `m2_bert` needs"
    );
    assert_eq!(
        refused(&config().with_filter_order(5), &pt),
        "DIR/m2_bert.pt: tensor `state.model.model.bert.encoder.layer.0.attention.filter_fn.implicit_filter.0.weight` has \
         shape [4, 5], but the config asks for [5, 5]"
    );
    assert_eq!(
        refused(&config().with_n_layers(1), &pt),
        "DIR/m2_bert.pt: holds `state.model.model.bert.encoder.layer.1.attention.filter_fn.bias`, which the config has no \
         place for, and 58 more such tensors; compare n_layers and the options with the file's model"
    );
}

#[test]
fn what_is_no_checkpoint_is_refused_by_name() {
    let run = file("m2_bert_run.safetensors");
    assert_eq!(
        refused(&config(), &run),
        "DIR/m2_bert_run.safetensors: holds no tensor `bert.embeddings.word_embeddings.weight`, under any prefix, among \
         3; the first: `logits`"
    );
    assert_eq!(
        refused(&config(), &file("make.py")),
        "DIR/make.py: a checkpoint is a .safetensors file, or one of PyTorch's: .pt, .pth, .bin or .ckpt"
    );
    assert!(refused(&config(), &file("none.pt")).starts_with("DIR/none.pt: "));
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in
        [("a.safetensors", "a complete .safetensors file"), ("a.bin", "a complete PyTorch file")]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, "no tensors").unwrap();
        let error = refused(&config(), &path);
        assert!(error.starts_with(&format!("DIR/{name}: not {kind}: ")), "{error}");
    }
}
