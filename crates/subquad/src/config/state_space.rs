//! Sections `[mixer.s4d]`, `[mixer.s4]` and `[mixer.h3]` as types: what the first two share is written once. Their words are
//! those of the layers.

use serde::{Deserialize, Serialize};
use subquad_backend::pointwise::Activation;
use subquad_s4::{Discretization, OutputMix, RealTransform, S4Init, S4dInit, StepTransform};

/// A section with the fields written in it, then all that both have.
macro_rules! section {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$own:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$own])* pub $field: $type,)*
            /// States a channel.
            pub d_state: usize,
            /// Distinct sets of A and B, as a number.
            pub n_ssm: usize,
            /// Smallest initial step, in token intervals.
            pub dt_min: f64,
            /// Largest initial step, in token intervals.
            pub dt_max: f64,
            /// Whether all states of a channel share one step.
            pub dt_tie: bool,
            /// How a step is stored.
            pub dt_transform: StepTransform,
            /// How a decay is stored.
            pub real_transform: RealTransform,
            /// Bound of Im B at the start; 0: none.
            pub b_clip: f64,
            /// Kernels a channel and direction.
            pub channels: usize,
            /// What happens to every number after the convolution.
            pub activation: Activation,
            /// What mixes the channels of a token at the end.
            pub output: OutputMix,
            /// Share of numbers dropped after the activation.
            pub activation_dropout: f64,
            /// Whether that drops a channel of a sequence at all its tokens or at none.
            pub tie_dropout: bool,
            /// Share of the kernels' taps dropped.
            pub kernel_dropout: f64,
            /// Largest learning rate of steps, A, B and the low-rank part; 0 freezes them.
            pub ssm_lr: f64,
        }
    };
}

section! {
    /// Section `[mixer.s4d]`.
    pub struct S4dSettings {
        /// Where A and B start.
        pub init: S4dInit,
        /// How continuous time becomes steps.
        pub discretization: Discretization,
    }
}

section! {
    /// Section `[mixer.s4]`.
    pub struct S4Settings {
        /// Where A, B and the low-rank part start.
        pub init: S4Init,
        /// Rank of the low-rank part; 0: what the init needs.
        pub rank: usize,
        /// Length at which C is learned, in tokens, as a number.
        pub l_max: usize,
    }
}

/// Section `[mixer.h3]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct H3Settings {
    /// Keys that the shift state space sees, and states of a product.
    pub d_state: usize,
    /// Channels of a head.
    pub head_dim: usize,
    /// Where A and B of the diagonal state space start.
    pub init: S4dInit,
    /// How its continuous time becomes steps.
    pub discretization: Discretization,
    /// Distinct sets of A and B; 0: one a head.
    pub n_ssm: usize,
    /// Smallest initial step, in token intervals.
    pub dt_min: f64,
    /// Largest initial step, in token intervals.
    pub dt_max: f64,
    /// How a step is stored.
    pub dt_transform: StepTransform,
    /// How a decay is stored.
    pub real_transform: RealTransform,
    /// Bound of Im B at the start; 0: none.
    pub b_clip: f64,
    /// Whether the input weights of the shift state space train.
    pub train_shift_b: bool,
    /// Largest learning rate of steps, A, and B of either state space; 0 freezes them.
    pub ssm_lr: f64,
}
