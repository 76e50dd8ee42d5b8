//! M2-BERT under its published names.
//!
//! Linear weights are `[out, in]` there, burn's `[in, out]`. The names of a layer's tensors below
//! `bert.encoder.layer.N.attention` are `subquad_monarch`'s to know.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::Param;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::read;
use subquad_mixer::published::{Case, CaseError};
use subquad_monarch::{BlockDiagonalMlp, M2};

use super::CheckpointError;
use super::checkpoint;
use crate::model::EncoderKind;
use crate::{Block, ChannelMixerKind, M2BertConfig, MixerKind, Norm, SequenceModel};

const LAYER: &str = "m2_bert";
const TABLE: &str = "bert.embeddings.word_embeddings.weight";
const POSITIONS: &str = "bert.embeddings.position_embeddings.weight";
const TYPES: &str = "bert.embeddings.token_type_embeddings.weight";
const EMBEDDING_NORM: &str = "bert.embeddings.LayerNorm";
const DENSE: &str = "cls.predictions.transform.dense";
const HEAD_NORM: &str = "cls.predictions.transform.LayerNorm";
const DECODER: &str = "cls.predictions.decoder.weight";
const BIAS: &str = "cls.predictions.decoder.bias";
/// Where other BERTs keep the decoder's bias, under both names.
const OTHER_BIAS: &str = "cls.predictions.bias";
/// Numbers 0, 1, 2, ..: a buffer that some files hold.
const POSITION_IDS: &str = "bert.embeddings.position_ids";

