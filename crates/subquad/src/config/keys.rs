//! Every key there is. Adding one here, in its struct in `run_config`, and where it takes effect is enough.

mod gated;
mod monarch;
mod state_space;

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use super::{DefaultValue, Key, Kind, MixerName, Word};
use gated::{HYENA, M2};
use monarch::{CAUSAL_MONARCH, MONARCH};
use state_space::{H3, S4, S4D};

/// 16 million tokens: far beyond what one machine trains on, and small enough for every length product.
pub(super) const LONGEST_SEQ: i64 = 1 << 24;
/// The largest vocabulary of mqar, which exceeds every length.
const MOST_TOKENS: i64 = 1 << 20;
/// The longest Monarch matrix along the sequence whose factors have at most 2^31 numbers, which is what the layers make: 1290
/// blocks of 1290 tokens.
pub(super) const LONGEST_MATRIX: i64 = 1290 * 1290;
/// The longest block of such a matrix, which is then its only one.
pub(super) const LONGEST_BLOCK: i64 = 46340;
const MANY: i64 = i64::MAX;
const ABOVE_ZERO: (Bound<f64>, Bound<f64>) = (Excluded(0.0), Unbounded);
/// Shares of the Nyquist frequency.
const BAND: (Bound<f64>, Bound<f64>) = SHARE;
/// Shares of something, which is not nothing.
const SHARE: (Bound<f64>, Bound<f64>) = (Excluded(0.0), Included(1.0));
const ZERO_OR_MORE: (Bound<f64>, Bound<f64>) = (Included(0.0), Unbounded);
/// Shares that are dropped.
const DROPPED: (Bound<f64>, Bound<f64>) = (Included(0.0), Excluded(1.0));

/// The keys outside `[sweep]`, section by section.
pub const KEYS: &[Key] = &join::<{ count(LISTS) }>(LISTS);

const LISTS: &[&[Key]] = &[BEFORE, S4D, S4, H3, HYENA, M2, MONARCH, CAUSAL_MONARCH, AFTER];

