//! `MonarchMixerSequenceMixing`, whose sine frequency is one parameter under several names.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::nn::LayerNorm;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use subquad_backend::Form;
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::shapes::{FILTER, NETWORK, REVERSE, Words, check_filter, networks};
use super::{Gathered, invalid, linear, number, unsupported};
use crate::filter::{SineNetwork, matrix};
use crate::{ImplicitFilter, ImplicitFilterConfig, M2, M2Config};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    d_model: usize,
    l_max: usize,
    #[serde(default)]
    bidirectional: bool,
    #[serde(default)]
    residual_long_conv: bool,
    #[serde(default = "number::<16>")]
    hyena_filter_order: usize,
    #[serde(default = "number::<3>")]
    hyena_emb_dim: usize,
    #[serde(default = "default_frequency")]
    hyena_w: f64,
    #[serde(default = "default_factor")]
    hyena_w_mod: f64,
    #[serde(default)]
    hyena_training_additions: bool,
}

fn default_frequency() -> f64 {
    10.0
}

fn default_factor() -> f64 {
    1.0
}

impl From<Published> for M2Config {
    fn from(published: Published) -> Self {
        Self::new(published.d_model, published.l_max)
            .with_bidirectional(published.bidirectional)
            .with_residual(published.residual_long_conv)
            .with_filter_order(published.hyena_filter_order)
            .with_emb_dim(published.hyena_emb_dim)
            .with_sine_frequency(published.hyena_w)
            .with_sine_factor(published.hyena_w_mod)
            .with_input_norm(published.hyena_training_additions)
    }
}

impl M2 {
    /// The layer of `config` with published parameters, which are taken out of `case`.
    ///
    /// # Errors
    /// If the config is refused or has options that the published layer lacks, or a parameter is missing or of another
    /// shape.
    pub fn from_published(case: &mut Case, config: &M2Config, device: &Device) -> Result<Self, CaseError> {
        config.check().map_err(|e| invalid(case, e))?;
        check_published(case, config)?;
        let (d_model, width) = (config.d_model, 3 * config.d_model);
        let mut layer = config.init(device);
        if let Some(norm) = &mut layer.norm {
            let [weight, bias] = NORM.map(|name| case.take_tensor(name, [d_model], device));
            (norm.gamma, norm.beta) = (Param::from_tensor(weight?), Some(Param::from_tensor(bias?)));
        }
        layer.in_linear = linear(case, "in_linear", [d_model, width], true, device)?;
        let short_weight = case.take_tensor("short_filter.weight", [width, 1, 3], device)?;
        layer.short_weight = Param::from_tensor(short_weight.reshape([width, 3]));
        layer.short_bias = Param::from_tensor(case.take_tensor("short_filter.bias", [width], device)?);
        layer.filter = filter(case, FILTER, &config.filter(), device)?;
        if config.residual {
            layer.residual = Some(filter(case, RESIDUAL, &config.filter(), device)?);
        }
        layer.out_linear = linear(case, "out_linear", [d_model, d_model], true, device)?;
        Ok(layer)
    }

    /// The parameters and buffers under their published names and in their published layout: the published state dict.
    pub fn to_published(&self) -> BTreeMap<String, TensorData> {
        let mut gathered = Gathered::values();
        self.gather(&mut gathered);
        gathered.replay
    }

    /// Collects the parameters, and if their values are asked for, also the buffers and further names.
    pub fn gather(&self, gathered: &mut Gathered) {
        if let Some(LayerNorm { gamma, beta: Some(beta), .. }) = &self.norm {
            let [weight, bias] = NORM;
            gathered.parameter(weight, gamma.val());
            gathered.parameter(bias, beta.val());
        }
        gathered.linear("in_linear", &self.in_linear);
        let short_weight = self.short_weight.val();
        gathered.parameter_as("short_filter.weight", short_weight, |g| g.unsqueeze_dim::<3>(1));
        gathered.parameter("short_filter.bias", self.short_bias.val());
        gather_filter(gathered, FILTER, &self.filter);
        if let Some(residual) = &self.residual {
            gather_filter(gathered, RESIDUAL, residual);
        }
        gathered.linear("out_linear", &self.out_linear);
    }
}

/// Refuses options that the file does not hold, or not under these names.
fn check_published(case: &Case, config: &M2Config) -> Result<(), CaseError> {
    let foreign = [
        ("short_filter other than 3", config.short_filter != 3),
        ("share_sine = false", !config.share_sine),
        ("modulate = false", !config.modulate),
        ("shift other than 0", config.shift != 0.0),
        ("normalized = true", config.normalized),
        ("rev_offset other than 1", config.rev_offset != 1),
    ];
    match foreign.into_iter().find(|(_, found)| *found) {
        Some((what, _)) => Err(unsupported(case, what)),
        None => Ok(()),
    }
}

/// Whether the parameters have the shapes that `config` asks for.
fn check_shapes(case: &Case, config: &M2Config) -> Result<(), CaseError> {
    let (d_model, width) = (("d_model", config.d_model), ("3 d_model", config.d_model.saturating_mul(3)));
    case.check_parameter("in_linear.weight", &[width, d_model])?;
    case.check_parameter("short_filter.weight", &[width, ("1", 1), ("3", config.short_filter)])?;
    case.check_parameter("out_linear.weight", &[d_model, d_model])?;
    let filters = if config.residual { &[FILTER, RESIDUAL][..] } else { &[FILTER] };
    filters.iter().try_for_each(|name| check_filter(case, name, &config.filter(), &WORDS))
}

