//! From a model to published tensors, or to their gradients.

use burn::tensor::TensorData;
use subquad_monarch::published::Gathered;

use super::names::{
    BIAS, CLASSIFIER, DECODER, DENSE, EMBEDDING_NORM, HEAD_NORM, POOLER, POSITION_IDS, POSITIONS, TABLE,
    TYPES, layer,
};
use crate::head::Transform;
use crate::{Block, ChannelMixerKind, MixerKind, Norm, SequenceModel};

pub(super) fn gather(gathered: &mut Gathered, model: &SequenceModel) {
    gather_embeddings(gathered, model);
    for (index, block) in model.blocks.iter().enumerate() {
        gathered.part(&layer(index), |gathered| gather_block(gathered, block));
    }
    if let Some(transform) = &model.head_transform {
        gather_transform(gathered, transform);
    }
    if let Some(classifier) = &model.head {
        gathered.linear(CLASSIFIER, classifier);
    }
    if let Some(bias) = &model.tied_bias {
        gathered.parameter(BIAS, bias.val());
    }
}

fn gather_embeddings(gathered: &mut Gathered, model: &SequenceModel) {
    let table = model.encoder.table().expect("M2-BERT reads tokens");
    // A head that predicts tokens has no map of its own.
    let names = if model.head.is_none() { &[TABLE, DECODER][..] } else { &[TABLE] };
    gathered.shared_parameter(names, table, |table| table);
    if let Some(positions) = &model.additions.positions {
        let rows = positions.weight.dims()[0];
        gathered.parameter(POSITIONS, positions.weight.val());
        gathered.buffer(POSITION_IDS, TensorData::new((0..rows as i64).collect(), [1, rows]));
    }
    if let Some(types) = &model.additions.token_types {
        gathered.parameter(TYPES, types.weight.val());
    }
    gather_norm(gathered, EMBEDDING_NORM, &model.additions.norm);
}

fn gather_block(gathered: &mut Gathered, block: &Block) {
    let (MixerKind::M2(mixer), Some(ChannelMixerKind::BlockDiagonal(mlp))) =
        (&block.mixer, &block.channel_mixer)
    else {
        panic!("M2-BERT has M2 and block-diagonal channel mixers")
    };
    gathered.part("attention.", |gathered| mixer.gather(gathered));
    gathered.part("mlp.", |gathered| {
        mlp.gather(gathered);
        gather_norm(gathered, "layernorm", &block.channel_norm);
    });
}

fn gather_transform(gathered: &mut Gathered, transform: &Transform) {
    let name = if transform.norm.is_some() { DENSE } else { POOLER };
    gathered.linear(name, &transform.dense);
    gather_norm(gathered, HEAD_NORM, &transform.norm);
}

fn gather_norm(gathered: &mut Gathered, name: &str, norm: &Option<Norm>) {
    if let Some(norm) = norm {
        gathered.parameter(&format!("{name}.weight"), norm.gamma.val());
        gathered.parameter(&format!("{name}.bias"), norm.beta.val());
    }
}
