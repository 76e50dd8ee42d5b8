//! Every mistake that a config can hold, in words: what is wrong, what is allowed, what to do.

use thiserror::Error;

use super::suggest::hint;
use super::{MixerName, Origin, UnknownMixer};

/// What is wrong; [`ConfigError`](super::ConfigError) adds where.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs)] // Each message says what its fields are.
pub enum Problem {
    #[error("cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error("no such file or folder")]
    NoSuchPath,
    #[error("holds no .toml file")]
    NoConfigs,
    #[error("no folder around it to name the study after")]
    NoFolder,
    #[error("a link to {target}, which is not there; make that file, or name another one")]
    DanglingLink { target: String },
    #[error(
        "not a file but a device or pipe; a study is named after the folder that holds its config, and its runs may read it again: \
        save the config there, such as my-study/config.toml"
    )]
    NotAFile,
    #[error("holds {} MiB, so it is hardly a config; name the .toml file", .bytes >> 20)]
    Huge { bytes: u64 },
    #[error("not UTF-8 text from line {line} on; save the file as UTF-8")]
    NotUtf8 { line: usize },
    #[error("text in UTF-16; save the file as UTF-8")]
    Utf16,
    #[error("not a text, since byte {byte} is zero; a config is TOML in UTF-8")]
    NotText { byte: usize },
    #[error("not valid TOML: {message}")]
    Syntax { message: String },
    #[error("must read KEY=VALUE, such as train.steps=100")]
    NotAnAssignment,

    #[error("unknown key `{key}`{} (known in [{section}]: {})", hint(.meant.as_deref()), .known.join(", "))]
    UnknownKey { key: String, section: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("unknown key `{key}`{} (every key is in a section: {})", hint(.meant.as_deref()), .known.join(", "))]
    KeyOutsideSections { key: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("unknown axis `{key}`{} (known: mixer, seq_len, seed, or a dotted key such as \"model.d_model\")",
        hint(.meant.as_deref()))]
    UnknownAxis { key: String, meant: Option<String> },
    #[error("unknown section [{section}]{} (known: {})", hint(.meant.as_deref()), .known.join(", "))]
    UnknownSection { section: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("[{section}] {unknown}")]
    UnknownMixer { section: String, unknown: UnknownMixer },
    #[error("[override.{mixer}] cannot set `{key}`, which belongs to another mixer (allowed: {})",
        .allowed.join(", "))]
    ForeignOverride { mixer: MixerName, key: &'static str, allowed: Vec<&'static str> },
    #[error("[{section}] is for configs that train, and this one has [bench]; put it into a file of its own")]
    TrainingInBench { section: String },
    #[error(
        "[bench] is for configs that measure, and this one trains; use it with configs that have [bench]"
    )]
    BenchInTraining,
    #[error("`{section}` is a section, [{section}], not a key; got {got}")]
    NotASection { section: String, got: String },

    #[error("`{key}` {complaint}")]
    Value { key: String, complaint: String },
    #[error("each value of `{key}` {complaint}")]
    AxisValue { key: String, complaint: String },
    #[error("`{key}` is set twice, first at {first}; keep one")]
    SetTwice { key: String, first: Origin },
    #[error("missing `{leaf}` in [{section}]; it must be {what}")]
    Missing { section: &'static str, leaf: &'static str, what: String },

    #[error("axis `{key}` must be a list of values, got {got}")]
    NotAList { key: String, got: String },
    #[error("axis `{key}` is empty; give it a value or leave it out")]
    EmptyAxis { key: String },
    #[error("axis `{key}` lists {value} twice")]
    RepeatedValue { key: String, value: String },
    #[error("`{key}` is no part of a run's name, so it cannot be an axis; set it in its section")]
    IdleAxis { key: &'static str },
    #[error("`{key}` is an axis of the sweep ({axis}); use sweep.{key}=[..], or take the axis out")]
    FlagOnAxis { key: &'static str, axis: Origin },
    #[error(
        "`{key}` is an axis of the sweep ({axis}), so [override.{mixer}] cannot set it; remove one of the two"
    )]
    OverrideOnAxis { key: &'static str, mixer: MixerName, axis: Origin },
    #[error("values {one} and {other} of axis `{key}` come to the same run; remove one of the two")]
    SameRun { key: &'static str, one: String, other: String },

    #[error(
        "{n_heads} heads cannot share d_model = {d_model} equally; choose n_heads among the divisors of {d_model}"
    )]
    UnevenHeads { n_heads: i64, d_model: i64 },
    #[error("rope rotates pairs of channels, but d_model = {d_model} gives each of {n_heads} heads {} of them; \
        make that even, or choose a rope_fraction below 1 or another position", .d_model / .n_heads)]
    OddHead { n_heads: i64, d_model: i64 },
    #[error(
        "n_kv_heads = {n_kv_heads} cannot serve {n_heads} heads equally; choose n_kv_heads among the divisors of {n_heads}"
    )]
    UnevenKvHeads { n_kv_heads: i64, n_heads: i64 },
    #[error(
        "rope rotates pairs of channels, but rope_fraction = {rope_fraction:?} of {d_head} channels a head leaves none; \
        raise it, or choose another position"
    )]
    UnturnedHead { rope_fraction: f64, d_head: i64 },
    #[error("`{key}` = {value:?} does nothing without position = \"rope\"; leave it at {default:?}")]
    IdleRope { key: &'static str, value: f64, default: f64 },
    #[error("`{key}` must be even, because states come in conjugate pairs; got {d_state}")]
    OddState { key: &'static str, d_state: i64 },
    #[error(
        "n_ssm = {n_ssm} cannot share d_model = {d_model} equally; choose n_ssm among the divisors of {d_model}"
    )]
    UnevenSsm { n_ssm: i64, d_model: i64 },
    #[error(
        "heads of head_dim = {head_dim} channels cannot share d_model = {d_model} equally; choose head_dim among the divisors of {d_model}"
    )]
    UnevenHeadDim { head_dim: i64, d_model: i64 },
    #[error(
        "n_ssm = {n_ssm} cannot share {n_heads} heads (d_model / head_dim) equally; choose n_ssm among the divisors of {n_heads}, or 0 for one a head"
    )]
    UnevenHeadSsm { n_ssm: i64, n_heads: i64 },
    #[error(
        "mixer {mixer} is causal alone, so `model.causal` = false is nothing it can do; take {mixer} out of `sweep.mixer`, or set \
        model.causal = true, for {mixer} alone in [override.{mixer}]"
    )]
    OnlyCausal { mixer: MixerName },
    #[error(
        "mixer {mixer} sees the whole sequence, so `model.causal` = true is nothing it can do; take causal_monarch instead, or set \
        model.causal = false, for {mixer} alone in [override.{mixer}]"
    )]
    OnlyBidirectional { mixer: MixerName },
    #[error("block = {block} exceeds l_max = {l_max}; choose a block near the square root of l_max, or 0")]
    LongBlock { block: i64, l_max: i64 },
    #[error("`{key}` does nothing with form = \"blocks\", which has no filter; leave it at {default}")]
    IdleFilter { key: &'static str, default: String },
    #[error("{n_blocks} blocks cannot share `{key}` = {width}; choose n_blocks of at most {width}")]
    TooManyBlocks { n_blocks: i64, key: &'static str, width: i64 },
    #[error(
        "n_blocks = 0 cuts monarch matrices near the root of their width, and block_diagonal has none; choose at least 1"
    )]
    NoBlocks,
    #[error(
        "`model.channel_gate` = \"{gate}\" does nothing without a channel mixer; leave it at \"auto\", or choose one"
    )]
    IdleGate { gate: String },
    #[error("dt_min = {dt_min:?} exceeds dt_max = {dt_max:?}; the first must be the smaller")]
    StepsCrossed { dt_min: f64, dt_max: f64 },
    #[error(
        "init = \"{init}\" mixes {parts} kinds of system in equal numbers, so n_ssm must be a multiple of {parts}; got {n_ssm}"
    )]
    UnevenMixture { init: String, parts: usize, n_ssm: i64 },
    #[error(
        "real_transform = \"sigmoid\" has decays below 1 alone, and those of init = \"real\" are larger; choose exp, softplus or relu"
    )]
    UnreachedDecay,
    #[error(
        "real_transform = \"relu\" does not train decays of 1e-4 or less, and init = \"{init}\" starts there; choose exp or softplus"
    )]
    DecayAtFloor { init: String },
    #[error(
        "channels = {channels} needs an output layer that brings the width back to d_model; choose output = \"glu\" or \"linear\""
    )]
    NarrowOutput { channels: i64 },
    #[error("`{key}` = false does nothing without `{needed}`; leave it at true")]
    IdleTie { key: &'static str, needed: &'static str },
    #[error(
        "init = \"{init}\" needs a low-rank part of rank {needed}, got rank = {rank}; raise it, or use 0 for what the init needs"
    )]
    LowRank { init: String, needed: usize, rank: i64 },
    #[error(
        "l_max = {l_max} is shorter than the training sequences, {seq_len} tokens; raise it or use \"longest\" (tests may be longer)"
    )]
    ShortKernel { l_max: i64, seq_len: i64 },
    #[error("`{key}` must be odd: time itself, then pairs of sine and cosine; got {emb_dim}")]
    EvenEmbedding { key: &'static str, emb_dim: i64 },
    #[error("`{key}` = {shift:?} lifts a decay that `{needed}` = false takes away; leave it at 0.0")]
    IdleShift { key: &'static str, shift: f64, needed: &'static str },
    #[error("`mixer.m2.rev_offset` = {rev_offset} does nothing in a causal model; leave it at 1")]
    IdleOffset { rev_offset: i64 },
    #[error(
        "l_max = {l_max} is shorter than the longest sequence, {longest} tokens; raise it or use \"longest\""
    )]
    ShortFilter { l_max: i64, longest: i64 },
    #[error("`{key}` does nothing without `{layers}`; take it out, or list layers to measure")]
    IdleBench { key: &'static str, layers: &'static str },
    #[error(
        "{positions} learned positions are too few for the longest sequence, {longest} tokens; raise them or use \"longest\""
    )]
    FewPositions { positions: i64, longest: i64 },
    #[error(
        "`model.last_norm` = false does nothing with block = \"{block}\", whose blocks end with norms; leave it at true"
    )]
    IdleLastNorm { block: String },
    #[error("`{key}` = {value} does nothing with norm = \"none\"; leave it at {default}")]
    IdleNorm { key: &'static str, value: String, default: String },
    #[error(
        "task {task} does not both read and answer tokens, so `model.tied_head` = true has no table to share; set it to false"
    )]
    NothingToTie { task: String },
    #[error(
        "asks for {count} {what} ({lists}), but one command plans at most {most}{before}; take values out, or give the command fewer \
        configs at once"
    )]
    TooMany { what: &'static str, count: String, lists: String, most: String, before: String },
    #[error("{reason}")]
    Layer { reason: String },
    #[error("seq_len = {seq_len} does not suit task {task}: {reason}")]
    Length { task: String, seq_len: usize, reason: String },
    #[error("task {task}: {reason}")]
    Task { task: String, reason: String },
    #[error("task {task} reads no files, so `task.path` would do nothing; take it out")]
    IdlePath { task: String },
    #[error(
        "task {task} is answered at its tokens, so `model.pool` = \"{pool}\" would do nothing; leave it at \"auto\""
    )]
    IdlePool { pool: String, task: String },
}
