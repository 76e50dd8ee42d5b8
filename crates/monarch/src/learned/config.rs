//! Config of a learned Monarch mixer.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;
use subquad_mixer::{Context, Flops, Options, Refusal, SequenceMixerConfig};

use super::{LearnedMonarch, Matrix};
use crate::SequenceInit;
use crate::options::as_its_own_methods;
use crate::sequence::{Gates, LONGEST_BLOCK, LONGEST_MATRIX, Split, contradictions, factor};

/// Config of a [`LearnedMonarch`].
#[derive(Config, Options, Debug)]
pub struct LearnedMonarchConfig {
    /// Width of input and output.
    #[option(given, range = 1..)]
    pub d_model: usize,
    /// Length of the matrices, in tokens; a shorter sequence is padded with zeros, and only its own outputs are kept.
    /// "longest" is the longest sequence of the config, test conditions included.
    #[option(range = 1..=LONGEST_MATRIX, or = "longest")]
    pub l_max: usize,
    /// Tokens per block of the first factor, and number of blocks of the second; at most l_max. 0: the smallest
    /// divisor of l_max that is at least its square root, which costs least; if that is twice the square root or
    /// more, the square root itself, rounded up. Blocks that l_max does not fill are padded with zeros.
    #[option(range = 1..=LONGEST_BLOCK, none = 0)]
    pub block: Option<usize>,
    /// Groups of adjacent features, each with its own matrices; must divide d_model.
    #[config(default = 1)]
    #[option(range = 1..=8192)]
    pub n_heads: usize,
    /// The activation between the two matrices. The paper's listing has relu there, its equation none (identity),
    /// with which the two can be a DFT and its inverse.
    #[config(default = "Activation::Identity")]
    pub activation: Activation,
    /// Initial matrices: near the identity, or uniform and scaled so that outputs are as large as inputs (random).
    /// With random ones, a model of handwritten digits learned sooner, with and without gates.
    #[config(default = "SequenceInit::Random")]
    pub init: SequenceInit,
    /// Projections, a short convolution and two gates surround the matrices, as they surround the long convolution of
    /// m2, so that the two layers differ only in what mixes the sequence. False: only the matrices, as in the paper's
    /// layer, which mixes each feature separately and in the same way for all inputs.
    #[config(default = true)]
    pub gated: bool,
}

impl LearnedMonarchConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a number out of its range, heads that do not divide the width,
    /// a block longer than `l_max`, or a factor too large for memory.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| contradictions(self.d_model, self.l_max, self.block, self.n_heads))
    }

    /// The array between the matrices starts as ones.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> LearnedMonarch {
        self.check().unwrap_or_else(|e| panic!("LearnedMonarchConfig: {e}"));
        let between = Tensor::ones([self.split().tokens(), self.d_model], device);
        LearnedMonarch {
            gates: self.gated.then(|| Gates::new(self.d_model, device)),
            first: self.matrix(device),
            between: Param::from_tensor(between),
            second: self.matrix(device),
            config: self.clone(),
            form: Form::for_device(device),
        }
    }

    /// Number of parameters.
    pub fn n_parameters(&self) -> usize {
        let Split { block, n_blocks } = self.split();
        let matrix = self.n_heads * block * n_blocks * (block + n_blocks);
        let gates = if self.gated { Gates::parameters(self.d_model) } else { 0 };
        gates + 2 * matrix + self.split().tokens() * self.d_model
    }

    /// Floating-point operations of the matrix products for one sequence, forward: two per multiply-add. Those along
    /// the sequence grow as `seq^1.5` if `l_max` is `seq`.
    pub fn flops(&self, seq: usize) -> usize {
        let (split, used) = (self.split(), self.split().used(seq));
        let within = (used + split.n_blocks) * split.block * split.block;
        let across = 2 * split.block * used * split.n_blocks;
        let gates = if self.gated { Gates::flops(self.d_model, seq) } else { 0 };
        gates + 2 * (within + across) * self.d_model
    }

    pub(crate) fn split(&self) -> Split {
        Split::new(self.l_max, self.block)
    }

    fn matrix(&self, device: &Device) -> Matrix {
        let Split { block, n_blocks } = self.split();
        Matrix {
            within: factor([self.n_heads, n_blocks, block, block], self.init, device),
            across: factor([self.n_heads, block, n_blocks, n_blocks], self.init, device),
        }
    }
}

impl SequenceMixerConfig for LearnedMonarchConfig {
    type Mixer = LearnedMonarch;

    fn fit(&mut self, context: &Context) -> Vec<Refusal> {
        self.d_model = context.d_model;
        [context.only_bidirectional(), context.too_short(self.l_max)].into_iter().flatten().collect()
    }

    fn kept(&self) -> f64 {
        17.0
    }

    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        let short = if self.gated { Gates::short_flops(self.d_model, seq_len) } else { Flops::default() };
        Some(Flops::products(self.flops(seq_len) as f64) + short)
    }

    as_its_own_methods!();
}
