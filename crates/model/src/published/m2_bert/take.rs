//! From published tensors to a model.

use burn::module::Param;
use burn::nn::Embedding;
use burn::tensor::Device;
use subquad_mixer::published::{Case, CaseError};
use subquad_monarch::published::linear;
use subquad_monarch::{BlockDiagonalMlp, M2};

use super::names::{
    BIAS, CLASSIFIER, DECODER, DENSE, EMBEDDING_NORM, HEAD_NORM, OTHER_BIAS, POOLER, POSITIONS, TABLE, TYPES,
    layer,
};
use crate::model::EncoderKind;
use crate::{Block, ChannelMixerKind, M2BertConfig, MixerKind, Norm, SequenceModel};

/// One parameter under all its names.
const TABLES: [&str; 2] = [TABLE, DECODER];
const BIASES: [&str; 2] = [BIAS, OTHER_BIAS];

impl M2BertConfig {
    pub(super) fn take(&self, case: &mut Case, device: &Device) -> Result<SequenceModel, CaseError> {
        let config = self.model();
        config
            .check()
            .map_err(|e| CaseError::Config { layer: case.layer.clone(), message: e.to_string() })?;
        let table = self.take_tokens(case, device)?;
        self.check_sizes(case)?;
        let (mut model, d_model) = (config.init(device), self.d_model);
        model.encoder = EncoderKind::Embedding(table);
        let rows = |case: &mut Case, name, rows| take_table(case, &[name], [rows, d_model], device);
        if let Some(positions) = self.known_positions() {
            model.additions.positions = Some(rows(case, POSITIONS, positions)?);
        }
        if self.token_types > 0 {
            model.additions.token_types = Some(rows(case, TYPES, self.token_types)?);
        }
        take_norm(case, EMBEDDING_NORM, model.additions.norm.as_mut(), device)?;
        for (index, block) in model.blocks.iter_mut().enumerate() {
            case.part(&layer(index), |case| self.take_block(case, block, device))?;
        }
        self.take_head(case, &mut model, device)?;
        Ok(model)
    }

    /// A classifier has no decoder.
    fn take_tokens(&self, case: &mut Case, device: &Device) -> Result<Embedding, CaseError> {
        let names = if self.classes.is_none() { &TABLES[..] } else { &TABLES[..1] };
        take_table(case, names, [self.vocab, self.d_model], device)
    }

    /// Whether the file has the config's sizes, checked before anything of these sizes is made.
    fn check_sizes(&self, case: &Case) -> Result<(), CaseError> {
        let Self { d_model, l_max, filter_order, emb_dim, .. } = *self;
        if let Some(positions) = self.known_positions() {
            case.check(POSITIONS, &[positions, d_model])?;
        }
        if self.token_types > 0 {
            case.check(TYPES, &[self.token_types, d_model])?;
        }
        let [_, reduce] = self.channel_mixer().weight_shapes();
        for block in (0..self.n_layers).map(layer) {
            case.check(&format!("{block}attention.in_linear.weight"), &[3 * d_model, d_model])?;
            for filter in ["filter_fn", "filter_fn2"].map(|filter| format!("{block}attention.{filter}")) {
                case.check(&format!("{filter}.implicit_filter.0.weight"), &[filter_order, emb_dim])?;
                case.check(&format!("{filter}.pos_emb.z"), &[1, l_max, emb_dim])?;
            }
            case.check(&format!("{block}mlp.wo.weight"), &reduce)?;
        }
        Ok(())
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

    fn take_head(
        &self,
        case: &mut Case,
        model: &mut SequenceModel,
        device: &Device,
    ) -> Result<(), CaseError> {
        let d_model = self.d_model;
        let dense = if self.classes.is_none() { DENSE } else { POOLER };
        if let Some(transform) = &mut model.head_transform {
            transform.dense = linear(case, dense, [d_model; 2], true, device)?;
            take_norm(case, HEAD_NORM, transform.norm.as_mut(), device)?;
        }
        match self.classes {
            Some(classes) => {
                model.head = Some(linear(case, CLASSIFIER, [d_model, classes], true, device)?);
            }
            None => {
                let bias = case.take_shared(&BIASES, &[self.vocab])?;
                model.tied_bias = Some(Param::from_data(bias, device));
            }
        }
        Ok(())
    }
}

fn take_table(
    case: &mut Case,
    names: &[&str],
    shape: [usize; 2],
    device: &Device,
) -> Result<Embedding, CaseError> {
    Ok(Embedding { weight: Param::from_data(case.take_shared(names, &shape)?, device) })
}

fn take_norm(case: &mut Case, name: &str, norm: Option<&mut Norm>, device: &Device) -> Result<(), CaseError> {
    let Some(norm) = norm else { return Ok(()) };
    let width = norm.gamma.dims();
    norm.gamma = Param::from_tensor(case.take_tensor(&format!("{name}.weight"), width, device)?);
    norm.beta = Param::from_tensor(case.take_tensor(&format!("{name}.bias"), width, device)?);
    Ok(())
}
