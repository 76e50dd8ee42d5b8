//! What `bench` measures of each mixer.

use subquad_mixer::{MeasuredMixer, Sizes};

use crate::{CausalMonarchConfig, HyenaConfig, LearnedMonarchConfig, M2Config};

/// Hyena of order 2. Its filters reach as far as decoding continues from a context; shorter sequences do not draw the rest.
impl MeasuredMixer for HyenaConfig {
    const NAME: &'static str = "hyena";
    const SUMMARY: &'static str = "gates and long convolutions with implicit filters, in turn; causal only";
    const MEASURED: &'static str = "Hyena: causal, order 2, filter order 64, l_max = seq + decoded tokens";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model, sizes.seq_len + sizes.more_tokens)
    }

    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        super::hyena(&Self::measured(sizes), &parameters.concat(), x)
    }

    fn alive(sizes: &Sizes) -> f64 {
        activations(16.0, sizes) + linear_layers(sizes)
    }
}

/// The bidirectional Monarch Mixer with its residual convolution, as in M2-BERT.
impl MeasuredMixer for M2Config {
    const NAME: &'static str = "m2";
    const SUMMARY: &'static str = "Monarch Mixer: a gated long convolution with an implicit filter";
    const MEASURED: &'static str =
        "Monarch Mixer: bidirectional, residual filter, filter order 64, l_max = seq";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model, sizes.seq_len).with_bidirectional(true).with_residual(true)
    }

    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        super::m2(&Self::measured(sizes), &parameters.concat(), x)
    }

    fn alive(sizes: &Sizes) -> f64 {
        activations(22.0, sizes) + linear_layers(sizes)
    }
}

/// Learned Monarch matrices, between the projections and gates of M2.
impl MeasuredMixer for LearnedMonarchConfig {
    const NAME: &'static str = "monarch";
    const SUMMARY: &'static str = "learned Monarch matrices along the sequence; bidirectional only";
    const MEASURED: &'static str = "two learned Monarch matrices: bidirectional, gated, l_max = seq";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model, sizes.seq_len)
    }

    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        super::learned_monarch(&Self::measured(sizes), &parameters.concat(), x)
    }

    fn alive(sizes: &Sizes) -> f64 {
        activations(18.0, sizes) + 2.0 * Self::measured(sizes).n_parameters() as f64
    }
}

/// A matrix of triangular blocks, between the projections and gates of M2.
impl MeasuredMixer for CausalMonarchConfig {
    const NAME: &'static str = "causal_monarch";
    const SUMMARY: &'static str = "a learned triangular Monarch matrix along the sequence; causal only";
    const MEASURED: &'static str = "learned Monarch matrix of triangular blocks: causal, gated, l_max = seq";

    fn measured(sizes: &Sizes) -> Self {
        Self::new(sizes.d_model, sizes.seq_len)
    }

    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        super::causal_monarch(&Self::measured(sizes), &parameters.concat(), x)
    }

    fn alive(sizes: &Sizes) -> f64 {
        activations(15.0, sizes) + 2.0 * Self::measured(sizes).n_parameters() as f64
    }
}

/// Number of floats alive, of which there are `each` per float of the input.
fn activations(each: f64, sizes: &Sizes) -> f64 {
    each * sizes.elements() as f64
}

/// Number of floats of the weights of the linear layers, and of their gradients.
fn linear_layers(sizes: &Sizes) -> f64 {
    8.0 * (sizes.d_model as f64).powi(2)
}
