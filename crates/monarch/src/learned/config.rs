//! Config of a learned Monarch mixer.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;

use super::{LearnedMonarch, Matrix};
use crate::sequence::{Gates, Split, check_sizes, factor};
use crate::{MonarchSequenceConfigError, SequenceInit};

/// Config of a [`LearnedMonarch`].
#[derive(Config, Debug)]
pub struct LearnedMonarchConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Longest sequence, in tokens. The matrices belong to it: a shorter sequence is one that ends in zeros, of which the
    /// first outputs are kept.
    pub l_max: usize,
    /// Tokens of a block. `None`: the divisor of `l_max` from its square root on, which costs least; the square root,
    /// rounded up, where there is none below its double. Blocks that `l_max` does not fill are filled with zeros.
    #[config(default = "None")]
    pub block: Option<usize>,
    /// Groups of neighbouring features with matrices of their own.
    #[config(default = 1)]
    pub n_heads: usize,
    /// What happens to every number between the two matrices. The listing of the paper has relu there, its equation
    /// nothing; nothing lets the two be a DFT and its inverse.
    #[config(default = "Activation::Identity")]
    pub activation: Activation,
    /// Where the four factors start. From random ones a model of handwritten digits learned sooner than from near the
    /// identity, with and without gates.
    #[config(default = "SequenceInit::Random")]
    pub init: SequenceInit,
    /// Whether projections, a short convolution and two gates stand around the matrices, as around the long convolution
    /// of M2: then the two layers differ in what mixes the sequence, and in nothing else. False is the layer of the paper,
    /// which mixes every feature by itself and the same way whatever the tokens say.
    #[config(default = true)]
    pub gated: bool,
}

impl LearnedMonarchConfig {
    /// # Errors
    /// If a size is 0, heads cannot be equally wide, or a block is longer than `l_max`.
    pub fn check(&self) -> Result<(), MonarchSequenceConfigError> {
        check_sizes(self.d_model, self.l_max, self.block, self.n_heads)
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

    /// Numbers that the layer learns.
    pub fn n_parameters(&self) -> usize {
        let Split { block, n_blocks } = self.split();
        let matrix = self.n_heads * block * n_blocks * (block + n_blocks);
        let gates = if self.gated { Gates::parameters(self.d_model) } else { 0 };
        gates + 2 * matrix + self.split().tokens() * self.d_model
    }

    /// Floating-point operations of the products of matrices for one sequence, forward: two a multiply-add. Those along the
    /// sequence grow as `seq^1.5` where `l_max` is `seq`.
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
