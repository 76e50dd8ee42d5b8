//! M2-BERT under its published names.
//!
//! Linear weights are `[out, in]` there, burn's `[in, out]`. `subquad_monarch` knows the names of a layer's tensors
//! below `bert.encoder.layer.N.attention`.

mod gather;
mod names;
mod options;
mod replay;
mod take;

pub use replay::{ReplayError, replay_m2_bert};

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, TensorData};
use subquad_mixer::published::Case;
use subquad_monarch::published::Gathered;

use super::{Checkpoint, CheckpointError, checkpoint};
use crate::{M2BertConfig, SequenceModel};
use names::{CLASSIFIER, DECODER, POSITION_IDS, TABLE};

/// The name in recorded cases and in errors.
const LAYER: &str = "m2_bert";
/// Names of the one tensor that every M2-BERT has.
const ANCHORS: [&str; 2] = [TABLE, DECODER];

impl M2BertConfig {
    /// The model with the weights of a published checkpoint, a `.safetensors` file or one of PyTorch's (`.pt`, `.pth`, `.bin`,
    /// `.ckpt`), in f64, f32, f16 or bf16. Only the numbers of the file are used. Every parameter, the head's transform
    /// and norms included, must be present with the config's shape, and nothing else under the same prefix.
    ///
    /// The names follow one prefix, which may be empty, `model.` or longer (`N` counts layers from 0):
    /// ```text
    /// bert.embeddings.{word,position,token_type}_embeddings.weight, bert.embeddings.LayerNorm.{weight,bias}
    /// bert.encoder.layer.N.attention.layernorm.{weight,bias}                                with `input_norm`
    /// bert.encoder.layer.N.attention.{in_linear,out_linear,short_filter}.{weight,bias}
    /// bert.encoder.layer.N.attention.{filter_fn,filter_fn2}.{implicit_filter,implicit_filter_rev,pos_emb,modulation,bias}..
    /// bert.encoder.layer.N.mlp.gated_layers.weight (or gated_layer), ..mlp.wo.{weight,bias}, ..mlp.layernorm.{weight,bias}
    /// cls.predictions.transform.dense.{weight,bias}, ..transform.LayerNorm.{weight,bias}    unless there are `classes`
    /// cls.predictions.decoder.{weight,bias}, cls.predictions.bias                           unless there are `classes`
    /// bert.pooler.dense.{weight,bias}, classifier.{weight,bias}                             with `classes`
    /// ```
    /// One parameter may have several names: the table of tokens is the decoder's weight, the decoder's bias has two
    /// names, and all sines of a filter have one frequency (`..implicit_filter.1.freq`, `.3.freq`, ..). A file may
    /// hold any of them, and those that it holds must be equal.
    ///
    /// # Errors
    /// If the file cannot be read, is not of this kind, lacks a tensor, or holds one of another shape or an extra one; if it
    /// holds several models (see [`load_from`](Self::load_from)), or the config fails
    /// [`ModelConfig::check`](crate::ModelConfig::check).
    pub fn load(&self, path: impl AsRef<Path>, device: &Device) -> Result<SequenceModel, CheckpointError> {
        self.load_from(&Checkpoint::new(path.as_ref()), device)
    }

    /// [`load`](Self::load) from a file that may hold several models, such as the trained one and its moving average:
    /// ```no_run
    /// # use burn::tensor::Device;
    /// # use subquad_model::{Checkpoint, M2BertConfig};
    /// let average = Checkpoint::new("model.pt").with_prefix("ema.");
    /// let model = M2BertConfig::base_80m().load_from(&average, &Device::flex());
    /// ```
    ///
    /// # Errors
    /// As for [`load`](Self::load), and if there are several models and `checkpoint` names none or a missing one.
    pub fn load_from(
        &self,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> Result<SequenceModel, CheckpointError> {
        let path = checkpoint.path();
        let mut prefix = String::new();
        let tensors = checkpoint::read(path, |names| {
            prefix = checkpoint.prefix_of(names, &ANCHORS)?;
            Ok(below(&prefix, names))
        })?;
        let strip = |(name, data): (String, TensorData)| (name[prefix.len()..].to_owned(), data);
        let parameters = tensors.into_iter().map(strip).collect();
        let mut case =
            Case { layer: LAYER.into(), config: Default::default(), parameters, tensors: Default::default() };
        let model = self
            .take(&mut case, device)
            .map_err(|error| CheckpointError::Tensor { path: path.into(), source: error.under(&prefix) })?;
        match case.parameters.keys().next() {
            None => Ok(model),
            Some(first) => Err(CheckpointError::Unexpected {
                path: path.into(),
                name: format!("{prefix}{first}"),
                others: case.parameters.len() - 1,
            }),
        }
    }

    /// The published state dict of `model`, under the names that [`load`](Self::load) reads and in the published
    /// layout: every parameter under all its names, and the buffers, of which `bert.embeddings.position_ids` is in i64.
    ///
    /// # Panics
    /// If the model is not of this config.
    pub fn to_published(&self, model: &SequenceModel) -> BTreeMap<String, TensorData> {
        let mut gathered = Gathered::values();
        gather::gather(&mut gathered, model);
        gathered.into_replay()
    }
}

/// The model's tensors, without those of an optimiser in the same file.
fn below(prefix: &str, names: &[&str]) -> Vec<String> {
    let is_ours = |name: &str| {
        let part = name.split('.').next().unwrap_or_default();
        name != POSITION_IDS && ["bert", "cls", CLASSIFIER].contains(&part)
    };
    let ours = names.iter().filter(|name| name.strip_prefix(prefix).is_some_and(is_ours));
    ours.map(|name| (*name).to_owned()).collect()
}
