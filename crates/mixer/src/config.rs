//! What builds a sequence mixer.

use std::fmt::Debug;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use subquad_options::{OptionType, Options, Refusal};

use crate::{Flops, SequenceMixer};

/// The options of a sequence mixer, or of one of several. Only [`init`](Self::init) must be written for a causal mixer
/// whose options can be checked one by one.
pub trait SequenceMixerConfig: Options + Clone + Debug + Send + Sync + 'static {
    /// What it builds.
    type Mixer: MixerModule;

    /// Sets what a layer cannot know on its own, the width of the model and whether it is causal, and refuses what does
    /// not go with them. A layer without an option `causal` is taken to be causal-only.
    fn fit(&mut self, context: &Context) -> Vec<Refusal> {
        self.give("d_model", &context.d_model.to_value());
        let takes_both = self.give("causal", &context.causal.to_value());
        if takes_both { vec![] } else { context.only_causal().into_iter().collect() }
    }

    /// Everything that keeps the layer from being built.
    fn refusals(&self) -> Vec<Refusal> {
        self.out_of_range()
    }

    /// Width of input and output: the option `d_model`.
    fn d_model(&self) -> usize {
        let d_model = self.to_values().into_iter().find(|(name, _)| *name == "d_model");
        d_model.and_then(|(_, value)| usize::from_value(&value)).unwrap_or(0)
    }

    /// How many numbers the layer learns. There must be no [refusals](Self::refusals). By default the layer is built to
    /// count them; a config that can count without building does so.
    fn n_parameters(&self) -> usize {
        self.init(&Device::flex()).num_params()
    }

    /// Number of floats that the layer keeps in training for each float of its input, until backward has used them.
    /// With [`kernels`](Self::kernels) it shows whether a run fits into memory.
    fn kept(&self) -> f64 {
        10.0
    }

    /// Number of floats of kernels as long as the sequence and of the networks that draw them, once for the whole batch.
    fn kernels(&self, seq_len: usize) -> f64 {
        let _ = seq_len;
        0.0
    }

    /// Floating-point operations of one training step on sequences of `seq_len` tokens, forward and backward, as [`Flops`] counts them.
    /// `None`, the default: they are not counted, and runs do not show how much of the machine they use.
    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        let _ = seq_len;
        None
    }

    /// The layer with fresh weights, drawn from the device's generator.
    ///
    /// # Panics
    /// If there are [refusals](Self::refusals).
    fn init(&self, device: &Device) -> Self::Mixer;
}

/// A sequence mixer that is a burn module: what a model can be built from.
pub trait MixerModule: SequenceMixer<State: 'static> + Module + ModuleDisplay + Debug + 'static {}

impl<M: SequenceMixer<State: 'static> + Module + ModuleDisplay + Debug + 'static> MixerModule for M {}

/// What a layer must know about the model and data around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Name of the layer's mixer, as in configs.
    pub mixer: &'static str,
    /// Width of the model.
    pub d_model: usize,
    /// Whether position t may see only positions up to t.
    pub causal: bool,
    /// Number of tokens of the sequences that it trains on.
    pub seq_len: usize,
    /// Number of tokens of the longest sequence that it runs on, in training or in a test.
    pub longest: usize,
}

impl Context {
    /// Refuses to look ahead, for a mixer that cannot.
    pub fn only_causal(&self) -> Option<Refusal> {
        let mixer = self.mixer;
        Refusal::when(!self.causal, &["causal"], || {
            format!(
                "{mixer} is causal-only; set model.causal = true, for {mixer} only in [override.{mixer}], or remove it \
                 from sweep.mixer"
            )
        })
    }

    /// Refuses to be causal, for a mixer that always sees the whole sequence.
    pub fn only_bidirectional(&self) -> Option<Refusal> {
        let mixer = self.mixer;
        Refusal::when(self.causal, &["causal"], || {
            format!(
                "{mixer} always sees the whole sequence; set model.causal = false, for {mixer} only in [override.{mixer}], or remove \
                 it from sweep.mixer"
            )
        })
    }

    /// Refuses a filter, or a matrix, that does not cover the longest sequence.
    pub fn too_short(&self, l_max: usize) -> Option<Refusal> {
        let longest = self.longest;
        Refusal::when(l_max < longest, &["l_max"], || {
            format!(
                "l_max = {l_max} is shorter than the longest sequence, {longest} tokens; raise it or use \"longest\""
            )
        })
    }
}
