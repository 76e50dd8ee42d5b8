//! A filter as long as the sequence whose taps are a small network's answer to the position.
//!
//! ```text
//! k_l = h(z_l) (exp(-t_l |delta|) + shift)     h: sine layers and a linear one; z, t, delta: `features.rs`
//! k_l = k_l / |k_l|_1                          with `normalized`: the norm over the channels
//! y   = conv(x, k) + bias x                    two-sided: a second network for the taps that look ahead
//! ```
//! The number of parameters hardly grows with the length: the network is shared by all positions.
//! Poli et al. 2023 (Hyena), <https://arxiv.org/abs/2302.10866>, section 3.3; the filter of Monarch Mixer as well.

mod config;
pub(crate) mod features;
mod network;
mod rates;

use burn::module::{Module, Param, ParamId, list_param_ids};
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::Form;
use subquad_backend::fft_conv::{causal_conv, two_sided_conv};

pub use config::{ImplicitFilterConfig, ImplicitFilterConfigError};
pub(crate) use network::SineNetwork;
pub(crate) use rates::Rates;

/// Smallest sum that taps are divided by: PyTorch's for the same.
const SMALLEST_NORM: f64 = 1e-12;

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
    /// `[order]`, for all sine layers of both networks; if they are not shared, so many for each layer of `network`, then
    /// for each of `reverse`.
    pub(crate) frequency: Param<Tensor<1>>,
    /// Positional features `[l_max, emb_dim]`: they start as fixed waves, and train.
    pub(crate) z: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
    /// `[l_max, d_model]`, not trained. Kept whole, because it costs as much as the filter to compute.
    pub(crate) decay: Tensor<2>,
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
        self.taps(seq).transpose()
    }

    /// The first `seq` taps that look ahead: lags `-1, -2, ..`, or `0, -1, ..` where `rev_offset` is 0: `[d_model, seq]`;
    /// `None` for a causal filter.
    ///
    /// # Panics
    /// If `seq` is above `l_max`.
    pub fn reverse_kernel(&self, seq: usize) -> Option<Tensor<2>> {
        self.reverse_taps(seq).map(Tensor::transpose)
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
        match self.two_sided(seq) {
            (kernel, Some(reverse)) => two_sided_conv(x, kernel, reverse, form),
            (kernel, None) => causal_conv(x, kernel, form),
        }
    }

    /// Lags `0, 1, ..` with the bias, and lags `-1, -2, ..` if there are any: `[d_model, lags]`.
    fn two_sided(&self, seq: usize) -> (Tensor<2>, Option<Tensor<2>>) {
        // Nothing is ahead of the last token: seq tokens see seq - 1 lags ahead, and one token sees none.
        match (self.config.rev_offset, seq) {
            (0, _) => self.two_sided_at_present(seq),
            (_, 1) => (self.kernel_with_bias(1), None),
            _ => (self.kernel_with_bias(seq), self.reverse_kernel(seq - 1)),
        }
    }

    /// [`two_sided`](Self::two_sided) where the first reverse tap adds to lag 0.
    fn two_sided_at_present(&self, seq: usize) -> (Tensor<2>, Option<Tensor<2>>) {
        let kernel = self.kernel_with_bias(seq).transpose();
        let reverse = self.reverse_taps(seq).expect("only a two-sided filter has another offset");
        let present = reverse.clone().narrow(0, 0, 1);
        let ahead = (seq > 1).then(|| reverse.narrow(0, 1, seq - 1).transpose());
        (with_present(kernel, present).transpose(), ahead)
    }

    /// The bias acts on the present token alone, so it is part of lag 0; apart it would cost a pass over the sequence.
    pub(crate) fn kernel_with_bias(&self, seq: usize) -> Tensor<2> {
        with_present(self.taps(seq), self.bias.val().unsqueeze()).transpose()
    }

    /// `[seq, d_model]`
    fn taps(&self, seq: usize) -> Tensor<2> {
        self.draw(&self.network, 0, seq)
    }

    /// `[seq, d_model]`
    fn reverse_taps(&self, seq: usize) -> Option<Tensor<2>> {
        self.reverse.as_ref().map(|network| self.draw(network, 1, seq))
    }

    /// What a network, the first or the second, answers: `[seq, d_model]`.
    fn draw(&self, network: &SineNetwork, index: usize, seq: usize) -> Tensor<2> {
        assert!(seq <= self.l_max(), "the filter has {} taps, got {seq} tokens", self.l_max());
        let features = self.z.val().narrow(0, 0, seq);
        let taps = network.forward(features, self.frequencies(index)) * self.decay.clone().narrow(0, 0, seq);
        match self.config.normalized {
            true => taps.clone() / taps.abs().sum_dim(1).clamp_min(SMALLEST_NORM),
            false => taps,
        }
    }

    /// Those of a network, `[sine layers, order]`; `[1, order]` if they are shared.
    fn frequencies(&self, network: usize) -> Tensor<2> {
        let (order, layers) = (self.config.order, self.config.sine_layers());
        let all = self.frequency.val();
        match self.config.share_sine {
            true => all.unsqueeze(),
            false => all.narrow(0, network * layers * order, layers * order).reshape([layers, order]),
        }
    }

    /// Weights, biases and frequencies of the networks, the reverse one included.
    fn network_parameters(&self) -> Vec<ParamId> {
        let mut parameters = list_param_ids(&self.network);
        parameters.extend(self.reverse.iter().flat_map(list_param_ids));
        parameters.push(self.frequency.id);
        parameters
    }
}

/// Taps `[seq, d_model]` with `present [1, d_model]` on top of lag 0.
fn with_present(taps: Tensor<2>, present: Tensor<2>) -> Tensor<2> {
    let [_, d_model] = taps.dims();
    let first = taps.clone().narrow(0, 0, 1) + present;
    taps.slice_assign([0..1, 0..d_model], first)
}
