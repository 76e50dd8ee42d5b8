//! Why a config is no layer.

/// Why an [`S4dConfig`](crate::S4dConfig), an [`S4Config`](crate::S4Config) or an [`H3Config`](crate::H3Config) is no layer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum S4ConfigError {
    /// The width is zero.
    #[error("d_model must be at least 1, got 0")]
    NoWidth,
    /// The state does not come in conjugate pairs.
    #[error(
        "d_state counts both members of each conjugate pair, so it must be even and at least 2, got {d_state}"
    )]
    OddState {
        /// State size asked for.
        d_state: usize,
    },
    /// The channels cannot share the systems equally.
    #[error(
        "{n_ssm} systems cannot be shared equally by d_model = {d_model} channels; choose a divisor of {d_model}"
    )]
    UnevenSharing {
        /// Systems asked for.
        n_ssm: usize,
        /// Width of the layer.
        d_model: usize,
    },
    /// The channels do not make whole heads.
    #[error(
        "heads of head_dim = {head_dim} channels cannot share d_model = {d_model} equally; choose a divisor of {d_model}"
    )]
    UnevenHeads {
        /// Channels of a head.
        head_dim: usize,
        /// Width of the layer.
        d_model: usize,
    },
    /// The heads cannot share the systems equally.
    #[error(
        "{n_ssm} systems cannot be shared equally by {n_heads} heads (d_model / head_dim); choose a divisor of {n_heads}"
    )]
    UnevenHeadSharing {
        /// Systems asked for.
        n_ssm: usize,
        /// Heads of the layer.
        n_heads: usize,
    },
    /// A mixture of initial systems does not come out even.
    #[error(
        "init {init} mixes {parts} kinds of system in equal numbers, so n_ssm must be a multiple of {parts}, got {n_ssm}"
    )]
    UnevenMixture {
        /// The init, as in configs.
        init: String,
        /// Kinds of system in it.
        parts: usize,
        /// Systems asked for.
        n_ssm: usize,
    },
    /// The low-rank part cannot hold what the init needs.
    #[error("init {init} needs a low-rank part of rank {needed} or more, got rank = {rank}")]
    Rank {
        /// The init, as in configs.
        init: String,
        /// Rank that it needs.
        needed: usize,
        /// Rank asked for.
        rank: usize,
    },
    /// The range of initial steps is empty or not positive.
    #[error(
        "initial steps need 0 < dt_min <= dt_max < infinity, got dt_min = {dt_min:?}, dt_max = {dt_max:?}"
    )]
    StepRange {
        /// Smallest step.
        dt_min: f64,
        /// Largest step.
        dt_max: f64,
    },
    /// Initial steps that the formulas do not stand in f32.
    #[error(
        "initial steps must be within 1e-12 and 1e6 tokens, got dt_min = {dt_min:e}, dt_max = {dt_max:e}"
    )]
    StepBeyondF32 {
        /// Smallest step.
        dt_min: f64,
        /// Largest step.
        dt_max: f64,
    },
    /// A decay that its transform cannot reach.
    #[error(
        "real_transform sigmoid has decays below 1 alone, and init {init} starts at {decay:?}; choose exp, softplus or relu"
    )]
    DecayRange {
        /// The init, as in configs.
        init: String,
        /// Its largest decay.
        decay: f64,
    },
    /// Decays that would start where their transform has no gradient.
    #[error(
        "real_transform relu does not train decays of 1e-4 or less, and init {init} starts there; choose exp or softplus"
    )]
    DecayAtFloor {
        /// The init, as in configs.
        init: String,
    },
    /// A number that must be positive is not.
    #[error("{name} must be positive and finite, got {value:?}")]
    NotPositive {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A learning rate that is none.
    #[error("{name} must be finite and not negative, got {value:?}")]
    Negative {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A count that must not be zero is.
    #[error("{name} must be at least 1, got 0")]
    Zero {
        /// The option.
        name: &'static str,
    },
    /// A probability that is none, or that would drop everything.
    #[error("{name} must be in [0, 1), got {value:?}")]
    NotARate {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// Several rows of outputs a channel, and nothing to bring them back to the width.
    #[error(
        "channels = {channels} needs an output layer that brings the width back to d_model; choose output glu or linear"
    )]
    WideOutput {
        /// Kernels a channel.
        channels: usize,
    },
}
