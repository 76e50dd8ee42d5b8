//! Config of the implicit filter.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor};
use std::ops::RangeInclusive;
use subquad_mixer::{Options, Refusal};
use subquad_options::range::{self, LONGEST_SEQ};

use super::{ConvAlgorithm, ImplicitFilter, SineNetwork, features, matrix};

/// Allowed widths of a network.
pub(crate) const ORDERS: RangeInclusive<usize> = 1..=65536;
/// Allowed numbers of positional features.
pub(crate) const EMB_DIMS: RangeInclusive<usize> = 3..=65535;
/// Allowed numbers of sine layers after the first one.
pub(crate) const NUM_INNER: RangeInclusive<usize> = 0..=64;

/// Config of an [`ImplicitFilter`].
#[derive(Config, Options, Debug)]
pub struct ImplicitFilterConfig {
    /// Channels, one filter each.
    #[option(range = 1..)]
    pub d_model: usize,
    /// Taps, in tokens. The filter does not stretch: fewer tokens use its first taps, more are refused.
    #[option(range = 1..=LONGEST_SEQ)]
    pub l_max: usize,
    /// Width of the network.
    #[config(default = 64)]
    #[option(range = ORDERS)]
    pub order: usize,
    /// Positional features: 1 for the position itself and 2 for each frequency, so odd. 3 gives a single frequency so
    /// low that it is nearly constant.
    #[config(default = 5)]
    #[option(range = EMB_DIMS)]
    pub emb_dim: usize,
    /// Sine layers of the network from `order` to `order`, behind the first one, which reads the features.
    #[config(default = 2)]
    #[option(range = NUM_INNER)]
    pub num_inner: usize,
    /// Initial frequency of the sines, one learned number a unit. Higher ones draw rougher filters.
    #[config(default = 10.0)]
    #[option(range = range::POSITIVE)]
    pub sine_frequency: f64,
    /// What every sine multiplies its frequency by, fixed while the frequency learns: `sin(sine_factor w x)`. Published as
    /// `w_mod`.
    #[config(default = 1.0)]
    #[option(range = range::POSITIVE)]
    pub sine_factor: f64,
    /// Whether all sine layers, and both networks of a two-sided filter, learn the same frequencies, as published.
    /// Otherwise each layer of each network has its own.
    #[config(default = true)]
    pub share_sine: bool,
    /// Whether taps decay with their lag, each channel at a rate of its own.
    #[config(default = true)]
    pub modulate: bool,
    /// What the decay is lifted by: `exp(-t |delta|) + shift`, so that far taps need not vanish.
    #[config(default = 0.0)]
    pub shift: f64,
    /// Whether the taps of all channels at one lag are divided by the sum of their absolute values.
    #[config(default = false)]
    pub normalized: bool,
    /// Whether taps look ahead too, drawn by a network of their own.
    #[config(default = false)]
    pub bidirectional: bool,
    /// How far ahead the first of those looks: 1 token, as published, or 0, where it adds to the tap of the present.
    #[config(default = 1)]
    #[option(range = 0..=1)]
    pub rev_offset: usize,
    /// The transforms of the convolution.
    #[config(default = "ConvAlgorithm::Fft")]
    pub conv: ConvAlgorithm,
}

impl ImplicitFilterConfig {
    /// Whether the filter can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the filter from being built: a number out of its range, an even `emb_dim`, or an option
    /// that would have no effect.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| self.contradictions())
    }

    /// Options that do not go together. Ranges are left out, because a mixer checks those of its own options under its
    /// own names.
    pub(crate) fn contradictions(&self) -> Vec<Refusal> {
        [self.even_embedding(), self.idle_shift(), self.idle_offset()].into_iter().flatten().collect()
    }

    fn even_embedding(&self) -> Option<Refusal> {
        let emb_dim = self.emb_dim;
        Refusal::when(emb_dim.is_multiple_of(2), &["emb_dim"], || {
            format!(
                "emb_dim = {emb_dim} is even, but it counts time itself and then pairs of sine and cosine; make it odd"
            )
        })
    }

    fn idle_shift(&self) -> Option<Refusal> {
        let Self { modulate, shift, .. } = *self;
        Refusal::when(!modulate && shift != 0.0, &["shift", "modulate"], || {
            format!(
                "shift = {shift:?} lifts a decay that modulate = false takes away; leave it at 0.0, or set modulate = true"
            )
        })
    }

    fn idle_offset(&self) -> Option<Refusal> {
        let Self { bidirectional, rev_offset, .. } = *self;
        Refusal::when(!bidirectional && rev_offset != 1, &["rev_offset", "causal"], || {
            format!(
                "rev_offset = {rev_offset} moves taps that look ahead, and a causal filter has none; leave it at 1"
            )
        })
    }

    /// How many numbers the filter learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let Self { d_model, l_max, order, emb_dim, num_inner, bidirectional, .. } = *self;
        let network = (emb_dim + 1) * order + num_inner * (order + 1) * order + order * d_model;
        let networks = if bidirectional { 2 } else { 1 };
        networks * network + self.frequencies() + l_max * emb_dim + d_model
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> ImplicitFilter {
        self.check().unwrap_or_else(|e| panic!("ImplicitFilterConfig: {e}"));
        let Self { d_model, l_max, order, emb_dim, num_inner, sine_frequency, bidirectional, .. } = *self;
        let network = || SineNetwork::new([emb_dim, order, d_model], num_inner, device);
        let z = matrix(features::positional(l_max, emb_dim), [l_max, emb_dim], device);
        let (positions, rates) = (features::positions(l_max), features::rates(d_model));
        ImplicitFilter {
            network: network(),
            reverse: bidirectional.then(network),
            frequency: Param::from_tensor(Tensor::full([self.frequencies()], sine_frequency, device)),
            z: Param::from_tensor(z),
            bias: Param::from_tensor(Tensor::random([d_model], Distribution::Normal(0.0, 1.0), device)),
            decay: matrix(self.envelope(&positions, &rates), [l_max, d_model], device),
            positions,
            rates,
            config: self.clone(),
        }
    }

    /// Number of floats of the taps of `seq_len` lags and of the network that draws them, in training.
    pub(crate) fn floats(&self, seq_len: usize) -> f64 {
        let Self { d_model, order, num_inner, .. } = *self;
        seq_len as f64 * (3.0 * d_model as f64 + 2.0 * (num_inner + 1) as f64 * order as f64)
    }

    /// Number of sine layers of a network.
    pub(crate) fn sine_layers(&self) -> usize {
        1 + self.num_inner
    }

    /// Number of learned frequencies of all layers and networks.
    fn frequencies(&self) -> usize {
        let networks = if self.bidirectional { 2 } else { 1 };
        self.order * if self.share_sine { 1 } else { networks * self.sine_layers() }
    }

    /// The factor on the network's output, row-major `[positions, rates]`.
    pub(crate) fn envelope(&self, positions: &[f64], rates: &[f64]) -> Vec<f64> {
        let Self { modulate, shift, .. } = *self;
        if !modulate {
            return vec![1.0; positions.len() * rates.len()];
        }
        let decay = features::decay(positions, rates);
        decay.into_iter().map(|decay| decay + shift).collect()
    }
}
