//! One line per mixer gives its name, the enums of configs, layers and states, and the delegation.

use subquad_options::{Field, Options, Value};

use crate::{MeasuredMixer, SequenceMixerConfig};

/// The mixers that a program knows by name, as one config: [`mixers!`](crate::mixers) makes it.
pub trait Mixers: SequenceMixerConfig {
    /// Calls the visitor with every mixer, in the order of the registry.
    fn visit(visitor: &mut impl VisitMixers);

    /// The mixer of this name with the values of its [options](Options::fields); `None` if there is no such mixer, or a value is
    /// missing.
    fn read(name: &str, values: &dyn Fn(&str) -> Option<Value>) -> Option<Self>;

    /// The mixer's name.
    fn name(&self) -> &'static str;

    /// Every mixer, in the order of the registry.
    fn entries() -> Vec<Entry> {
        let mut entries = Entries(vec![]);
        Self::visit(&mut entries);
        entries.0
    }
}

/// Does something with every mixer of a registry.
pub trait VisitMixers {
    /// What it does with one.
    fn visit<C: MeasuredMixer>(&mut self);
}

/// A mixer of a registry.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name in configs, records and figures.
    pub name: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// Its options.
    pub fields: Vec<Field>,
}

struct Entries(Vec<Entry>);

impl VisitMixers for Entries {
    fn visit<C: MeasuredMixer>(&mut self) {
        self.0.push(Entry { name: C::NAME, summary: C::SUMMARY, fields: <C as Options>::fields() });
    }
}

/// Items that the macro refers to.
#[doc(hidden)]
pub mod macro_support {
    pub use burn::module::Module;
    pub use burn::tensor::{Device, Tensor};
    pub use subquad_backend::Form;
    pub use subquad_options::{Field, Options, Refusal, Value};

    use crate::{Contract, MixerError, MixerState, Origin, SequenceMixer};

    /// The error for the state of another kind of mixer.
    pub fn foreign(layer: &impl SequenceMixer, state: &impl MixerState) -> MixerError {
        let maker = state.origin().map_or("another kind of mixer", Origin::mixer);
        let contract: Contract = layer.contract();
        MixerError::ForeignState { mixer: contract.mixer(), difference: format!("it was made by {maker}") }
    }
}

