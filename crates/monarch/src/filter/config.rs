//! Config of the implicit filter.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor};

use super::{ConvAlgorithm, DecayOf, ImplicitFilter, SineNetwork, features, matrix};
use crate::init::normal;

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
    /// Sine layers of the network from `order` to `order`, behind the first one, which reads the features.
    #[config(default = 2)]
    pub num_inner: usize,
    /// Initial frequency of the sines, one learned number a unit. Higher ones draw rougher filters.
    #[config(default = 10.0)]
    pub sine_frequency: f64,
    /// What every sine multiplies its frequency by, fixed while the frequency learns: `sin(sine_factor w x)`. Published as
    /// `w_mod`.
    #[config(default = 1.0)]
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
    pub rev_offset: usize,
    /// The transforms of the convolution.
    #[config(default = "ConvAlgorithm::Fft")]
    pub conv: ConvAlgorithm,
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
    #[error("sine_frequency = {sine_frequency:?}, but a frequency must be positive and finite")]
    SineFrequency {
        /// The frequency asked for.
        sine_frequency: f64,
    },
    /// The factor beside it is not a positive number.
    #[error("sine_factor = {sine_factor}, but what multiplies a frequency must be positive and finite")]
    SineFactor {
        /// The factor asked for.
        sine_factor: f64,
    },
    /// The shift is not a number.
    #[error("shift = {shift:?}, but it is added to the decay, so it must be finite")]
    Shift {
        /// The shift asked for.
        shift: f64,
    },
    /// A shift without a decay.
    #[error(
        "shift = {shift:?} lifts the decay, but modulate = false leaves none; set shift = 0 or modulate = true"
    )]
    IdleShift {
        /// The shift asked for.
        shift: f64,
    },
    /// Taps that look ahead begin at the present or at the next token.
    #[error("rev_offset = {rev_offset}, but taps that look ahead begin 0 or 1 tokens ahead")]
    RevOffset {
        /// The offset asked for.
        rev_offset: usize,
    },
    /// An offset of taps that are not there.
    #[error(
        "rev_offset = {rev_offset} moves taps that look ahead, but a causal filter has none; leave it at 1"
    )]
    IdleRevOffset {
        /// The offset asked for.
        rev_offset: usize,
    },
}

impl ImplicitFilterConfig {
    /// # Errors
    /// If a size is 0, `emb_dim` is even or below 3, the frequency or its factor is not positive, `shift` is not finite or has no decay to
    /// lift, or `rev_offset` is above 1 or has no taps to move.
    pub fn check(&self) -> Result<(), ImplicitFilterConfigError> {
        self.check_sizes()?;
        let Self { sine_frequency, sine_factor, modulate, shift, bidirectional, rev_offset, .. } = *self;
        let is_frequency = |number: f64| number.is_finite() && number > 0.0;
        if !is_frequency(sine_frequency) {
            return Err(ImplicitFilterConfigError::SineFrequency { sine_frequency });
        }
        if !is_frequency(sine_factor) {
            return Err(ImplicitFilterConfigError::SineFactor { sine_factor });
        }
        if !shift.is_finite() {
            return Err(ImplicitFilterConfigError::Shift { shift });
        }
        if !modulate && shift != 0.0 {
            return Err(ImplicitFilterConfigError::IdleShift { shift });
        }
        match (bidirectional, rev_offset) {
            (_, 1) | (true, 0) => Ok(()),
            (false, 0) => Err(ImplicitFilterConfigError::IdleRevOffset { rev_offset }),
            _ => Err(ImplicitFilterConfigError::RevOffset { rev_offset }),
        }
    }

    fn check_sizes(&self) -> Result<(), ImplicitFilterConfigError> {
        let Self { d_model, l_max, order, emb_dim, .. } = *self;
        for (what, size) in [("d_model", d_model), ("l_max", l_max), ("filter_order", order)] {
            if size == 0 {
                return Err(ImplicitFilterConfigError::ZeroSize { what });
            }
        }
        match emb_dim >= 3 && !emb_dim.is_multiple_of(2) {
            true => Ok(()),
            false => Err(ImplicitFilterConfigError::EmbDim { emb_dim }),
        }
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
            bias: normal([d_model], device),
            decay: matrix(self.envelope(&positions, &rates), [l_max, d_model], device),
            decay_of: DecayOf::new(positions, rates),
            config: self.clone(),
        }
    }

    /// Sine layers of a network.
    pub(crate) fn sine_layers(&self) -> usize {
        1 + self.num_inner
    }

    /// Learned frequencies, of all layers and networks.
    fn frequencies(&self) -> usize {
        let networks = if self.bidirectional { 2 } else { 1 };
        self.order * if self.share_sine { 1 } else { networks * self.sine_layers() }
    }

    /// What the network's answer is multiplied by, row-major `[positions, rates]`.
    pub(crate) fn envelope(&self, positions: &[f64], rates: &[f64]) -> Vec<f64> {
        let Self { modulate, shift, .. } = *self;
        if !modulate {
            return vec![1.0; positions.len() * rates.len()];
        }
        let decay = features::decay(positions, rates);
        decay.into_iter().map(|decay| decay + shift).collect()
    }
}
