//! What is measured of the decoding of a whole model.

use serde_json::{Map, Value, json};
use subquad_record::DecodeCell;

use super::models::ModelSizes;

/// What `subquad bench --decode --blocks` and a `[bench]` config with `models` measure of one model on one sequence after a context
/// of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCell {
    /// What is measured of a layer as well, with the mixer's name.
    pub decode: DecodeCell,
    /// Number of blocks.
    pub n_layers: usize,
    /// Hidden width of the MLP of each block.
    pub d_hidden: usize,
    /// Number of parameters of the model.
    pub parameters: usize,
}

impl ModelCell {
    /// The fields of the [`DecodeCell`], then its own.
    pub fn to_json(&self) -> Value {
        let mut fields = match json!(self.decode) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let own = [("n_layers", self.n_layers), ("d_hidden", self.d_hidden), ("parameters", self.parameters)];
        fields.extend(own.map(|(name, size)| (name.to_owned(), json!(size))));
        Value::Object(fields)
    }

    /// From what [`to_json`](Self::to_json) gives; `None` for anything else.
    pub fn from_json(value: &Value) -> Option<Self> {
        let size = |name: &str| Some(value.get(name)?.as_u64()? as usize);
        Some(Self {
            decode: serde_json::from_value(value.clone()).ok()?,
            n_layers: size("n_layers")?,
            d_hidden: size("d_hidden")?,
            parameters: size("parameters")?,
        })
    }

    /// The sizes of its model.
    pub fn sizes(&self) -> ModelSizes {
        ModelSizes { d_model: self.decode.d_model, n_layers: self.n_layers, d_hidden: self.d_hidden }
    }
}
