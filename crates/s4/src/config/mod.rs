//! What the layers can be built with: the options they share are written once, in [`layer_config`].

mod diagonal;
mod dplr;
mod error;
mod h3;
mod options;

pub use diagonal::S4dConfig;
pub use dplr::S4Config;
pub use error::S4ConfigError;
pub use h3::H3Config;

/// A config with the fields written in it, then all that S4D and S4 share.
macro_rules! layer_config {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$own:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(burn::config::Config, Debug)]
        pub struct $name {
            /// Width of input and output.
            pub d_model: usize,
            $($(#[$own])* pub $field: $type,)*
            /// Real state size of a channel, even: half as many conjugate pairs are kept. Memory and kernel cost grow
            /// linearly with it.
            #[config(default = 64)]
            pub d_state: usize,
            /// Whether every output sees the whole sequence, through kernels that run backwards.
            #[config(default = false)]
            pub bidirectional: bool,
            /// Kernels a channel and direction, each with a row of outputs of its own that the output layer reads.
            #[config(default = 1)]
            pub channels: usize,
            /// How many different `A` and `B` there are; channel `h` uses number `h mod n_ssm`. `None` is one a channel.
            #[config(default = "None")]
            pub n_ssm: Option<usize>,
            /// Smallest initial step, in token intervals: about 1 / (longest memory wanted).
            #[config(default = 1e-3)]
            pub dt_min: f64,
            /// Largest initial step. The logarithms of the steps start uniform between the two.
            #[config(default = 0.1)]
            pub dt_max: f64,
            /// Whether all states of a channel share one step.
            #[config(default = true)]
            pub dt_tie: bool,
            /// How a step is stored.
            #[config(default = "crate::StepTransform::Exp")]
            pub dt_transform: crate::StepTransform,
            /// How a decay is stored.
            #[config(default = "crate::RealTransform::Exp")]
            pub real_transform: crate::RealTransform,
            /// Bound on the imaginary part of the initial `B`, which `legs` and `legt` exceed. The published layer uses 2;
            /// without it they are exact HiPPO.
            #[config(default = "Some(2.0)")]
            pub b_clip: Option<f64>,
            /// Upper limit of the learning rate of steps, `A`, `B` and `P`, which train without weight decay; 0 freezes
            /// them.
            #[config(default = 1e-3)]
            pub ssm_lr: f64,
            /// What happens to every number after the convolution.
            #[config(default = "subquad_backend::pointwise::Activation::Gelu")]
            pub activation: subquad_backend::pointwise::Activation,
            /// What mixes the channels of a token at the end.
            #[config(default = "crate::OutputMix::Glu")]
            pub output: crate::OutputMix,
            /// Probability of dropping a number after the activation, in training alone.
            #[config(default = 0.0)]
            pub dropout: f64,
            /// Whether that drops a channel of a sequence at all its tokens or at none.
            #[config(default = true)]
            pub tie_dropout: bool,
            /// Probability of dropping a tap of a kernel, in training alone.
            #[config(default = 0.0)]
            pub kernel_dropout: f64,
        }

        impl $name {
            fn options(&self) -> $crate::config::options::Options {
                let Self {
                    d_model, d_state, bidirectional, channels, n_ssm, dt_min, dt_max, dt_tie, dt_transform,
                    real_transform, b_clip, ssm_lr, activation, output, dropout, tie_dropout, kernel_dropout, ..
                } = *self;
                $crate::config::options::Options {
                    d_model, d_state, bidirectional, channels, n_ssm, dt_min, dt_max, dt_tie, dt_transform,
                    real_transform, b_clip, ssm_lr, activation, output, dropout, tie_dropout, kernel_dropout,
                }
            }
        }
    };
}
use layer_config;