/// A registry of mixers: one line each.
///
/// ```ignore
/// subquad_mixer::mixers! {
///     /// The mixers of this program.
///     pub MyMixerConfig, MyMixer, MyMixerState {
///         Attention(AttentionConfig),
///         Ema(EmaConfig),
///     }
/// }
/// ```
/// The three names are those of the enums of configs, layers and states. Every config must be a
/// [`MeasuredMixer`](crate::MeasuredMixer). The crate needs `burn` among its dependencies, because burn's derive names it.
#[macro_export]
macro_rules! mixers {
    ($(#[$about:meta])* $vis:vis $Config:ident, $Layer:ident, $State:ident { $($Mixer:ident($Own:ty)),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        #[allow(missing_docs)]
        $vis enum $Config {
            $($Mixer($Own),)+
        }

        /// A sequence mixer of any kind.
        #[derive(burn::module::Module, Debug)]
        #[allow(missing_docs)]
        #[allow(clippy::large_enum_variant, reason = "a model holds one a block, and burn has no module in a box")]
        $vis enum $Layer {
            $($Mixer(<$Own as $crate::SequenceMixerConfig>::Mixer),)+
        }

        /// What a sequence mixer of any kind remembers of the tokens it has seen.
        #[derive(Debug, Clone)]
        #[allow(missing_docs)]
        #[allow(clippy::large_enum_variant, reason = "a model's state holds one a block")]
        $vis enum $State {
            $($Mixer(<<$Own as $crate::SequenceMixerConfig>::Mixer as $crate::SequenceMixer>::State),)+
        }

        $(
            impl From<$Own> for $Config {
                fn from(config: $Own) -> Self {
                    Self::$Mixer(config)
                }
            }
        )+

        impl $crate::SequenceMixerConfig for $Config {
            type Mixer = $Layer;

            fn fit(&mut self, context: &$crate::Context) -> Vec<$crate::Refusal> {
                match self { $(Self::$Mixer(config) => $crate::SequenceMixerConfig::fit(config, context),)+ }
            }

            fn refusals(&self) -> Vec<$crate::Refusal> {
                match self { $(Self::$Mixer(config) => $crate::SequenceMixerConfig::refusals(config),)+ }
            }

            fn d_model(&self) -> usize {
                match self { $(Self::$Mixer(config) => $crate::SequenceMixerConfig::d_model(config),)+ }
            }

            fn n_parameters(&self) -> usize {
                match self { $(Self::$Mixer(config) => $crate::SequenceMixerConfig::n_parameters(config),)+ }
            }

            fn kept(&self) -> f64 {
                match self { $(Self::$Mixer(config) => $crate::SequenceMixerConfig::kept(config),)+ }
            }

            fn kernels(&self, seq_len: usize) -> f64 {
                match self { $(Self::$Mixer(config) => $crate::SequenceMixerConfig::kernels(config, seq_len),)+ }
            }

            fn training_flops(&self, seq_len: usize) -> Option<$crate::Flops> {
                match self {
                    $(Self::$Mixer(config) => $crate::SequenceMixerConfig::training_flops(config, seq_len),)+
                }
            }

            fn init(&self, device: &$crate::macro_support::Device) -> $Layer {
                match self {
                    $(Self::$Mixer(config) => $Layer::$Mixer($crate::SequenceMixerConfig::init(config, device)),)+
                }
            }
        }

        impl $crate::Mixers for $Config {
            fn visit(visitor: &mut impl $crate::VisitMixers) {
                $(visitor.visit::<$Own>();)+
            }

            fn read(
                name: &str,
                values: &dyn Fn(&str) -> Option<$crate::macro_support::Value>,
            ) -> Option<Self> {
                $(if name == <$Own as $crate::MeasuredMixer>::NAME {
                    return <$Own as $crate::Options>::from_values(values).map(Self::$Mixer);
                })+
                None
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$Mixer(_) => <$Own as $crate::MeasuredMixer>::NAME,)+ }
            }
        }

        /// The options are those of the mixer: its kind is not an option.
        impl $crate::Options for $Config {
            fn fields() -> Vec<$crate::macro_support::Field> {
                vec![]
            }

            fn from_values(_: &dyn Fn(&str) -> Option<$crate::macro_support::Value>) -> Option<Self> {
                None
            }

            fn to_values(&self) -> Vec<(&'static str, $crate::macro_support::Value)> {
                match self { $(Self::$Mixer(config) => $crate::Options::to_values(config),)+ }
            }

            fn give(&mut self, name: &str, value: &$crate::macro_support::Value) -> bool {
                match self { $(Self::$Mixer(config) => $crate::Options::give(config, name, value),)+ }
            }
        }

        impl $crate::MixerState for $State {
            fn floats(&self) -> usize {
                match self { $(Self::$Mixer(state) => $crate::MixerState::floats(state),)+ }
            }

            fn origin(&self) -> Option<&$crate::Origin> {
                match self { $(Self::$Mixer(state) => $crate::MixerState::origin(state),)+ }
            }
        }

        impl $crate::SequenceMixer for $Layer {
            type State = $State;

            fn forward(&self, x: $crate::macro_support::Tensor<3>) -> $crate::macro_support::Tensor<3> {
                match self { $(Self::$Mixer(mixer) => $crate::SequenceMixer::forward(mixer, x),)+ }
            }

            fn forward_train(
                &self,
                x: $crate::macro_support::Tensor<3>,
                seed: u64,
            ) -> $crate::macro_support::Tensor<3> {
                match self { $(Self::$Mixer(mixer) => $crate::SequenceMixer::forward_train(mixer, x, seed),)+ }
            }

            fn forward_with_state(
                &self,
                x: $crate::macro_support::Tensor<3>,
                state: $State,
            ) -> Result<($crate::macro_support::Tensor<3>, $State), $crate::MixerError> {
                match (self, state) {
                    $((Self::$Mixer(mixer), $State::$Mixer(state)) => {
                        let (y, state) = $crate::SequenceMixer::forward_with_state(mixer, x, state)?;
                        Ok((y, $State::$Mixer(state)))
                    })+
                    #[allow(unreachable_patterns)]
                    (_, state) => Err($crate::macro_support::foreign(self, &state)),
                }
            }

            fn step(
                &self,
                x: $crate::macro_support::Tensor<2>,
                state: &mut $State,
            ) -> Result<$crate::macro_support::Tensor<2>, $crate::MixerError> {
                match (self, state) {
                    $((Self::$Mixer(mixer), $State::$Mixer(state)) => {
                        $crate::SequenceMixer::step(mixer, x, state)
                    })+
                    #[allow(unreachable_patterns)]
                    (_, state) => Err($crate::macro_support::foreign(self, state)),
                }
            }

            fn slice_stepper(&self, state: &$State, room: usize) -> Option<Box<dyn $crate::SliceStepper>> {
                match (self, state) {
                    $((Self::$Mixer(mixer), $State::$Mixer(state)) => {
                        $crate::SequenceMixer::slice_stepper(mixer, state, room)
                    })+
                    #[allow(unreachable_patterns)]
                    (_, state) => panic!("{}", $crate::macro_support::foreign(self, state)),
                }
            }

            fn init_state(&self, batch: usize) -> Result<$State, $crate::MixerError> {
                match self {
                    $(Self::$Mixer(mixer) => $crate::SequenceMixer::init_state(mixer, batch).map($State::$Mixer),)+
                }
            }

            fn with_form(self, form: $crate::macro_support::Form) -> Self {
                match self { $(Self::$Mixer(mixer) => Self::$Mixer($crate::SequenceMixer::with_form(mixer, form)),)+ }
            }

            fn contract(&self) -> $crate::Contract {
                match self { $(Self::$Mixer(mixer) => $crate::SequenceMixer::contract(mixer),)+ }
            }

            fn check_state(&self, batch: usize, state: &$State) -> Result<(), $crate::MixerError> {
                match (self, state) {
                    $((Self::$Mixer(mixer), $State::$Mixer(state)) => {
                        $crate::SequenceMixer::check_state(mixer, batch, state)
                    })+
                    #[allow(unreachable_patterns)]
                    (_, state) => Err($crate::macro_support::foreign(self, state)),
                }
            }

            fn state_size(&self, seq: usize) -> Option<usize> {
                match self { $(Self::$Mixer(mixer) => $crate::SequenceMixer::state_size(mixer, seq),)+ }
            }

            fn check_length(&self, seq: usize) -> Result<(), $crate::MixerError> {
                match self { $(Self::$Mixer(mixer) => $crate::SequenceMixer::check_length(mixer, seq),)+ }
            }

            fn parameter_groups(&self) -> Vec<$crate::ParameterGroup> {
                match self { $(Self::$Mixer(mixer) => $crate::SequenceMixer::parameter_groups(mixer),)+ }
            }
        }
    };
}
