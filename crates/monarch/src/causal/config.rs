//! Config of a causal Monarch mixer.

use burn::config::Config;
use burn::module::Param;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use subquad_backend::Form;
use subquad_mixer::{Choice, Context, Flops, Options, Refusal, SequenceMixerConfig};
use subquad_options::range;

use super::blocks::Blocks;
use super::sandwich::Sandwich;
use super::{CausalMonarch, Matrix};
use crate::filter::{EMB_DIMS, ORDERS};
use crate::options::as_its_own_methods;
use crate::sequence::{Gates, LONGEST_BLOCK, LONGEST_MATRIX, Split, contradictions, factor, near_identity};
use crate::{ImplicitFilterConfig, SequenceInit};

/// How a Monarch matrix along the sequence is kept from looking ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum CausalMonarchForm {
    /// Triangular blocks: exactly causal, any map of tokens to tokens that their factors make.
    Blocks,
    /// A causal convolution between a triangular Monarch matrix and its inverse.
    Sandwich,
}

/// Config of a [`CausalMonarch`].
#[derive(Config, Options, Debug)]
pub struct CausalMonarchConfig {
    /// Width of input and output.
    #[option(given, range = 1..)]
    pub d_model: usize,
    /// Length of the matrix, in tokens; a shorter sequence uses its beginning. "longest" is the longest sequence of
    /// the config, test conditions included.
    #[option(range = 1..=LONGEST_MATRIX, or = "longest")]
    pub l_max: usize,
    /// How the matrix is kept from looking ahead: triangular blocks, exactly causal; or a causal convolution between a triangular
    /// Monarch matrix and its inverse (sandwich).
    #[config(default = "CausalMonarchForm::Blocks")]
    pub form: CausalMonarchForm,
    /// Tokens per block, at most l_max. 0: the smallest divisor of l_max that is at least its square root, which
    /// costs least; if that is twice the square root or more, the square root itself, rounded up.
    #[option(range = 1..=LONGEST_BLOCK, none = 0)]
    pub block: Option<usize>,
    /// Groups of adjacent features, each with its own matrices; must divide d_model.
    #[config(default = 1)]
    #[option(range = 1..=8192)]
    pub n_heads: usize,
    /// Projections, a short convolution and two gates surround the matrix, as they surround the long convolution of
    /// m2, so that the two layers differ only in what mixes the sequence. False: only the matrix, which mixes each
    /// feature separately and in the same way for all inputs.
    #[config(default = true)]
    pub gated: bool,
    /// Hidden width of the small network that generates the filter. Only with form = "sandwich", like the options below.
    #[config(default = 64)]
    #[option(range = ORDERS)]
    pub filter_order: usize,
    /// Width of the filter's positional features, odd: time itself, then sines and cosines.
    #[config(default = 5)]
    #[option(range = EMB_DIMS)]
    pub emb_dim: usize,
    /// Initial frequency of the filter network's sine activations; higher frequencies make rougher filters.
    #[config(default = 10.0)]
    #[option(range = range::POSITIVE)]
    pub sine_frequency: f64,
    /// The filter network learns at optim.lr, but never faster than this.
    #[config(default = 1e-3)]
    #[option(range = range::NOT_NEGATIVE)]
    pub filter_lr: f64,
    /// Weight decay of the filter network, whatever optim.weight_decay is.
    #[config(default = 0.0)]
    #[option(range = range::NOT_NEGATIVE)]
    pub filter_weight_decay: f64,
    /// The positional features learn at optim.lr, but never faster than this; 0 freezes them.
    #[config(default = 1e-5)]
    #[option(range = range::NOT_NEGATIVE)]
    pub position_lr: f64,
}

/// Options of the filter, which only a sandwich has.
const FILTER: [&str; 6] =
    ["filter_order", "emb_dim", "sine_frequency", "filter_lr", "filter_weight_decay", "position_lr"];

