//! `BlockdiagLinear`: the layout is ours.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use serde::Deserialize;
use subquad_backend::Form;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::{Gathered, invalid};
use crate::BlockDiagonalLinearConfig;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    in_features: usize,
    out_features: usize,
    nblocks: usize,
}

pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let Published { in_features, out_features, nblocks } = case.parse_config()?;
    let has_bias = case.parameters.contains_key("bias");
    let config = BlockDiagonalLinearConfig::new(in_features, out_features, nblocks).with_bias(has_bias);
    config.check().map_err(|e| invalid(case, e))?;
    let mut layer = config.init(device).with_form(form);
    layer.weight = Param::from_tensor(case.take_tensor("weight", layer.weight.val().dims(), device)?);
    if has_bias {
        layer.bias = Some(Param::from_tensor(case.take_tensor("bias", [out_features], device)?));
    }
    let input: Tensor<2> = case.tensor_of_width("input", in_features, device)?.require_grad();
    let mut gathered = Gathered::new(case, input.clone(), layer.forward(input), device)?;
    gathered.value("dense_weight", layer.dense_weight());
    gathered.grad("weight", layer.weight.val());
    if let Some(bias) = &layer.bias {
        gathered.grad("bias", bias.val());
    }
    Ok(gathered.replay)
}
