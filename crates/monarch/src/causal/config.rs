//! Config of a causal Monarch mixer.

use burn::config::Config;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use subquad_backend::Form;

use super::blocks::Blocks;
use super::sandwich::Sandwich;
use super::{CausalMonarch, Matrix};
use crate::sequence::{Gates, Split, check_sizes, factor, near_identity, zeros};
use crate::{ImplicitFilterConfig, MonarchSequenceConfigError, SequenceInit};

/// How a Monarch matrix along the sequence is kept from looking ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CausalMonarchForm {
    /// Triangular blocks: exactly causal, any map of tokens to tokens that their factors make.
    Blocks,
    /// A causal convolution between a triangular Monarch matrix and its inverse.
    Sandwich,
}

/// Config of a [`CausalMonarch`].
#[derive(Config, Debug)]
pub struct CausalMonarchConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Longest sequence, in tokens. A shorter one uses the beginning of the matrix.
    pub l_max: usize,
    /// How the matrix is kept from looking ahead.
    #[config(default = "CausalMonarchForm::Blocks")]
    pub form: CausalMonarchForm,
    /// Tokens of a block. `None`: the divisor of `l_max` from its square root on, which costs least; the square root,
    /// rounded up, where there is none below its double.
    #[config(default = "None")]
    pub block: Option<usize>,
    /// Groups of neighbouring features with matrices of their own.
    #[config(default = 1)]
    pub n_heads: usize,
    /// Whether projections, a short convolution and two gates stand around the matrix, as around the long convolution of
    /// M2: then the two layers differ in what mixes the sequence, and in nothing else. Without them every feature is mixed
    /// by itself, and the same way whatever the tokens say.
    #[config(default = true)]
    pub gated: bool,
    /// Width of the network that draws the filter of a sandwich.
    #[config(default = 64)]
    pub filter_order: usize,
    /// Positional features that this network reads: odd, at least 3.
    #[config(default = 5)]
    pub emb_dim: usize,
    /// Initial frequency of its sines.
    #[config(default = 10.0)]
    pub sine_frequency: f64,
    /// Largest learning rate of that network.
    #[config(default = 1e-3)]
    pub filter_lr: f64,
    /// Its weight decay.
    #[config(default = 0.0)]
    pub filter_weight_decay: f64,
    /// Largest learning rate of the positional features; 0 freezes them.
    #[config(default = 1e-5)]
    pub position_lr: f64,
}

impl CausalMonarchConfig {
    /// # Errors
    /// If a size is 0, heads cannot be equally wide, a block is longer than `l_max`, `emb_dim` is even or below 3, the
    /// frequency is not positive, or a rate is negative.
    pub fn check(&self) -> Result<(), MonarchSequenceConfigError> {
        check_sizes(self.d_model, self.l_max, self.block, self.n_heads)?;
        self.filter().check()?;
        let rates = [
            ("filter_lr", self.filter_lr),
            ("filter_weight_decay", self.filter_weight_decay),
            ("position_lr", self.position_lr),
        ];
        match rates.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((what, value)) => Err(MonarchSequenceConfigError::Rate { what, value }),
            None => Ok(()),
        }
    }

    /// Blocks start near the identity: every token begins with itself, and some of the tokens before it. A sandwich starts
    /// as its convolution.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> CausalMonarch {
        self.check().unwrap_or_else(|e| panic!("CausalMonarchConfig: {e}"));
        CausalMonarch {
            gates: self.gated.then(|| Gates::new(self.d_model, device)),
            matrix: match self.form {
                CausalMonarchForm::Blocks => Matrix::Blocks(self.blocks(device)),
                CausalMonarchForm::Sandwich => Matrix::Sandwich(self.sandwich(device)),
            },
            config: self.clone(),
            form: Form::for_device(device),
        }
    }

    /// Numbers that the layer learns, those above diagonals included, which never change anything.
    pub fn n_parameters(&self) -> usize {
        let Split { block, n_blocks } = self.split();
        let (within, across) = (n_blocks * block * block, block * n_blocks * n_blocks);
        let gates = if self.gated { Gates::parameters(self.d_model) } else { 0 };
        let matrix = match self.form {
            CausalMonarchForm::Blocks => self.n_heads * (2 * within + across),
            CausalMonarchForm::Sandwich => self.n_heads * (within + across) + self.filter_parameters(),
        };
        gates + matrix
    }

    fn filter_parameters(&self) -> usize {
        let (e, o, d_model) = (self.emb_dim, self.filter_order, self.d_model);
        o * (e + 1) + 2 * o * (o + 1) + o * d_model + o + self.l_max * e + d_model
    }

    /// Floating-point operations of the products of matrices for one sequence, forward: two a multiply-add, entries above
    /// diagonals left out. Those along the sequence grow as `seq^1.5` where `l_max` is `seq`. Of a sandwich: without its convolution, O(seq log seq), and
    /// what makes its filter and its inverse, which are the same for any batch.
    pub fn flops(&self, seq: usize) -> usize {
        let (Split { block, .. }, used) = (self.split(), self.split().used(seq));
        let full = used * block * block;
        let lower = used * block * (block + 1) / 2;
        let strict = |size: usize, count: usize| count * size * (size - 1) / 2;
        let gates = if self.gated { Gates::flops(self.d_model, seq) } else { 0 };
        let products = match self.form {
            CausalMonarchForm::Blocks => lower + full + strict(used, block),
            CausalMonarchForm::Sandwich => 2 * (strict(block, used) + strict(used, block)),
        };
        gates + 2 * products * self.d_model
    }

    pub(crate) fn split(&self) -> Split {
        Split::new(self.l_max, self.block)
    }

    pub(crate) fn filter(&self) -> ImplicitFilterConfig {
        ImplicitFilterConfig::new(self.d_model, self.l_max)
            .with_order(self.filter_order)
            .with_emb_dim(self.emb_dim)
            .with_sine_frequency(self.sine_frequency)
    }

    fn blocks(&self, device: &Device) -> Blocks {
        let Split { block, n_blocks } = self.split();
        let neighbours = [self.n_heads, n_blocks, block, block];
        Blocks {
            own: near_identity(neighbours, 1.0, device),
            summary: factor(neighbours, SequenceInit::Random, device),
            earlier: factor([self.n_heads, block, n_blocks, n_blocks], SequenceInit::Random, device),
        }
    }

    fn sandwich(&self, device: &Device) -> Sandwich {
        let Split { block, n_blocks } = self.split();
        Sandwich {
            within: zeros([self.n_heads, n_blocks, block, block], device),
            across: zeros([self.n_heads, block, n_blocks, n_blocks], device),
            filter: self.filter().init(device),
        }
    }
}
