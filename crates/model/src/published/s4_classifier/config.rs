//! The options of both classifiers, among them those of the sequence mixers.

use serde::Deserialize;
use subquad_mixer::published::{Case, CaseError};
use subquad_monarch::DenseMlpConfig;
use subquad_s4::{OutputMix, S4dConfig};

use super::names::Layout;
use super::{ClassifierNames, LAYERS, StateSpaceNames};
use crate::{BlockOrder, ChannelMixerConfig, Encoder, Head, MixerConfig, ModelConfig, NormKind, Structure};

/// The classifiers' own keys. All others, and the width, are the sequence mixers'.
const OWN: [&str; 10] = [
    "d_input",
    "d_model",
    "d_output",
    "n_layers",
    "prenorm",
    "ffn_expand",
    "mixer",
    "dropout",
    "norm",
    "residual",
];
const WIDTH: &str = "d_model";

/// The published options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    d_input: usize,
    d_model: usize,
    d_output: usize,
    n_layers: usize,
    prenorm: Option<bool>,
    ffn_expand: Option<usize>,
    mixer: StateSpaceNames,
}

/// A classifier as a case describes it.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) names: ClassifierNames,
    pub(super) mixers: StateSpaceNames,
    pub(super) sizes: Sizes,
    prenorm: bool,
    /// A case of one sequence mixer, without tensors.
    pub(super) mixer: Case,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) d_input: usize,
    pub(super) d_model: usize,
    pub(super) d_output: usize,
    pub(super) n_layers: usize,
    /// Width inside the feed-forward blocks, if there are any.
    pub(super) d_hidden: Option<usize>,
}

impl Published {
    /// The options of `case`, with every size confirmed by a parameter.
    pub(super) fn read(case: &Case) -> Result<Self, CaseError> {
        let Some((_, names)) = LAYERS.into_iter().find(|(layer, _)| case.layer == *layer) else {
            let what = "this model".into();
            return Err(CaseError::Unsupported { layer: case.layer.clone(), what });
        };
        let fixed = [("dropout", 0.0.into()), ("norm", "layer".into()), ("residual", "R".into())];
        let own: Own = with_keys(case, |key| OWN.contains(&key)).parse_config_beside(&fixed)?;
        let published = Self::of(names, own, case)?;
        published.check_shapes(case)?;
        Ok(published)
    }

    fn of(names: ClassifierNames, own: Own, case: &Case) -> Result<Self, CaseError> {
        let Own { d_input, d_model, d_output, n_layers, prenorm, ffn_expand, mixer } = own;
        let d_hidden = match (names, ffn_expand) {
            (ClassifierNames::Example, None) => None,
            (ClassifierNames::Backbone, expand) => Some(expand.unwrap_or(2).saturating_mul(d_model)),
            (ClassifierNames::Example, Some(_)) => {
                let what = "`ffn_expand`: this model has no feed-forward blocks".into();
                return Err(CaseError::Unsupported { layer: case.layer.clone(), what });
            }
        };
        let layer = match mixer {
            StateSpaceNames::Block => "s4_block",
            StateSpaceNames::Minimal => "s4d",
        };
        Ok(Self {
            names,
            mixers: mixer,
            sizes: Sizes { d_input, d_model, d_output, n_layers, d_hidden },
            prenorm: prenorm.unwrap_or(names == ClassifierNames::Backbone),
            mixer: Case { layer: layer.into(), ..with_keys(case, |key| key == WIDTH || !OWN.contains(&key)) },
        })
    }

    /// Whether the parameters outside the sequence mixers have the shapes that the config asks for. Those of the mixers
    /// are checked when they are loaded.
    fn check_shapes(&self, case: &Case) -> Result<(), CaseError> {
        let (layout, Sizes { d_input, d_model, d_output, n_layers, d_hidden }) =
            (Layout(self.names), self.sizes);
        let width = ("d_model", d_model);
        let linear = |name: String, inputs, outputs| -> Result<(), CaseError> {
            case.check_parameter(&format!("{name}.weight"), &[outputs, inputs])?;
            case.check_parameter(&format!("{name}.bias"), &[outputs])
        };
        let norm = |name: String| -> Result<(), CaseError> {
            case.check_parameter(&format!("{name}.weight"), &[width])?;
            case.check_parameter(&format!("{name}.bias"), &[width])
        };
        linear(layout.encoder(), ("d_input", d_input), width)?;
        for layer in 0..n_layers {
            norm(layout.mixer_norm(layer))?;
            let Some(d_hidden) = d_hidden else { continue };
            let hidden = ("ffn_expand d_model", d_hidden);
            norm(layout.channel_norm(layer))?;
            let [expand, reduce] = layout.channel_mixer(layer);
            linear(expand, width, hidden)?;
            linear(reduce, hidden, width)?;
        }
        if self.has_last_norm() {
            norm(layout.last_norm())?;
        }
        linear(layout.decoder(), width, ("d_output", d_output))
    }

    /// The state size of the sequence mixers.
    pub(super) fn d_state(&self) -> usize {
        let d_state = self.mixer.config.get("d_state").and_then(|d_state| d_state.as_u64());
        d_state.map_or(64, |d_state| usize::try_from(d_state).unwrap_or(usize::MAX))
    }

    fn has_last_norm(&self) -> bool {
        self.prenorm && self.names == ClassifierNames::Backbone
    }

    /// The model with small sequence mixers, which those of the case replace.
    pub(super) fn model(&self) -> ModelConfig {
        let Sizes { d_input, d_model, d_output, n_layers, d_hidden } = self.sizes;
        let order = if self.prenorm { BlockOrder::PreNorm } else { BlockOrder::PostNorm };
        let mixer = S4dConfig::new(d_model).with_d_state(2).with_output(OutputMix::None);
        ModelConfig {
            d_model,
            n_layers,
            mixer: MixerConfig::S4d(mixer).into(),
            channel_mixer: match d_hidden {
                Some(d_hidden) => ChannelMixerConfig::Dense(DenseMlpConfig::new(d_model, d_hidden)).into(),
                None => ChannelMixerConfig::None.into(),
            },
            norm: NormKind::Layer,
            residual: true,
            encoder: Encoder::Linear { features: d_input },
            head: Head::Pool { outputs: d_output },
            structure: Structure {
                order,
                last_norm: self.has_last_norm() || !self.prenorm,
                ..Structure::default()
            },
        }
    }
}

/// A case of the same layer, without tensors, with some keys of its config.
fn with_keys(case: &Case, keep: impl Fn(&str) -> bool) -> Case {
    let mut config = case.config.clone();
    if let Some(keys) = config.as_object_mut() {
        keys.retain(|key, _| keep(key));
    }
    Case { layer: case.layer.clone(), config, parameters: Default::default(), tensors: Default::default() }
}
