//! The keys of the Monarch matrices along the sequence.

use super::super::{Key, Word};
use super::{
    ABOVE_ZERO, LONGEST_BLOCK, LONGEST_MATRIX, ZERO_OR_MORE, integer, integer_or, one_of, real, truth,
};

/// Section `[mixer.monarch]`.
#[rustfmt::skip]
pub(super) const MONARCH: &[Key] = &[
    integer_or("mixer.monarch.l_max", 1, LONGEST_MATRIX, Word::Longest, "Length of the matrices, in tokens; a shorter sequence is filled with zeros. \"longest\" is the longest of the config, also among test conditions."),
    integer("mixer.monarch.block", 0, LONGEST_BLOCK, 0, "Tokens of a block of the first factor, and blocks of the second; at most l_max. 0: a divisor of l_max near its square root, which costs least."),
    integer("mixer.monarch.n_heads", 1, 8192, 1, "Groups of features with matrices of their own; must divide model.d_model."),
    one_of("mixer.monarch.activation", &["gelu", "silu", "relu", "tanh", "sigmoid", "identity"], "identity", "What happens to every number between the two matrices; relu in the published listing."),
    one_of("mixer.monarch.init", &["identity", "random"], "random", "Where the matrices start: near the identity, or uniform and as loud as their input."),
    truth("mixer.monarch.gated", true, "Projections, a short convolution and two gates around the matrices, as around the long convolution of m2. False: the matrices alone, as in the paper's layer."),
];

/// Section `[mixer.causal_monarch]`.
#[rustfmt::skip]
pub(super) const CAUSAL_MONARCH: &[Key] = &[
    one_of("mixer.causal_monarch.form", &["blocks", "sandwich"], "blocks", "How the matrix is kept from looking ahead: triangular blocks, exactly causal; or a causal convolution between a triangular Monarch matrix and its inverse."),
    integer_or("mixer.causal_monarch.l_max", 1, LONGEST_MATRIX, Word::Longest, "Length of the matrix, in tokens; a shorter sequence uses its beginning. \"longest\" is the longest of the config, also among test conditions."),
    integer("mixer.causal_monarch.block", 0, LONGEST_BLOCK, 0, "Tokens of a block, at most l_max. 0: a divisor of l_max near its square root, which costs least."),
    integer("mixer.causal_monarch.n_heads", 1, 8192, 1, "Groups of features with matrices of their own; must divide model.d_model."),
    truth("mixer.causal_monarch.gated", true, "Projections, a short convolution and two gates around the matrix, as around the long convolution of m2. False: the matrix alone."),
    integer("mixer.causal_monarch.filter_order", 1, 65536, 64, "Hidden width of the small network that generates the filter. Only with form = \"sandwich\", as the keys below."),
    integer("mixer.causal_monarch.emb_dim", 3, 65535, 5, "Width of the filter's positional features, odd: time itself, then sines and cosines."),
    real("mixer.causal_monarch.sine_frequency", ABOVE_ZERO, 10.0, "Frequency of the filter network's sine activations; higher allows rougher filters."),
    real("mixer.causal_monarch.filter_lr", ZERO_OR_MORE, 0.001, "The filter network learns at optim.lr, but never faster than this."),
    real("mixer.causal_monarch.filter_weight_decay", ZERO_OR_MORE, 0.0, "Weight decay of the filter network, whatever optim.weight_decay."),
    real("mixer.causal_monarch.position_lr", ZERO_OR_MORE, 1e-5, "The positional features learn at optim.lr, but never faster than this; 0 freezes them."),
];
