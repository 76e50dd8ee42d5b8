//! The keys of Hyena and M2, gated convolutions as long as the sequence: what both have is written once.

use std::ops::Bound::Unbounded;

use super::super::{Key, Word};
use super::{ABOVE_ZERO, DROPPED, LONGEST_SEQ, ZERO_OR_MORE, integer, integer_or, one_of, real, truth};

/// The section of a mixer: its own keys between the shared ones about the filter and those about the rest.
#[rustfmt::skip]
macro_rules! section {
    ($mixer:literal, [$($of_filter:expr),* $(,)?], [$($own:expr),* $(,)?]) => {
        &[
            integer(concat!("mixer.", $mixer, ".filter_order"), 1, 65536, 64, "Hidden width of the small network that generates the long filter."),
            integer(concat!("mixer.", $mixer, ".emb_dim"), 3, 65535, 5, "Width of the filter's positional features, odd: time itself, then sines and cosines."),
            integer(concat!("mixer.", $mixer, ".num_inner"), 0, 64, 2, "Sine layers of the filter network behind the first one, which reads the features."),
            real(concat!("mixer.", $mixer, ".sine_frequency"), ABOVE_ZERO, 10.0, "Frequency of the filter network's sine activations; higher allows rougher filters."),
            truth(concat!("mixer.", $mixer, ".share_sine"), true, "All sine layers learn the same frequencies, as published; of a filter that looks both ways, those of both networks. False: each has its own."),
            truth(concat!("mixer.", $mixer, ".modulate"), true, "Taps of the filter decay with their lag, each channel at a rate of its own."),
            real(concat!("mixer.", $mixer, ".shift"), (Unbounded, Unbounded), 0.0, "What that decay is lifted by, so that far taps need not vanish. Only with modulate."),
            truth(concat!("mixer.", $mixer, ".normalized"), false, "Taps of all channels at one lag are divided by the sum of their absolute values."),
            $($of_filter,)*
            one_of(concat!("mixer.", $mixer, ".conv"), &["fft", "monarch"], "fft", "The transforms of the long convolutions: fast Fourier transforms, or the same as products with Monarch matrices."),
            integer(concat!("mixer.", $mixer, ".short_filter"), 1, 1024, 3, "Taps of the short convolution in front of the gates, the present one among them."),
            $($own,)*
            integer_or(concat!("mixer.", $mixer, ".l_max"), 1, LONGEST_SEQ, Word::Longest, "Longest sequence the filter reaches, in tokens. \"longest\" is the longest of the config, also among test conditions."),
            real(concat!("mixer.", $mixer, ".filter_lr"), ZERO_OR_MORE, 0.001, "The filter network learns at optim.lr, but never faster than this."),
            real(concat!("mixer.", $mixer, ".filter_weight_decay"), ZERO_OR_MORE, 0.0, "Weight decay of the filter network, whatever optim.weight_decay."),
            real(concat!("mixer.", $mixer, ".position_lr"), ZERO_OR_MORE, 1e-5, "The positional features learn at optim.lr, but never faster than this; 0 freezes them."),
        ]
    };
}

/// Section `[mixer.hyena]`.
#[rustfmt::skip]
pub(super) const HYENA: &[Key] = section!("hyena", [], [
    integer("mixer.hyena.order", 2, 64, 2, "Projections that gate, with a long filter between two; 2 as published."),
    real("mixer.hyena.dropout", DROPPED, 0.0, "Share of numbers dropped in training in front of each long filter; 0 drops none. Beside model.dropout."),
]);

/// Section `[mixer.m2]`.
#[rustfmt::skip]
pub(super) const M2: &[Key] = section!("m2", [
    integer("mixer.m2.rev_offset", 0, 1, 1, "How far ahead the first tap that looks ahead looks: 1 token as published, or 0, where it adds to the tap of the present. 0 only without model.causal."),
], [
    truth("mixer.m2.residual", false, "A second long convolution of the input, beside the gated one."),
    truth("mixer.m2.input_norm", false, "A layer norm in front of the mixer, beside model.norm. With dropout, this is what the published layer calls training_additions."),
    real("mixer.m2.dropout", DROPPED, 0.0, "Share of numbers dropped in training in front of the long filter and of the output layer; 0 drops none. Beside model.dropout."),
]);