#[rustfmt::skip]
const BEFORE: &[Key] = &[
    one_of("task.name", &["digits", "mqar", "mnist", "bytes", "masked_bytes", "delay", "reconstruct"], "", "Which data set or generator the run trains on.").required(),
    text("task.path", "", "Where the task's data are, for tasks that read files; relative to the current folder, else to $SUBQUAD_DATA. Empty: \
        the task's own place. A digest of the contents names the run instead.").bookkeeping(),

    integer("task.mqar.vocab", 6, MOST_TOKENS, 8192, "Tokens, even: blank and keys in the lower half, values in the upper; above every length. 8192 as published."),
    share("task.mqar.n_pairs", 1, (MOST_TOKENS - 2) / 4, "seq_len/16", "Pairs of key and value, each queried once: at most seq_len / 4. \"seq_len/16\" is 4 at 64 tokens, \
        8 at 128, as published."),
    real("task.mqar.power", (Excluded(0.0), Included(10.0)), 0.01, "How soon queries come: slot g of the tail with probability in proportion to g^(power - 1). 1 is uniform; 0.01 as published."),
    truth("task.mqar.random_non_queries", false, "Random tokens, instead of blanks, between the queries."),
    integer("task.mqar.train_examples", 0, 1 << 26, 0, "Training examples in an epoch; 0: every example is fresh."),
    integer("task.mqar.test_examples", 1, MANY, 1000, "Test examples of each condition."),
    sizes("task.mqar.test_conditions", "Also tested at the end, beside seq_len and n_pairs themselves: lengths x pairs, such as [\"128x8\", \"256x16\"]."),

    one_of("task.mnist.permutation", &["none", "bit_reversal", "random"], "none", "The order of pixels: row by row, by bit reversal, or one random order, the same in every run."),
    integer("task.mnist.train_examples", 0, MANY, 0, "Training images, the first of 60,000; 0: all."),
    integer("task.mnist.test_examples", 0, MANY, 0, "Test images, the first of 10,000; 0: all."),

    integer("task.bytes.test_examples", 0, MANY, 0, "Test windows at most, the first of the last tenth of the text; 0: all."),

    real("task.masked_bytes.mask_share", SHARE, 0.3, "Share of the positions that training asks for: 80 % of them read as hidden, 10 % as any byte, 10 % as they are. 0.3 as M2-BERT."),
    real("task.masked_bytes.test_mask_share", SHARE, 0.15, "The same for tests. 0.15 as M2-BERT."),
    integer("task.masked_bytes.test_examples", 0, MANY, 0, "Test windows at most, the first of the last tenth of the text; 0: all."),

    share("task.delay.lag", 1, LONGEST_SEQ - 1, "seq_len/4", "How many tokens ago the input to be told is; below seq_len. \"seq_len/4\" is 1000 at 4000 tokens, as published."),
    real("task.delay.bandwidth", BAND, 0.5, "Highest frequency of the noise, as a share of the Nyquist frequency: its shortest wave is 2 / bandwidth tokens long. \
        0.5 as published (1000 Hz at steps of 2.5e-4 s)."),
    integer("task.delay.test_examples", 1, MANY, 100, "Test examples."),

    share("task.reconstruct.window", 1, LONGEST_SEQ, "seq_len/4", "How many of the latest inputs are to be told from the last token; at most seq_len. \"seq_len/4\" is 1000 at 4000 tokens, as published."),
    real("task.reconstruct.bandwidth", BAND, 0.2, "Highest frequency of the noise, as a share of the Nyquist frequency: its shortest wave is 2 / bandwidth tokens long. \
        0.2 as published (100 Hz at steps of 1e-3 s)."),
    integer("task.reconstruct.test_examples", 1, MANY, 100, "Test examples."),

    integer("model.d_model", 1, 8192, 64, "Width of the residual stream."),
    integer("model.n_layers", 1, 64, 2, "Blocks, each a sequence mixer and a channel mixer."),
    truth("model.causal", true, "Whether position t sees only positions up to t. False lets the mixer look both ways."),
    one_of("model.channel_mixer", &["dense", "block_diagonal", "monarch", "none"], "dense",
        "The part of a block that mixes channels: two layers of dense, block-diagonal or Monarch matrices, or none."),
    one_of("model.channel_gate", &["auto", "on", "off"], "auto", "What stands between the two layers of the channel mixer: a GELU gate, for which the first layer is twice as wide \
        and has no bias, or a GELU alone. \"auto\" is a gate for block_diagonal and none for dense and monarch, each as published."),
    integer("model.d_hidden", 1, 65536, 128, "Hidden width of the channel mixer, after the gate. None ignores it."),
    integer("model.n_blocks", 0, 1024, 4, "Blocks of the block_diagonal channel mixer, or of both factors of each monarch matrix; widths are padded to a multiple. 0, for monarch alone: near the square \
        root of each width, which costs least. Dense and none ignore it."),
    one_of("model.norm", &["layer", "none"], "layer", "What every norm is: layer norm, or nothing."),
    truth("model.residual", true, "Whether a mixer's output is added to its input. False: it takes its place."),
    one_of("model.pool", &["auto", "mean", "last"], "auto", "Where the one answer about a sequence is read: the mean over tokens, or the last token. \
        \"auto\" is the mean for classes and the last token for reals. Only for tasks with one answer a sequence."),
    real("model.dropout", DROPPED, 0.0, "Share of activations dropped in training; 0 drops none."),
    one_of("model.block", &["pre_norm", "post_norm", "m2_bert"], "pre_norm", "Where norms and residual connections stand. pre_norm: h + mixer(norm(h)), and a last norm in front of the head. post_norm: norm(h + mixer(h)), as in BERT. \
        m2_bert: mixer(h) alone, then norm(h + channel_mixer(h)); M2-BERT, whose mixer has mixer.m2.residual instead."),
    truth("model.last_norm", true, "The last norm of pre_norm, in front of the head. False, as in the S4 repository's example: the head reads what the residual connections have added up. Only with pre_norm."),
    real("model.norm_eps", ABOVE_ZERO, 1e-5, "What every norm adds to the variance; BERT has 1e-12."),
    key("model.positions", Kind::IntegerOr { min: 0, max: LONGEST_SEQ, word: Word::Longest }, DefaultValue::Integer(0), "Learned vectors of positions, added to the inputs; 0: none. \"longest\": as many as the longest sequence of the config."),
    truth("model.embedding_norm", false, "A norm behind the inputs' vectors, and dropout behind that, as in BERT."),
    truth("model.head_transform", false, "A linear layer, GELU and a norm in front of the head, as in BERT."),
    truth("model.tied_head", false, "The head shares the table of tokens, plus a bias. Only for tasks that read and answer tokens; take init = \"normal\"."),
    one_of("model.init", &["layers", "normal"], "layers", "How dense layers and tables start. layers: as each layer's own, uniform, tables N(0, 1). normal: N(0, 0.02) and biases of 0, as in BERT and GPT-2."),

    integer("mixer.attention.n_heads", 1, 1024, 4, "Heads; must divide model.d_model."),
    integer_or("mixer.attention.n_kv_heads", 1, 1024, Word::NHeads, "Heads of keys and values; must divide n_heads. Fewer make a smaller cache: grouped queries, or with 1 multi-query attention."),
    integer("mixer.attention.window", 0, LONGEST_SEQ, 0, "A token sees only tokens fewer than this many positions away, itself included; 0: no limit."),
    one_of("mixer.attention.position", &["rope", "alibi", "none"], "rope", "How attention knows positions: rotary embedding, scores that fall with the distance (ALiBi), or not at all."),
    real("mixer.attention.rope_base", ABOVE_ZERO, 10000.0, "Base of the rotary wavelengths, in tokens; 10000 as published. Only with rope."),
    real("mixer.attention.rope_fraction", (Excluded(0.0), Included(1.0)), 1.0, "Share of each head that rope turns, its first channels, in whole pairs; the rest knows no positions. Only with rope."),
    zero_or("mixer.attention.softcap", 1e-30, 1e30, "Scores are squeezed into (-softcap, softcap) by tanh; 0 squeezes nothing."),
    truth("mixer.attention.qk_norm", false, "Root-mean-square norm of each head's queries and keys, with learned gains."),
    real("mixer.attention.dropout", DROPPED, 0.0, "Share of attention weights dropped in training; 0 drops none."),
];

