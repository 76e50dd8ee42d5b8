//! What the layers can be built with: the options that S4D and S4 share are written once, in [`with_shared_options`].

mod diagonal;
mod dplr;
mod flops;
mod h3;
mod options;
mod rules;

pub use diagonal::S4dConfig;
pub use dplr::S4Config;
pub use h3::H3Config;

/// Passes all options that S4D and S4 share to a macro, after the arguments given here.
macro_rules! with_shared_options {
    ($make:ident! { $($own:tt)* }) => {
        $make! {
            { $($own)* }
            /// Whether every output sees the whole sequence, through kernels that run backwards; otherwise only the past.
            #[config(default = false)]
            #[option(given)]
            pub bidirectional: bool,
            /// Distinct sets of A and B; channel h uses set h mod n_ssm. Must divide d_model; "d_model" is one per
            /// channel.
            #[config(default = "None")]
            #[option(range = 1..=8192, none = "d_model")]
            pub n_ssm: Option<usize>,
            /// Smallest initial step, in token intervals: about 1 / (longest memory wanted).
            #[config(default = 1e-3)]
            #[option(range = crate::config::rules::STEPS)]
            pub dt_min: f64,
            /// Largest initial step, in token intervals: about 1 / (shortest memory wanted). The logarithms of the
            /// initial steps are uniform between the two.
            #[config(default = 0.1)]
            #[option(range = crate::config::rules::STEPS)]
            pub dt_max: f64,
            /// All states of a channel share one step. False: each conjugate pair has its own.
            #[config(default = true)]
            pub dt_tie: bool,
            /// The function that turns the learned number into the step.
            #[config(default = "crate::StepTransform::Exp")]
            pub dt_transform: crate::StepTransform,
            /// The function that turns the learned number into the decay, -Re A; sigmoid keeps decays below 1.
            #[config(default = "crate::RealTransform::Exp")]
            pub real_transform: crate::RealTransform,
            /// Bound on Im B at the start, which HiPPO inits (legs, legt) exceed; 0 clips nothing, which is exact
            /// HiPPO. 2 as published.
            #[config(default = "Some(2.0)")]
            #[option(range = subquad_options::range::POSITIVE, none = 0.0)]
            pub b_clip: Option<f64>,
            /// Kernels per channel (and direction). Each has its own row of outputs, and the output layer reads them
            /// all.
            #[config(default = 1)]
            #[option(range = 1..=1024)]
            pub channels: usize,
            /// The activation after the convolution.
            #[config(default = "subquad_backend::pointwise::Activation::Gelu")]
            pub activation: subquad_backend::pointwise::Activation,
            /// What mixes the channels of a token at the end: a linear layer with a gate, a linear layer, or nothing.
            #[config(default = "crate::OutputMix::Glu")]
            pub output: crate::OutputMix,
            /// Share of numbers dropped in training between the activation and the output layer; 0 drops none. The model's own
            /// dropout comes on top of it.
            #[config(default = 0.0)]
            #[option(name = "activation_dropout", range = subquad_options::range::DROPPED)]
            pub dropout: f64,
            /// activation_dropout drops a channel of a sequence at all its tokens or at none. False: it drops each
            /// number independently. Only with activation_dropout.
            #[config(default = true)]
            pub tie_dropout: bool,
            /// Share of the kernels' taps dropped in training; 0 drops none.
            #[config(default = 0.0)]
            #[option(range = subquad_options::range::DROPPED)]
            pub kernel_dropout: f64,
            /// Upper limit of the learning rate of the steps, A, B and the low-rank part, if there is one; they train
            /// without weight decay. 0 freezes them.
            #[config(default = 1e-3)]
            #[option(range = subquad_options::range::NOT_NEGATIVE)]
            pub ssm_lr: f64,
        }
    };
}
use with_shared_options;

/// A config with the given fields, which include `d_state`, followed by the shared ones.
macro_rules! layer_config {
    (
        { $(#[$about:meta])* pub struct $name:ident { $($(#[$own:meta])* pub $field:ident: $type:ty,)* } }
        $($(#[$shared:meta])* pub $option:ident: $kind:ty,)*
    ) => {
        $(#[$about])*
        #[derive(burn::config::Config, subquad_options::Options, Debug)]
        pub struct $name {
            /// Width of input and output.
            #[option(given, range = 1..)]
            pub d_model: usize,
            $($(#[$own])* pub $field: $type,)*
            $($(#[$shared])* pub $option: $kind,)*
        }

        impl $name {
            pub(super) fn options(&self) -> $crate::config::options::SsmOptions {
                let Self { d_model, d_state, $($option,)* .. } = *self;
                $crate::config::options::SsmOptions { d_model, d_state, $($option,)* }
            }
        }
    };
}
use layer_config;

/// Methods of a config of the same names as those of [`SequenceMixerConfig`](subquad_mixer::SequenceMixerConfig).
macro_rules! builds {
    ($config:ident, $mixer:ident) => {
        impl $config {
            /// Whether the layer can be built.
            ///
            /// # Errors
            /// The first of the [refusals](Self::refusals).
            pub fn check(&self) -> Result<(), subquad_options::Refusal> {
                subquad_options::Refusal::first(self.refusals())
            }
        }

        impl subquad_mixer::SequenceMixerConfig for $config {
            type Mixer = $mixer;

            fn fit(&mut self, context: &subquad_mixer::Context) -> Vec<subquad_options::Refusal> {
                self.fit_to(context).into_iter().collect()
            }

            fn refusals(&self) -> Vec<subquad_options::Refusal> {
                self.refusals()
            }

            fn n_parameters(&self) -> usize {
                self.n_parameters()
            }

            fn kept(&self) -> f64 {
                self.kept()
            }

            fn kernels(&self, seq_len: usize) -> f64 {
                self.kernels(seq_len)
            }

            fn training_flops(&self, seq_len: usize) -> Option<subquad_mixer::Flops> {
                Some(self.flops(seq_len))
            }

            fn init(&self, device: &burn::tensor::Device) -> $mixer {
                self.init(device)
            }
        }
    };
}
use builds;
