//! The published names.

pub(super) const TABLE: &str = "bert.embeddings.word_embeddings.weight";
pub(super) const POSITIONS: &str = "bert.embeddings.position_embeddings.weight";
pub(super) const TYPES: &str = "bert.embeddings.token_type_embeddings.weight";
pub(super) const EMBEDDING_NORM: &str = "bert.embeddings.LayerNorm";
/// The numbers 0, 1, 2, ..: a buffer that some files hold.
pub(super) const POSITION_IDS: &str = "bert.embeddings.position_ids";
pub(super) const DENSE: &str = "cls.predictions.transform.dense";
pub(super) const HEAD_NORM: &str = "cls.predictions.transform.LayerNorm";
/// The table once more, if the head predicts tokens.
pub(super) const DECODER: &str = "cls.predictions.decoder.weight";
pub(super) const BIAS: &str = "cls.predictions.decoder.bias";
/// The name under which other BERTs keep the decoder's bias as well.
pub(super) const OTHER_BIAS: &str = "cls.predictions.bias";
pub(super) const POOLER: &str = "bert.pooler.dense";
pub(super) const CLASSIFIER: &str = "classifier";

/// The prefix of a block's names.
pub(super) fn layer(index: usize) -> String {
    format!("bert.encoder.layer.{index}.")
}