impl M2BertConfig {
    /// The model with the weights of a published checkpoint, a `.safetensors` file or one of PyTorch's (`.pt`, `.pth`, `.bin`,
    /// `.ckpt`), in f64, f32, f16 or bf16. Nothing of the file but numbers is used; the head's transform and norms included,
    /// every parameter must be there, with the config's shape, and nothing else below the same prefix.
    ///
    /// Names, each below one prefix, which may be empty, `model.` or longer (`N` counts layers from 0):
    /// ```text
    /// bert.embeddings.{word,position,token_type}_embeddings.weight, bert.embeddings.LayerNorm.{weight,bias}
    /// bert.encoder.layer.N.attention.{in_linear,out_linear,short_filter}.{weight,bias}
    /// bert.encoder.layer.N.attention.{filter_fn,filter_fn2}.{implicit_filter,implicit_filter_rev,pos_emb,modulation,bias}..
    /// bert.encoder.layer.N.mlp.gated_layers.weight (or gated_layer), ..mlp.wo.{weight,bias}, ..mlp.layernorm.{weight,bias}
    /// cls.predictions.transform.dense.{weight,bias}, ..transform.LayerNorm.{weight,bias}
    /// cls.predictions.decoder.{weight,bias}     the weight may be missing: it is that of the word embeddings
    /// ```
    ///
    /// # Errors
    /// If the file cannot be read, is not of this kind, lacks a tensor, or holds one of another shape or one too many.
    ///
    /// # Panics
    /// If the config fails [`ModelConfig::check`](crate::ModelConfig::check).
    pub fn load(&self, path: impl AsRef<Path>, device: &Device) -> Result<SequenceModel, CheckpointError> {
        let path = path.as_ref();
        let mut prefix = String::new();
        let tensors = checkpoint::read(path, |names| {
            prefix = prefix_of(path, names)?;
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

    /// The parameters of `model` under the names that [`load`](Self::load) reads, in their published layout.
    ///
    /// # Panics
    /// If the model is not of this config.
    pub fn to_published(&self, model: &SequenceModel) -> BTreeMap<String, TensorData> {
        let mut found = BTreeMap::new();
        save(model, &mut found);
        found
    }

    fn take(&self, case: &mut Case, device: &Device) -> Result<SequenceModel, CaseError> {
        let Self { d_model, vocab, l_max, token_types, .. } = *self;
        let mut model = self.model().init(device);
        let table = take_table(case, TABLE, [vocab, d_model], device)?;
        check_tied(case, vocab, d_model, &table)?;
        model.encoder = EncoderKind::Embedding(table);
        model.additions.positions = Some(take_table(case, POSITIONS, [l_max, d_model], device)?);
        if token_types > 0 {
            model.additions.token_types = Some(take_table(case, TYPES, [token_types, d_model], device)?);
        }
        take_norm(case, EMBEDDING_NORM, model.additions.norm.as_mut(), device)?;
        for (index, block) in model.blocks.iter_mut().enumerate() {
            case.part(&format!("bert.encoder.layer.{index}."), |case| self.take_block(case, block, device))?;
        }
        if let Some(transform) = &mut model.head_transform {
            transform.dense = take_linear(case, DENSE, d_model, device)?;
            take_norm(case, HEAD_NORM, Some(&mut transform.norm), device)?;
        }
        let name = if case.parameters.contains_key(BIAS) { BIAS } else { OTHER_BIAS };
        model.tied_bias = Some(Param::from_tensor(case.take_tensor(name, [vocab], device)?));
        case.parameters.remove(OTHER_BIAS);
        Ok(model)
    }

    fn take_block(&self, case: &mut Case, block: &mut Block, device: &Device) -> Result<(), CaseError> {
        block.mixer = case
            .part("attention.", |case| Ok(MixerKind::M2(M2::from_published(case, &self.mixer(), device)?)))?;
        case.part("mlp.", |case| {
            let mixer = BlockDiagonalMlp::from_published(case, &self.channel_mixer(), device)?;
            block.channel_mixer = Some(ChannelMixerKind::BlockDiagonal(mixer));
            take_norm(case, "layernorm", block.channel_norm.as_mut(), device)
        })
    }
}

/// What stands in front of the model's names.
fn prefix_of(path: &Path, names: &[&str]) -> Result<String, CheckpointError> {
    let found = names.iter().filter_map(|name| name.strip_suffix(TABLE));
    match found.min_by_key(|prefix| prefix.len()) {
        Some(prefix) => Ok(prefix.to_owned()),
        None => Err(CheckpointError::OtherModel {
            path: path.into(),
            wanted: TABLE,
            count: names.len(),
            first: names.iter().min().map_or_else(|| "none".into(), |name| format!("`{name}`")),
        }),
    }
}

/// The model's tensors: not those of an optimiser beside it.
fn below(prefix: &str, names: &[&str]) -> Vec<String> {
    let is_ours =
        |name: &str| name != POSITION_IDS && (name.starts_with("bert.") || name.starts_with("cls."));
    let ours = names.iter().filter(|name| name.strip_prefix(prefix).is_some_and(is_ours));
    ours.map(|name| (*name).to_owned()).collect()
}

fn take_table(
    case: &mut Case,
    name: &str,
    shape: [usize; 2],
    device: &Device,
) -> Result<Embedding, CaseError> {
    Ok(Embedding { weight: Param::from_tensor(case.take_tensor(name, shape, device)?) })
}

/// The decoder's weight is the table, whether or not the file says it twice.
fn check_tied(case: &mut Case, vocab: usize, d_model: usize, table: &Embedding) -> Result<(), CaseError> {
    if !case.parameters.contains_key(DECODER) {
        return Ok(());
    }
    match case.take(DECODER, &[vocab, d_model])? == read(table.weight.val()) {
        true => Ok(()),
        false => Err(CaseError::NotShared {
            first: TABLE.into(),
            second: DECODER.into(),
            difference: "hold different values".into(),
        }),
    }
}

fn take_linear(case: &mut Case, name: &str, width: usize, device: &Device) -> Result<Linear, CaseError> {
    let weight: Tensor<2> = case.take_tensor(&format!("{name}.weight"), [width, width], device)?;
    let bias = case.take_tensor(&format!("{name}.bias"), [width], device)?;
    Ok(Linear { weight: Param::from_tensor(weight.transpose()), bias: Some(Param::from_tensor(bias)) })
}

fn take_norm(case: &mut Case, name: &str, norm: Option<&mut Norm>, device: &Device) -> Result<(), CaseError> {
    let Some(norm) = norm else { return Ok(()) };
    let width = norm.gamma.dims();
    norm.gamma = Param::from_tensor(case.take_tensor(&format!("{name}.weight"), width, device)?);
    norm.beta = Param::from_tensor(case.take_tensor(&format!("{name}.bias"), width, device)?);
    Ok(())
}

fn save(model: &SequenceModel, found: &mut BTreeMap<String, TensorData>) {
    let table = model.encoder.table().expect("M2-BERT reads tokens");
    put(found, TABLE, table.clone());
    put(found, DECODER, table);
    let rows = [(POSITIONS, &model.additions.positions), (TYPES, &model.additions.token_types)];
    for (name, table) in rows {
        if let Some(table) = table {
            put(found, name, table.weight.val());
        }
    }
    save_norm(found, EMBEDDING_NORM, &model.additions.norm);
    for (index, block) in model.blocks.iter().enumerate() {
        save_block(found, &format!("bert.encoder.layer.{index}"), block);
    }
    if let Some(transform) = &model.head_transform {
        put(found, &format!("{DENSE}.weight"), transform.dense.weight.val().transpose());
        if let Some(bias) = &transform.dense.bias {
            put(found, &format!("{DENSE}.bias"), bias.val());
        }
        save_norm(found, HEAD_NORM, &Some(transform.norm.clone()));
    }
    put(found, BIAS, model.tied_bias.as_ref().expect("M2-BERT's head is tied").val());
}

fn save_block(found: &mut BTreeMap<String, TensorData>, name: &str, block: &Block) {
    let (MixerKind::M2(mixer), Some(ChannelMixerKind::BlockDiagonal(mlp))) =
        (&block.mixer, &block.channel_mixer)
    else {
        panic!("M2-BERT has M2 and block-diagonal channel mixers")
    };
    let below = |part: &str, tensors: BTreeMap<String, TensorData>| {
        let part = format!("{name}.{part}.");
        tensors.into_iter().map(move |(name, data)| (format!("{part}{name}"), data))
    };
    found.extend(below("attention", mixer.to_published()));
    found.extend(below("mlp", mlp.to_published()));
    save_norm(found, &format!("{name}.mlp.layernorm"), &block.channel_norm);
}

fn save_norm(found: &mut BTreeMap<String, TensorData>, name: &str, norm: &Option<Norm>) {
    if let Some(norm) = norm {
        put(found, &format!("{name}.weight"), norm.gamma.val());
        put(found, &format!("{name}.bias"), norm.beta.val());
    }
}

fn put<const D: usize>(found: &mut BTreeMap<String, TensorData>, name: &str, tensor: Tensor<D>) {
    found.insert(name.into(), read(tensor));
}
