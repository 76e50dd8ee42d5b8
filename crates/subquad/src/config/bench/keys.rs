//! Every key of `[bench]`.

use std::ops::Bound::{Excluded, Included};

use super::super::keys::{LONGEST_SEQ, integer, one_of, real};
use super::super::{DefaultValue, Key};
use crate::bench::{CHANNEL_NAMES, SEQUENCE_NAMES};

/// The keys that hold one value.
#[rustfmt::skip]
pub const BENCH_KEYS: &[Key] = &[
    integer("bench.batch", 1, 65536, 4, "Sequences at once, over lengths."),
    integer("bench.d_model", 1, 65536, 128, "Width of input and output, over lengths."),
    integer("bench.tokens", 1, LONGEST_SEQ, 256, "Tokens of the one sequence, over widths."),
    integer("bench.hidden_factor", 1, 64, 2, "Hidden width of a channel mixer, in widths."),
    integer("bench.n_blocks", 1, 1024, 4, "Blocks of the block_diagonal layers; widths are padded to a multiple. The others ignore it: Monarch matrices are cut near the root."),
    real("bench.seconds", (Excluded(0.0), Included(86400.0)), 3.0,
        "Time for the repeats of each layer at each size; there are at least three repeats."),
];

/// The keys that hold a list. The kind is that of one value.
#[rustfmt::skip]
pub const BENCH_LISTS: &[Key] = &[
    list(one_of("bench.mixers", SEQUENCE_NAMES, "", "Layers along the sequence, side by side at every length.")),
    list(integer("bench.lengths", 1, LONGEST_SEQ, 0, "Sequence lengths, in tokens.")),
    list(one_of("bench.channel_mixers", CHANNEL_NAMES, "", "Layers along the width, side by side at every width.")),
    list(integer("bench.widths", 1, 65536, 0, "Widths, in channels.")),
];

const fn list(key: Key) -> Key {
    Key { default: DefaultValue::EmptyList, ..key }
}
