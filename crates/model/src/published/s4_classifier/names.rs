//! The names of a classifier's parameters: one list for loading, saving and gradients.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use subquad_backend::read;
use subquad_mixer::published::{Case, CaseError};
use subquad_s4::{S4, S4d};

use super::config::Published;
use super::{ClassifierNames, LAYERS, StateSpaceNames};
use crate::model::EncoderKind;
use crate::{ChannelMixerKind, MixerKind, Norm, SequenceModel};

/// The names of a class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout(pub(super) ClassifierNames);

impl Layout {
    pub(super) fn encoder(self) -> String {
        "encoder".into()
    }

    pub(super) fn decoder(self) -> String {
        match self.0 {
            ClassifierNames::Example => "decoder".into(),
            ClassifierNames::Backbone => "decoder.output_transform".into(),
        }
    }

    pub(super) fn mixer(self, layer: usize) -> String {
        match self.0 {
            ClassifierNames::Example => format!("s4_layers.{layer}."),
            ClassifierNames::Backbone => format!("model.layers.{}.layer.", 2 * layer),
        }
    }

    pub(super) fn mixer_norm(self, layer: usize) -> String {
        match self.0 {
            ClassifierNames::Example => format!("norms.{layer}"),
            ClassifierNames::Backbone => format!("model.layers.{}.norm.norm", 2 * layer),
        }
    }

    /// Both linear layers of a feed-forward block, which only the backbone has.
    pub(super) fn channel_mixer(self, layer: usize) -> [String; 2] {
        ["ff.0.0", "ff.2"].map(|linear| format!("model.layers.{}.layer.{linear}", 2 * layer + 1))
    }

    pub(super) fn channel_norm(self, layer: usize) -> String {
        format!("model.layers.{}.norm.norm", 2 * layer + 1)
    }

    pub(super) fn last_norm(self) -> String {
        "model.norm.norm".into()
    }

    /// Visits all parts of a model.
    pub(super) fn walk(self, model: &mut SequenceModel, visit: &mut impl Visit) -> Result<(), CaseError> {
        let (EncoderKind::Linear(encoder), Some(head)) = (&mut model.encoder, &mut model.head) else {
            return Err(self.foreign("tokens, or a tied head"));
        };
        visit.linear(&self.encoder(), encoder)?;
        visit.linear(&self.decoder(), head)?;
        for (layer, block) in model.blocks.iter_mut().enumerate() {
            let norm = block.mixer_norm.as_mut().ok_or_else(|| self.foreign("blocks without norms"))?;
            visit.norm(&self.mixer_norm(layer), norm)?;
            visit.mixer(&self.mixer(layer), &mut block.mixer)?;
            match (self.0, &mut block.channel_mixer, &mut block.channel_norm) {
                (ClassifierNames::Example, None, _) => {}
                (ClassifierNames::Backbone, Some(ChannelMixerKind::Dense(mlp)), Some(norm)) => {
                    visit.norm(&self.channel_norm(layer), norm)?;
                    for (name, linear) in self.channel_mixer(layer).iter().zip(mlp.layers_mut()) {
                        visit.linear(name, linear)?;
                    }
                }
                _ => return Err(self.foreign("these channel mixers")),
            }
        }
        match (self.0, &mut model.norm) {
            (_, None) => Ok(()),
            (ClassifierNames::Backbone, Some(norm)) => visit.norm(&self.last_norm(), norm),
            (ClassifierNames::Example, Some(_)) => Err(self.foreign("a last norm")),
        }
    }

    fn foreign(self, what: &str) -> CaseError {
        let layer =
            LAYERS.into_iter().filter(|(_, names)| *names == self.0).map(|(layer, _)| layer).collect();
        CaseError::Unsupported { layer, what: what.into() }
    }
}

/// What the walk does with each part.
pub(super) trait Visit {
    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), CaseError>;

    fn norm(&mut self, name: &str, norm: &mut Norm) -> Result<(), CaseError>;

    fn mixer(&mut self, prefix: &str, mixer: &mut MixerKind) -> Result<(), CaseError>;
}

/// The model of `published` with the parameters that it takes out of `case`.
pub(super) fn load(
    published: &Published,
    case: &mut Case,
    device: &Device,
) -> Result<SequenceModel, CaseError> {
    let config = published.model();
    let wrong =
        |e: subquad_mixer::Refusal| CaseError::Config { layer: case.layer.clone(), message: e.to_string() };
    config.check().map_err(wrong)?;
    let mut model = config.init(device);
    Layout(published.names).walk(&mut model, &mut Load { case, of_mixer: &published.mixer, device })?;
    Ok(model)
}

struct Load<'a> {
    case: &'a mut Case,
    of_mixer: &'a Case,
    device: &'a Device,
}

