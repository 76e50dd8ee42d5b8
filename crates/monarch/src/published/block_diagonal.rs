//! `BlockdiagLinear`, whose layout is the same as ours, and the channel mixer that consists of two.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::{Gathered, check_linear, invalid, records_dense, unsupported};
use crate::{BlockDiagonalLinear, BlockDiagonalLinearConfig, BlockDiagonalMlp, BlockDiagonalMlpConfig};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    in_features: usize,
    out_features: usize,
    nblocks: usize,
}

impl Published {
    /// Whether the tensors of `case` have the shapes that the config asks for.
    fn check_shapes(&self, case: &Case) -> Result<(), CaseError> {
        let Self { in_features, out_features, nblocks } = *self;
        let share = |width: usize| width.div_ceil(nblocks.max(1));
        let (outputs, inputs) = (share(out_features), share(in_features));
        let weight =
            [("nblocks", nblocks), ("out_features / nblocks", outputs), ("in_features / nblocks", inputs)];
        case.check_parameter("weight", &weight)?;
        check_linear(case, in_features, out_features)
    }
}

pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let published: Published = case.parse_config()?;
    published.check_shapes(case)?;
    let Published { in_features, out_features, nblocks } = published;
    let has_bias = case.parameters.contains_key("bias");
    let config = BlockDiagonalLinearConfig::new(in_features, out_features, nblocks).with_bias(has_bias);
    let layer = BlockDiagonalLinear::from_published(case, &config, device)?.with_form(form);
    let input: Tensor<2> = case.tensor_of_width("input", in_features, device)?.require_grad();
    let mut gathered = Gathered::new(case, input.clone(), layer.forward(input), device)?;
    if records_dense(case, in_features, out_features)? {
        gathered.value("dense_weight", layer.dense_weight());
    }
    gather(&mut gathered, &layer);
    Ok(gathered.replay)
}

fn gather(gathered: &mut Gathered, layer: &BlockDiagonalLinear) {
    gathered.parameter("weight", layer.weight.val());
    if let Some(bias) = &layer.bias {
        gathered.parameter("bias", bias.val());
    }
}

impl BlockDiagonalLinear {
    /// The layer of `config` with published parameters, which are taken out of `case`.
    ///
    /// # Errors
    /// If the config is refused, or a parameter is missing or of another shape.
    pub fn from_published(
        case: &mut Case,
        config: &BlockDiagonalLinearConfig,
        device: &Device,
    ) -> Result<Self, CaseError> {
        config.check().map_err(|e| invalid(case, e))?;
        let mut layer = config.init(device);
        layer.weight = Param::from_tensor(case.take_tensor("weight", layer.weight.val().dims(), device)?);
        if config.bias {
            layer.bias = Some(Param::from_tensor(case.take_tensor("bias", [config.d_output], device)?));
        }
        Ok(layer)
    }

    /// The parameters under their published names and in their published layout.
    pub fn to_published(&self) -> BTreeMap<String, TensorData> {
        let mut gathered = Gathered::values();
        gather(&mut gathered, self);
        gathered.replay
    }
}

/// Both names occur for the layer before the gate.
const EXPAND: [&str; 2] = ["gated_layers.", "gated_layer."];
const REDUCE: &str = "wo.";

impl BlockDiagonalMlp {
    /// The channel mixer of `config` with published parameters, which are taken out of `case`: `gated_layers` (or
    /// `gated_layer`) and `wo`.
    ///
    /// # Errors
    /// If the config is refused or has no gate, which the published layer has, or a parameter is missing or of another shape.
    pub fn from_published(
        case: &mut Case,
        config: &BlockDiagonalMlpConfig,
        device: &Device,
    ) -> Result<Self, CaseError> {
        if !config.gated {
            return Err(unsupported(case, "gated = false"));
        }
        let is_there = |name: &&str| case.parameters.keys().any(|key| key.starts_with(name));
        let expand = EXPAND.into_iter().find(is_there).unwrap_or(EXPAND[0]);
        let mut linear =
            |name, config| case.part(name, |case| BlockDiagonalLinear::from_published(case, &config, device));
        let [first, second] = config.layers();
        Ok(Self::new([linear(expand, first)?, linear(REDUCE, second)?], config.between(), device))
    }

    /// The parameters in their published layout under the published names of the gated form.
    pub fn to_published(&self) -> BTreeMap<String, TensorData> {
        let mut gathered = Gathered::values();
        self.gather(&mut gathered);
        gathered.replay
    }

    /// Collects what belongs to the parameters.
    pub fn gather(&self, gathered: &mut Gathered) {
        for (name, layer) in [(EXPAND[0], &self.expand), (REDUCE, &self.reduce)] {
            gathered.part(name, |gathered| gather(gathered, layer));
        }
    }
}