/// Section `[mixer.m2]`.
#[rustfmt::skip]
const AFTER: &[Key] = &[
    real("optim.lr", ZERO_OR_MORE, 0.001, "Peak learning rate."),
    real("optim.weight_decay", ZERO_OR_MORE, 0.01, "Decoupled weight decay."),
    real("optim.warmup", (Included(0.0), Included(1.0)), 0.1, "Share of the steps over which the learning rate climbs to its peak."),
    real("optim.clip", ZERO_OR_MORE, 1.0, "Largest global norm of the gradient; 0 clips nothing."),

    integer("train.steps", 1, MANY, 0, "Optimiser steps.").required(),
    integer("train.batch", 1, 65536, 32, "Sequences a step."),
    integer("train.log_every", 1, MANY, 10, "Steps between rows of the training loss.").bookkeeping(),
    integer("train.eval_every", 0, MANY, 0, "Steps between evaluations; 0 evaluates only at the end.").bookkeeping(),
    integer("train.checkpoint_every", 0, MANY, 100, "Steps between checkpoints, from which a killed run goes on; 0 writes them only when it is asked to stop.").bookkeeping(),
];

/// The axes that every sweep has. The kind is that of one value of the list.
#[rustfmt::skip]
pub const SWEEP_KEYS: &[Key] = &[
    one_of("sweep.mixer", MixerName::NAMES, "", "Sequence mixers to compare.").required(),
    integer("sweep.seq_len", 1, LONGEST_SEQ, 0, "Sequence lengths, in tokens.").required(),
    integer("sweep.seed", 0, MANY, 0, "Seeds; each gives other weights, data order and dropout."),
];

const fn count(lists: &[&[Key]]) -> usize {
    let (mut list, mut keys) = (0, 0);
    while list < lists.len() {
        keys += lists[list].len();
        list += 1;
    }
    keys
}

/// Lists of keys one after the other.
const fn join<const N: usize>(lists: &[&[Key]]) -> [Key; N] {
    let mut keys = [lists[0][0]; N];
    let (mut list, mut from, mut to) = (0, 0, 0);
    while to < N {
        if from == lists[list].len() {
            (list, from) = (list + 1, 0);
            continue;
        }
        keys[to] = lists[list][from];
        (from, to) = (from + 1, to + 1);
    }
    keys
}

const fn key(name: &'static str, kind: Kind, default: DefaultValue, help: &'static str) -> Key {
    Key { name, kind, default, help, numeric: true }
}

pub(super) const fn integer(name: &'static str, min: i64, max: i64, default: i64, help: &'static str) -> Key {
    key(name, Kind::Integer { min, max }, DefaultValue::Integer(default), help)
}

const fn integer_or(name: &'static str, min: i64, max: i64, word: Word, help: &'static str) -> Key {
    key(name, Kind::IntegerOr { min, max, word }, DefaultValue::Text(word.as_str()), help)
}

pub(super) const fn real(
    name: &'static str,
    ends: (Bound<f64>, Bound<f64>),
    default: f64,
    help: &'static str,
) -> Key {
    key(name, Kind::Real { min: ends.0, max: ends.1 }, DefaultValue::Real(default), help)
}

/// 0 by default.
const fn zero_or(name: &'static str, min: f64, max: f64, help: &'static str) -> Key {
    key(name, Kind::RealOrZero { min, max }, DefaultValue::Real(0.0), help)
}

const fn truth(name: &'static str, default: bool, help: &'static str) -> Key {
    key(name, Kind::Bool, DefaultValue::Bool(default), help)
}

const fn share(name: &'static str, min: i64, max: i64, default: &'static str, help: &'static str) -> Key {
    key(name, Kind::IntegerOrShare { min, max }, DefaultValue::Text(default), help)
}

const fn sizes(name: &'static str, help: &'static str) -> Key {
    key(name, Kind::Sizes, DefaultValue::NoSizes, help)
}

const fn text(name: &'static str, default: &'static str, help: &'static str) -> Key {
    key(name, Kind::Text, DefaultValue::Text(default), help)
}

pub(super) const fn one_of(
    name: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    help: &'static str,
) -> Key {
    key(name, Kind::OneOf(words), DefaultValue::Text(default), help)
}

impl Key {
    /// No default: the config must set it.
    const fn required(self) -> Self {
        Self { default: DefaultValue::Required, ..self }
    }

    /// Changes what is written down, not what is computed.
    const fn bookkeeping(self) -> Self {
        Self { numeric: false, ..self }
    }
}