impl Visit for Load<'_> {
    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), CaseError> {
        let [d_input, d_output] = linear.weight.dims();
        let weight: Tensor<2> =
            self.case.take_tensor(&format!("{name}.weight"), [d_output, d_input], self.device)?;
        let bias = self.case.take_tensor(&format!("{name}.bias"), [d_output], self.device)?;
        linear.weight = Param::from_tensor(weight.transpose());
        linear.bias = Some(Param::from_tensor(bias));
        Ok(())
    }

    fn norm(&mut self, name: &str, norm: &mut Norm) -> Result<(), CaseError> {
        let width = norm.gamma.dims();
        norm.gamma =
            Param::from_tensor(self.case.take_tensor(&format!("{name}.weight"), width, self.device)?);
        norm.beta = Param::from_tensor(self.case.take_tensor(&format!("{name}.bias"), width, self.device)?);
        Ok(())
    }

    fn mixer(&mut self, prefix: &str, mixer: &mut MixerKind) -> Result<(), CaseError> {
        let (of_mixer, device) = (self.of_mixer.clone(), self.device);
        *mixer = self.case.part(prefix, |case| {
            let mut own = Case { parameters: std::mem::take(&mut case.parameters), ..of_mixer };
            let loaded = match own.config.get("kernel").and_then(|kernel| kernel.as_str()) {
                Some("s4") => S4::from_published(&mut own, device).map(MixerKind::S4),
                Some(_) | None => S4d::from_published(&mut own, device).map(MixerKind::S4d),
            };
            case.parameters = own.parameters;
            loaded
        })?;
        Ok(())
    }
}

/// What to collect of the parameters.
pub(super) enum Wanted<'a> {
    Values,
    /// Their gradients, under `grad.` and their names.
    Gradients(&'a Gradients),
}

impl Wanted<'_> {
    fn of<const D: usize>(&self, param: &Param<Tensor<D>>) -> Tensor<D> {
        match self {
            Self::Values => param.val(),
            Self::Gradients(grads) => param.val().grad(grads).expect("the loss depends on every parameter"),
        }
    }

    fn prefix(&self) -> &'static str {
        match self {
            Self::Values => "",
            Self::Gradients(_) => "grad.",
        }
    }
}

pub(super) struct Save<'a> {
    wanted: Wanted<'a>,
    mixers: StateSpaceNames,
    pub(super) found: BTreeMap<String, TensorData>,
}

impl<'a> Save<'a> {
    pub(super) fn new(wanted: Wanted<'a>, mixers: StateSpaceNames) -> Self {
        Self { wanted, mixers, found: BTreeMap::new() }
    }

    fn put<const D: usize>(&mut self, name: String, values: Tensor<D>) {
        self.found.insert(format!("{}{name}", self.wanted.prefix()), read(values));
    }
}

impl Visit for Save<'_> {
    fn linear(&mut self, name: &str, linear: &mut Linear) -> Result<(), CaseError> {
        self.put(format!("{name}.weight"), self.wanted.of(&linear.weight).transpose());
        if let Some(bias) = &linear.bias {
            self.put(format!("{name}.bias"), self.wanted.of(bias));
        }
        Ok(())
    }

    fn norm(&mut self, name: &str, norm: &mut Norm) -> Result<(), CaseError> {
        self.put(format!("{name}.weight"), self.wanted.of(&norm.gamma));
        self.put(format!("{name}.bias"), self.wanted.of(&norm.beta));
        Ok(())
    }

    fn mixer(&mut self, prefix: &str, mixer: &mut MixerKind) -> Result<(), CaseError> {
        let found = match (self.mixers, mixer, &self.wanted) {
            (StateSpaceNames::Block, MixerKind::S4(layer), Wanted::Values) => layer.to_published(),
            (StateSpaceNames::Block, MixerKind::S4d(layer), Wanted::Values) => layer.to_published(),
            (StateSpaceNames::Block, MixerKind::S4(layer), Wanted::Gradients(grads)) => {
                layer.published_gradients(grads)
            }
            (StateSpaceNames::Block, MixerKind::S4d(layer), Wanted::Gradients(grads)) => {
                layer.published_gradients(grads)
            }
            (StateSpaceNames::Minimal, MixerKind::S4d(layer), Wanted::Values) => {
                layer.to_published_minimal()?
            }
            (StateSpaceNames::Minimal, MixerKind::S4d(layer), Wanted::Gradients(grads)) => {
                layer.published_minimal_gradients(grads)?
            }
            _ => {
                let what = "these sequence mixers".into();
                return Err(CaseError::Unsupported { layer: "s4_block".into(), what });
            }
        };
        let in_front = format!("{}{prefix}", self.wanted.prefix());
        self.found.extend(found.into_iter().map(|(name, data)| (format!("{in_front}{name}"), data)));
        Ok(())
    }
}
