//! Whole models by name: the shapes of published ones, and small ones like them.

mod m2_bert;
mod m2_gpt;

pub use m2_bert::M2BertConfig;
pub use m2_gpt::M2GptConfig;

use crate::ModelConfig;

/// A model by name.
#[derive(Debug, Clone)]
pub struct Preset {
    /// The name, such as `m2-bert-80m`.
    pub name: &'static str,
    /// What it is, and its source.
    pub summary: &'static str,
    /// The longest sequence, in tokens.
    pub l_max: usize,
    /// How to build it.
    pub config: ModelConfig,
}

const PUBLISHED: &str = "M2-BERT as published: masked tokens, BERT's vocabulary";

/// Every preset. Nothing is built: [`ModelConfig::n_parameters`] counts from the sizes.
///
/// ```
/// let preset = &subquad_model::presets()[0];
/// assert_eq!((preset.name, preset.config.n_parameters()), ("m2-bert-80m", 80_267_328));
/// ```
pub fn presets() -> Vec<Preset> {
    let bert = |name, summary, config: M2BertConfig| {
        let (l_max, config) = (config.l_max, config.model());
        Preset { name, summary, l_max, config }
    };
    let gpt = |name, summary, config: M2GptConfig| {
        let (l_max, config) = (config.l_max, config.model());
        Preset { name, summary, l_max, config }
    };
    vec![
        bert("m2-bert-80m", PUBLISHED, M2BertConfig::base_80m()),
        bert("m2-bert-110m", PUBLISHED, M2BertConfig::base_110m()),
        bert("m2-bert-260m", PUBLISHED, M2BertConfig::large_260m()),
        bert("m2-bert-341m", PUBLISHED, M2BertConfig::large_341m()),
        bert("m2-bert-small", "the same structure on bytes, for a laptop", M2BertConfig::small()),
        gpt("m2-gpt-small", "causal M2 on bytes, pre-norm, for a laptop", M2GptConfig::small()),
    ]
}
