//! A filter as long as the sequence, whose taps are a small network's output for each position.
//!
//! ```text
//! k_l = h(z_l) (exp(-t_l |delta|) + shift)     h: sine layers and a linear one; z, t, delta: `features.rs`
//! k_l = k_l / |k_l|_1                          with `normalized`: the norm over the channels
//! y   = conv(x, k) + bias x                    two-sided: a second network for the taps that look ahead
//! ```
//! The number of parameters hardly grows with the length: the network is shared by all positions.
//! Poli et al. 2023 (Hyena), <https://arxiv.org/abs/2302.10866>, section 3.3; the filter of Monarch Mixer as well.

mod algorithm;
mod config;
pub(crate) mod features;
mod lags;
mod network;

use burn::module::{Module, Param, ParamId, list_param_ids};
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::Form;
use subquad_mixer::{LearningRate, ParameterGroup, WeightDecay};

pub use algorithm::ConvAlgorithm;
pub use config::ImplicitFilterConfig;
pub(crate) use config::{EMB_DIMS, NUM_INNER, ORDERS};
pub(crate) use network::SineNetwork;

/// Smallest sum that taps are divided by, the same as PyTorch's.
const SMALLEST_NORM: f64 = 1e-12;

/// Rounds once, from f64.
pub(crate) fn matrix(values: Vec<f64>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// One long filter per channel, drawn by a network: see [`ImplicitFilterConfig`].
#[derive(Module, Debug)]
pub struct ImplicitFilter {
    pub(crate) network: SineNetwork,
    pub(crate) reverse: Option<SineNetwork>,
    /// `[order]`, for all sine layers of both networks; if they are not shared, `order` for each layer of `network`,
    /// then for each of `reverse`.
    pub(crate) frequency: Param<Tensor<1>>,
    /// Positional features `[l_max, emb_dim]`: they start as fixed waves, and are trained.
    pub(crate) z: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
    /// `[l_max, d_model]`, not trained. Kept whole, because it costs as much as the filter to compute.
    pub(crate) decay: Tensor<2>,
    /// What the decay is computed from, as published files hold it: `[l_max]`.
    #[module(skip)]
    pub(crate) positions: Vec<f64>,
    /// The same of the channels: `[d_model]`.
    #[module(skip)]
    pub(crate) rates: Vec<f64>,
    #[module(skip)]
    pub(crate) config: ImplicitFilterConfig,
}

impl ImplicitFilter {
    /// Taps of the filter, in tokens.
    pub fn l_max(&self) -> usize {
        self.decay.dims()[0]
    }

    /// The first `seq` taps: lags `0, 1, ..`, without the bias: `[d_model, seq]`.
    ///
    /// # Panics
    /// If `seq` is above `l_max`.
    pub fn kernel(&self, seq: usize) -> Tensor<2> {
        self.taps(&self.network, 0, seq, Form::Portable).transpose()
    }

    /// The first `seq` taps that look ahead: lags `-1, -2, ..`, or `0, -1, ..` where `rev_offset` is 0: `[d_model, seq]`;
    /// `None` for a causal filter.
    ///
    /// # Panics
    /// If `seq` is above `l_max`.
    pub fn reverse_kernel(&self, seq: usize) -> Option<Tensor<2>> {
        self.reverse.as_ref().map(|network| self.taps(network, 1, seq, Form::Portable).transpose())
    }

    /// Filters every channel: `conv(x, k) + bias x`. The taps are computed once for the whole batch.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_model, seq]`
    /// - output: `[batch, d_model, seq]`
    ///
    /// # Panics
    /// If `seq` is above `l_max` or the channels differ.
    pub fn convolve(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        let [_, _, seq] = x.dims();
        let lags = self.lags(seq, form);
        let [sides, _, _] = lags.dims();
        let side = |i: usize| lags.clone().narrow(0, i, 1).squeeze_dim::<2>(0);
        // Nothing is ahead of the last token: seq tokens use seq - 1 taps that look ahead, and one token uses none.
        let ahead = (sides > 1 && seq > 1).then(|| side(1));
        self.config.conv.convolve(x, side(0), ahead, form)
    }

    /// The first `seq` taps of each side, the bias in lag 0: `[sides, d_model, seq]`, lags `0, 1, ..` first and then, if the
    /// filter is two-sided, `-1, -2, ..`.
    ///
    /// # Panics
    /// If `seq` is above `l_max`.
    pub fn lags(&self, seq: usize, form: Form) -> Tensor<3> {
        let (reverse, bias) = (self.reverse.as_ref(), self.bias.val());
        let lags = match (form, self.config.normalized) {
            (Form::Fused, false) => {
                let past = self.answers(&self.network, 0, seq, form);
                let future = reverse.map(|network| self.answers(network, 1, seq, form));
                lags::fused(past, future, self.decay.clone().narrow(0, 0, seq), bias)
            }
            (Form::Portable, _) | (Form::Fused, true) => {
                let past = self.taps(&self.network, 0, seq, form);
                let future = reverse.map(|network| self.taps(network, 1, seq, form));
                lags::stacked(past, future, bias)
            }
        };
        match self.config.rev_offset {
            0 => lags::from_present(lags),
            _ => lags,
        }
    }

    /// Lags `0, 1, ..` of a causal filter, the bias in lag 0: `[d_model, seq]`.
    pub(crate) fn kernel_with_bias(&self, seq: usize, form: Form) -> Tensor<2> {
        self.lags(seq, form).narrow(0, 0, 1).squeeze_dim(0)
    }

    /// A network's output after the decay and, with `normalized`, with each row divided by the sum of its absolute values:
    /// `[seq, d_model]`.
    fn taps(&self, network: &SineNetwork, index: usize, seq: usize, form: Form) -> Tensor<2> {
        let taps = self.answers(network, index, seq, form) * self.decay.clone().narrow(0, 0, seq);
        match self.config.normalized {
            true => taps.clone() / taps.abs().sum_dim(1).clamp_min(SMALLEST_NORM),
            false => taps,
        }
    }

    /// The output of a network, the first or the second, for each position, before the decay: `[seq, d_model]`.
    fn answers(&self, network: &SineNetwork, index: usize, seq: usize, form: Form) -> Tensor<2> {
        assert!(seq <= self.l_max(), "the filter has {} taps, got {seq} tokens", self.l_max());
        network.forward(self.z.val().narrow(0, 0, seq), self.frequencies(index), form)
    }

    /// The frequencies of a network times their factor, `[sine layers, order]`; `[1, order]` if they are shared.
    fn frequencies(&self, network: usize) -> Tensor<2> {
        let (order, layers) = (self.config.order, self.config.sine_layers());
        let learned = self.frequency.val();
        let factor = self.config.sine_factor;
        let all = if factor == 1.0 { learned } else { learned * factor };
        match self.config.share_sine {
            true => all.unsqueeze(),
            false => all.narrow(0, network * layers * order, layers * order).reshape([layers, order]),
        }
    }

    /// The parameter groups of a layer with these filters: the networks learn at most at `learning_rate` and decay by
    /// `weight_decay`, and the positional features learn at most at `position`.
    pub(crate) fn groups(
        filters: &[&Self],
        learning_rate: f64,
        weight_decay: f64,
        position: f64,
    ) -> Vec<ParameterGroup> {
        let group = |name, parameters, learning_rate, weight_decay| ParameterGroup {
            name,
            parameters,
            learning_rate: LearningRate::AtMost(learning_rate),
            weight_decay: WeightDecay::Fixed(weight_decay),
        };
        let networks = filters.iter().flat_map(|filter| filter.network_parameters()).collect();
        let positions = filters.iter().map(|filter| filter.z.id).collect();
        vec![
            group("filter", networks, learning_rate, weight_decay),
            group("position", positions, position, 0.0),
        ]
    }

    /// Weights, biases and frequencies of the networks, the reverse one included.
    fn network_parameters(&self) -> Vec<ParamId> {
        let mut parameters = list_param_ids(&self.network);
        parameters.extend(self.reverse.iter().flat_map(list_param_ids));
        parameters.push(self.frequency.id);
        parameters
    }
}
