//! The Hyena operator of the safari repository (one head, one block, no inner factor or activation).

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use serde::de::IgnoredAny;
use subquad_backend::Form;
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Axis, Case, CaseError, Replay};

use super::filter_layout::FilterLayout;
use super::m2::{filter, gather_filter};
use super::shapes::{FILTER, Words, check_filter};
use super::{Gathered, invalid, linear, number, unsupported};
use crate::{Hyena, HyenaConfig};

/// The published options. `w` is only the initial frequency: it is read and not used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    d_model: usize,
    l_max: usize,
    #[serde(default = "number::<2>")]
    order: usize,
    #[serde(default = "number::<64>")]
    filter_order: usize,
    #[serde(default = "number::<3>")]
    emb_dim: usize,
    #[serde(rename = "w", default)]
    _w: Option<IgnoredAny>,
    #[serde(default = "number::<3>")]
    short_filter_order: usize,
    #[serde(default = "number::<2>")]
    num_inner_mlps: usize,
    #[serde(default)]
    shift: f64,
    #[serde(default = "yes")]
    modulate: bool,
    #[serde(default)]
    normalized: bool,
    #[serde(default)]
    filter_layout: FilterLayout,
}

fn yes() -> bool {
    true
}

impl Published {
    fn read(case: &Case) -> Result<Self, CaseError> {
        let one = || 1.into();
        case.parse_config_beside(&[
            ("num_heads", one()),
            ("num_blocks", one()),
            ("inner_factor", one()),
            ("activation", "id".into()),
            ("outer_mixing", false.into()),
            ("post_order_ffn", false.into()),
            ("dropout", 0.0.into()),
            ("filter_dropout", 0.0.into()),
        ])
    }

    fn config(&self) -> HyenaConfig {
        HyenaConfig::new(self.d_model, self.l_max)
            .with_order(self.order)
            .with_filter_order(self.filter_order)
            .with_emb_dim(self.emb_dim)
            .with_num_inner(self.num_inner_mlps)
            .with_short_filter(self.short_filter_order)
            .with_modulate(self.modulate)
            // Without a decay there is nothing to shift.
            .with_shift(if self.modulate { self.shift } else { 0.0 })
            .with_normalized(self.normalized)
    }
}

/// Whether the parameters have the shapes that `config` asks for.
fn check_shapes(case: &Case, config: &HyenaConfig) -> Result<(), CaseError> {
    let d_model: Axis = ("d_model", config.d_model);
    let wide = ("(order + 1) d_model", config.d_model.saturating_mul(config.order + 1));
    case.check_parameter("in_proj.weight", &[wide, d_model])?;
    case.check_parameter(
        "short_filter.weight",
        &[wide, ("1", 1), ("short_filter_order", config.short_filter)],
    )?;
    case.check_parameter("out_proj.weight", &[d_model, d_model])?;
    check_filter(case, FILTER, &config.filter(), &WORDS)
}

const WORDS: Words = Words {
    filter: "the filters",
    channels: "(order - 1) d_model",
    order: "filter_order",
    emb_dim: "emb_dim",
};

impl Hyena {
    /// The layer of `config` with published parameters, which are taken out of `case`; its filters are in the order of `layout`.
    ///
    /// # Errors
    /// If the config is refused or has options that the published layer lacks, or a parameter is missing or of another
    /// shape.
    pub fn from_published(
        case: &mut Case,
        config: &HyenaConfig,
        layout: FilterLayout,
        device: &Device,
    ) -> Result<Self, CaseError> {
        config.check().map_err(|e| invalid(case, e))?;
        if !config.share_sine {
            // The file holds one vector of frequencies.
            return Err(unsupported(case, "share_sine = false"));
        }
        check_shapes(case, config)?;
        layout.to_ours(&mut case.parameters, config, FILTER);
        let (d_model, width, taps) =
            (config.d_model, (config.order + 1) * config.d_model, config.short_filter);
        let mut layer = config.init(device);
        layer.in_linear = linear(case, "in_proj", [d_model, width], true, device)?;
        let short_weight = case.take_tensor("short_filter.weight", [width, 1, taps], device)?;
        layer.short_weight = Param::from_tensor(short_weight.reshape([width, taps]));
        layer.short_bias = Param::from_tensor(case.take_tensor("short_filter.bias", [width], device)?);
        layer.filter = filter(case, FILTER, &config.filter(), device)?;
        layer.out_linear = linear(case, "out_proj", [d_model, d_model], true, device)?;
        Ok(layer)
    }

    /// The parameters and buffers under their published names and in their published layout: the published state dict,
    /// with filters in the order of `layout`.
    pub fn to_published(&self, layout: FilterLayout) -> BTreeMap<String, TensorData> {
        let mut gathered = Gathered::values();
        gather(&mut gathered, self);
        layout.to_theirs(&mut gathered.replay, &self.config, FILTER);
        gathered.replay
    }
}

fn gather(gathered: &mut Gathered, layer: &Hyena) {
    gathered.linear("in_proj", &layer.in_linear);
    gathered.parameter_as("short_filter.weight", layer.short_weight.val(), |g| g.unsqueeze_dim::<3>(1));
    gathered.parameter("short_filter.bias", layer.short_bias.val());
    gather_filter(gathered, FILTER, &layer.filter);
    gathered.linear("out_proj", &layer.out_linear);
}

/// Replays output, filters, the output token by token if the case has one, and every gradient.
pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let published = Published::read(case)?;
    let (config, layout) = (published.config(), published.filter_layout);
    let layer = Hyena::from_published(case, &config, layout, device)?.with_form(form);
    let input: Tensor<3> = case.tensor_of_width("input", config.d_model, device)?;
    let [batch, seq, _] = input.dims();
    if seq > config.l_max {
        return Err(invalid(case, format!("an input of {seq} tokens is longer than the filters")));
    }
    let width = ("(order + 1) d_model", (config.order + 1) * config.d_model);
    case.check_amount("the gates", &[("batch", batch), ("length", seq), width])?;
    let stepped = case.steps(&layer, &input);
    let input = input.require_grad();
    let mut gathered = Gathered::new(case, input.clone(), layer.forward(input), device)?;
    stepped.into_iter().for_each(|(name, output)| gathered.value(&name, output));
    if case.tensors.contains_key("filter") {
        gathered.value("filter", layer.kernels(seq));
    }
    gather(&mut gathered, &layer);
    layout.to_theirs(&mut gathered.replay, &config, &format!("grad.{FILTER}"));
    Ok(gathered.replay)
}