const RESIDUAL: &str = "filter_fn2";
const WORDS: Words =
    Words { filter: "a filter", channels: "d_model", order: "hyena_filter_order", emb_dim: "hyena_emb_dim" };
const NORM: [&str; 2] = ["layernorm.weight", "layernorm.bias"];

pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let config = M2Config::from(case.parse_config::<Published>()?);
    check_shapes(case, &config)?;
    let layer = M2::from_published(case, &config, device)?.with_form(form);
    let input: Tensor<3> = case.tensor_of_width("input", config.d_model, device)?.require_grad();
    let [_, seq, _] = input.dims();
    if seq > config.l_max {
        return Err(invalid(case, format!("an input of {seq} tokens is longer than the filters")));
    }
    let output = layer.forward(input.clone());
    let mut gathered = Gathered::new(case, input, output, device)?;
    gathered.value("filter", layer.filter.kernel(seq).transpose());
    if let Some(reverse) = layer.filter.reverse_kernel(seq) {
        gathered.value("filter_rev", reverse.transpose());
    }
    layer.gather(&mut gathered);
    Ok(gathered.replay)
}

pub(super) fn filter(
    case: &mut Case,
    name: &str,
    config: &ImplicitFilterConfig,
    device: &Device,
) -> Result<ImplicitFilter, CaseError> {
    let ImplicitFilterConfig { d_model, l_max, order, emb_dim, bidirectional, .. } = *config;
    let network = network(case, &format!("{name}.{NETWORK}"), config, device)?;
    let reverse = match bidirectional {
        true => Some(self::network(case, &format!("{name}.{REVERSE}"), config, device)?),
        false => None,
    };
    let frequency = case.take_shared(&frequency_names(name, config), &[1, order])?;
    let frequency = Tensor::<2>::from_data(frequency, device).reshape([order]);
    let z = case
        .take_tensor(&format!("{name}.pos_emb.z"), [1, l_max, emb_dim], device)?
        .reshape([l_max, emb_dim]);
    let bias = case.take_tensor(&format!("{name}.bias"), [d_model], device)?;
    let t = case.take(&format!("{name}.pos_emb.t"), &[1, l_max, 1])?;
    let deltas = case.take(&format!("{name}.modulation.deltas"), &[1, 1, d_model])?;
    let [positions, rates] = [t, deltas].map(|data| data.iter::<f64>().collect::<Vec<_>>());
    Ok(ImplicitFilter {
        network,
        reverse,
        frequency: Param::from_tensor(frequency),
        z: Param::from_tensor(z),
        bias: Param::from_tensor(bias),
        decay: matrix(config.envelope(&positions, &rates), [l_max, d_model], device),
        positions,
        rates,
        config: config.clone(),
    })
}

/// The layers have the even numbers from 0; the sines between them hold the frequency.
fn network(
    case: &mut Case,
    name: &str,
    config: &ImplicitFilterConfig,
    device: &Device,
) -> Result<SineNetwork, CaseError> {
    let ImplicitFilterConfig { d_model, order, emb_dim, num_inner, .. } = *config;
    let mut layer = |i: usize, sizes, bias| linear(case, &format!("{name}.{}", 2 * i), sizes, bias, device);
    Ok(SineNetwork {
        input: layer(0, [emb_dim, order], true)?,
        inner: (1..=num_inner).map(|i| layer(i, [order, order], true)).collect::<Result<_, _>>()?,
        output: layer(num_inner + 1, [order, d_model], false)?,
    })
}

/// One name per sine layer, of both networks.
fn frequency_names(name: &str, config: &ImplicitFilterConfig) -> Vec<String> {
    let sines =
        |network| (0..config.sine_layers()).map(move |i| format!("{name}.{network}.{}.freq", 2 * i + 1));
    networks(config).iter().flat_map(sines).collect()
}

pub(super) fn gather_filter(gathered: &mut Gathered, name: &str, filter: &ImplicitFilter) {
    gather_network(gathered, &format!("{name}.{NETWORK}"), &filter.network);
    if let Some(reverse) = &filter.reverse {
        gather_network(gathered, &format!("{name}.{REVERSE}"), reverse);
    }
    let names = frequency_names(name, &filter.config);
    gathered.shared_parameter(&names, filter.frequency.val(), |g| g.unsqueeze::<2>());
    gathered.parameter_as(&format!("{name}.pos_emb.z"), filter.z.val(), |g| g.unsqueeze::<3>());
    gathered.parameter(&format!("{name}.bias"), filter.bias.val());
    let [positions, rates] = [&filter.positions, &filter.rates]
        .map(|numbers| numbers.iter().map(|number| *number as f32).collect::<Vec<_>>());
    let (l_max, d_model) = (positions.len(), rates.len());
    gathered.buffer(&format!("{name}.pos_emb.t"), TensorData::new(positions, [1, l_max, 1]));
    gathered.buffer(&format!("{name}.modulation.deltas"), TensorData::new(rates, [1, 1, d_model]));
}

fn gather_network(gathered: &mut Gathered, name: &str, network: &SineNetwork) {
    let layers = std::iter::once(&network.input).chain(&network.inner).chain([&network.output]);
    for (i, layer) in layers.enumerate() {
        gathered.linear(&format!("{name}.{}", 2 * i), layer);
    }
}