impl CausalMonarchConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a number out of its range, heads that do not divide the width,
    /// a block longer than `l_max`, a factor too large for memory, an even `emb_dim`, or an option of the filter
    /// without a filter.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| {
            let sizes = contradictions(self.d_model, self.l_max, self.block, self.n_heads);
            [sizes, self.idle_filter(), self.filter().contradictions()].concat()
        })
    }

    /// An option that changes nothing is a mistake in the config.
    fn idle_filter(&self) -> Vec<Refusal> {
        let (set, plain) = (self.to_values(), Self::new(self.d_model, self.l_max).to_values());
        let is_idle = |name: &str| self.form == CausalMonarchForm::Blocks && FILTER.contains(&name);
        let idle =
            set.into_iter().zip(plain).filter(|((name, set), (_, plain))| is_idle(name) && set != plain);
        let refusal = |((name, set), (_, plain))| {
            let reason = format!(
                "{name} = {set} does nothing with form = \"blocks\", which has no filter; leave it at {plain}"
            );
            Refusal::new(reason, &[name, "form"])
        };
        idle.map(refusal).collect()
    }

    /// Blocks start near the identity: at first every token gets itself and a little of the tokens before it. A
    /// sandwich starts as its convolution.
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

    /// Number of parameters, including those above diagonals, which have no effect.
    pub fn n_parameters(&self) -> usize {
        let Split { block, n_blocks } = self.split();
        let (within, across) = (n_blocks * block * block, block * n_blocks * n_blocks);
        let gates = if self.gated { Gates::parameters(self.d_model) } else { 0 };
        let matrix = match self.form {
            CausalMonarchForm::Blocks => self.n_heads * (2 * within + across),
            CausalMonarchForm::Sandwich => self.n_heads * (within + across) + self.filter().n_parameters(),
        };
        gates + matrix
    }

    /// Floating-point operations of the matrix products for one sequence, forward: two per multiply-add, without
    /// entries above diagonals and diagonals of ones. Those along the sequence grow as `seq^1.5` if `l_max` is `seq`.
    /// For a sandwich, its convolution, O(seq log seq), is not counted, nor are its filter and its inverse, which are
    /// computed once for any batch.
    pub fn flops(&self, seq: usize) -> usize {
        let (Split { block, .. }, used) = (self.split(), self.split().used(seq));
        let full = used * block * block;
        let lower = used * block * (block + 1) / 2;
        let gates = if self.gated { Gates::flops(self.d_model, seq) } else { 0 };
        let products = match self.form {
            CausalMonarchForm::Blocks => lower + full + strictly_lower(used, block),
            CausalMonarchForm::Sandwich => 2 * self.triangle(used),
        };
        gates + 2 * products * self.d_model
    }

    /// Entries of a sandwich's triangular matrix on this many blocks.
    fn triangle(&self, used: usize) -> usize {
        let block = self.split().block;
        strictly_lower(block, used) + strictly_lower(used, block)
    }

    /// What a sandwich adds to the products: its convolution and, once for a batch, the filter, the triangular matrix on the kernel, and the
    /// inverses of its blocks. Substitution takes `size^3 / 3` operations per block, its gradient `size^3`.
    fn sandwich_flops(&self, seq_len: usize) -> Flops {
        let (Split { block, .. }, used) = (self.split(), self.split().used(seq_len));
        let kernel = Flops::products(2.0 * (self.triangle(used) * self.d_model) as f64).shared();
        let cubes = (self.n_heads * block * used * (block * block + used * used)) as f64;
        let inverses = Flops { sequence: 0.0, batch: 4.0 / 3.0 * cubes };
        self.filter().training_flops(seq_len) + kernel + inverses
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
        let zeros = |shape: [usize; 4]| Param::from_tensor(Tensor::zeros(shape, device));
        Sandwich {
            within: zeros([self.n_heads, n_blocks, block, block]),
            across: zeros([self.n_heads, block, n_blocks, n_blocks]),
            filter: self.filter().init(device),
        }
    }
}

/// Entries below the diagonals of `count` square matrices.
fn strictly_lower(size: usize, count: usize) -> usize {
    count * size * size.saturating_sub(1) / 2
}

impl SequenceMixerConfig for CausalMonarchConfig {
    type Mixer = CausalMonarch;

    fn fit(&mut self, context: &Context) -> Vec<Refusal> {
        self.d_model = context.d_model;
        [context.only_causal(), context.too_short(self.l_max)].into_iter().flatten().collect()
    }

    fn kept(&self) -> f64 {
        14.0
    }

    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        let short = if self.gated { Gates::short_flops(self.d_model, seq_len) } else { Flops::default() };
        let sandwich = match self.form {
            CausalMonarchForm::Blocks => Flops::default(),
            CausalMonarchForm::Sandwich => self.sandwich_flops(seq_len),
        };
        Some(Flops::products(self.flops(seq_len) as f64) + short + sandwich)
    }

    fn kernels(&self, seq_len: usize) -> f64 {
        self.filter().with_num_inner(1).floats(seq_len)
    }

    as_its_own_methods!();
}
