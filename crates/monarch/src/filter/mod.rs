//! A filter as long as the sequence whose taps are a small network's answer to the position.
//!
//! ```text
//! k_l = h(z_l) exp(-t_l |delta|)        h: three sine layers and a linear one; z, t, delta: `features.rs`
//! y   = conv(x, k) + bias x             two-sided: a second network for the taps that look ahead
//! ```
//! The number of parameters hardly grows with the length: the network is shared by all positions.
//! Poli et al. 2023 (Hyena), <https://arxiv.org/abs/2302.10866>, section 3.3; the filter of Monarch Mixer as well.

pub(crate) mod features;
mod network;

use burn::config::Config;
use burn::module::{Module, Param, ParamId, list_param_ids};
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::Form;
use subquad_backend::fft_conv::{causal_conv, two_sided_conv};

use crate::init::normal;
pub(crate) use network::SineNetwork;

/// Config of an [`ImplicitFilter`].
#[derive(Config, Debug)]
pub struct ImplicitFilterConfig {
    /// Channels, one filter each.
    pub d_model: usize,
    /// Taps, in tokens. The filter does not stretch: fewer tokens use its first taps, more are refused.
    pub l_max: usize,
    /// Width of the network.
    #[config(default = 64)]
    pub order: usize,
    /// Positional features: 1 for the position itself and 2 for each frequency, so odd. 3 gives a single frequency so
    /// low that it is nearly constant.
    #[config(default = 5)]
    pub emb_dim: usize,
    /// Initial frequency of the sines, one learned number a unit. Higher ones draw rougher filters.
    #[config(default = 10.0)]
    pub sine_frequency: f64,
    /// Whether taps look ahead too, drawn by a network of their own.
    #[config(default = false)]
    pub bidirectional: bool,
}

/// Why an [`ImplicitFilterConfig`] is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImplicitFilterConfigError {
    /// A size is 0.
    #[error("{what} = 0, but a filter needs at least 1")]
    ZeroSize {
        /// The size.
        what: &'static str,
    },
    /// The positional features cannot be a position and pairs.
    #[error(
        "emb_dim = {emb_dim}, but it counts a position and pairs of sines, so it must be odd and at least 3"
    )]
    EmbDim {
        /// The features asked for.
        emb_dim: usize,
    },
    /// The frequency is not a positive number.
    #[error("sine_frequency = {sine_frequency}, but a frequency must be positive and finite")]
    SineFrequency {
        /// The frequency asked for.
        sine_frequency: f64,
    },
}

impl ImplicitFilterConfig {
    /// # Errors
    /// If a size is 0, `emb_dim` is even or below 3, or the frequency is not positive.
    pub fn check(&self) -> Result<(), ImplicitFilterConfigError> {
        let Self { d_model, l_max, order, emb_dim, sine_frequency, bidirectional: _ } = *self;
        for (what, size) in [("d_model", d_model), ("l_max", l_max), ("filter_order", order)] {
            if size == 0 {
                return Err(ImplicitFilterConfigError::ZeroSize { what });
            }
        }
        if emb_dim < 3 || emb_dim.is_multiple_of(2) {
            return Err(ImplicitFilterConfigError::EmbDim { emb_dim });
        }
        if !(sine_frequency.is_finite() && sine_frequency > 0.0) {
            return Err(ImplicitFilterConfigError::SineFrequency { sine_frequency });
        }
        Ok(())
    }

    /// How many numbers the filter learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let Self { d_model, l_max, order, emb_dim, bidirectional, .. } = *self;
        let network = (emb_dim + 1) * order + 2 * (order + 1) * order + order * d_model;
        let networks = if bidirectional { 2 } else { 1 };
        networks * network + order + l_max * emb_dim + d_model
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> ImplicitFilter {
        self.check().unwrap_or_else(|e| panic!("ImplicitFilterConfig: {e}"));
        let Self { d_model, l_max, order, emb_dim, sine_frequency, bidirectional } = *self;
        let network = || SineNetwork::new(emb_dim, order, d_model, device);
        let z = matrix(features::positional(l_max, emb_dim), [l_max, emb_dim], device);
        let decay = features::decay(&features::positions(l_max), &features::rates(d_model));
        ImplicitFilter {
            network: network(),
            reverse: bidirectional.then(network),
            frequency: Param::from_tensor(Tensor::full([order], sine_frequency, device)),
            z: Param::from_tensor(z),
            bias: normal([d_model], device),
            decay: matrix(decay, [l_max, d_model], device),
        }
    }
}

/// Rounds once, from f64.
pub(crate) fn matrix(values: Vec<f64>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// One long filter a channel, drawn by a network: see [`ImplicitFilterConfig`].
#[derive(Module, Debug)]
pub struct ImplicitFilter {
    pub(crate) network: SineNetwork,
    pub(crate) reverse: Option<SineNetwork>,
    /// Shared by all sine layers of both networks.
    pub(crate) frequency: Param<Tensor<1>>,
    /// Positional features `[l_max, emb_dim]`: they start as fixed waves, and train.
    pub(crate) z: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
    /// `[l_max, d_model]`, not trained. Kept whole, because it costs as much as the filter to compute.
    pub(crate) decay: Tensor<2>,
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
        self.taps(&self.network, seq).transpose()
    }

    /// The first `seq` taps that look ahead: lags `-1, -2, ..`: `[d_model, seq]`; `None` for a causal filter.
    ///
    /// # Panics
    /// If `seq` is above `l_max`.
    pub fn reverse_kernel(&self, seq: usize) -> Option<Tensor<2>> {
        self.reverse.as_ref().map(|network| self.taps(network, seq).transpose())
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
        let kernel = self.kernel_with_bias(seq);
        // Nothing is ahead of the last token: seq tokens see seq - 1 taps that look ahead, and one token sees none.
        let reverse = if seq > 1 { self.reverse_kernel(seq - 1) } else { None };
        match reverse {
            Some(reverse) => two_sided_conv(x, kernel, reverse, form),
            None => causal_conv(x, kernel, form),
        }
    }

    /// The bias acts on the present token alone, so it is part of lag 0; apart it would cost a pass over the sequence.
    pub(crate) fn kernel_with_bias(&self, seq: usize) -> Tensor<2> {
        let taps = self.taps(&self.network, seq);
        let [_, d_model] = taps.dims();
        let present = taps.clone().narrow(0, 0, 1) + self.bias.val().unsqueeze::<2>();
        taps.slice_assign([0..1, 0..d_model], present).transpose()
    }

    /// `[seq, d_model]`
    fn taps(&self, network: &SineNetwork, seq: usize) -> Tensor<2> {
        assert!(seq <= self.l_max(), "the filter has {} taps, got {seq} tokens", self.l_max());
        let features = self.z.val().narrow(0, 0, seq);
        network.forward(features, self.frequency.val()) * self.decay.clone().narrow(0, 0, seq)
    }

    /// Weights, biases and frequencies of the networks, the reverse one included.
    pub(crate) fn network_parameters(&self) -> Vec<ParamId> {
        let mut parameters = list_param_ids(&self.network);
        parameters.extend(self.reverse.iter().flat_map(list_param_ids));
        parameters.push(self.frequency.id);
        parameters
    }
}
